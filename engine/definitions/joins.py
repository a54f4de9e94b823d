"""Where branches meet: parallel and inclusive gateways, and the end of a process or sub-process.

The library looks through the whole history of an instance for branches that have arrived. In a loop it therefore
takes a branch of an earlier round for one of this round, and it merges answers by position, so that the branch that
arrives last overwrites newer answers with the old ones it set out with. Here a join only knows the branches that
wait at it, takes one per incoming flow, and asks of each what it has changed since they parted.
"""

# mypy: disallow-subclassing-any=False
# (the library comes without types)

from collections import Counter
from copy import deepcopy
from typing import Any

from SpiffWorkflow.bpmn.parser.ProcessParser import ProcessParser
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit, _EndJoin
from SpiffWorkflow.bpmn.specs.defaults import InclusiveGateway, ParallelGateway
from SpiffWorkflow.util.task import TaskState

KNOWN = "known"  # in a boundary event's internal data: names of the variables it took out of its sub-process

_ABSENT = object()


class ParallelJoin(ParallelGateway):
    """A parallel gateway as BPMN 2.0 (13.4.1) has it: one token from each incoming flow, others wait for the next."""

    def _update_hook(self, my_task: Any) -> bool:
        _arrive(my_task)
        chosen = _one_per_flow(self, my_task)
        return len(chosen) == len(self._inputs) and _unite(my_task, chosen)

    def _run_hook(self, my_task: Any) -> bool:
        return True


