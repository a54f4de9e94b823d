"""Whose account somebody means whom an OpenID provider vouches for. A link is made once and then counts alone: a user
name that changes at the provider leads nobody into somebody else's account. On real time."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database
from engine.errors import NotAllowed
from engine.people.accounts import Actor, actor_from, normalised
from engine.people.tables import Account, SignOnLink
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


def identify(database: Database, issuer: str, subject: str, username: str | None, *, now: datetime) -> Actor:
    """Who signs on. At the first time `username`, as the provider vouches for it, says which account it is.

    Raises NoAccount where there is none, it is inactive, or it is linked to somebody else already.
    """
    try:
        with database.write() as session:
            return actor_from(_account(session, issuer, subject, username, now))
    except NoAccount as refusal:
        with database.write() as session:
            refused(session, refusal.account_id, now=now)
        raise


def refused(session: Session, account_id: str | None, *, now: datetime) -> None:
    """Put on record that somebody wasn't let in, by this module or for what the provider sent."""
    record(session, SystemEventKind.SIGN_ON_REFUSED, at=now, actor_id=None, account_id=account_id)


def is_linked(session: Session, account_id: str) -> bool:
    return session.scalar(select(SignOnLink.subject).where(SignOnLink.account_id == account_id)) is not None


def _account(session: Session, issuer: str, subject: str, username: str | None, now: datetime) -> Account:
    if link := session.get(SignOnLink, (issuer, subject)):
        account = session.get_one(Account, link.account_id)
        if not account.active:
            raise NoAccount(account.id)
        return account
    named = select(Account).where(Account.username == normalised(username or "")).with_for_update()
    found = session.scalar(named)
    if found is None or not found.active or is_linked(session, found.id):
        raise NoAccount(found.id if found else None)
    session.add(SignOnLink(issuer=issuer, subject=subject, account_id=found.id, linked_at=now))
    session.flush()
    record(session, SystemEventKind.SIGN_ON_LINKED, at=now, actor_id=found.id)
    return found
