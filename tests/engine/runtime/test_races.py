"""Two at once, driven to the very moment: the first is parked inside its transaction, the second arrives, then the
first goes on. One wins, the other hears it in a sentence, and no decision is lost.

The parking place is a handler that the diagram calls: it runs under the instance's lock.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from engine.errors import Conflict, InstanceClosed, NothingWaits, TaskCancelled, TaskDone
from engine.levers import interventions
from engine.levers.moving import StepOver, move
from engine.runtime import checking, instances, timers
from engine.runtime.numbers import next_number
from engine.runtime.runtime import Runtime
from engine.runtime.suspension import Suspended
from engine.runtime.tables import Answer, Event, EventKind, TaskState
from engine.scenarios.sampling import filled_in
from handlers import HANDLERS
from tests.casework import Case, open_incidents
from tests.conftest import Cast

PATIENCE = 60  # seconds after which a test gives up


class Parked:
    """A runtime in which whoever comes to a handler waits there until told to go on."""

    def __init__(self, runtime: Runtime, handler: str) -> None:
        self._arrived, self._go_on = threading.Event(), threading.Event()

        def parks(call: Any, **params: Any) -> Mapping[str, Any] | None:
            self._arrived.set()
            assert self._go_on.wait(PATIENCE)
            return HANDLERS[handler](call, **params)

        self._plain = runtime
        self.runtime = replace(runtime, handlers={**HANDLERS, handler: parks})

    def race(self, first: Callable[[Runtime], Any], second: Callable[[Runtime], Any], *, waits: bool = True) -> Any:
        """Runs `first` until it is parked, then `second`; lets `first` go on once `second` waits for its lock (or,
        where it is not to wait, has ended). Raises what `first` raises; returns what `second` does, or its failure."""
        with ThreadPoolExecutor(2) as threads:
            leading = threads.submit(first, self.runtime)
            try:
                assert self._arrived.wait(PATIENCE)
                following = threads.submit(second, self._plain)
                if waits:
                    until_waiting(self._plain, following)
                else:
                    following.exception(PATIENCE)
            finally:
                self._go_on.set()
            leading.result(PATIENCE)
            return following.exception(PATIENCE) or following.result()


def until_waiting(runtime: Runtime, following: Future[Any]) -> None:
    """On PostgreSQL until the server says that somebody waits for a lock; SQLite doesn't tell, and there is only
    one lock there: whether `second` has come to it or not yet, it has to queue."""
    database = runtime.database
    if database.engine.dialect.name != "postgresql":
        return
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(PATIENCE * 20):
        with database.read() as session:
            if session.scalar(waiting):
                return
        assert not following.done(), "it should have waited"
        threading.Event().wait(0.05)
    raise AssertionError("it never waited")


def on_postgresql(case: Case) -> bool:
    return case.runtime.database.engine.dialect.name == "postgresql"


def happened(case: Case, kind: EventKind, element_id: str) -> int:
    with case.runtime.database.read() as session:
        query = select(Event).where(Event.instance_id == case.id, Event.kind == kind, Event.element_id == element_id)
        return len(session.scalars(query).all())


@pytest.fixture(autouse=True)
def all_in_order(case: Case) -> Any:
    """Whatever raced: afterwards rows and state agree, and no operator is needed."""
    yield
    with case.runtime.database.read() as session:
        assert checking.check(session, case.runtime.definitions) == []
        assert open_incidents(session) == []


@pytest.fixture
def issuing(case: Case) -> Case:
    """The test key is about to be issued."""
    return case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})


def test_two_officials_complete_the_same_task(issuing: Case, cast: Cast) -> None:
    task, answers = issuing.task("下发测试密钥"), issuing.answers(issue="thirty_days")

    late = Parked(issuing.runtime, "issue_test_key").race(
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, issuing.now),
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou_colleague, issuing.now),
    )

    assert isinstance(late, TaskDone)
    assert cast.guangzhou.name in late.text.zh
    assert happened(issuing, EventKind.TASK_COMPLETED, "Issue_Test_Key") == 1
    with issuing.runtime.database.read() as session:
        assert session.scalars(select(Answer.by).where(Answer.task_id == task.id)).all() == [cast.guangzhou.account_id]


def test_claiming_while_a_colleague_completes(issuing: Case, cast: Cast) -> None:
    task, answers = issuing.task("下发测试密钥"), issuing.answers(issue="thirty_days")

    late = Parked(issuing.runtime, "issue_test_key").race(
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, issuing.now),
        lambda runtime: instances.claim(runtime, task.id, cast.guangzhou_colleague, issuing.now),
    )

    assert isinstance(late, TaskDone)
    done = next(t for t in issuing.tasks(TaskState.COMPLETED) if t.id == task.id)
    assert done.claimed_by == done.closed_by == cast.guangzhou.account_id


def test_a_task_is_completed_while_the_sweep_comes_for_its_limit(issuing: Case, cast: Cast) -> None:
    """The completion began in time and holds the instance: the answer counts, and nobody is warned."""
    task, answers = issuing.task("下发测试密钥"), issuing.answers(issue="thirty_days")
    assert task.due_at is not None
    in_time, too_late = task.due_at - timedelta(seconds=1), task.due_at

    swept = Parked(issuing.runtime, "issue_test_key").race(
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, in_time),
        lambda runtime: timers.fire_due(runtime, too_late),
        waits=not on_postgresql(issuing),
    )

    assert swept == 0 or not on_postgresql(issuing)
    assert happened(issuing, EventKind.TASK_COMPLETED, "Issue_Test_Key") == 1
    assert happened(issuing, EventKind.TIMER_FIRED, "Review_Overdue") == 0
    assert timers.fire_due(issuing.runtime, too_late) == 0


def test_a_limit_fires_while_its_task_is_being_completed(case: Case, cast: Cast) -> None:
    """The limit was first: whoever answers now hears what interrupted the task, though the page was opened in time."""
    task = case.goes("收到测试密钥").task("使用测试密钥进行测试联调")
    assert task.due_at is not None
    in_time, too_late = task.due_at - timedelta(seconds=1), task.due_at
    answers = filled_in(case.runtime, case.answers(test_report="done"), cast.enterprise, in_time)

    late = Parked(case.runtime, "raise_warning").race(
        lambda runtime: timers.fire_due(runtime, too_late),
        lambda runtime: instances.complete(runtime, task.id, answers, cast.enterprise, in_time),
    )

    assert isinstance(late, TaskCancelled)
    assert "超过5个工作日" in late.text.zh
    assert [t.element_id for t in case.tasks()] == ["Decide_Extension"]


@pytest.fixture
def deciding(case: Case) -> Case:
    """The authority may choose 联调延期, and the enterprise may complain."""
    return case.goes("收到测试密钥").step(after="5 working days")


def _decide(case: Case, cast: Cast, now: datetime) -> Callable[[Runtime], Any]:
    task, answers = case.task("Decide_Extension"), case.answers(extension="extended")
    return lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, now)


def _complain(case: Case, cast: Cast, now: datetime) -> Callable[[Runtime], Any]:
    answers = case.answers(complaint="key_unusable")
    return lambda runtime: instances.send_message(runtime, case.id, "complaint", answers, cast.enterprise, now)


def test_a_complaint_arrives_while_the_extension_is_being_chosen(deciding: Case, cast: Cast) -> None:
    late = Parked(deciding.runtime, "record_outcome").race(
        _decide(deciding, cast, deciding.now), _complain(deciding, cast, deciding.now)
    )

    assert isinstance(late, Conflict)
    assert deciding.instance().outcome == "联调延期"
    assert happened(deciding, EventKind.MESSAGE_RECEIVED, "Complaint_During_Decision") == 0


def test_the_extension_is_chosen_while_a_complaint_arrives(deciding: Case, cast: Cast) -> None:
    late = Parked(deciding.runtime, "raise_warning").race(
        _complain(deciding, cast, deciding.now), _decide(deciding, cast, deciding.now)
    )

    assert isinstance(late, TaskCancelled)
    assert "我的投诉" in late.text.zh
    assert deciding.instance().outcome is None
    assert [t.element_id for t in deciding.tasks()] == ["Verify_Complaint"]


def test_the_same_complaint_sent_twice_at_once(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")

    late = Parked(case.runtime, "raise_warning").race(_complain(case, cast, case.now), _complain(case, cast, case.now))

    assert isinstance(late, NothingWaits)
    assert happened(case, EventKind.MESSAGE_RECEIVED, "Complaint_During_Test") == 1


def test_an_operator_moves_the_token_while_its_task_is_being_completed(issuing: Case, cast: Cast) -> None:
    """The completion holds the instance: the step is over when the operator's turn comes."""
    task, answers = issuing.task("下发测试密钥"), issuing.answers(issue="thirty_days")

    late = Parked(issuing.runtime, "issue_test_key").race(
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, issuing.now),
        lambda runtime: move(runtime, issuing.id, task.id, "Review_Materials", "重新审核", cast.admin, issuing.now),
    )

    assert isinstance(late, StepOver)
    assert [t.element_id for t in issuing.tasks()] == ["Test_Connection"]
    assert happened(issuing, EventKind.MOVED, "Issue_Test_Key") == 0


