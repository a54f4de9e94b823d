"""The sweep: instances with a due timer are opened, and opening one fires what is due.

Any number of processes may sweep at once. Each takes the lock of one instance at a time and passes by those that
somebody else has in hand, who fires what is due himself; on SQLite they queue for the one write lock.
"""

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from engine.errors import Busy, NotFound, Refusal, Unavailable
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.tables import Timer, TimerState

log = logging.getLogger(__name__)

BATCH = 200  # instances per sweep


def fire_due(runtime: Runtime, now: datetime, limit: int = BATCH) -> int:
    """Fire what is due, one transaction per instance, the longest overdue first; returns how many instances this
    sweep brought up to date.

    A failing instance leaves an incident, its timers are parked, and the rest goes on. Raises Unavailable.
    """
    with runtime.database.read() as session:
        overdue = select(Timer.instance_id).where(_due(now)).group_by(Timer.instance_id)
        instance_ids = session.scalars(overdue.order_by(func.min(Timer.fires_at)).limit(limit)).all()
    done = 0
    for instance_id in instance_ids:
        still_due = select(Timer.instance_id).where(Timer.instance_id == instance_id, _due(now)).limit(1)
        try:
            with opened(runtime, still_due.scalar_subquery(), now=now, action="timer", skip_locked=True):
                pass  # opening it brings it up to date
            done += 1
        except NotFound:
            continue  # another sweep or an official was first
        except Refusal as refusal:
            if isinstance(refusal, Unavailable) and not isinstance(refusal, Busy):
                raise  # the others would fare no better, and no instance is to blame
            log.warning("timers of instance %s: %s", instance_id, refusal)
    return done


def next_due(session: Session) -> datetime | None:
    """When the next timer is due (process time); None where nothing waits."""
    return session.scalar(
        select(func.min(Timer.fires_at)).where(Timer.state == TimerState.WAITING, Timer.parked.is_(False))
    )


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(Timer.state == TimerState.WAITING, Timer.fires_at <= now, Timer.parked.is_(False))
