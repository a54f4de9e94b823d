"""What completing a user task asks of the database: few statements, one commit, and nothing of it is the definition."""

import json
import zlib
from collections.abc import Iterator

import pytest

from engine.people.accounts import actor_named
from engine.runtime import instances, state, timers
from engine.scenarios.reading import Step, read_scenario
from engine.scenarios.sampling import filled_in
from tests.casework import FOLDER, Case
from tests.statements import Said, heard

MOST = 15  # statements for one completed user task
SCENARIO = read_scenario(FOLDER / "scenarios" / "straight-success.yaml")


def complete(case: Case, step: Step) -> Said:
    """A step of the scenario that completes a user task, with a key as the pages send one; what it took."""
    case.play.now = step.at or case.now
    with case.runtime.database.read() as session:
        actor = actor_named(session, SCENARIO.people[step.by or ""])
    answers = filled_in(case.runtime, step.fills, actor, case.now)
    task_id = case.task(step.what).id
    with heard(case.runtime.database) as said:
        instances.complete(case.runtime, task_id, answers, actor, case.now, once=task_id)
    return said


def completions(case: Case) -> Iterator[tuple[str, Said]]:
    """The whole scenario; what each completion took, by the name of its task."""
    for step in SCENARIO.steps:
        if step.verb == "does":
            yield step.what, complete(case, step)
        else:
            case.play.play(step)


def test_completing_any_task_of_a_case_takes_few_statements_and_one_commit(case: Case) -> None:
    took = dict(completions(case))

    assert case.instance().outcome == "联调成功"
    assert list(took) == [step.what for step in SCENARIO.steps if step.verb == "does"]
    assert {task: said.commits for task, said in took.items()} == dict.fromkeys(took, 1)
    too_many = {task: said.statements for task, said in took.items() if len(said.statements) > MOST}
    assert not too_many


def test_the_definition_is_never_in_an_instances_row(case: Case) -> None:
    for _ in completions(case):
        stored = json.loads(zlib.decompress(case.instance().state))
        assert not {"spec", "subprocess_specs"} & stored.keys()
        assert "xmlns" not in json.dumps(stored)


def test_a_sweep_with_nothing_due_restores_no_instance(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.goes("递交申请材料")
    restored = restorations(monkeypatch)

    with heard(case.runtime.database) as said:
        assert timers.fire_due(case.runtime, case.now) == 0
    assert restored == []
    assert said.commits == 0
    assert sum(statement.startswith("SELECT") for statement in said.statements) == 1

    case.step(after="3 working days")
    assert restored, "a due limit does restore its instance, or the count is blind"


def restorations(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one for each workflow that is restored."""
    restored: list[int] = []
    load = state.load

    def counting(stored: bytes, compiled: object) -> object:
        restored.append(len(stored))
        return load(stored, compiled)  # type: ignore[arg-type]

    monkeypatch.setattr(state, "load", counting)
    return restored
