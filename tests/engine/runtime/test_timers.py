"""Limits: rows that say when, a sweep that fires once, and the calendar's last word."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.runtime import timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, Instance, Timer, TimerState
from engine.telling.tables import Notice, Severity
from tests.casework import Case, open_incidents
from tests.conftest import Cast


def _timers(case: Case, state: TimerState) -> list[Timer]:
    with case.runtime.database.read() as session:
        return list(session.scalars(select(Timer).where(Timer.instance_id == case.id, Timer.state == state)))


def test_a_limit_is_a_row_that_says_what_it_is_and_when_it_ends(case: Case) -> None:
    (timer,) = _timers(case.goes("递交申请材料"), TimerState.WAITING)

    assert timer.element_id == "Review_Overdue"
    assert timer.limit == {
        "working_days": 3,
        "since": "2026-09-18T02:00:00+00:00",
        "region": "440100",
        "side": "authority",
    }
    assert (timer.region, timer.calendar_version, case.task("审核材料").region) == ("440100", 0, "440100")
    assert timer.due_at.astimezone(SHANGHAI).isoformat() == "2026-09-23T00:00:00+08:00"
    assert not timer.provisional
    with case.runtime.database.read() as session:
        assert timers.next_due(session) == timer.due_at


def test_a_limit_fires_once_however_often_it_is_swept(case: Case) -> None:
    (timer,) = _timers(case.goes("递交申请材料"), TimerState.WAITING)
    runtime, due = case.runtime, timer.due_at

    assert timers.fire_due(runtime, due - timedelta(seconds=1)) == 0
    assert timers.fire_due(runtime, due) == 1
    assert timers.fire_due(runtime, due) == 0
    assert timers.fire_due(runtime, due + timedelta(days=30)) == 0

    with runtime.database.read() as session:
        fired = session.scalars(select(Event).where(Event.kind == EventKind.TIMER_FIRED)).all()
    assert [event.details["due_at"] for event in fired] == [due.isoformat()]
    assert [t.id for t in _timers(case, TimerState.FIRED)] == [timer.id]


def test_a_warning_reaches_the_authority_the_enterprise_and_the_province(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(after="3 working days")

    with case.runtime.database.read() as session:
        told = session.scalars(select(Notice.organisation_id).where(Notice.severity == Severity.WARNING)).all()
    assert set(told) == {
        cast.guangzhou.organisation_id,
        cast.enterprise.organisation_id,
        cast.province.organisation_id,
    }
    assert len(told) == 3


def test_answering_in_time_cancels_the_limit(case: Case) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})

    assert _timers(case, TimerState.WAITING) == []
    assert [t.element_id for t in _timers(case, TimerState.CANCELLED)] == ["Review_Overdue"]


def test_a_due_moment_moved_in_its_row_is_the_one_that_counts(case: Case) -> None:
    """So that deadlines can be recomputed under a new calendar without opening any instance."""
    (timer,) = _timers(case.goes("递交申请材料"), TimerState.WAITING)
    later = timer.due_at + timedelta(days=2)
    with case.runtime.database.write() as session:
        row = session.get_one(Timer, timer.id)
        row.due_at = row.fires_at = later

    case.step(at="2026-09-24 23:00", expect={"warnings": 0})
    case.step(at="2026-09-25 00:00", expect={"warnings": 1})


def test_a_limit_into_an_unannounced_year_is_provisional(runtime: Runtime, case: Case) -> None:
    case = Case(runtime, begins=case.now.replace(month=12, day=30)).goes("递交申请材料")

    (timer,) = _timers(case, TimerState.WAITING)
    assert timer.provisional
    assert case.task("审核材料").provisional
    case.step(expect={"due": {"审核材料": "2027-01-05"}})


def test_limits_of_many_instances_fire_in_one_sweep(runtime: Runtime, case: Case) -> None:
    cases = [case, Case(runtime), Case(runtime)]
    for one in cases:
        one.goes("递交申请材料")

    assert timers.fire_due(runtime, case.now + timedelta(days=10), limit=2) == 2
    assert timers.fire_due(runtime, case.now + timedelta(days=10), limit=2) == 1
    for one in cases:
        assert sorted(task.name for task in one.tasks()) == ["审核材料", "核实并反馈情况"]


def test_among_many_that_are_due_together_a_bad_one_fails_alone(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """They share a transaction; one whose version can't be read leaves an incident, and the others fire."""
    monkeypatch.setattr(timers, "TOGETHER", 2)
    bad, *good = [case, *(Case(case.runtime) for _ in range(4))]
    for one in (bad, *good):
        one.goes("递交申请材料")
    with case.runtime.database.write() as session:
        session.get_one(Instance, bad.id).state = b"not what was stored"

    assert timers.fire_due(case.runtime, case.now + timedelta(days=10)) == 4

    for one in good:
        assert sorted(task.name for task in one.tasks()) == ["审核材料", "核实并反馈情况"]
    with case.runtime.database.read() as session:
        assert [incident.instance_id for incident in open_incidents(session)] == [bad.id]
    assert timers.fire_due(case.runtime, case.now + timedelta(days=10)) == 0
