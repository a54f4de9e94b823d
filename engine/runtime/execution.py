"""Running an instance's workflow: expressions in the closed language, limits from rows, handlers in their turn."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.util.task import TaskState

from engine.calendar.book import Book
from engine.calendar.regions import CITIES
from engine.clock import SHANGHAI
from engine.definitions import expressions, limits
from engine.definitions.diagrams import Diagram
from engine.definitions.joins import at_one_activity
from engine.definitions.limits import Limit
from engine.definitions.repeating import repeated

# What expressions of a diagram may call besides the language's own functions. The lint knows the same names.
FUNCTIONS = frozenset({"is_open", "today"})


PAUSED = "paused_at"  # in a limit: since when it stands still
NEVER = datetime.max.replace(tzinfo=UTC)  # when such a limit is due


class ElementFailed(Exception):
    """An expression, a limit or a handler of one element failed; the cause is chained."""

    def __init__(self, element_id: str | None) -> None:
        super().__init__(element_id)
        self.element_id = element_id


class ScriptEngine:
    """What the library asks to evaluate conditions, and our timers to tell whether they are due.

    `due_rows` are the due moments of the instance's waiting timers as stored: a row that was recomputed under a
    newer calendar counts, not what the limit said when it started. `book` is asked for the calendar where there is no
    row yet.
    """

    def __init__(
        self,
        workflow: BpmnWorkflow,
        now: datetime,
        due_rows: dict[str, datetime],
        diagram: Diagram,
        book: Callable[[], Book],
    ) -> None:
        self._workflow = workflow
        self._now = now
        self._due_rows = due_rows
        self._diagram = diagram
        self._book = book
        self._turn: Any = None  # the timer that may fire now

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        try:
            return expressions.evaluate(expression, task.data, self.functions)
        except Exception as problem:
            raise ElementFailed(element_of(task)) from problem

    def is_due(self, task: Any, text: str) -> bool:
        limit = task.internal_data.get("limit")
        if limit is None:
            try:
                limit = as_changed(task, limits.resolve(text, task.data, self._now, self.functions))
            except Exception as problem:
                raise ElementFailed(element_of(task)) from problem
            task.internal_data["limit"] = limit | self._whose(task) if "working_days" in limit else limit
        return task is self._turn

    def first_due(self) -> Any:
        """The waiting timer that has been due longest, which may fire then; None if none is."""
        timers = [
            (self._due_rows.get(task.id.hex) or limits.due(task.internal_data["limit"], self._book()).fires_at, task)
            for task in self._workflow.event_manager.tasks.values()
            if "limit" in task.internal_data and task.has_state(TaskState.WAITING) and task.id in task.workflow.tasks
        ]
        due_at, self._turn = min(timers, key=lambda timer: timer[0], default=(None, None))
        if due_at is None or due_at > self._now:
            self._turn = None
        return self._turn

    def set_due(self, timer_id: str, due_at: datetime) -> None:
        """From now on a timer is due at another moment than its row said when the instance was opened."""
        self._due_rows[timer_id] = due_at

    def region(self, data: Mapping[str, Any]) -> str:
        """Whose calendar counts for the instance, as far as it is known: a city's code, or empty for the country."""
        if self._diagram.region is None:
            return ""
        try:
            region = expressions.evaluate(self._diagram.region, data, self.functions)
        except expressions.ExpressionFailed:  # nobody has filled it in yet
            return ""
        return region if region in CITIES else ""

    def _whose(self, task: Any) -> dict[str, str]:
        """Region and side of a limit: the side is the role of the lane of what the timer is attached to."""
        event = self._diagram.elements.get(element_of(task) or "")
        holder = self._diagram.elements.get((event.attached_to if event else None) or "", event)
        side = holder.lane.role if holder and holder.lane else None
        return {"region": self.region(task.data), "side": side or ""}

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        return {"is_open": self._is_open, "today": lambda: self._now.astimezone(SHANGHAI).date().isoformat()}

    def _is_open(self, element_id: str) -> bool:
        """Is a user task of this element waiting for a person in this instance?"""
        return any(element_of(task) == element_id for task in open_user_tasks(self._workflow))


