"""Whose account somebody means whom an OpenID provider vouches for. A link is made once and then counts alone: a user
name that changes at the provider leads nobody into somebody else's account. On real time.

Where the provider also says role and organisation (`Vouched.place`), they have to be the account's, at every sign-on:
whoever has left an office there is kept out here. Then somebody without an account gets one, too.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database
from engine.errors import NotAllowed, NotFound, Refusal
from engine.people import management, sessions
from engine.people.accounts import Actor, actor_from, create_account, normalised, organisation_for
from engine.people.tables import Account, Role, SignOnLink
from engine.text import Text


class NoAccount(NotAllowed):
    """`account_id` is the account that was meant, for the audit trail and never for whoever tries."""

    sentence = Text(
        "统一身份认证已通过，但没有可供您使用的本平台账号。请联系本单位账号管理员或平台管理员开通或启用账号，也可以用密码登录。",
        "You were identified, but there is no account here that you can use. Ask your organisation's account manager "
        "or the platform's administrator to create or activate one, or log in with a password.",
    )

    def __init__(self, account_id: str | None = None) -> None:
        self.account_id = account_id
        super().__init__()


class PlaceDiffers(NoAccount):
    sentence = Text(
        "统一身份认证给出的单位或角色与本平台账号不一致，不能登录。请联系平台管理员核对您的单位。",
        "The organisation or role that the sign-on service gives for you is not your account's here, so you can't log "
        "in. Ask the platform's administrator to check your organisation.",
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Role and organisation, as a diagram would name them: by the organisation's key."""

    role: Role
    key: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """What the provider says of a person."""

    issuer: str
    subject: str
    username: str | None
    name: str = ""
    place: Place | None = None  # none where it says nothing, or nothing that is clear


def identify(database: Database, person: Vouched, *, placed: Collection[Role] = (), now: datetime) -> Actor:
    """Who signs on. At the first time the user name, as the provider vouches for it, says which account it is; where
    there is none of that name, one is made if the provider says for which organisation.

    `placed` are the roles whose place the provider knows. Raises NoAccount where there is no account, it is inactive,
    linked to somebody else already, or another place's (PlaceDiffers).
    """
    for last in (False, True):
        try:
            with database.write() as session:
                return actor_from(_account(session, person, placed, now))
        except NoAccount as refusal:
            with database.write() as session:
                refused(session, refusal.account_id, now=now)
            raise
        except IntegrityError:  # the same person, in the same moment, in another window: now there is a link
            if last:
                raise
    raise NoAccount()


def refused(session: Session, account_id: str | None, *, now: datetime) -> None:
    """Put on record that somebody wasn't let in, by this module or for what the provider sent."""
    record(session, SystemEventKind.SIGN_ON_REFUSED, at=now, actor_id=None, account_id=account_id)


def linked_since(session: Session, account_id: str) -> datetime | None:
    return session.scalar(select(SignOnLink.linked_at).where(SignOnLink.account_id == account_id))


def is_person_of(session: Session, account_id: str, issuer: str, subject: str) -> bool:
    link = session.get(SignOnLink, (issuer, subject))
    return link is not None and link.account_id == account_id


def unlink(session: Session, actor: Actor, account_id: str, *, now: datetime) -> None:
    """The account is nobody's at the provider any more, and whoever signed on to it is logged out. The next person with
    its user name there is linked to it. Raises NotAllowed, NotFound."""
    management.managed(session, actor, account_id)
    gone = delete(SignOnLink).where(SignOnLink.account_id == account_id).returning(SignOnLink.account_id)
    if session.execute(gone).first() is None:
        raise NotFound()
    sessions.end_signed_on(session, account_id, None)
    record(session, SystemEventKind.SIGN_ON_UNLINKED, at=now, actor_id=actor.account_id, account_id=account_id)


def sign_off(session: Session, issuer: str, subject: str | None, sid: str | None, *, now: datetime) -> None:
    """The provider has logged somebody out: everywhere, or from one of its sessions."""
    link = session.get(SignOnLink, (issuer, subject)) if subject else None
    if subject and link is None:
        return
    ended = sessions.end_signed_on(session, link.account_id if link else None, sid)
    if ended:
        record(session, SystemEventKind.SIGNED_OFF, at=now, actor_id=None, account_ids=ended)


def _account(session: Session, person: Vouched, placed: Collection[Role], now: datetime) -> Account:
    if link := session.get(SignOnLink, (person.issuer, person.subject)):
        account = session.get_one(Account, link.account_id)
        _refuse_unless_usable(session, account, person, placed)
        return account
    named = select(Account).where(Account.username == normalised(person.username or "")).with_for_update()
    found = session.scalar(named) or _made(session, person, now)
    if linked_since(session, found.id):
        raise NoAccount(found.id)
    _refuse_unless_usable(session, found, person, placed)
    session.add(SignOnLink(issuer=person.issuer, subject=person.subject, account_id=found.id, linked_at=now))
    session.flush()
    record(session, SystemEventKind.SIGN_ON_LINKED, at=now, actor_id=found.id)
    return found


def _refuse_unless_usable(session: Session, account: Account, person: Vouched, placed: Collection[Role]) -> None:
    if not account.active:
        raise NoAccount(account.id)
    if account.role in placed:
        place = person.place
        organisation = organisation_for(session, place.role, place.key) if place else None
        if organisation is None or organisation.id != account.organisation_id:
            raise PlaceDiffers(account.id)


def _made(session: Session, person: Vouched, now: datetime) -> Account:
    """An account for somebody who has none."""
    place = person.place
    organisation = organisation_for(session, place.role, place.key) if place else None
    if organisation is None:
        raise NoAccount()
    try:
        return create_account(
            session,
            organisation=organisation,
            username=person.username or "",
            password=secrets.token_urlsafe(32),  # which nobody ever sees
            name=person.name,
            now=now,
        )
    except Refusal:  # a user name that can't be one here
        raise NoAccount() from None
