"""Whether an instance stands still, and how that is told to whoever wants to work on it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI
from engine.errors import Conflict
from engine.runtime.tables import EventKind, Instance, Intervention
from engine.text import Text


class Suspended(Conflict):
    sentence = Text(
        "该申请自 {since} 起暂停办理，恢复之前不能操作。理由：{reason}",
        "This application has been suspended since {since}; nothing can be done until it is resumed. Reason: {reason}",
    )


def refuse_suspended(session: Session, instance: Instance) -> None:
    """Raises Suspended where an instance stands still."""
    if instance.suspended_at is None:
        return
    why = (
        select(Intervention.reason)
        .where(Intervention.instance_id == instance.id, Intervention.kind == EventKind.SUSPENDED)
        .order_by(Intervention.at.desc())
        .limit(1)
    )
    since = instance.suspended_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    raise Suspended(since=since, reason=session.scalar(why) or "")
