"""The sweep: instances with a due timer are opened, and opening one fires what is due.

Any number of processes may sweep at once. Each takes the locks of a few instances at a time and passes by those that
somebody else has in hand, who fires what is due himself; on SQLite they queue for the one write lock.
"""

import logging
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from engine.errors import Busy, NotFound, Refusal, Unavailable
from engine.runtime.rows import locked
from engine.runtime.runtime import Runtime
from engine.runtime.store import bring_up_to_date, opened
from engine.runtime.tables import Timer, TimerState

log = logging.getLogger(__name__)

BATCH = 1000  # instances per sweep: some seconds of work, which whoever stops the clock has to wait for
TOGETHER = 20  # instances per transaction where there are more: as many as somebody can wait for who wants one of them


def fire_due(runtime: Runtime, now: datetime, limit: int = BATCH) -> int:
    """Fire what is due, the longest overdue first; returns how many instances this sweep brought up to date.

    Few are done one by one, so that a handler that hangs holds one instance only; many several per transaction. A
    failing instance leaves an incident, its timers are parked, and the rest goes on. Raises Unavailable.
    """
    with runtime.database.read() as session:
        overdue = select(Timer.instance_id).where(_due(now)).group_by(Timer.instance_id)
        instance_ids = session.scalars(overdue.order_by(func.min(Timer.fires_at)).limit(limit)).all()
    if len(instance_ids) <= TOGETHER:
        return sum(_fires_alone(runtime, instance_id, now) for instance_id in instance_ids)
    done = 0
    for first in range(0, len(instance_ids), TOGETHER):
        some = instance_ids[first : first + TOGETHER]
        try:
            done += bring_up_to_date(runtime, some, now)
        except Exception as failure:
            _raise_if_away(failure)
            done += sum(_fires_alone(runtime, instance_id, now) for instance_id in some)
    return done


def _fires_alone(runtime: Runtime, instance_id: str, now: datetime) -> bool:
    """In a transaction of its own, so that what fails fails alone."""
    still_due = select(Timer.instance_id).where(Timer.instance_id == instance_id, _due(now)).limit(1)
    try:
        with opened(runtime, (locked(still_due, skip_locked=True), {}), now=now, action="timer"):
            return True  # opening it brings it up to date
    except NotFound:
        return False  # another sweep or an official was first
    except Refusal as refusal:
        _raise_if_away(refusal)
        log.warning("timers of instance %s: %s", instance_id, refusal)
        return False


def _raise_if_away(failure: Exception) -> None:
    """Where the database is away the others would fare no better, and no instance is to blame."""
    if isinstance(failure, Unavailable) and not isinstance(failure, Busy):
        raise failure


def next_due(session: Session) -> datetime | None:
    """When the next timer is due (process time); None where nothing waits."""
    return session.scalar(
        select(func.min(Timer.fires_at)).where(Timer.state == TimerState.WAITING, Timer.parked.is_(False))
    )


def _due(now: datetime) -> ColumnElement[bool]:
    return and_(Timer.state == TimerState.WAITING, Timer.fires_at <= now, Timer.parked.is_(False))
