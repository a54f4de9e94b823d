"""What we do where the workflow library would go wrong without a word (see `tests/engine/test_library_traps.py`)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.util.task import TaskState as LibraryState
from sqlalchemy import func, select

from engine.clock import SHANGHAI
from engine.definitions.specs import compile_definition
from engine.errors import Broken, TaskCancelled
from engine.runtime import instances, state, timers
from engine.runtime.execution import ScriptEngine
from engine.runtime.tables import Answer
from engine.runtime.token_data import token_data
from handlers import HANDLERS
from tests.casework import BEGINS, Case, open_incidents
from tests.conftest import Cast
from tests.engine.rules.builder import process
from tests.engine.runtime.walking import ONBOARDING, SAMPLES, Walk


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What the engine does with the library does not depend on where it is stored."""
    return sqlite_url


def automatic_and_ready(case: Case) -> list[str]:
    workflow = state.load(case.instance().state, ONBOARDING)
    return [t.task_spec.name for t in workflow.get_tasks(state=LibraryState.READY) if not t.task_spec.manual]


def test_a_limit_of_long_ago_runs_out_when_the_caller_says_so_and_not_by_the_machines_clock() -> None:
    begins = datetime(2020, 9, 18, 10, 0, tzinfo=SHANGHAI)
    walk = Walk(ONBOARDING, True, begins)
    walk.start({"starter": {"organisation": "91440101MA5TRYA01X"}, "application": {"scenario": "first"}})
    walk.complete("Basic_First", {"basic": SAMPLES["basic"][0]})
    walk.complete("Submit_Materials", {"materials": {}})

    ((_, due_at),) = walk.timers
    walk.let_pass(due_at - timedelta(seconds=1))
    assert [element for element, _ in walk.open_tasks] == ["Review_Materials"]
    walk.let_pass(due_at)
    assert [element for element, _ in walk.open_tasks] == ["Explain_Overdue", "Review_Materials"]


def test_two_limits_under_one_event_gateway_run_out_each_at_its_own_moment() -> None:
    """The first to do so wins; the library would make them one."""
    gate = '<bpmn:startEvent id="s"/><bpmn:eventBasedGateway id="g"/><bpmn:userTask id="u"/><bpmn:userTask id="v"/>'
    for name, text in (("long", "P3D"), ("short", "P1D")):
        gate += (
            f'<bpmn:intermediateCatchEvent id="{name}"><bpmn:timerEventDefinition><bpmn:timeDuration>{text}'
            "</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
        )
    walk = Walk(compile_definition(process(gate, "s>g g>long g>short long>u short>v").encode(), {}), True, BEGINS)
    walk.start({})

    assert dict(walk.timers) == {"long": BEGINS + timedelta(days=3), "short": BEGINS + timedelta(days=1)}
    walk.let_pass(BEGINS + timedelta(days=1))
    assert [element for element, _ in walk.open_tasks] == ["v"]
    assert walk.timers == []


def test_nothing_is_stored_with_a_step_half_way(case: Case) -> None:
    case.goes("收到测试密钥")
    assert automatic_and_ready(case) == []
    due = case.task("使用测试密钥进行测试联调").due_at
    assert due is not None
    assert timers.fire_due(case.runtime, due) == 1
    assert automatic_and_ready(case) == []
    assert [task.element_id for task in case.tasks()] == ["Decide_Extension"]


def test_whoever_hands_in_at_the_moment_a_limit_ends_is_told_and_nothing_of_it_is_kept(case: Case, cast: Cast) -> None:
    """Though no sweep has come for the limit yet."""
    task = case.goes("收到测试密钥").task("使用测试密钥进行测试联调")
    answers = case.answers(test_report="done")
    assert task.due_at is not None

    with pytest.raises(TaskCancelled):
        instances.complete(case.runtime, task.id, answers, cast.enterprise, task.due_at)

    with case.runtime.database.read() as session:
        assert session.scalar(select(func.count()).where(Answer.task_id == task.id)) == 0
    timers.fire_due(case.runtime, task.due_at)
    assert [open_task.element_id for open_task in case.tasks()] == ["Decide_Extension"]


def test_what_a_message_brought_is_known_to_the_steps_after_it(case: Case) -> None:
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    (task,) = case.tasks()
    with case.runtime.database.read() as session:
        known = token_data(session, ONBOARDING, case.id, task.id)
    assert known["complaint"]["submitted_at"] == case.now.isoformat()


def test_the_engine_that_evaluates_expressions_is_not_the_librarys_and_runs_no_scripts() -> None:
    assert not issubclass(ScriptEngine, PythonScriptEngine)
    assert not hasattr(ScriptEngine, "execute")


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        ({"typename": "datetime"}, "Unstorable"),
        ({"keys": [{"typename": "anything"}]}, "Unstorable"),
        ({"fee": Decimal("1.50")}, "TypeError"),
    ],
    ids=["a key of the library's own", "the same further in", "what JSON does not know"],
)
def test_what_could_not_be_read_again_is_never_stored(
    case: Case, cast: Cast, result: Mapping[str, Any], cause: str
) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    task, answers = case.task("下发测试密钥"), case.answers(issue="thirty_days")
    brought = {"issued_at": case.now.isoformat(), **result}
    runtime = replace(case.runtime, handlers={**HANDLERS, "issue_test_key": lambda call, **params: brought})

    with pytest.raises(Broken):
        instances.complete(runtime, task.id, answers, cast.guangzhou, case.now)

    with case.runtime.database.read() as session:
        (incident,) = open_incidents(session)
    assert incident.cause.startswith(f"{cause}: ")
    instances.complete(case.runtime, task.id, answers, cast.guangzhou, case.now)
    assert [open_task.element_id for open_task in case.tasks()] == ["Test_Connection"]
