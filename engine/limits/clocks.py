"""The clock of one running limit: the only places that stop it, let it run on, or set it anew.

The state keeps what the limit is and since when it stands still, its row when it is due. Days on which a limit ran
count as used, the day on which it was paused among them; as at any start, the day on which it runs on does not count.
So pausing and running on within a day changes nothing. Whoever is told on a later day that the limit runs on has at
least the next working day, also where it was paused on its last.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from engine.calendar import versions
from engine.calendar.counting import shanghai_date, working_days_left
from engine.calendar.days import Calendar
from engine.definitions import limits
from engine.definitions.limits import Limit
from engine.runtime.execution import NEVER, PAUSED, change_limit, open_user_tasks
from engine.runtime.projection import deadline
from engine.runtime.run import Run
from engine.runtime.tables import EventKind, Timer, TimerState


def pause(run: Run, timer: Timer) -> None:
    """Stop the clock of a limit that runs."""
    task = _task_of(run, timer)
    timer.limit = task.internal_data["limit"] = {**task.internal_data["limit"], PAUSED: run.now.isoformat()}
    timer.state, timer.paused_at = TimerState.PAUSED, run.now
    run.workflow.script_engine.set_due(timer.id, NEVER)
    run.record(EventKind.LIMIT_PAUSED, timer.element_id, timer_id=timer.id)
    _follow(run)


def resume(run: Run, timer: Timer) -> None:
    """Let a paused limit run on with what was left of it; a date stays, and fires at once where it has passed."""
    task = _task_of(run, timer)
    before = {key: value for key, value in task.internal_data["limit"].items() if key != PAUSED}
    paused_at, timer.paused_at, timer.state = timer.paused_at or run.now, None, TimerState.WAITING
    task.internal_data["limit"] = before
    # What was left is counted in the calendar that the end was counted in; what comes then in the newest.
    calendar = versions.at(run.session, timer.calendar_version).calendar(timer.region)
    _set(run, timer, _rest(before, timer.due_at, paused_at, run.now, calendar), EventKind.LIMIT_RESUMED)


def set_limit(run: Run, timer: Timer, limit: Limit) -> None:
    """Put another limit in the place of one that runs."""
    _set(run, timer, limit, EventKind.LIMIT_CHANGED)


def _set(run: Run, timer: Timer, limit: Limit, kind: EventKind) -> None:
    task = _task_of(run, timer)
    if "working_days" in limit:
        limit = limit | limits.whose(task.internal_data["limit"])
    if limit != task.internal_data["limit"]:
        change_limit(task, limit)
        due = limits.due(limit, run.book)
        timer.limit, timer.due_at, timer.fires_at, timer.provisional = limit, due.at, due.fires_at, due.provisional
        timer.region, timer.calendar_version = limit.get("region", ""), run.book.version
        timer.shortened_to = None
    else:
        timer.limit = limit
    run.workflow.script_engine.set_due(timer.id, timer.fires_at)
    facts: dict[str, Any] = {"limit": limit, "due_at": timer.due_at.isoformat(), "provisional": timer.provisional}
    facts["calendar_version"] = timer.calendar_version
    run.record(kind, timer.element_id, timer_id=timer.id, **facts)
    _follow(run)


def _rest(limit: Limit, due_at: datetime, paused_at: datetime, now: datetime, calendar: Calendar) -> Limit:
    """What a limit that was due at `due_at` is when it runs on."""
    since = now.isoformat()
    if due_at <= paused_at or "since" not in limit:
        return limit
    if "duration" in limit:
        return {"duration": _iso(due_at - paused_at), "since": since}
    if shanghai_date(paused_at) == shanghai_date(now):
        return limit
    return limit | {"working_days": days_kept(paused_at, due_at, calendar), "since": since}


def days_kept(paused_at: datetime, due_at: datetime, calendar: Calendar) -> int:
    """The working days a paused limit has left when it runs on on a later day."""
    return max(1, working_days_left(paused_at, due_at, calendar))


def _iso(rest: timedelta) -> str:
    """An ISO 8601 duration in whole seconds, never less than the rest."""
    seconds = -(-rest // timedelta(seconds=1))
    return f"P{seconds // 86400}DT{seconds % 86400}S"


def _follow(run: Run) -> None:
    """Open tasks show the limit as it is now."""
    for task in open_user_tasks(run.workflow):
        if row := run.tasks.get(task.id.hex):
            due = deadline(run, task)
            row.due_at, row.provisional = (due.at, due.provisional) if due else (None, False)


def _task_of(run: Run, timer: Timer) -> Any:
    return run.workflow.get_task_from_id(UUID(timer.id))
