"""The blob of an instance: the library's task tree as compressed JSON, without the definition.

Half of what the library would store is the definition, the same for every instance; it stays in the process
(`engine.runtime.runtime.Definitions`) and is put back on restore.
"""

import json
import zlib
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.default.workflow import (
    BpmnSubWorkflowConverter,
    BpmnWorkflowConverter,
    TaskConverter,
    WorkflowConverter,
)
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.task import Task

from engine.definitions.specs import Compiled


class _StateConverter(BpmnWorkflowConverter):
    """A workflow's state without its specs."""

    def to_dict(self, workflow: BpmnWorkflow) -> dict[str, Any]:
        state: dict[str, Any] = WorkflowConverter.to_dict(self, workflow)
        state["subprocesses"] = self.mapping_to_dict(workflow.subprocesses)
        return state

    def restore(self, state: dict[str, Any], compiled: Compiled) -> BpmnWorkflow:
        workflow = BpmnWorkflow(compiled.spec, dict(compiled.subprocess_specs), deserializing=True)
        workflow.tasks = self.mapping_from_dict(state["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks[UUID(state["root"])]
        self.set_default_attributes(workflow, state)
        self.subprocesses_from_dict(state["subprocesses"], workflow)
        return workflow


_registry = BpmnWorkflowSerializer.configure(
    {BpmnWorkflow: _StateConverter, BpmnSubWorkflow: BpmnSubWorkflowConverter, Task: TaskConverter}
)
_converter = _StateConverter(BpmnWorkflow, _registry)


def dump(workflow: BpmnWorkflow) -> bytes:
    return zlib.compress(json.dumps(_registry.convert(workflow), ensure_ascii=False).encode(), 1)


def load(state: bytes, compiled: Compiled) -> BpmnWorkflow:
    return _converter.restore(json.loads(zlib.decompress(state)), compiled)
