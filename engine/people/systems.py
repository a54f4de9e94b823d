"""接入系统: machines of a city that ask the platform something, each by a credential of its own. On real time.

A credential is shown once and kept as a hash: it is random enough not to be guessed.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database, new_id
from engine.errors import Invalid, NotFound, Refusal
from engine.people import throttling
from engine.people.access import Action, manages_system, may, require
from engine.people.accounts import Actor, organisation_for
from engine.people.tables import Account, Organisation, Role, System
from engine.people.throttling import Rate
from engine.text import Text

FROM_ONE_ADDRESS = Rate(burst=60, every=timedelta(seconds=6))  # credentials that are none
SEEN_EVERY = timedelta(minutes=1)
_LONGEST = 60  # characters of a name


class NameMissing(Invalid):
    sentence = Text(
        "请填写系统名称，最多 {most} 个字，不能含看不见的字符。",
        "Give the system a name of at most {most} characters, none of which is invisible.",
    )


class NoSuchCity(Invalid):
    sentence = Text("没有登记这个城市代码的主管部门。", "No authority is registered under this city code.")


class CredentialRefused(Refusal):
    sentence = Text(
        "接入凭证缺失、有误或已作废。请在请求头 Authorization 中填写 Bearer 和凭证。",
        "The credential is missing, wrong or revoked. Send it in the header Authorization, after “Bearer”.",
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """A system that has shown its credential; it may ask about what is its authority's."""

    system_id: str
    organisation_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A credential as lists show it."""

    id: str
    name: str
    organisation: Text
    hint: str
    created_at: datetime
    created_by: str
    last_used_at: datetime | None
    revoked_at: datetime | None


def issue(session: Session, actor: Actor, *, name: str, city: str | None, now: datetime) -> tuple[System, str]:
    """A new credential, and what it says: never shown again. Without a city code it is for the actor's own authority;
    for another only administrators issue one.

    Raises NotAllowed, NameMissing, NoSuchCity.
    """
    require(actor, Action.MANAGE_SYSTEMS)
    name = " ".join(name.split())
    if not 0 < len(name) <= _LONGEST or not name.isprintable():
        raise NameMissing(most=_LONGEST)
    if may(actor, Action.ADMINISTER):
        organisation = organisation_for(session, Role.AUTHORITY, city or "")
        if organisation is None:
            raise NoSuchCity()
    else:
        organisation = session.get_one(Organisation, actor.organisation_id)
    credential = "rnsys_" + secrets.token_urlsafe(32)
    system = System(
        id=new_id(),
        organisation_id=organisation.id,
        name=name,
        credential_hash=_hash(credential),
        hint=credential[-4:],
        created_at=now,
        created_by=actor.account_id,
    )
    session.add(system)
    session.flush()
    _record(session, SystemEventKind.SYSTEM_ADDED, system, actor, now)
    return system, credential


def revoke(session: Session, actor: Actor, system_id: str, *, now: datetime) -> System:
    """Nothing is answered to it any more. Raises NotAllowed, NotFound, also for one that was revoked before."""
    require(actor, Action.MANAGE_SYSTEMS)
    own = select(System).where(System.id == system_id, manages_system(actor, System.organisation_id))
    system = session.scalar(own.where(System.revoked_at.is_(None)).with_for_update())
    if system is None:
        raise NotFound()
    system.revoked_at = now
    _record(session, SystemEventKind.SYSTEM_REVOKED, system, actor, now)
    return system


def listed(session: Session, actor: Actor) -> list[Entry]:
    """Those the actor looks after, newest first, revoked ones at the end. Raises NotAllowed."""
    require(actor, Action.MANAGE_SYSTEMS)
    rows = session.execute(
        select(System, Organisation, Account.name)
        .join(Organisation, Organisation.id == System.organisation_id)
        .join(Account, Account.id == System.created_by)
        .where(manages_system(actor, System.organisation_id))
        .order_by(System.revoked_at.is_not(None), System.created_at.desc(), System.id)
    )
    return [
        Entry(
            id=system.id,
            name=system.name,
            organisation=Text(organisation.name, organisation.name_en),
            hint=system.hint,
            created_at=system.created_at,
            created_by=by,
            last_used_at=system.last_used_at,
            revoked_at=system.revoked_at,
        )
        for system, organisation, by in rows
    ]


def authenticate(database: Database, credential: str, *, address: str, now: datetime) -> Caller:
    """Whose credential this is. Only wrong ones are counted, by source address. Raises CredentialRefused, TooOften."""
    if not credential:
        raise CredentialRefused()
    with database.read() as session:
        valid = select(System).where(System.credential_hash == _hash(credential), System.revoked_at.is_(None))
        system = session.scalar(valid)
    if system is None:
        with database.write() as session:
            throttling.take(session, FROM_ONE_ADDRESS, "credential from", throttling.source(address), now=now)
        raise CredentialRefused()
    return Caller(system.id, system.organisation_id)


def seen(session: Session, caller: Caller, now: datetime) -> None:
    """It was used; to the minute, so that not every use writes."""
    unseen = System.last_used_at.is_(None) | (System.last_used_at < now - SEEN_EVERY)
    session.execute(update(System).where(System.id == caller.system_id, unseen).values(last_used_at=now))


def _record(session: Session, kind: SystemEventKind, system: System, actor: Actor, now: datetime) -> None:
    facts = {"system_id": system.id, "organisation_id": system.organisation_id}
    record(session, kind, at=now, actor_id=actor.account_id, **facts)


def _hash(credential: str) -> str:
    return hashlib.sha256(credential.encode()).hexdigest()
