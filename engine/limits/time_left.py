"""What a due moment means to the person who reads it: the last day, and how many working days are left."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.calendar.counting import shanghai_date, working_days_left
from engine.calendar.days import Calendar
from engine.clock import SHANGHAI


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """A limit, seen from now. It ends at 24:00 Asia/Shanghai of `last_day`."""

    due_at: datetime  # the end of the last day, exclusive
    last_day: date
    today: bool  # is today the last day?
    working_days: int  # 0 on the last day; negative: so many working days late
    overdue: bool
    provisional: bool  # 暂定: reaches into a year whose holidays are not announced


def ends_at(due_at: datetime) -> str:
    """The end of a limit as people say it: 24:00 of its last day, rather than 0:00 of the next."""
    day, end = shanghai_date(due_at - timedelta(microseconds=1)), due_at.astimezone(SHANGHAI)
    return f"{day} {end:%H:%M}" if day == end.date() else f"{day} 24:00"


def time_left(due_at: datetime | None, provisional: bool, now: datetime, calendar: Calendar) -> TimeLeft | None:
    """A task's limit as a person reads it at `now`, in its region's calendar; none where the task has no limit."""
    if due_at is None:
        return None
    last_day = shanghai_date(due_at - timedelta(microseconds=1))
    today = shanghai_date(now) == last_day
    return TimeLeft(due_at, last_day, today, working_days_left(now, due_at, calendar), now >= due_at, provisional)