def test_a_task_is_completed_while_an_operator_moves_its_token(deciding: Case, cast: Cast) -> None:
    """The operator holds the instance; whoever answers now hears what became of the step."""
    task, answers = deciding.task("Decide_Extension"), deciding.answers(extension="extended")

    late = Parked(deciding.runtime, "raise_warning").race(
        lambda runtime: move(runtime, deciding.id, task.id, "Warn_Complaint", "另有投诉", cast.admin, deciding.now),
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, deciding.now),
    )

    assert isinstance(late, TaskCancelled)
    assert "管理员转移流程" in late.text.zh
    assert [t.element_id for t in deciding.tasks()] == ["Verify_Complaint"]
    assert deciding.instance().outcome is None


def test_an_operator_cancels_while_the_last_task_is_being_completed(deciding: Case, cast: Cast) -> None:
    late = Parked(deciding.runtime, "record_outcome").race(
        _decide(deciding, cast, deciding.now),
        lambda runtime: interventions.cancel(runtime, deciding.id, "重复", cast.admin, deciding.now),
    )

    assert isinstance(late, InstanceClosed)
    assert (deciding.instance().outcome, deciding.instance().ended_early) == ("联调延期", None)


def test_an_operator_suspends_while_a_limit_fires(case: Case, cast: Cast) -> None:
    """The limit was first; what it led to then stands still."""
    due = case.goes("收到测试密钥").task("使用测试密钥进行测试联调").due_at
    assert due is not None

    Parked(case.runtime, "raise_warning").race(
        lambda runtime: timers.fire_due(runtime, due),
        lambda runtime: interventions.suspend(runtime, case.id, "查", cast.admin, due),
    )

    assert happened(case, EventKind.TIMER_FIRED, "Test_Overdue") == 1
    assert [t.element_id for t in case.tasks()] == ["Decide_Extension"]
    assert case.instance().suspended_at == due


