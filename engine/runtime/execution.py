"""Running an instance's workflow: expressions in the closed language, limits from rows, handlers in their turn."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.util.task import TaskState

from engine.clock import SHANGHAI
from engine.definitions import expressions, limits
from engine.definitions.limits import Due, Limit

# What expressions of a diagram may call besides the language's own functions. The lint knows the same names.
FUNCTIONS = frozenset({"is_open", "today"})


class ElementFailed(Exception):
    """An expression, a limit or a handler of one element failed; the cause is chained."""

    def __init__(self, element_id: str | None) -> None:
        super().__init__(element_id)
        self.element_id = element_id


class ScriptEngine:
    """What the library asks to evaluate conditions, and our timers to tell whether they are due.

    `due_rows` are the due moments of the instance's waiting timers as stored: a row that was recomputed under a
    newer calendar counts, not what the limit said when it started.
    """

    def __init__(self, workflow: BpmnWorkflow, now: datetime, due_rows: Mapping[str, datetime]) -> None:
        self._workflow = workflow
        self._now = now
        self._due_rows = due_rows

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        try:
            return expressions.evaluate(expression, task.data, self.functions)
        except Exception as problem:
            raise ElementFailed(element_of(task)) from problem

    def is_due(self, task: Any, text: str) -> bool:
        limit = task.internal_data.get("limit")
        if limit is None:
            try:
                limit = limits.resolve(text, task.data, self._now, self.functions)
            except Exception as problem:
                raise ElementFailed(element_of(task)) from problem
            task.internal_data["limit"] = limit
        due_at = self._due_rows.get(task.id.hex) or limits.due(limit).at
        return due_at <= self._now

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        return {"is_open": self._is_open, "today": lambda: self._now.astimezone(SHANGHAI).date().isoformat()}

    def _is_open(self, element_id: str) -> bool:
        """Is a user task of this element waiting for a person in this instance?"""
        return any(element_of(task) == element_id for task in open_user_tasks(self._workflow))


def element_of(task: Any) -> str | None:
    """The diagram's id of what a task of the library stands for; None for the library's own splits and joins."""
    return getattr(task.task_spec, "bpmn_id", None)


def open_user_tasks(workflow: BpmnWorkflow) -> list[Any]:
    return [t for t in workflow.get_tasks(state=TaskState.READY) if t.task_spec.manual]


def boundary_events(task: Any) -> list[Any]:
    """The boundary events (in any state) attached to a task and to the sub-processes around it, innermost first."""
    found = []
    while task is not None:
        parent = task.parent
        if parent is not None and isinstance(parent.task_spec, BoundaryEventSplit):
            found += [child for child in parent.children if child is not task]
        workflow = task.workflow
        task = workflow.top_workflow.get_task_from_id(workflow.parent_task_id) if workflow.parent_task_id else None
    return found


def due_of(limit: Limit, row: datetime | None) -> Due:
    """When a limit ends: as its timer's row says, where there is one."""
    due = limits.due(limit)
    return due if row is None else Due(row, due.provisional)


def run_until_quiet(workflow: BpmnWorkflow, before: Callable[[Any], None], after: Callable[[Any], None]) -> None:
    """Refresh timers and run every automatic step until none is ready.

    The library's `do_engine_steps` refreshes timers last, so a timer that is due could be stored as ready and then
    cancel a decision taken in between; hence the loop, and hence nothing is saved before it ends.
    """
    while True:
        workflow.refresh_timers()
        workflow.do_engine_steps(will_complete_task=before, did_complete_task=after)
        if not any(not t.task_spec.manual for t in workflow.get_tasks(state=TaskState.READY)):
            return
