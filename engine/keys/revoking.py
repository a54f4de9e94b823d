"""作废测试密钥: a key that others may have learned is made worthless, also after the application has ended.

The enterprise it was issued to may do it, and the authority of the application. A new key is the diagram's to issue.
"""

from datetime import datetime

from sqlalchemy import select

from engine.errors import NotFound
from engine.levers.interventions import number_of, parties, record_in
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.runtime.reasons import checked
from engine.runtime.rows import locked_rows
from engine.runtime.runtime import Runtime
from engine.runtime.sight import seen_by
from engine.runtime.tables import EventKind, Instance, IssuedKey
from engine.telling.telling import tell
from engine.text import Text

_TOLD = Text(
    "申请 {number} 的测试密钥 ••••{hint} 已作废，不能再使用。理由：{reason}",
    "The test key ••••{hint} of application {number} was revoked and can't be used any more. Reason: {reason}",
)


def revoke(runtime: Runtime, key_id: str, reason: str, actor: Actor, now: datetime) -> None:
    """From now on the key verifies nothing; both sides are told. One that was revoked before stays as it is.

    Raises NotAllowed, ReasonMissing, NotFound.
    """
    access.require(actor, Action.REVOKE_KEYS)
    reason = checked(reason)
    of_key = select(IssuedKey.instance_id).where(IssuedKey.id == key_id).scalar_subquery()
    with runtime.database.write() as session:
        instance = session.scalar(locked_rows(Instance.id == of_key, seen_by(actor)))
        if instance is None:
            raise NotFound()
        key = session.get_one(IssuedKey, key_id, populate_existing=True)
        if key.revoked_at:
            return
        about = runtime.definitions.get(session, instance.version_id).diagram.process_id
        row = record_in(session, instance, EventKind.KEY_REVOKED, actor, reason, at=now, key_id=key_id)
        key.revoked_at = row.at
        text = _TOLD.filled(number=number_of(instance), hint=key.hint, reason=reason)
        tell(session, instance, parties(session, instance.id), text, element_id=about, at=row.at)