def test_a_task_is_completed_and_a_limit_fires_after_an_operator_has_suspended(issuing: Case, cast: Cast) -> None:
    """Both come too late, whatever they were based on."""
    task, answers = issuing.task("下发测试密钥"), issuing.answers(issue="thirty_days")
    assert task.due_at is not None
    interventions.suspend(issuing.runtime, issuing.id, "查", cast.admin, issuing.now)

    with pytest.raises(Suspended):
        instances.complete(issuing.runtime, task.id, answers, cast.guangzhou, issuing.now)
    assert timers.fire_due(issuing.runtime, task.due_at) == 0
    assert [t.id for t in issuing.tasks()] == [task.id]


def test_an_operator_suspends_while_a_task_is_being_completed(issuing: Case, cast: Cast) -> None:
    """Both happen, one after the other: the step is done, and the next stands still."""
    task, answers = issuing.task("下发测试密钥"), issuing.answers(issue="thirty_days")

    Parked(issuing.runtime, "issue_test_key").race(
        lambda runtime: instances.complete(runtime, task.id, answers, cast.guangzhou, issuing.now),
        lambda runtime: interventions.suspend(runtime, issuing.id, "查", cast.admin, issuing.now),
    )

    (following,) = issuing.tasks()
    assert (following.element_id, following.due_at) == ("Test_Connection", None)


def test_two_sweeps_never_fire_the_same_limit_nor_wait_for_each_other(runtime: Runtime, case: Case) -> None:
    """On PostgreSQL the second sweep does all the others' while the first is parked in one instance."""
    cases = [case, Case(runtime), Case(runtime)]
    for one in cases:
        one.goes("递交申请材料")
    due = case.now + timedelta(days=10)

    other_sweep = Parked(runtime, "raise_warning").race(
        lambda parking: timers.fire_due(parking, due),
        lambda plain: timers.fire_due(plain, due),
        waits=not on_postgresql(case),
    )

    if on_postgresql(case):
        assert other_sweep == 2
    assert [happened(one, EventKind.TIMER_FIRED, "Review_Overdue") for one in cases] == [1, 1, 1]
    assert [len(one.tasks()) for one in cases] == [2, 2, 2]


def test_the_first_two_applications_of_a_day_get_a_number_each(case: Case) -> None:
    """There is no row yet that the second could wait for."""

    def number() -> str:
        with case.runtime.database.write() as session:
            return next_number(session, "440300", case.now)

    with ThreadPoolExecutor(1) as threads:
        with case.runtime.database.write() as session:
            first = next_number(session, "440300", case.now)
            following = threads.submit(number)
            until_waiting(case.runtime, following)
        second = following.result(PATIENCE)

    assert [first, second] == ["440300-20260918-0001", "440300-20260918-0002"]
