"""The blob of an instance: the library's task tree as compressed JSON, without the definition.

Half of what the library would store is the definition, the same for every instance; it stays in the process
(`engine.runtime.runtime.Definitions`) and is put back on restore. The rest has the library's own shape, written by
hand: its serializer looks at each value of each task several times, and took a third of a completion.
"""

import json
import zlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.serializer.helpers.registry import DefaultRegistry
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.definitions.specs import Compiled

_values = DefaultRegistry()  # what JSON can't hold as it is: moments, durations, ids


class Unstorable(Exception):
    """A handler or a correction brought in what could be stored, but not be read again as it was."""


def dump(workflow: BpmnWorkflow) -> bytes:
    """Raises Unstorable, and TypeError for what JSON can't hold."""
    stored = _stored_level(workflow)
    stored["subprocesses"] = {id_.hex: _stored_level(level) for id_, level in workflow.subprocesses.items()}
    marks = []

    def marked(value: Any) -> Any:
        marks.append(value)
        return _marked(value)

    text = json.dumps(stored, ensure_ascii=False, default=marked)
    if text.count('"typename":') > len(marks):
        raise Unstorable("there is a key “typename” in the data, by which a moment or an id would be known")
    return zlib.compress(text.encode(), 1)


def load(state: bytes, compiled: Compiled) -> BpmnWorkflow:
    stored = json.loads(zlib.decompress(state), object_hook=_unmarked)
    workflow = BpmnWorkflow(compiled.spec, dict(compiled.subprocess_specs), deserializing=True)
    _restore_level(workflow, stored)
    _restore_sub_processes(workflow, workflow, {UUID(text): level for text, level in stored["subprocesses"].items()})
    return workflow


def _stored_level(level: Any) -> dict[str, Any]:
    """The process, or one of the sub-processes that run in it."""
    return {
        "data": level.data,
        "correlations": level.correlations,
        "last_task": level.last_task.id.hex if level.last_task else None,
        "success": level.success,
        "completed": level.completed,
        "tasks": {id_.hex: _stored_task(task) for id_, task in level.tasks.items()},
        "root": level.task_tree.id.hex,
    }


def _stored_task(task: Task) -> dict[str, Any]:
    """A task knows what its parent knows, but for what is said here."""
    parent, data = task.parent, task.data
    known = parent.data if parent else {}
    return {
        "parent": parent.id.hex if parent else None,
        "children": [child.hex for child in task._children],
        "last_state_change": task.last_state_change,
        "state": task.state,
        "task_spec": task.task_spec.name,
        "triggered": task.triggered,
        "internal_data": task.internal_data,
        "delta": {
            "updates": {key: value for key, value in data.items() if key not in known or known[key] != value},
            "deletions": [key for key in known if key not in data],
        },
    }


def _restore_level(level: Any, stored: Mapping[str, Any]) -> None:
    ids = {text: UUID(text) for text in stored["tasks"]}
    for text, task in stored["tasks"].items():
        _restore_task(level, ids, text, task)
    level.task_tree = level.tasks[ids[stored["root"]]]
    level.last_task = level.tasks.get(ids.get(stored["last_task"]))
    level.success, level.completed = stored["success"], stored["completed"]
    level.correlations, level.data = stored["correlations"], stored["data"]


def _restore_task(level: Any, ids: Mapping[str, UUID], text: str, stored: Mapping[str, Any]) -> None:
    spec = level.spec.task_specs[stored["task_spec"]]
    task = Task(level, spec, state=stored["state"], id=ids[text])
    task._parent = ids[stored["parent"]] if stored["parent"] else None
    task._children = [ids[child] for child in stored["children"]]
    task.last_state_change = stored["last_state_change"]
    task.triggered = stored["triggered"]
    task.internal_data = stored["internal_data"]
    if parent := task.parent:
        delta = stored["delta"]
        gone = set(delta["deletions"]).union(delta["updates"])
        task.data = {key: _own(value) for key, value in parent.data.items() if key not in gone} | delta["updates"]
    else:  # the first schema's states have a root's data beside its delta, as the library writes it
        task.data = stored.get("data") or stored["delta"].get("updates", {})
    if isinstance(spec, CatchingEvent) and task.has_state(TaskState.WAITING):
        level.top_workflow.event_manager.add_task(task)


def _own(value: Any) -> Any:
    """What a task takes over from its parent and may change without changing the parent's, as far as the library does
    that."""
    return value.copy() if isinstance(value, dict | list) else value


def _restore_sub_processes(workflow: BpmnWorkflow, around: Any, stored: Mapping[UUID, Any]) -> None:
    """Those that run in one level, and then those in them."""
    for task in list(around.tasks.values()):
        if isinstance(task.task_spec, SubWorkflowTask) and task.id in stored:
            spec = workflow.subprocess_specs[task.task_spec.spec]
            level = BpmnSubWorkflow(spec, task.id, workflow, deserializing=True)
            _restore_level(level, stored[task.id])
            workflow.subprocesses[task.id] = level
            level.completed_event.connect(task.task_spec._on_subworkflow_completed, task)
            _restore_sub_processes(workflow, level, stored)


def _marked(value: Any) -> Any:
    marked = _values.convert(value)
    if marked is value:
        raise TypeError(f"an instance can't keep a {type(value).__name__}")
    return marked


def _unmarked(found: dict[str, Any]) -> Any:
    return _values.restore(found) if found.get("typename") in _values.convert_from_dict else found
