"""Rows that were tampered with: the checker names each, repairing puts it right and tells an operator."""

from collections.abc import Callable

import pytest
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from engine.errors import Broken
from engine.levers import incidents
from engine.runtime import checking, timers
from engine.runtime.checking import Patrol, Wrong
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Instance, Party, Subscription, Task, TaskState, Timer, TimerState
from tests.casework import Case, open_incidents
from tests.conftest import Cast


def found(runtime: Runtime) -> list[Wrong]:
    with runtime.database.read() as session:
        return [each.wrong for each in checking.check(session, runtime.definitions)]


def tampered(case: Case, change: Callable[[Session], object]) -> None:
    with case.runtime.database.write() as session:
        change(session)


@pytest.fixture
def testing(case: Case) -> Case:
    """An application under test: one open task, one limit, one message that may come."""
    return case.goes("收到测试密钥")


CHANGES: dict[str, tuple[Callable[[Session], object], list[Wrong]]] = {
    "a limit's row is gone": (lambda s: s.execute(delete(Timer).where(_waits())), [Wrong.TIMER_MISSING]),
    "a limit's row says it has fired": (
        lambda s: s.execute(update(Timer).where(_waits()).values(state=TimerState.FIRED)),
        [Wrong.TIMER_MISSING],
    ),
    "a cancelled limit's row says it waits": (
        lambda s: s.execute(update(Timer).where(Timer.state == TimerState.CANCELLED).values(state=TimerState.WAITING)),
        [Wrong.TIMER_EXTRA],
    ),
    "a task's row is gone": (lambda s: s.execute(delete(Task).where(_open())), [Wrong.TASK_MISSING]),
    "a task's row says it was cancelled": (
        lambda s: s.execute(update(Task).where(_open()).values(state=TaskState.CANCELLED)),
        [Wrong.TASK_MISSING],
    ),
    "a completed task's row says it is open": (
        lambda s: s.execute(update(Task).where(Task.element_id == "Review_Materials").values(state=TaskState.OPEN)),
        [Wrong.TASK_EXTRA],
    ),
    "a task's row names another step": (
        lambda s: s.execute(update(Task).where(_open()).values(element_id="Confirm_Test")),
        [Wrong.TASK_MISSING, Wrong.TASK_EXTRA],
    ),
    "nobody is told that a complaint may come": (lambda s: s.execute(delete(Subscription)), [Wrong.MESSAGE_MISSING]),
    "an authority is not registered for it": (
        lambda s: s.execute(delete(Party).where(Party.role == "authority")),
        [Wrong.PARTY_MISSING],
    ),
    "it is marked closed": (
        lambda s: s.execute(update(Instance).values(closed_at=Instance.started_at)),
        [Wrong.CLOSED],
    ),
}


def _waits() -> ColumnElement[bool]:
    return Timer.state == TimerState.WAITING


def _open() -> ColumnElement[bool]:
    return Task.state == TaskState.OPEN


@pytest.mark.parametrize("what", CHANGES)
def test_a_row_that_disagrees_is_found_repaired_and_reported(testing: Case, what: str) -> None:
    change, expected = CHANGES[what]
    assert found(testing.runtime) == []
    with testing.runtime.database.read() as session:
        before = _picture(session)
    tampered(testing, change)
    assert found(testing.runtime) == expected

    assert [each.wrong for each in checking.repair(testing.runtime, testing.id, testing.now)] == expected

    assert found(testing.runtime) == []
    with testing.runtime.database.read() as session:
        assert _picture(session) == before
        (incident,) = open_incidents(session)
    assert incident.action == "repair"
    assert expected[0].name.lower() in incident.cause


def _picture(session: Session) -> list[object]:
    """What people and the sweep go by."""
    return [
        set(session.execute(select(Task.id, Task.element_id, Task.state))),
        set(session.execute(select(Timer.id, Timer.state, Timer.due_at))),
        set(session.execute(select(Subscription.id, Subscription.organisation_id))),
        set(session.execute(select(Party.role, Party.organisation_id))),
        session.scalars(select(Instance.closed_at)).all(),
    ]


def test_a_limit_without_a_row_runs_out_after_all(testing: Case) -> None:
    due = testing.task("使用测试密钥进行测试联调").due_at
    assert due is not None
    tampered(testing, lambda session: session.execute(delete(Timer).where(_waits())))
    assert timers.fire_due(testing.runtime, due) == 0

    checking.repair(testing.runtime, testing.id, due)

    assert [task.element_id for task in testing.tasks()] == ["Decide_Extension"]
    assert found(testing.runtime) == []


def test_an_instance_that_is_in_order_is_left_alone(testing: Case) -> None:
    before = testing.instance().revision
    assert checking.repair(testing.runtime, testing.id, testing.now) == []
    assert testing.instance().revision == before
    with testing.runtime.database.read() as session:
        assert open_incidents(session) == []


def test_what_can_not_be_read_is_reported_once_and_keeps_nobody_else_from_repair(
    runtime: Runtime, testing: Case
) -> None:
    healthy = Case(runtime).goes("递交申请材料")
    with runtime.database.write() as session:
        session.get_one(Instance, testing.id).state = b"torn"
        session.execute(delete(Task).where(Task.instance_id == healthy.id))
    patrol = Patrol(runtime)

    for _ in range(3):
        patrol.next_slice(testing.now)

    assert found(runtime) == [Wrong.UNREADABLE]
    assert len(healthy.tasks()) == 1
    with runtime.database.read() as session:
        assert sorted(i.instance_id or "" for i in open_incidents(session)) == sorted([testing.id, healthy.id])
    with pytest.raises(Broken):
        checking.repair(runtime, testing.id, testing.now)


def test_a_patrol_goes_round_and_round(runtime: Runtime, case: Case) -> None:
    cases = [case, Case(runtime), Case(runtime)]
    for one in cases:
        one.goes("递交申请材料")
    patrol = Patrol(runtime, size=2)

    for _ in range(2):
        tampered(case, lambda session: session.execute(delete(Task)))
        repaired = [each.instance_id for _ in range(2) for each in patrol.next_slice(case.now)]
        assert sorted(repaired) == sorted(one.id for one in cases)


def test_the_operator_puts_a_repair_away(testing: Case, cast: Cast) -> None:
    tampered(testing, lambda session: session.execute(delete(Subscription)))
    checking.repair(testing.runtime, testing.id, testing.now)
    with testing.runtime.database.read() as session:
        (incident,) = open_incidents(session)

    incidents.retry(testing.runtime, incident.id, cast.admin, testing.now)

    with testing.runtime.database.read() as session:
        assert open_incidents(session) == []
