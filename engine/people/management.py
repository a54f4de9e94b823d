"""Accounts of others: an administrator's for all organisations, a manager's for the own one. On real time.

Nobody learns or chooses somebody else's password: a new account and a forgotten password get a link that works once.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database
from engine.errors import Invalid, NotFound
from engine.people import accounts, passwords, sessions
from engine.people.access import HAVE_HEADS, Action, manages_account, require
from engine.people.accounts import Actor, Tell
from engine.people.tables import Account, AccountErasure, OneTimeLink, Organisation
from engine.people.tokens import hashed_token, new_token
from engine.text import Text

LINK_LASTS = timedelta(hours=24)


class LinkSpent(Invalid):
    sentence = Text(
        "这个链接已经失效：只能用一次，过期作废。请向单位的账号管理员或平台管理员重新索取。",
        "This link no longer works: it can be used once, and for a limited time. Ask your manager or an administrator "
        "for a new one.",
    )


class NoHeads(Invalid):
    sentence = Text(
        "只有主管部门和技术支持单位的账号可以设为科长。",
        "Only accounts of authorities and support units can head a section.",
    )


def managed(session: Session, actor: Actor, account_id: str) -> tuple[Account, Organisation]:
    """An account, active or not, that the actor may manage. Raises NotAllowed, NotFound."""
    require(actor, Action.MANAGE_ACCOUNTS)
    found = session.execute(
        select(Account, Organisation)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Account.id == account_id, manages_account(actor, Account.organisation_id))
    ).first()
    if found is None:
        raise NotFound()
    return found[0], found[1]


def add_account(
    session: Session, actor: Actor, *, organisation: Organisation | None, username: str, name: str, now: datetime
) -> tuple[Account, str]:
    """A new account and the token of the link that sets its first password. Without an organisation it is one of the
    actor's own; of another only administrators make one.

    Raises NotAllowed, UsernameRefused, UsernameTaken, PersonNameRefused.
    """
    require(actor, Action.ADMINISTER if organisation else Action.MANAGE_ACCOUNTS)
    organisation = organisation or session.get_one(Organisation, actor.organisation_id)
    account = accounts.create_account(
        session,
        organisation=organisation,
        username=username,
        password=secrets.token_urlsafe(32),  # which nobody ever sees
        name=name,
        now=now,
        by=actor.account_id,
    )
    return account, issue_link(session, account, by=actor.account_id, now=now)


def issue_link(
    session: Session, account: Account, *, by: str | None, now: datetime, lasts: timedelta = LINK_LASTS
) -> str:
    """The token of a link with which the account's person sets a new password; earlier links end."""
    session.execute(delete(OneTimeLink).where(OneTimeLink.account_id == account.id))
    return add_link(session, account, by=by, now=now, lasts=lasts)


def add_link(session: Session, account: Account, *, by: str | None, now: datetime, lasts: timedelta) -> str:
    """As above, but earlier links go on: strangers may ask for one, and must not void what a manager handed over."""
    token = new_token()
    session.add(OneTimeLink(token_hash=hashed_token(token), account_id=account.id, expires_at=now + lasts))
    session.flush()
    record(session, SystemEventKind.LINK_ISSUED, at=now, actor_id=by, account_id=account.id)
    return token


def whose_link(session: Session, token: str, now: datetime) -> tuple[Account, Organisation]:
    """Raises LinkSpent, also for a link that never was."""
    found = session.execute(
        select(Account, Organisation)
        .join(OneTimeLink, OneTimeLink.account_id == Account.id)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(OneTimeLink.token_hash == hashed_token(token), OneTimeLink.expires_at > now, Account.active)
    ).first()
    if found is None:
        raise LinkSpent()
    return found[0], found[1]


def use_link(database: Database, token: str, password: str, *, tell: Tell, now: datetime) -> None:
    """Set the password; every session and every other link of the account ends. `tell` writes to its person. Raises
    LinkSpent, PasswordRefused."""
    with database.read() as session:
        account, organisation = whose_link(session, token, now)
    passwords.check(password, about=accounts.names_of(account, organisation))
    hashed = passwords.hashed(password)
    with database.write() as session:
        spent = (
            delete(OneTimeLink).where(OneTimeLink.token_hash == hashed_token(token)).returning(OneTimeLink.account_id)
        )
        if session.execute(spent).first() is None:
            raise LinkSpent()
        session.execute(delete(OneTimeLink).where(OneTimeLink.account_id == account.id))
        changed = session.get_one(Account, account.id)
        changed.password_hash = hashed
        sessions.end_all(session, account.id)
        tell(session, changed)
        record(session, SystemEventKind.PASSWORD_RESET, at=now, actor_id=account.id)


def reactivate(session: Session, actor: Actor, account_id: str, *, now: datetime) -> None:
    """Raises NotAllowed, NotFound."""
    account, _ = managed(session, actor, account_id)
    if session.get(AccountErasure, account_id):  # nobody can be this account again
        raise NotFound()
    if not account.active:
        account.active = True
        record(session, SystemEventKind.ACCOUNT_ACTIVATED, at=now, actor_id=actor.account_id, account_id=account.id)


def set_manager(session: Session, actor: Actor, account_id: str, manages: bool, *, now: datetime) -> None:
    """Whether the account manages those of its organisation: for administrators to say. Raises NotAllowed, NotFound."""
    require(actor, Action.ADMINISTER)
    account, _ = managed(session, actor, account_id)
    if account.manages != manages:
        account.manages = manages
        facts = {"account_id": account.id, "manages": manages}
        record(session, SystemEventKind.MANAGER_SET, at=now, actor_id=actor.account_id, **facts)


def set_head(session: Session, actor: Actor, account_id: str, heads: bool, *, now: datetime) -> None:
    """Whether the account heads its section (科长): for whoever manages it to say.

    Raises NotAllowed, NotFound, NoHeads.
    """
    account, _ = managed(session, actor, account_id)
    if account.role not in HAVE_HEADS:
        raise NoHeads()
    if account.heads != heads:
        account.heads = heads
        facts = {"account_id": account.id, "heads": heads}
        record(session, SystemEventKind.HEAD_SET, at=now, actor_id=actor.account_id, **facts)
