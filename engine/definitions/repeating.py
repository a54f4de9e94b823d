"""A user task done several times over, once for each of a list or a number of times (BPMN 2.0, 13.3.7).

The library merges the answers of the instances by position and forgets them on a restart; here each instance's
answers are taken in as it is done, and kept in order in a list where the diagram asks for one.
"""

# mypy: disallow-subclassing-any=False
# (the library comes without types)

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.specs.defaults import UserTask
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.util.task import TaskState

from engine.definitions.diagrams import BPMN

MOST_INSTANCES = 200  # of one task; each is a row in somebody's inbox

COUNTER = "loopCounter"  # which instance this is, from 1
COUNTERS = frozenset({"numberOfInstances", "numberOfCompletedInstances", "numberOfActiveInstances"})


@dataclass(frozen=True, slots=True)
class Repetition:
    """What `multiInstanceLoopCharacteristics` says. `times` is an expression that yields a number or a list."""

    sequential: bool
    times: str
    item: str | None  # variable that holds an instance's part of the list
    result: str | None  # variable whose value each instance adds …
    results: str | None  # … to the list in this one
    enough: str | None  # expression: done, though some instances are not

    @classmethod
    def of(cls, loop: etree._Element) -> "Repetition":
        """Read from a `multiInstanceLoopCharacteristics` element."""

        def text(name: str) -> str | None:
            return (loop.findtext(f"{{{BPMN}}}{name}") or "").strip() or None

        def named(name: str) -> str | None:
            item = loop.find(f"{{{BPMN}}}{name}")
            return None if item is None else item.get("name") or item.get("id")

        return cls(
            sequential=loop.get("isSequential") in {"true", "1"},
            times=text("loopCardinality") or text("loopDataInputRef") or "",
            item=named("inputDataItem"),
            result=named("outputDataItem"),
            results=text("loopDataOutputRef"),
            enough=text("completionCondition"),
        )


class Uncountable(Exception):
    """A repetition whose expression yields neither a list nor a number of times that can be done."""


class Repeated(BpmnSpecMixin):
    """Stands for all instances of a user task; `task_spec` is the name of their spec."""

    def __init__(self, wf_spec: Any, bpmn_id: str, how: Repetition, **kwargs: Any) -> None:
        super().__init__(wf_spec, bpmn_id, **kwargs)
        self.how = how
        self.task_spec = ""

    def _update_hook(self, my_task: Any) -> bool:
        super()._update_hook(my_task)
        value = my_task.workflow.script_engine.evaluate(my_task, self.how.times)
        items = list(range(value)) if type(value) is int and 0 <= value <= MOST_INSTANCES else value
        if not isinstance(items, list) or len(items) > MOST_INSTANCES:
            raise Uncountable(f"{self.name}: {str(value)[:100]}")
        my_task.internal_data.update(items=items, done=0, results={})
        if self.how.results:
            my_task.data[self.how.results] = []
        if items:
            my_task._set_state(TaskState.STARTED)
            for index in range(1 if self.how.sequential else len(items)):
                self._begin(my_task, index)
        return not items

    def _begin(self, my_task: Any, index: int) -> None:
        instance = my_task._add_child(self._wf_spec.task_specs[self.task_spec], TaskState.WAITING)
        instance.triggered = True
        instance.internal_data["index"] = index
        instance.task_spec._update(instance)
        instance.data[COUNTER] = index + 1
        if self.how.item:
            instance.data[self.how.item] = deepcopy(my_task.internal_data["items"][index])

    def one_done(self, my_task: Any, instance: Any) -> None:
        """An instance is done: keep what it has changed, and see whether that is all."""
        told = {COUNTER, self.how.item}
        set_out = my_task.parent.data
        for key, value in instance.data.items():
            if key not in told and (key not in set_out or set_out[key] != value):
                my_task.data[key] = deepcopy(value)
        known = my_task.internal_data
        known["done"] += 1
        if self.how.results:
            known["results"][str(instance.internal_data["index"])] = deepcopy(instance.data.get(self.how.result))
            my_task.data[self.how.results] = [known["results"][i] for i in sorted(known["results"], key=int)]
        open_instances = [t for t in my_task.children if t.triggered and not t.has_state(TaskState.FINISHED_MASK)]
        if known["done"] == len(known["items"]) or self._is_enough(my_task, len(open_instances)):
            for other in open_instances:
                other.cancel()
            my_task._set_state(TaskState.READY)
        elif self.how.sequential:
            self._begin(my_task, known["done"])

    def _is_enough(self, my_task: Any, still_open: int) -> bool:
        if not self.how.enough:
            return False
        known = my_task.internal_data
        counters: Mapping[str, int] = {
            "numberOfInstances": len(known["items"]),
            "numberOfCompletedInstances": known["done"],
            "numberOfActiveInstances": still_open,
        }
        my_task.data.update(counters)
        enough = my_task.workflow.script_engine.evaluate(my_task, self.how.enough)
        for name in counters:
            del my_task.data[name]
        return bool(enough)


class UserStep(UserTask):
    """A user task, or one instance of one that is done several times."""

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)
        if (whole := repeated(my_task)) is not None:
            whole.task_spec.one_done(whole, my_task)


def repeated(task: Any) -> Any:
    """What stands for all instances, if this task is one of them. (Any task that comes after hangs there as well.)"""
    whole = task.parent
    if whole is None or not isinstance(whole.task_spec, Repeated) or whole.task_spec.task_spec != task.task_spec.name:
        return None
    return whole
