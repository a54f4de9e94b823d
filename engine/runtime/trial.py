"""The trial clock: in trial mode an administrator moves process time forward, and limits end as they would.

Sessions and one-time codes stay on real time. The offset is stored, so that every process sees the same, and only
grows, so that nothing that has happened lies in the future.
"""

from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.audit.system import locked_head, record
from engine.audit.tables import SYSTEM, SystemEventKind
from engine.calendar import counting, versions
from engine.clock import SHANGHAI
from engine.errors import Invalid, NotAllowed
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.runtime import timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import TrialClock
from engine.text import Text

FURTHEST = timedelta(days=400)  # ahead of real time


class NotATrial(NotAllowed):
    sentence = Text("只有试用模式才能拨动流程时钟。", "The process clock can only be moved in trial mode.")


class ClockMoved(Invalid):
    sentence = Text(
        "这个数据库的流程时钟曾在试用中被拨快，不能用于正式运行；请设置 TRIAL=1，或换用新的数据库。",
        "The process clock of this database was moved in a trial, so it can't be used for real; "
        "set TRIAL=1 or use a new database.",
    )


class StepRefused(Invalid):
    sentence = Text(
        "请填写 1 至 30 个工作日，且流程时钟最多比实际时间快 400 天。",
        "Give 1 to 30 working days; the process clock can be at most 400 days ahead of real time.",
    )


def offset(session: Session) -> timedelta:
    """How far process time is ahead of real time."""
    return timedelta(seconds=session.connection().scalar(_OFFSET) or 0)


_OFFSET = select(TrialClock.offset_seconds).where(TrialClock.id == 1)  # asked for by every page, and so built once


def refuse_moved_clock(runtime: Runtime) -> None:
    """Outside trial mode, real time must be process time. Raises ClockMoved."""
    if runtime.trial:
        return
    with runtime.database.read() as session:
        if offset(session):
            raise ClockMoved()


def process_now(runtime: Runtime, real_now: datetime) -> datetime:
    """What time it is for instances."""
    if not runtime.trial:
        return real_now
    with runtime.database.read() as session:
        return real_now + offset(session)


def advance(runtime: Runtime, *, working_days: int, actor: Actor, real_now: datetime) -> datetime:
    """Move process time to 09:00 Shanghai time on the day after `working_days` whole working days have passed, so
    that a limit of as many days that starts now has just ended; fire what is due; returns the new process time.

    Raises NotATrial, NotAllowed, StepRefused.
    """
    if not runtime.trial:
        raise NotATrial()
    access.require(actor, Action.MOVE_TRIAL_CLOCK)
    if not 1 <= working_days <= 30:
        raise StepRefused()
    with runtime.database.write() as session:
        locked_head(session, SYSTEM)  # one administrator at a time: the clock only ever goes forward
        now = real_now + offset(session)
        ends = counting.deadline(now, working_days, versions.newest(session).calendar()).due_at
        moved = ends.astimezone(SHANGHAI).replace(hour=9, minute=0, second=0, microsecond=0)
        if moved - real_now > FURTHEST:
            raise StepRefused()
        row = session.get(TrialClock, 1) or TrialClock(id=1, offset_seconds=0)
        row.offset_seconds = ceil((moved - real_now).total_seconds())  # never a second short of the hour
        session.add(row)
        record(
            session,
            SystemEventKind.TRIAL_CLOCK_MOVED,
            at=real_now,
            actor_id=actor.account_id,
            offset_seconds=row.offset_seconds,
        )
    now = real_now + timedelta(seconds=row.offset_seconds)
    while timers.fire_due(runtime, now):
        pass
    return now
