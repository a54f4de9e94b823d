"""Long lives: what is over leaves the blob, and nobody can tell."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.definitions.specs import Compiled
from engine.errors import Broken
from engine.runtime import instances, pruning, state
from engine.runtime.tables import TaskState
from tests.casework import Case, open_incidents
from tests.conftest import Cast
from tests.engine.runtime.walking import (
    ONBOARDING,
    SAMPLES,
    Walk,
    amended,
    finish,
    round_of_amendment,
    size,
    submitted,
)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is stored does not depend on where; one kind of database will do."""
    return sqlite_url


def weight(case: Case) -> tuple[int, int]:
    """Tasks of the library in an instance's blob, and its bytes."""
    blob = case.instance().state
    workflow = state.load(blob, ONBOARDING)
    return size(workflow), len(blob)


def test_the_hundredth_amendment_weighs_no_more_than_the_second() -> None:
    walk, sizes, weights = amended(100)

    assert len(set(sizes)) == 1
    assert max(weights) <= 1.1 * weights[0]
    finish(walk)
    assert walk.workflow.is_completed()
    assert walk.workflow.data["basic"]["version"] == "99"
    assert walk.passed.count("Review_Materials") == 101  # in the history all the same
    assert size(walk.workflow) <= 3


def test_a_stored_application_stays_as_light_as_it_was(case: Case) -> None:
    case.goes("递交申请材料")
    weights = []
    for _ in range(6):
        case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
        case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
        weights.append(weight(case))

    assert len({tasks for tasks, _ in weights}) == 1
    assert weights[-1][1] <= 1.1 * weights[0][1]
    assert len(case.tasks(TaskState.COMPLETED)) == 2 + 6 * 2  # history is in rows
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    assert [task.name for task in case.tasks()] == ["下发测试密钥"]


def test_an_explanation_that_stays_open_does_not_hold_fifty_rounds_of_history() -> None:
    walk, sizes, _ = amended(50, overdue=True)

    assert [element for element, _ in walk.open_tasks] == ["Explain_Overdue", "Review_Materials"]
    assert walk.passed.count("Warn_Review_Overdue") == 50
    assert len(set(sizes[1:])) == 1
    finish(walk)
    assert not walk.workflow.is_completed()
    walk.complete("Explain_Overdue", {"explanation": {"reason": "忙"}})
    assert walk.workflow.is_completed()
    assert walk.workflow.data["explanation"] == {"reason": "忙"}
    assert walk.workflow.data["basic"]["version"] == "49", "what is newer in one branch counts, whoever ends last"


def test_a_limit_that_has_fired_is_still_shown_on_the_task_it_was_for(case: Case) -> None:
    case.goes("递交申请材料").step(after="3 working days")
    due = case.task("审核材料").due_at
    case.step(by="主管部门", does="核实并反馈情况", fills={"explanation": "busy"})
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})

    assert due is not None
    assert case.task("下发测试密钥").due_at == due  # the same sub-process, hence the same limit


def test_a_finished_application_keeps_only_its_root_and_its_end() -> None:
    walk = submitted()
    round_of_amendment(walk, 1)
    finish(walk)

    assert walk.workflow.is_completed()
    assert walk.workflow.subprocesses == {}
    assert size(walk.workflow) <= 3


def test_pruning_twice_changes_nothing() -> None:
    walk = submitted()
    round_of_amendment(walk, 1)
    before = state.dump(walk.workflow)

    pruning.prune(walk.workflow)

    assert state.dump(walk.workflow) == before


def test_what_the_library_could_lose_sight_of_is_refused_with_an_incident(
    case: Case, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.goes("递交申请材料")
    task = case.task("审核材料")
    monkeypatch.setattr(pruning, "MOST_LEVELS", 2)

    with pytest.raises(Broken):
        instances.complete(case.runtime, task.id, case.answers(review="pass"), cast.guangzhou, case.now)

    assert [open_task.name for open_task in case.tasks()] == ["审核材料"]
    with case.runtime.database.read() as session:
        (incident,) = open_incidents(session)
    assert incident.cause.startswith("TooMuchOpen: ")


steps = st.lists(st.tuples(st.sampled_from("ddddtm"), st.integers(0, 9), st.integers(0, 9)), max_size=25)


@given(steps=steps)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_nobody_can_tell_whether_history_was_dropped(steps: list[tuple[str, int, int]]) -> None:
    walks = [submitted(pruned=pruned) for pruned in (True, False)]
    for kind, which, sample in steps:
        for walk in walks:
            step(walk, ONBOARDING, kind, which, sample)
        assert walks[0].facts() == walks[1].facts()


def step(walk: Walk, compiled: Compiled, kind: str, which: int, sample: int) -> None:
    """One random step: an open task done, time passing to the next due moment, or a message sent."""
    if kind == "t" and walk.timers:
        walk.let_pass(min(due for _, due in walk.timers) + timedelta(hours=9))
    elif kind == "m" and walk.messages:
        walk.send("complaint", {"complaint": SAMPLES["complaint"][0]})
    elif kind == "d" and walk.open_tasks:
        element_id, _ = walk.open_tasks[which % len(walk.open_tasks)]
        forms = compiled.diagram.elements[element_id].forms
        answers: dict[str, Any] = {
            form: {**SAMPLES[form][sample % len(SAMPLES[form])], "submitted_at": walk.now.isoformat()} for form in forms
        }
        walk.complete(element_id, answers)
