"""Whether an instance or a limit stands still, and how that is told to whoever wants to work on it."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI
from engine.errors import Conflict
from engine.runtime.runtime import Definitions
from engine.runtime.tables import EventKind, Instance, Intervention, Task, Timer, TimerState
from engine.runtime.wording import covers
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


def paused(session: Session, definitions: Definitions, task_ids: Collection[str]) -> frozenset[str]:
    """Those of some open tasks that have a limit whose clock stands still. One statement; none for no tasks."""
    if not task_ids:
        return frozenset()
    rows = session.execute(
        select(Task.id, Task.element_id, Timer.element_id, Instance.version_id)
        .join(Timer, Timer.instance_id == Task.instance_id)
        .join(Instance, Instance.id == Task.instance_id)
        .where(Task.id.in_(task_ids), Timer.state == TimerState.PAUSED)
    )
    return frozenset(
        task_id
        for task_id, step, event, version_id in rows
        if covers(definitions.get(session, version_id).diagram, event, step)
    )
