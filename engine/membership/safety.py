"""Telling an account's person that its password was changed: whoever did not do that learns of it at once."""

from datetime import datetime

from sqlalchemy.orm import Session

from engine.people.accounts import Tell
from engine.people.tables import Account
from engine.runtime.runtime import Runtime
from engine.telling.letters import write_letter
from engine.text import Text


def of_new_password(runtime: Runtime, now: datetime) -> Tell:
    """A letter where the account has an address of its own. `now` is real time."""

    def tell(session: Session, account: Account) -> None:
        if account.email:
            write_letter(
                session,
                runtime.keyring,
                to=account.email,
                subject=Text("密码已修改", "Your password was changed"),
                text=_CHANGED.filled(username=account.username),
                now=now,
            )

    return tell


_CHANGED = Text(
    "账号 {username} 的密码刚刚修改过。如果不是您本人改的，请马上联系单位的账号管理员或平台管理员。",
    "The password of the account {username} has just been changed. If it was not you, call your account manager or an "
    "administrator at once.",
)
