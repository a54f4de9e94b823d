"""The sweep: instances with a due timer are opened, and opening one fires what is due."""

import logging
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import Refusal
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.tables import Timer, TimerState

log = logging.getLogger(__name__)


def fire_due(runtime: Runtime, now: datetime, limit: int = 200) -> int:
    """Fire what is due, one transaction per instance; returns how many instances were brought up to date.

    A failing instance leaves an incident, its timers are parked, and the rest goes on.
    """
    due = select(Timer.instance_id).where(
        Timer.state == TimerState.WAITING, Timer.due_at <= now, Timer.parked.is_(False)
    )
    with runtime.database.read() as session:
        instance_ids = session.scalars(due.group_by(Timer.instance_id).order_by(func.min(Timer.due_at)).limit(limit))
        waiting = list(instance_ids)
    done = 0
    for instance_id in waiting:
        try:
            with opened(runtime, instance_id, now=now, action="timer"):
                pass  # opening it brings it up to date
            done += 1
        except Refusal as refusal:
            log.warning("timers of instance %s: %s", instance_id, refusal)
    return done


def next_due(session: Session) -> datetime | None:
    """When the next timer is due (process time); None where nothing waits."""
    return session.scalar(
        select(func.min(Timer.due_at)).where(Timer.state == TimerState.WAITING, Timer.parked.is_(False))
    )
