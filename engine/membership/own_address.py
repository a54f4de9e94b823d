"""An account's own e-mail address: given by its person, and counted once a link sent there was opened. On real time."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.definitions import checks
from engine.errors import Invalid
from engine.people import throttling
from engine.people.accounts import Actor, account_of
from engine.people.tables import Account, EmailConfirmation
from engine.people.throttling import Rate
from engine.people.tokens import hashed_token, new_token
from engine.runtime.runtime import Runtime
from engine.telling.letters import write_letter
from engine.text import Text

LINK_LASTS = timedelta(hours=24)
LETTERS = Rate(burst=5, every=timedelta(minutes=10))  # of one person: they go to strangers' addresses


class EmailRefused(Invalid):
    sentence = Text("{why}", "{why}")


class ConfirmationSpent(Invalid):
    sentence = Text(
        "这个链接已经失效：只能用一次，24 小时内有效。请在“我的账号”里重新填写邮箱。",
        "This link no longer works: it can be used once, within 24 hours. Give the address again under “My account”.",
    )


def ask(runtime: Runtime, actor: Actor, given: str, *, now: datetime) -> str:
    """Send a link to the address, which is returned as it is kept; until it is opened, the old one counts. Raises
    EmailRefused, TooOften."""
    address = _checked(given.strip())
    with runtime.database.write() as session:
        throttling.take(session, LETTERS, "own address", actor.account_id, now=now)
        session.execute(delete(EmailConfirmation).where(EmailConfirmation.account_id == actor.account_id))
        token = new_token()
        session.add(
            EmailConfirmation(
                account_id=actor.account_id,
                token_hash=hashed_token(token),
                address=address,
                expires_at=now + LINK_LASTS,
            )
        )
        write_letter(
            session,
            runtime.keyring,
            to=address,
            subject=Text("确认邮箱", "Confirm your e-mail address"),
            text=_CONFIRM.filled(username=actor.username),
            path=f"/confirm-email/{token}",
            now=now,
        )
    return address


def waiting(session: Session, account_id: str, now: datetime) -> str | None:
    """The address that waits to be confirmed."""
    found = session.get(EmailConfirmation, account_id)
    return found.address if found and found.expires_at > now else None


def whose(session: Session, token: str, now: datetime) -> tuple[Account, str]:
    """Whom a link belongs to, and the address it confirms. Raises ConfirmationSpent."""
    found = session.execute(
        select(Account, EmailConfirmation.address)
        .join(EmailConfirmation, EmailConfirmation.account_id == Account.id)
        .where(EmailConfirmation.token_hash == hashed_token(token), EmailConfirmation.expires_at > now, Account.active)
    ).first()
    if found is None:
        raise ConfirmationSpent()
    return found[0], found[1]


def confirm(runtime: Runtime, token: str, *, now: datetime) -> None:
    """The address counts from now on; the one before is told. Raises ConfirmationSpent."""
    with runtime.database.write() as session:
        account, address = whose(session, token, now)
        spent = delete(EmailConfirmation).where(EmailConfirmation.token_hash == hashed_token(token))
        if session.execute(spent.returning(EmailConfirmation.account_id)).first() is None:
            raise ConfirmationSpent()
        before, account.email = account.email, address
        record(session, SystemEventKind.EMAIL_CHANGED, at=now, actor_id=account.id)
        if before and before != address:
            _tell(runtime, session, before, account.username, now)


def remove(runtime: Runtime, actor: Actor, *, now: datetime) -> None:
    """The account has no address any more; the one it had is told."""
    with runtime.database.write() as session:
        account, _ = account_of(session, actor.account_id)
        session.execute(delete(EmailConfirmation).where(EmailConfirmation.account_id == account.id))
        if account.email:
            before, account.email = account.email, None
            record(session, SystemEventKind.EMAIL_CHANGED, at=now, actor_id=account.id)
            _tell(runtime, session, before, account.username, now)


def _tell(runtime: Runtime, session: Session, before: str, username: str, now: datetime) -> None:
    subject = Text("账号的邮箱已更改", "The e-mail address of your account was changed")
    write_letter(session, runtime.keyring, to=before, subject=subject, text=_MOVED.filled(username=username), now=now)


def _checked(given: str) -> str:
    """In lower case: people don't remember how they wrote it, and no provider tells the two apart. Raises
    EmailRefused."""
    found = checks.email(given)
    if isinstance(found, Text):
        raise EmailRefused(why=found.filled(label=Text("电子邮箱", "E-mail address")))
    return found.lower()


_CONFIRM = Text(
    "账号 {username} 填写了这个邮箱。请打开以下链接确认，24 小时内有效；如果与您无关，请不必理会。",
    "The account {username} gave this e-mail address. Confirm it here, within 24 hours; if you don't know why you got "
    "this, ignore it.",
)
_MOVED = Text(
    "账号 {username} 不再使用这个邮箱。如果不是您本人改的，请马上联系单位的账号管理员或平台管理员。",
    "The account {username} no longer uses this e-mail address. If it was not you who changed it, call your account "
    "manager or an administrator at once.",
)
