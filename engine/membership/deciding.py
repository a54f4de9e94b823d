"""企业注册, as administrators decide it: the list, one application, and yes or no. On real time."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.clock import SHANGHAI
from engine.errors import Conflict, NotFound
from engine.membership.tables import Registration, RegistrationState
from engine.people import accounts, management
from engine.people.access import Action, require
from engine.people.accounts import Actor
from engine.people.directory import names
from engine.people.tables import Role
from engine.runtime.paging import Page, paged
from engine.runtime.reasons import checked
from engine.runtime.runtime import Runtime
from engine.telling.letters import write_letter
from engine.text import Text

LINK_LASTS = timedelta(days=7)  # a letter may lie over a long holiday's first days


class DecidedAlready(Conflict):
    sentence = Text(
        "这份注册申请已由{who}于{when}处理，请刷新页面查看。",
        "This registration was already decided by {who} at {when}. Refresh the page.",
    )


@dataclass(frozen=True, slots=True)
class Dossier:
    """One registration, as an administrator looks into it before deciding."""

    registration: Registration
    decided_by: str | None  # a person's name
    others: tuple[Registration, ...]  # of the same code, newest first
    taken: bool  # does the enterprise take part already?


@dataclass(frozen=True, slots=True)
class Approved:
    """`token` is of the link that sets the first password; worth showing only where no letter carries it."""

    account_id: str
    username: str
    token: str


def count_waiting(session: Session) -> int:
    waiting = select(func.count()).where(Registration.state == RegistrationState.WAITING)
    return session.scalar(waiting) or 0


def listed(
    session: Session, actor: Actor, *, decided: bool = False, search: str = "", page: int = 1
) -> Page[Registration]:
    """Those that wait, the oldest first, or those decided, the latest first. Raises NotAllowed."""
    require(actor, Action.ADMINISTER)
    waiting = Registration.state == RegistrationState.WAITING
    query = select(Registration).where(~waiting if decided else waiting)
    if words := search.strip():
        columns = (Registration.name, Registration.code)
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    first = Registration.decided_at.desc() if decided else Registration.applied_at
    return paged(session, query.order_by(first, Registration.id), page).map(lambda row: row[0])


def dossier(session: Session, actor: Actor, registration_id: str) -> Dossier:
    """Raises NotAllowed, NotFound."""
    require(actor, Action.ADMINISTER)
    registration = session.get(Registration, registration_id)
    if registration is None:
        raise NotFound()
    by = registration.decided_by
    same = select(Registration).where(Registration.code == registration.code, Registration.id != registration_id)
    return Dossier(
        registration=registration,
        decided_by=names(session, [by]).get(by) if by else None,
        others=tuple(session.scalars(same.order_by(Registration.applied_at.desc()).limit(20))),
        taken=accounts.organisation_for(session, Role.ENTERPRISE, registration.code) is not None,
    )


def approve(
    runtime: Runtime, registration_id: str, actor: Actor, *, username: str, mails_links: bool, now: datetime
) -> Approved:
    """The enterprise, its code and its first account, which manages the others, in one transaction with the letter
    that says so. `username` empty: the one asked for. `mails_links`: a letter, not the
    administrator, takes the link there.

    Raises NotAllowed, NotFound, DecidedAlready, OrganisationKeyTaken, UsernameRefused, UsernameTaken.
    """
    require(actor, Action.ADMINISTER)
    try:
        with runtime.database.write() as session:
            registration = _to_decide(session, registration_id)
            by = actor.account_id
            organisation = accounts.create_organisation(
                session, Role.ENTERPRISE, registration.name, [registration.code], now=now, by=by
            )
            account = accounts.create_account(
                session,
                organisation=organisation,
                username=username.strip() or registration.username,
                password=secrets.token_urlsafe(32),  # which nobody ever sees
                name=registration.contact,
                email=registration.email.lower(),
                manages=True,
                now=now,
                by=by,
            )
            token = management.issue_link(session, account, by=by, now=now, lasts=LINK_LASTS)
            registration.state, registration.account_id = RegistrationState.APPROVED, account.id
            registration.decided_at, registration.decided_by = now, by
            facts = {"organisation_id": organisation.id, "account_id": account.id}
            kind = SystemEventKind.REGISTRATION_APPROVED
            record(session, kind, at=now, actor_id=by, registration_id=registration_id, **facts)
            how = _BY_LINK if mails_links else _BY_HAND
            text = Text(_APPROVED.zh + how.zh, _APPROVED.en + how.en)
            write_letter(
                session,
                runtime.keyring,
                to=registration.email,
                subject=Text("企业注册已通过", "Your enterprise is registered"),
                text=text.filled(name=registration.name, username=account.username, days=LINK_LASTS.days),
                path=f"/set-password/{token}" if mails_links else "",
                now=now,
            )
            return Approved(account.id, account.username, token)
    except IntegrityError as lost:  # somebody else took the code or the user name in the same moment
        raise Conflict() from lost


def reject(runtime: Runtime, registration_id: str, actor: Actor, *, reason: str, now: datetime) -> None:
    """With a reason, which the applicant is told. Raises NotAllowed, NotFound, DecidedAlready, ReasonMissing."""
    require(actor, Action.ADMINISTER)
    reason = checked(reason)
    with runtime.database.write() as session:
        registration = _to_decide(session, registration_id)
        registration.state, registration.reason = RegistrationState.REJECTED, reason
        registration.decided_at, registration.decided_by = now, actor.account_id
        kind = SystemEventKind.REGISTRATION_REJECTED
        record(session, kind, at=now, actor_id=actor.account_id, registration_id=registration_id)
        write_letter(
            session,
            runtime.keyring,
            to=registration.email,
            subject=Text("企业注册未通过", "Your enterprise was not registered"),
            text=_REJECTED.filled(name=registration.name, reason=reason),
            path="/register",
            now=now,
        )


def _to_decide(session: Session, registration_id: str) -> Registration:
    """One that waits, locked: of two who decide it, the second reads what the first has decided."""
    registration = session.scalar(select(Registration).where(Registration.id == registration_id).with_for_update())
    if registration is None:
        raise NotFound()
    if registration.state != RegistrationState.WAITING:
        by, at = registration.decided_by or "", registration.decided_at
        when = at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if at else ""
        raise DecidedAlready(who=names(session, [by]).get(by, ""), when=when)
    return registration


_APPROVED = Text(
    "{name}的注册申请已通过，您的用户名是 {username}，并可为本企业的同事开立账号。\n",
    "{name} is registered. Your user name is {username}, and you may make accounts for your colleagues.\n",
)
_BY_LINK = Text(
    "请打开以下链接设置密码，{days} 天内有效，只能用一次：", "Set your password here, once, within {days} days:"
)
_BY_HAND = Text(
    "设置密码的链接由平台管理员另行交给您。", "An administrator will hand you the link that sets your password."
)
_REJECTED = Text(
    "{name}的注册申请未通过，理由：{reason}\n改正后可以重新申请。",
    "The registration of {name} was rejected. The reason: {reason}\nYou may apply again once this is put right.",
)
