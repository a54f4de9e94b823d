"""Walking through a diagram with the workflow alone: no database, no forms' rules, a restore after every step."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.util.task import TaskState

from engine.calendar.book import FIRST
from engine.definitions import limits
from engine.definitions.deployment import read_forms
from engine.definitions.events import LimitTimer
from engine.definitions.specs import Compiled, compile_definition
from engine.runtime import state
from engine.runtime.execution import ScriptEngine, element_of, open_user_tasks, run_until_quiet
from engine.runtime.pruning import prune
from engine.scenarios.reading import read_samples, without_label
from tests.casework import BEGINS, FOLDER

ONBOARDING = compile_definition((FOLDER / "onboarding.bpmn").read_bytes(), read_forms(FOLDER))
SAMPLES = {
    form: [json.loads(json.dumps(without_label(sample), default=str)) for sample in samples.values()]
    for form, samples in read_samples(FOLDER).answers.items()
}


@dataclass
class Walk:
    """One instance being walked, with or without its history."""

    compiled: Compiled
    pruned: bool
    now: datetime
    workflow: BpmnWorkflow = field(init=False)
    passed: list[str] = field(default_factory=list)  # elements in the order they ran
    stored: bytes = b""

    def __post_init__(self) -> None:
        self.workflow = BpmnWorkflow(self.compiled.spec, dict(self.compiled.subprocess_specs))

    def start(self, data: Mapping[str, Any]) -> None:
        self.workflow.task_tree.data.update(data)
        self._run()

    def complete(self, element_id: str, answers: Mapping[str, Any]) -> None:
        task = next(task for task in open_user_tasks(self.workflow) if element_of(task) == element_id)
        task.data.update(answers)
        task.run()
        self.passed.append(element_id)
        self._run()

    def send(self, message: str, answers: Mapping[str, Any]) -> None:
        self.workflow.send_event(BpmnEvent(MessageEventDefinition(message), payload=dict(answers)))
        self._run()

    def let_pass(self, now: datetime) -> None:
        self.now = now
        self._run()

    @property
    def open_tasks(self) -> list[tuple[str, Any]]:
        """Every open user task: its element and all it knows."""
        return sorted(((str(element_of(t)), t.data) for t in open_user_tasks(self.workflow)), key=str)

    @property
    def timers(self) -> list[tuple[str, datetime]]:
        return sorted(
            (str(element_of(t)), limits.due(t.internal_data["limit"], FIRST).fires_at)
            for t in self._waiting(LimitTimer)
        )

    @property
    def messages(self) -> list[tuple[str, str]]:
        return sorted(
            (t.task_spec.event_definition.name, t.task_spec.name) for t in self._waiting(MessageEventDefinition)
        )

    def facts(self) -> dict[str, Any]:
        """All that people could notice."""
        last = self.workflow.last_task
        return {
            "open": self.open_tasks,
            "timers": self.timers,
            "messages": self.messages,
            "passed": self.passed,
            "named by": last.data if last else None,
            "closed": self.workflow.is_completed(),
            "result": self.workflow.data if self.workflow.is_completed() else None,
        }

    def _waiting(self, kind: type) -> list[Any]:
        found = self.workflow.get_tasks(state=TaskState.WAITING)
        return [t for t in found if isinstance(getattr(t.task_spec, "event_definition", None), kind)]

    def _run(self) -> None:
        self.workflow.script_engine = ScriptEngine(self.workflow, self.now, {}, self.compiled.diagram, lambda: FIRST)
        run_until_quiet(self.workflow, self._before, self._after)
        if self.pruned:
            prune(self.workflow)
        known = data_of_all(self.workflow)
        self.stored = state.dump(self.workflow)
        self.workflow = state.load(self.stored, self.compiled)
        self.workflow.script_engine = ScriptEngine(self.workflow, self.now, {}, self.compiled.diagram, lambda: FIRST)
        assert data_of_all(self.workflow) == known, "storing changed what a task knows"

    def _before(self, task: Any) -> None:
        element = self.compiled.diagram.elements.get(element_of(task) or "")
        if element and element.handler and element.result:
            task.data[element.result] = {"issued_at": self.now.isoformat()}

    def _after(self, task: Any) -> None:
        if element_id := element_of(task):
            self.passed.append(element_id)


def data_of_all(workflow: BpmnWorkflow) -> dict[Any, Any]:
    """What every task of the library's tree knows, those of sub-processes too."""
    return {
        task.id: task.data for level in (workflow, *workflow.subprocesses.values()) for task in level.tasks.values()
    }


def size(workflow: BpmnWorkflow) -> int:
    return len(workflow.tasks) + sum(len(level.tasks) for level in workflow.subprocesses.values())


def round_of_amendment(walk: Walk, number: int) -> None:
    review = {"result": "fail", "problems": [{"field": "materials.self_test", "problem": f"第{number}次"}]}
    walk.complete("Review_Materials", {"review": review})
    walk.complete("Amend_Materials", {"basic": {**SAMPLES["basic"][0], "version": str(number)}, "materials": {}})


def submitted(*, pruned: bool = True) -> Walk:
    walk = Walk(ONBOARDING, pruned, BEGINS)
    walk.start({"starter": {"organisation": "91440101MA5TRYA01X"}, "application": {"scenario": "first"}})
    walk.complete("Basic_First", {"basic": SAMPLES["basic"][0]})
    walk.complete("Submit_Materials", {"materials": {}})
    return walk


def finish(walk: Walk) -> None:
    walk.complete("Review_Materials", {"review": {"result": "pass"}})
    walk.complete("Issue_Test_Key", {"issue": {"valid_days": 30}})
    walk.complete("Test_Connection", {"test_report": {"result": "ok"}})
    walk.complete("Confirm_Test", {"confirmation": {"result": "success"}})


def amended(rounds: int, *, overdue: bool = False) -> tuple[Walk, list[int], list[int]]:
    """An application rejected and amended so many times, each time before or after the review's limit has run out;
    and after each the library's tasks in it and the bytes it is stored in."""
    walk = submitted()
    sizes, weights = [], []
    for number in range(rounds):
        if overdue:
            walk.let_pass(walk.timers[0][1])
        round_of_amendment(walk, number)
        sizes.append(size(walk.workflow))
        weights.append(len(walk.stored))
    return walk, sizes, weights