class InclusiveJoin(InclusiveGateway):
    """An inclusive gateway (BPMN 2.0, 13.4.3): it waits as long as another token could still come along a flow into it.

    It leads on to every flow whose condition holds, and to the default if none does.
    """

    def __init__(self, wf_spec: Any, name: str, **kwargs: Any) -> None:
        super().__init__(wf_spec, name, **kwargs)
        self.default: str | None = None

    def _predict_hook(self, my_task: Any) -> None:
        my_task._sync_children(self.outputs, TaskState.MAYBE)

    def _update_hook(self, my_task: Any) -> bool:
        _arrive(my_task)
        chosen = _one_per_flow(self, my_task)
        arrived = {task.parent.task_spec.name for task in chosen}
        missing = set(self._inputs) - arrived
        if missing and any(
            reached & missing and not reached & arrived
            for token in tokens(my_task.workflow)
            if token.task_spec is not self and (reached := self._reached_from(token))
        ):
            return False
        return _unite(my_task, chosen)

    def _run_hook(self, my_task: Any) -> bool:
        ways = [(condition, output) for condition, output in self.cond_task_specs if condition is not None]
        taken = [output for condition, output in ways if condition._matches(my_task)]
        chosen = taken or ([self.default] if self.default else [])
        if not chosen:
            raise NoWayOn(self.name)
        my_task._sync_children([self._wf_spec.task_specs[name] for name in chosen], TaskState.FUTURE)
        for child in my_task.children:
            child.task_spec._predict(child, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
        return True

    def _reached_from(self, token: Any) -> set[str]:
        """Which of the steps before this gateway a token can come to without passing the gateway."""
        seen: set[str] = set()
        together = at_one_activity(token)  # it may go on by any of its events
        waiting = [task.task_spec for task in together if not _is_over(task)]
        while waiting:
            spec = waiting.pop()
            if spec is not self and spec.name not in seen:
                seen.add(spec.name)
                waiting += spec.outputs
        return seen & set(self._inputs)


class NoWayOn(Exception):
    """No condition of an inclusive gateway holds, and it has no default; the deploy gate demands one."""


class EndOfAllBranches(_EndJoin):
    """The library's task after all end events of one level; it goes on when nothing else of that level is left."""

    def _update_hook(self, my_task: Any) -> bool:
        _arrive(my_task)
        _unite(my_task, _waiting_at(self, my_task))
        return bool(self._check_threshold_unstructured(my_task))

    def _run_hook(self, my_task: Any) -> bool:
        my_task.workflow.data.update(my_task.data)
        return True


class ProcessSpec(BpmnProcessSpec):
    """A process or sub-process that ends by our own rule."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        library_end: Any = self.end
        del self.task_specs[library_end.name]
        self.end: Any = EndOfAllBranches(self, library_end.name, outputs=library_end._outputs)


class ProcessReader(ProcessParser):
    """The library's parser of one process, making ours."""

    def create_spec(self) -> ProcessSpec:
        super().create_spec()  # refuses what is not executable
        return ProcessSpec(name=self.bpmn_id, description=self.get_name(), filename=self.filename)


def _arrive(task: Any) -> None:
    """From now on the task waits, with the data its branch brought along."""
    if not task.has_state(TaskState.WAITING):
        task._inherit_data()
        task._set_state(TaskState.WAITING)


def _waiting_at(spec: Any, task: Any) -> list[Any]:
    """The branches that wait at a join, in order of arrival."""
    waiting = [t for t in task.workflow.tasks.values() if t.task_spec is spec and t.has_state(TaskState.WAITING)]
    return sorted(waiting, key=lambda t: t.last_state_change)


def _one_per_flow(spec: Any, task: Any) -> list[Any]:
    """Of those that wait at a gateway, the first of each incoming flow."""
    missing: Counter[str] = Counter(spec._inputs)
    chosen: list[Any] = []
    for waiting in _waiting_at(spec, task):
        source = waiting.parent.task_spec.name
        if missing[source] > 0:
            missing[source] -= 1
            chosen.append(waiting)
    return chosen


def _unite(task: Any, arrived: list[Any]) -> bool:
    """Let the last branch go on for all that have arrived, with what all know; False for the others."""
    if task is not arrived[-1]:
        return False
    task.data = united(arrived[::-1])
    for other in arrived[:-1]:
        other.cancel()
    return True


def united(branches: list[Any]) -> dict[str, Any]:
    """What branches know together: where two have changed the same since they parted, the first of them counts."""
    first, *others = branches
    data: dict[str, Any] = deepcopy(first.data)
    for other in others:
        ancestor = _where_they_parted(first, other)
        one, two = ({**ancestor.data, **_brought_along(branch, ancestor)} for branch in (first, other))
        for key, value in other.data.items():
            if value != two.get(key, _ABSENT) and data.get(key, _ABSENT) == one.get(key, _ABSENT):
                data[key] = deepcopy(value)
    return data


def _brought_along(task: Any, ancestor: Any) -> dict[str, Any]:
    """What a branch was told on its way, by a boundary event that looked into its sub-process: it did not change it."""
    told: dict[str, Any] = {}
    while task is not ancestor:
        told = {key: task.data[key] for key in task.internal_data.get(KNOWN, ())} | told
        task = task.parent
    return told


def at_one_activity(task: Any) -> list[Any]:
    """An activity with its boundary events, if the task is one of these; otherwise the task alone."""
    split = task.parent
    if split is not None and isinstance(split.task_spec, BoundaryEventSplit):
        names = split.task_spec._outputs  # what comes after the activity may hang here too, once history is dropped
        if task.task_spec.name in names:
            return [sibling for sibling in split.children if sibling.task_spec.name in names]
    return [task]


def tokens(level: Any) -> list[Any]:
    """The library's tasks that stand for a token of a process or sub-process: what came before them is done."""
    return [
        task
        for task in level.tasks.values()
        if not _is_over(task) and task.parent is not None and _is_over(task.parent)
    ]


def _is_over(task: Any) -> bool:
    return bool(task.has_state(TaskState.FINISHED_MASK))


def _where_they_parted(task: Any, other: Any) -> Any:
    """The nearest common ancestor in the library's tree."""
    above = set()
    while task is not None:
        above.add(task.id)
        task = task.parent
    while other.id not in above:
        other = other.parent
    return other
