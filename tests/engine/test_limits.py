"""The text of a timer: what it may say, what it means, and what an analyst hears of a wrong one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.calendar.book import FIRST
from engine.clock import SHANGHAI
from engine.definitions import limits
from engine.definitions.limits import LimitUnclear
from engine.errors import Refusal

NOW = datetime(2026, 9, 18, 10, 0, tzinfo=SHANGHAI)


def due(text: str, **data: Any) -> str:
    limit = limits.resolve(text, data, NOW, {})
    return limits.due(limit, FIRST).at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def test_working_days_count_from_the_day_after_until_midnight() -> None:
    assert due("working_days(3)") == "2026-09-23 00:00"
    assert due(" working_days(5) ") == "2026-09-25 00:00"


def test_the_number_may_come_from_an_answer_and_the_start_from_a_result() -> None:
    assert due("working_days(complaint.rectify_days)", complaint={"rectify_days": 3}) == "2026-09-23 00:00"
    key = {"issued_at": "2026-09-29T02:00:00+00:00"}
    assert due("working_days(5, since=key.issued_at)", key=key) == "2026-10-13 00:00"


def test_a_start_given_as_a_bare_date_counts_like_any_moment_of_that_day() -> None:
    assert due("working_days(3, since='2026-09-18')") == due("working_days(3)") == "2026-09-23 00:00"
    assert due("working_days(3, since=plan.day)", plan={"day": "2026-09-29"}) == "2026-10-10 00:00"


@pytest.mark.parametrize("text", ["P3D", "'P3D'", '"P3D"', "wait.length"])
def test_a_duration_needs_no_quotes(text: str) -> None:
    assert due(text, wait={"length": "P3D"}) == "2026-09-21 10:00"


def test_durations_of_weeks_hours_minutes_and_seconds() -> None:
    assert due("P2W") == "2026-10-02 10:00"
    assert due("P1DT2H30M") == "2026-09-19 12:30"
    assert limits.due(limits.resolve("PT90S", {}, NOW, {}), FIRST).at == NOW + timedelta(seconds=90)


def test_a_date_ends_with_its_day_and_a_moment_without_zone_is_shanghais() -> None:
    assert due("2026-09-30") == "2026-10-01 00:00"
    assert due("2026-09-30T08:00:00") == "2026-09-30 08:00"
    assert due("2026-09-30T08:00:00+00:00") == "2026-09-30 16:00"
    assert due("plan.day", plan={"day": "2026-09-30"}) == "2026-10-01 00:00"


def test_a_limit_survives_as_plain_json() -> None:
    assert limits.resolve("working_days(3)", {}, NOW, {}) == {
        "working_days": 3,
        "since": "2026-09-18T02:00:00+00:00",
    }


def test_a_warning_before_the_end_is_a_limit_that_is_shorter() -> None:
    assert (
        due("working_days(3) - 1") == due("working_days(2)") == due("working_days(limit.days - 1)", limit={"days": 3})
    )
    key = {"issued_at": "2026-09-29T02:00:00+00:00"}
    assert due("working_days(5, since=key.issued_at) - 1", key=key) == "2026-10-11 00:00"
    assert due("working_days(1) + n", n=2) == due("working_days(3)")


NO_LIMITS = (
    *("working_days(10000)", "working_days(3) - 3", "working_days(3) * 2", "working_days(3) + 0.5"),
    *("working_days(text)", "working_days(True)", "3 - working_days(1)"),
    *("working_days(0)", "working_days(-1)", "working_days('3')", "working_days(n)", "working_days(3.5)"),
    *("PT", "P", "3 days", "P3X", "2026-02-30", "7", "R3/PT1H", "n", "working_days(3, since=7)"),
    *("9999-12-31", "P99999999D"),
)


@pytest.mark.parametrize("text", NO_LIMITS)
def test_what_is_no_limit_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(Refusal):
        limits.resolve(text, {"text": "三天"}, NOW, {})


def test_what_can_be_told_without_an_instance_is_told_before() -> None:
    for text in ("working_days(3)", "working_days(a.b, since=c.d)", "P3D", "'P3D'", "2026-09-30", "a.b"):
        assert limits.text_problem(text) is None
    wrong = ("working_days(0)", "working_days(-1)", "working_days(10000)", "working_days('3')", "working_days(1) - 1")
    for text in ("", "3 days", "2026-02-30", "working_day(3)", "__import__('os')", *wrong):
        assert limits.text_problem(text) is not None


def test_the_refusal_says_what_to_write() -> None:
    with pytest.raises(LimitUnclear) as refusal:
        limits.resolve("7", {}, NOW, {})
    assert "working_days(3)" in refusal.value.text.zh
    assert "working_days(3)" in refusal.value.text.en
