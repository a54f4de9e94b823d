"""Working days: golden dates of the State Council's notices, and laws that hold for every count."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import counting
from engine.calendar.book import FIRST
from engine.calendar.counting import DaysRefused, Deadline, MomentRefused, YearRefused, shanghai_date
from engine.calendar.days import Calendar, CountedDay, announced, unannounced
from engine.clock import SHANGHAI
from engine.errors import Invalid
from engine.text import Text

NATIONAL = FIRST.calendar()


def deadline(start: datetime, days: Any, calendar: Calendar = NATIONAL) -> Deadline:
    return counting.deadline(start, days, calendar)


def working_days_left(now: datetime, due_at: datetime) -> int:
    return counting.working_days_left(now, due_at, NATIONAL)


def working_days_between(after: date, until: date) -> int:
    return counting.working_days_between(after, until, NATIONAL)


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "days", "last_day", "provisional"),
    [
        ("2026-09-18 10:00", 3, "2026-09-22", False),  # the make-up Sunday 20 September counts
        ("2026-09-29 10:00", 3, "2026-10-09", False),  # over National Day
        ("2026-09-29 10:00", 5, "2026-10-12", False),  # … and the make-up Saturday 10 October
        ("2026-02-13 10:00", 3, "2026-02-25", False),  # over Spring Festival: 14 February counts
        ("2026-12-30 10:00", 3, "2027-01-05", True),  # into a year without a notice
        ("2026-12-28 10:00", 3, "2026-12-31", False),  # to the brink of it
        ("2026-11-23 00:00", 1, "2026-11-24", False),
        ("2026-11-23 23:59", 1, "2026-11-24", False),
        ("2026-11-20 10:00", 1, "2026-11-23", False),  # Friday to Monday
        ("2026-11-21 10:00", 1, "2026-11-23", False),  # Saturday to Monday
        ("2027-04-02 10:00", 1, "2027-04-06", True),  # 清明 on Monday 5 April 2027
        ("2027-04-30 10:00", 1, "2027-05-03", True),  # 1 and 2 May are a weekend
        ("2027-09-30 10:00", 1, "2027-10-04", True),  # 1 October is a Friday
    ],
)
def test_a_limit_ends_on_the_golden_day(start: str, days: int, last_day: str, provisional: bool) -> None:
    limit = deadline(shanghai(start), days)
    assert limit.last_day == date.fromisoformat(last_day)
    assert limit.provisional is provisional
    assert limit.due_at == shanghai(last_day) + timedelta(days=1)


def test_a_limit_ends_at_midnight_in_shanghai_told_in_utc() -> None:
    due_at = deadline(shanghai("2026-09-18 10:00"), 3).due_at
    assert due_at.isoformat() == "2026-09-22T16:00:00+00:00"


def test_the_day_of_the_start_is_shanghais() -> None:
    evening = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 24 November, 01:00 in Shanghai
    assert deadline(evening, 1).last_day == date(2026, 11, 25)


def test_every_day_walked_is_explained() -> None:
    days = deadline(shanghai("2026-09-29 10:00"), 5).days
    assert [(day.date.isoformat(), day.counts, day.reason.zh) for day in days][:2] == [
        ("2026-09-30", True, "工作日"),
        ("2026-10-01", False, "国庆节放假"),
    ]
    told = {day.date: (day.counts, day.reason) for day in days}
    assert told[date(2026, 10, 10)] == (True, Text("国庆节调休上班", "make-up day for National Day"))
    assert told[date(2026, 10, 11)] == (False, Text("周末", "weekend"))
    assert [day.date for day in days] == [date(2026, 9, 30) + timedelta(n) for n in range(13)]


def test_a_provisional_limit_says_which_days_are_uncertain() -> None:
    days = deadline(shanghai("2026-12-30 10:00"), 3).days
    assert next(day.date for day in days if day.provisional) == date(2027, 1, 1)
    assert days[1].reason.zh == "元旦（法定，暂定）"
    assert not days[0].provisional


@pytest.mark.parametrize("days", [0, -1, 251, 10**9, True, False, "3", 3.0, None])
def test_a_number_of_days_that_is_none_is_refused(days: Any) -> None:
    with pytest.raises(DaysRefused, match="1 到 250") as refusal:
        deadline(shanghai("2026-09-18 10:00"), days)
    assert isinstance(refusal.value, Invalid)
    assert "from 1 to 250" in refusal.value.to("en")


def test_the_longest_limit_is_counted() -> None:
    limit = deadline(shanghai("2025-06-03 10:00"), 250)
    assert sum(day.counts for day in limit.days) == 250


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 9, 18, 10, 0)  # noqa: DTZ001
    for count in (lambda: deadline(naive, 3), lambda: working_days_left(naive, naive), lambda: shanghai_date(naive)):
        with pytest.raises(MomentRefused, match="时区"):
            count()


@pytest.mark.parametrize("year", [1999, 2003, 2201, 9998])
def test_a_limit_from_a_year_beyond_reason_is_refused(year: int) -> None:
    with pytest.raises(YearRefused, match=f"{year}.*2004"):
        deadline(datetime(year, 6, 1, tzinfo=UTC), 3)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("2026-09-18 10:00", 3),
        ("2026-09-19 10:00", 3),  # Saturday: nothing used up
        ("2026-09-20 10:00", 2),  # the make-up Sunday is today
        ("2026-09-21 23:59", 1),
        ("2026-09-22 00:00", 0),
        ("2026-09-22 23:59", 0),
        ("2026-09-23 00:00", -1),
        ("2026-09-24 12:00", -2),
        ("2026-09-27 12:00", -2),  # 25 to 27 September is the Mid-Autumn holiday
        ("2026-09-28 12:00", -3),
    ],
)
def test_working_days_left_until_the_end_of_22_september(now: str, left: int) -> None:
    assert working_days_left(shanghai(now), shanghai("2026-09-23 00:00")) == left


def test_a_limit_that_ended_before_a_weekend_is_late_at_once() -> None:
    friday_midnight = shanghai("2026-11-21 00:00")
    late = [working_days_left(friday_midnight + timedelta(days=n), friday_midnight) for n in range(4)]
    assert late == [-1, -1, -1, -2]


def test_a_limit_that_ends_during_the_day_is_late_from_that_moment() -> None:
    due_at = shanghai("2026-11-24 15:00")
    assert working_days_left(due_at - timedelta(minutes=1), due_at) == 0
    assert working_days_left(due_at, due_at) == -1


def test_a_slip_of_eight_thousand_years_costs_nothing() -> None:
    assert working_days_left(shanghai("2026-11-23 10:00"), datetime(9999, 12, 1, tzinfo=UTC)) > 2_000


def test_a_rule_on_top_of_the_calendar_decides_first() -> None:
    def closed_for_typhoon(day: date) -> CountedDay | None:
        return CountedDay(day, False, Text("台风停工", "typhoon")) if day == date(2026, 9, 21) else None

    local = Calendar((closed_for_typhoon, *NATIONAL.rules))
    limit = deadline(shanghai("2026-09-18 10:00"), 3, local)
    assert limit.last_day == date(2026, 9, 23)
    assert limit.days[2].reason.zh == "台风停工"
    assert deadline(shanghai("2026-09-18 10:00"), 3).last_day == date(2026, 9, 22)


def test_without_any_rule_the_week_decides() -> None:
    assert [Calendar(()).day(date(2026, 10, n)).counts for n in (1, 2, 3)] == [True, True, False]


def test_every_day_from_2018_to_2026_agrees_with_another_library() -> None:
    other = holidays.country_holidays("CN", years=range(2018, 2027))
    days = [date(2018, 1, 1) + timedelta(n) for n in range((date(2027, 1, 1) - date(2018, 1, 1)).days)]
    assert [day for day in days if NATIONAL.day(day).counts != other.is_working_day(day)] == []
    assert not any(NATIONAL.day(day).provisional for day in days)


def test_the_fixed_rules_name_days_that_the_notices_since_2025_gave_off() -> None:
    days = [date(2025, 1, 1) + timedelta(n) for n in range(730)]
    fixed = [day for day in days if "法定" in unannounced(day).reason.zh]
    assert len(fixed) == 2 * 13
    for day in fixed:
        decided = announced(day)
        assert decided is not None
        assert not decided.counts


STARTS = st.datetimes(
    datetime(2018, 1, 1),  # noqa: DTZ001
    datetime(2028, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, SHANGHAI, timezone(timedelta(hours=-11)), timezone(timedelta(hours=14))]),
)
DAYS = st.integers(1, 60)


@given(STARTS, DAYS)
def test_a_limit_ends_on_a_working_day_after_exactly_that_many(start: datetime, days: int) -> None:
    limit = deadline(start, days)
    assert limit.days[-1].counts
    assert limit.days[-1].date == limit.last_day
    assert sum(day.counts for day in limit.days) == days
    assert limit.last_day > shanghai_date(start)


@given(STARTS, DAYS)
def test_one_more_day_ends_later(start: datetime, days: int) -> None:
    assert deadline(start, days).due_at < deadline(start, days + 1).due_at


@given(STARTS, STARTS, DAYS)
def test_a_later_start_never_ends_earlier(one: datetime, other: datetime, days: int) -> None:
    first, second = sorted([one, other])
    assert deadline(first, days).due_at <= deadline(second, days).due_at


@given(STARTS, DAYS, st.integers(-12, 14))
def test_the_zone_a_moment_is_told_in_changes_nothing(start: datetime, days: int, hours: int) -> None:
    elsewhere = start.astimezone(timezone(timedelta(hours=hours)))
    assert deadline(start, days) == deadline(elsewhere, days)


@given(STARTS, DAYS)
def test_at_the_start_all_days_are_left_and_at_the_end_none(start: datetime, days: int) -> None:
    due_at = deadline(start, days).due_at
    assert working_days_left(start, due_at) == days
    assert working_days_left(due_at - timedelta(seconds=1), due_at) == 0
    assert working_days_left(due_at, due_at) == -1


@given(STARTS, DAYS)
def test_days_of_two_stretches_add_up(start: datetime, days: int) -> None:
    a, b, c = (date.fromordinal(start.toordinal() + n) for n in (0, days, 3 * days))
    assert working_days_between(a, b) + working_days_between(b, c) == working_days_between(a, c)
    assert working_days_between(c, a) == 0


@given(STARTS, DAYS)
def test_a_limit_is_provisional_exactly_when_it_reaches_beyond_the_notices(start: datetime, days: int) -> None:
    limit = deadline(start, days)
    assert limit.provisional == any(announced(day.date) is None for day in limit.days)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_the_servers_zone_changes_nothing(zone: str) -> None:
    program = (
        "from datetime import *\nfrom engine.calendar.book import FIRST\nfrom engine.calendar.counting import *\n"
        "start, calendar = datetime(2026, 9, 18, 15, 59, tzinfo=UTC), FIRST.calendar()\n"
        "d = deadline(start, 3, calendar)\n"
        "print(d.due_at.isoformat(), d.last_day, working_days_left(start, d.due_at, calendar))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TZ": zone},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "2026-09-22T16:00:00+00:00 2026-09-22 3"