def element_of(task: Any) -> str | None:
    """The diagram's id of what a task of the library stands for; None for the library's own splits and joins."""
    return getattr(task.task_spec, "bpmn_id", None)


def steps(workflow: BpmnWorkflow, state: int) -> list[Any]:
    """The library's tasks in a state, of the process and of the sub-processes that run in it.

    Each is looked at once; the library's own search walks the tree, which takes several times as long.
    """
    levels = (workflow, *workflow.subprocesses.values())
    return [task for level in levels for task in level.tasks.values() if task.has_state(state)]


def newest_data(workflow: BpmnWorkflow) -> dict[str, Any]:
    """The variables of the step that was done last, be it in a sub-process."""
    done = [level.last_task for level in (workflow, *workflow.subprocesses.values()) if level.last_task]
    return max(done, key=lambda task: task.last_state_change).data if done else {}


def open_user_tasks(workflow: BpmnWorkflow) -> list[Any]:
    return [task for task in steps(workflow, TaskState.READY) if task.task_spec.manual]


def boundary_events(task: Any) -> list[Any]:
    """The boundary events (in any state) attached to a task and to the sub-processes around it, innermost first."""
    found = []
    while task is not None:
        task = repeated(task) or task
        found += [event for event in at_one_activity(task) if event is not task]
        workflow = task.workflow
        task = workflow.top_workflow.get_task_from_id(workflow.parent_task_id) if workflow.parent_task_id else None
    return found


def change_limit(task: Any, limit: Limit) -> None:
    """Put another limit in the place of a waiting timer's. Steps that share the old one, because they count as many
    days since the same moment, start with the new one."""
    before = limits.terms(task.internal_data["limit"])
    task.internal_data["limit"] = limit
    limit = limits.terms(limit)
    changed = [[first, limit if now == before else now] for first, now in _changed_limits(task)]
    if "since" in before and changed == _changed_limits(task):
        changed.append([before, limit])
    task.workflow.top_workflow.task_tree.internal_data["changed_limits"] = changed


def as_changed(task: Any, limit: Limit) -> Limit:
    """A limit that starts, as it was changed where another step started with it earlier."""
    return next((after for before, after in _changed_limits(task) if before == limit), limit)


def _changed_limits(task: Any) -> list[list[Limit]]:
    """Pairs of before and after, kept with the instance's root, which is never pruned."""
    found: list[list[Limit]] = task.workflow.top_workflow.task_tree.internal_data.get("changed_limits", [])
    return found


def run_until_quiet(workflow: BpmnWorkflow, before: Callable[[Any], None], after: Callable[[Any], None]) -> None:
    """Run every automatic step until none is ready and no limit is due; of several due limits the first counts first.

    The library's `do_engine_steps` fires all that is due at once and last, in the order of the drawing, so that a
    later limit could win over an earlier one, and a timer could be stored as ready and then cancel a decision taken
    in between; hence the loop, and hence nothing is saved before it ends.
    """
    engine: ScriptEngine = workflow.script_engine
    while True:
        while _run_what_is_ready(workflow, before, after):
            pass
        if (timer := engine.first_due()) is None:
            return
        timer.task_spec._update(timer)


def _run_what_is_ready(workflow: BpmnWorkflow, before: Callable[[Any], None], after: Callable[[Any], None]) -> bool:
    """One round of automatic steps, innermost sub-processes first; tells whether there were any."""
    if all(task.task_spec.manual for task in steps(workflow, TaskState.READY)):
        return False
    levels = [*sorted(workflow.get_active_subprocesses(), key=lambda level: -level.depth), workflow]
    ran = False
    for level in levels:
        for task in level.get_tasks(state=TaskState.READY, manual=False):
            if task.has_state(TaskState.READY):  # no step of this round has interrupted it
                before(task)
                task.run()
                after(task)
                ran = True
    return ran
