"""Where branches meet: parallel gateways, and the end of a process or sub-process.

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
from SpiffWorkflow.bpmn.specs.control import _EndJoin
from SpiffWorkflow.bpmn.specs.defaults import ParallelGateway
from SpiffWorkflow.util.task import TaskState

_ABSENT = object()


class ParallelJoin(ParallelGateway):
    """A parallel gateway as BPMN 2.0 (13.4.1) has it: one token from each incoming flow, others wait for the next."""

    def _update_hook(self, my_task: Any) -> bool:
        _arrive(my_task)
        missing: Counter[str] = Counter(self._inputs)
        chosen: list[Any] = []
        for waiting in _waiting_at(self, my_task):
            source = waiting.parent.task_spec.name
            if missing[source] > 0:
                missing[source] -= 1
                chosen.append(waiting)
        if missing.total() > 0 or my_task is not chosen[-1]:
            return False
        for other in chosen[-2::-1]:
            _take_in(my_task, other)
        return True

    def _run_hook(self, my_task: Any) -> bool:
        return True


class EndOfAllBranches(_EndJoin):
    """The library's task after all end events of one level; it goes on when nothing else of that level is left."""

    def _update_hook(self, my_task: Any) -> bool:
        _arrive(my_task)
        for other in _waiting_at(self, my_task):
            if other is not my_task:
                _take_in(my_task, other)
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


def _take_in(task: Any, other: Any) -> None:
    """End another branch here and keep what it changed since the two parted, unless this branch changed it too."""
    before = _where_they_parted(task, other).data
    for key, value in other.data.items():
        old = before.get(key, _ABSENT)
        if value != old and task.data.get(key, _ABSENT) == old:
            task.data[key] = deepcopy(value)
    other.cancel()


def _where_they_parted(task: Any, other: Any) -> Any:
    """The nearest common ancestor in the library's tree."""
    above = set()
    while task is not None:
        above.add(task.id)
        task = task.parent
    while other.id not in above:
        other = other.parent
    return other
