"""Counting limits in working days (工作日), in Asia/Shanghai whatever the server's zone.

The day something starts does not count; a limit ends at 24:00 of its last day (《民法典》第二百零一条、第二百零三条),
or where business hours are set (业务时间) when the day's business ends (第二百零三条第二款).
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from engine.calendar.days import Calendar, CountedDay
from engine.clock import SHANGHAI
from engine.errors import Invalid
from engine.text import Text

MOST_DAYS = 250  # about one year of working days
FIRST_YEAR, LAST_YEAR = 2004, 2200  # the notices begin with 2004; beyond 2200 a date is a slip of the pen

MIDNIGHT = timedelta(hours=24)  # when a day ends, counted from its beginning, unless somebody's day ends earlier

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_TEN_YEARS = 3_653  # days


class DaysRefused(Invalid):
    """The number of working days is no number of days."""

    sentence = Text(
        "期限“{days}”不正确：请填写 1 到 {most} 之间的整数（工作日）。",
        "“{days}” is no limit: give a whole number of working days from 1 to {most}.",
    )


class MomentRefused(Invalid):
    """A moment without a zone."""

    sentence = Text(
        "时间“{moment}”不正确：请给出带时区的时间。", "The moment “{moment}” can't be used: give one with a time zone."
    )


class YearRefused(MomentRefused):
    """A limit that starts in a year no calendar covers."""

    sentence = Text(
        "期限不能从 {year} 年起算：年份须在 {first} 到 {last} 之间。",
        "A limit can't start in {year}: the year has to be between {first} and {last}.",
    )


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a limit ends, and how that was counted."""

    due_at: datetime  # UTC; the first instant after the limit
    last_day: date  # in Shanghai
    provisional: bool  # 暂定: a day of a year without a notice was looked at
    days: tuple[CountedDay, ...]  # every day from the one after the start to the last


def deadline(start: datetime, days: int, calendar: Calendar, day_ends: timedelta = MIDNIGHT) -> Deadline:
    """The end of a limit of `days` working days (1–250) that begins at `start` (aware): `day_ends` after 0:00 Shanghai
    time of its last day.

    Raises DaysRefused, MomentRefused.
    """
    check(start, days)
    day = shanghai_date(start)
    walked: list[CountedDay] = []
    left = days
    while left:
        day += _DAY
        walked.append(calendar.day(day))
        left -= walked[-1].counts
    return Deadline(
        due_at=(datetime.combine(day, time(), SHANGHAI) + day_ends).astimezone(UTC),
        last_day=day,
        provisional=any(counted.provisional for counted in walked),
        days=tuple(walked),
    )


def check(start: datetime, days: int) -> None:
    """Can a limit be counted from these? Raises DaysRefused, MomentRefused."""
    if type(days) is not int or not 1 <= days <= MOST_DAYS:  # True is an int to isinstance, but no number of days
        raise DaysRefused(days=days, most=MOST_DAYS)
    year = shanghai_date(start).year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise YearRefused(year=year, first=FIRST_YEAR, last=LAST_YEAR)


def working_days_left(now: datetime, due_at: datetime, calendar: Calendar) -> int:
    """How many working days lie after today, up to and with the last day of the limit that ends at `due_at`.

    0 on the last day, and on days off just before the end. Negative exactly when `due_at` has been reached: minus the
    working days begun since the last day, at least -1 (a limit that ended on Friday is at -1 from Saturday to Monday).
    Raises MomentRefused.
    """
    today = shanghai_date(now)
    last_day = shanghai_date(due_at - _INSTANT)
    if now >= due_at:
        return -max(1, working_days_between(last_day, today, calendar))
    return working_days_between(today, last_day, calendar)


def working_days_between(after: date, until: date, calendar: Calendar) -> int:
    """The number of working days after the one date, up to and with the other; 0 when `until` is not later.

    Counts no further than ten years, so that a slip such as the year 9999 in a diagram costs a page nothing.
    """
    return len(working_days(after, until, calendar))


def working_days(after: date, until: date, calendar: Calendar) -> frozenset[date]:
    """The working days after the one date, up to and with the other; none beyond ten years."""
    days = (after + _DAY * n for n in range(1, min((until - after).days, _TEN_YEARS) + 1))
    return frozenset(day for day in days if calendar.day(day).counts)


def shanghai_date(moment: datetime) -> date:
    """The date in Shanghai at an aware moment. Raises MomentRefused for one without a zone."""
    if moment.utcoffset() is None:
        raise MomentRefused(moment=moment)
    return moment.astimezone(SHANGHAI).date()
