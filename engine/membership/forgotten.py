"""忘记密码: a letter with a link to the address an account has confirmed. On real time.

Whoever asks gets the same answer whether or not there is such an account, after the same work: a transaction with an
entry in the audit trail. Sending happens later, elsewhere.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.people import management, throttling
from engine.people.accounts import normalised
from engine.people.tables import Account
from engine.people.throttling import Rate, TooOften
from engine.runtime.runtime import Runtime
from engine.telling.letters import write_letter
from engine.text import Text

LINK_LASTS = timedelta(hours=1)
FROM_ONE_ADDRESS = Rate(burst=10, every=timedelta(minutes=6))
FOR_ONE_ACCOUNT = Rate(burst=3, every=timedelta(hours=1))  # letters: nobody's mailbox is flooded from here
_MOST = 5  # accounts that share an address, such as an office's

_SUBJECT = Text("重新设置密码", "Set a new password")
_TEXT = Text(
    "有人（应该是您）要求为账号 {username} 重新设置密码。如果不是您，请不必理会，密码不会改变。\n"
    "请打开以下链接设置新密码，{minutes} 分钟内有效，只能用一次：",
    "Somebody, probably you, asked to set a new password for the account {username}. If it was not you, ignore this: "
    "nothing changes.\nSet your new password here, once, within {minutes} minutes:",
)


def ask_for_link(runtime: Runtime, given: str, *, address: str, now: datetime) -> None:
    """A letter to each account with this user name or confirmed e-mail address, from a network address. Raises TooOften
    by source only: how often an account was asked for tells that it exists."""
    with runtime.database.write() as session:
        throttling.take(session, FROM_ONE_ADDRESS, "forgotten from", throttling.source(address), now=now)
    with runtime.database.write() as session:
        found = _meant(session, given)
        for account in found:
            _write(session, runtime, account, now)
        ids = [account.id for account in found]
        record(session, SystemEventKind.PASSWORD_FORGOTTEN, at=now, actor_id=None, account_ids=ids)


def _meant(session: Session, given: str) -> list[Account]:
    name = normalised(given)[:254].replace("\x00", "")
    meant = or_(Account.username == name, Account.email == name)
    query = select(Account).where(meant, Account.email.is_not(None), Account.active)
    return list(session.scalars(query.order_by(Account.username).limit(_MOST)))


def _write(session: Session, runtime: Runtime, account: Account, now: datetime) -> None:
    try:
        throttling.take(session, FOR_ONE_ACCOUNT, "forgotten", account.id, now=now)
    except TooOften:
        return  # the earlier letters are on their way
    token = management.add_link(session, account, by=None, now=now, lasts=LINK_LASTS)
    write_letter(
        session,
        runtime.keyring,
        to=account.email or "",
        subject=_SUBJECT,
        text=_TEXT.filled(username=account.username, minutes=LINK_LASTS // timedelta(minutes=1)),
        path=f"/set-password/{token}",
        now=now,
    )
