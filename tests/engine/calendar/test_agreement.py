"""Every start from 2018 to 2026 with every limit of 1 to 30 days, against counts over two other sources; and what a
notice still to come could do, against every notice that ever came."""

from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.calendar import counting, days, festivals
from engine.calendar.book import FIRST, Book, Entered
from engine.calendar.days import Calendar, CountedDay
from engine.calendar.entries import Closure
from engine.clock import SHANGHAI
from engine.definitions import limits

NATIONAL = FIRST.calendar()
FIRST_DAY, LAST_DAY = date(2018, 1, 1), date(2026, 12, 31)
ALL_DAYS = [FIRST_DAY + timedelta(n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]
MOST = 30


def at(day: date, clock: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day.isoformat()}T{clock}").replace(tzinfo=SHANGHAI)


def other_counts() -> dict[str, list[bool]]:
    """For each day whether it is a working day, by two libraries that know the notices."""
    other = holidays.country_holidays("CN", years=range(2018, 2027))
    return {
        "chinesecalendar": [chinese_calendar.is_workday(day) for day in ALL_DAYS],
        "holidays": [other.is_working_day(day) for day in ALL_DAYS],
    }


@pytest.mark.parametrize("source", ["chinesecalendar", "holidays"])
def test_every_limit_from_2018_to_2026_ends_when_other_sources_say(source: str) -> None:
    counts = other_counts()[source]
    numbered = list(accumulate(counts))  # working days up to and with each day
    working = [day for day, counted in zip(ALL_DAYS, counts, strict=True) if counted]
    compared = 0
    for start, before in zip(ALL_DAYS, numbered, strict=True):
        walked = counting.deadline(at(start), MOST, NATIONAL).days
        ends = [day.date for day in walked if day.counts]  # of the limits of 1 to 30 days
        expected = working[before : before + MOST]
        assert ends[: len(expected)] == expected
        compared += len(expected)
    assert compared == sum(min(MOST, len(working) - before) for before in numbered) > 97_000


def test_a_shorter_limit_is_the_beginning_of_a_longer_one() -> None:
    for start in ALL_DAYS[::97]:
        longest = counting.deadline(at(start), MOST, NATIONAL).days
        ends = [day.date for day in longest if day.counts]
        assert [counting.deadline(at(start), n, NATIONAL).last_day for n in range(1, MOST + 1)] == ends


def test_the_years_of_the_library_are_those_written_down() -> None:
    """If this fails the library has learnt a year: add it, with its notice's number, to `engine.calendar.days`."""
    years = {day.year for known in (chinese_calendar.holidays, chinese_calendar.workdays) for day in known}
    assert years == set(days.IN_LIBRARY)


def test_the_lunar_festivals_fall_where_another_library_says() -> None:
    other = holidays.country_holidays("CN", years=range(2025, 2100))
    for year in range(2025, 2100):
        for day in festivals.by_law(year):
            assert day in other, day


def test_the_law_gives_thirteen_days_unless_two_festivals_meet() -> None:
    assert {len(festivals.by_law(year)) for year in range(2025, 2101)} == {12, 13}


def _without_its_notice(year: int) -> Calendar:
    """The calendar as it was before the notice of a year was out."""

    def rule(day: date) -> CountedDay | None:
        if day.year == year:
            return days.unannounced(day)
        if day.year == year - 1 and day >= date(year - 1, 12, 29):
            return days.of_the_week(day, provisional=festivals.next_years(day))
        return None

    return Calendar((rule, *NATIONAL.rules))


class _Before(Book):
    """A book in which a year has no notice yet."""

    def calendar(self, region: str = "") -> Calendar:
        return self._calendars.setdefault(region, _without_its_notice(-self.version))


@pytest.mark.parametrize("year", range(2010, 2027))
def test_before_a_years_notice_was_out_no_limit_would_have_fired_before_its_true_end(year: int) -> None:
    before = _Before(-year, ())
    provisional = 0
    for start in (date(year - 1, 12, 20) + timedelta(n) for n in range(375)):
        for n in (1, 3, 5, 12):
            limit = {"working_days": n, "since": at(start).isoformat()}
            due = limits.due(limit, before)
            truth = counting.deadline(at(start), n, NATIONAL)
            if due.provisional and truth.last_day <= date(2026, 12, 31):
                assert due.at <= due.fires_at
                assert due.fires_at >= truth.due_at, (start, n)
                provisional += 1
    assert provisional > 1_300


def test_a_limit_of_a_year_with_a_notice_fires_when_it_ends() -> None:
    due = limits.due({"working_days": 5, "since": at(date(2026, 9, 29)).isoformat()}, FIRST)
    assert due.fires_at == due.at


CLOSED = st.dates(date(2026, 1, 1), date(2027, 12, 31))
STARTS = st.datetimes(datetime(2025, 12, 1), datetime(2027, 12, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001


def closed(*dates: date) -> Book:
    closure = Closure("440100", dates, "台风", "某号", date(2026, 1, 1))
    return FIRST.with_entries([Entered(1, 1, closure)])


@given(STARTS, st.integers(1, 60), st.lists(CLOSED, max_size=5), CLOSED)
def test_one_more_closure_never_makes_a_date_earlier(start: datetime, n: int, some: list[date], more: date) -> None:
    limit: Any = {"working_days": n, "since": start.isoformat(), "region": "440100"}
    fewer, all_of_them = limits.due(limit, closed(*some)), limits.due(limit, closed(*some, more))
    assert fewer.at <= all_of_them.at
    assert fewer.fires_at <= all_of_them.fires_at


@given(STARTS, STARTS, st.integers(1, 60), st.lists(CLOSED, max_size=5))
def test_later_starts_and_longer_limits_never_end_earlier(
    one: datetime, other: datetime, n: int, some: list[date]
) -> None:
    book, (first, second) = closed(*some), sorted([one, other])

    def ends(start: datetime, count: int) -> tuple[datetime, datetime]:
        due = limits.due({"working_days": count, "since": start.isoformat(), "region": "440100"}, book)
        return due.at, due.fires_at

    assert all(a <= b for a, b in zip(ends(first, n), ends(second, n), strict=True))
    assert all(a < b for a, b in zip(ends(first, n), ends(first, n + 1), strict=True))


@pytest.mark.parametrize("clock", ["00:00", "17:59", "23:59"])
@pytest.mark.parametrize(
    ("start", "n", "last_day"),
    [
        ("2026-09-18", 3, "2026-09-22"),
        ("2026-09-29", 3, "2026-10-09"),
        ("2026-09-29", 5, "2026-10-12"),
        ("2026-02-13", 3, "2026-02-25"),  # over Spring Festival
        ("2026-10-03", 1, "2026-10-08"),  # from a holiday
        ("2026-12-30", 3, "2027-01-05"),  # into a year without a notice
        ("2027-02-04", 1, "2027-02-09"),  # over the days that the law gives in it
    ],
)
def test_the_hour_of_the_start_changes_nothing(start: str, clock: str, n: int, last_day: str) -> None:
    assert counting.deadline(at(date.fromisoformat(start), clock), n, NATIONAL).last_day.isoformat() == last_day
