"""What the workflow library does that our engine relies on or makes up for; an upgrade that changes it fails here."""

from typing import Any

import pytest
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.task import TaskState

BPMN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="t">'
    '<process id="p" isExecutable="true">{}</process></definitions>'
)
REVIEW = BPMN.format(
    '<startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="review"/>'
    '<userTask id="review"/><sequenceFlow id="f2" sourceRef="review" targetRef="e"/><endEvent id="e"/>'
    '<boundaryEvent id="late" attachedToRef="review">'
    '<timerEventDefinition id="t"><timeDuration>{}</timeDuration></timerEventDefinition></boundaryEvent>'
    '<sequenceFlow id="f3" sourceRef="late" targetRef="e2"/><endEvent id="e2"/>'
)


def workflow(xml: str) -> BpmnWorkflow:
    parser = BpmnParser()
    parser.add_bpmn_str(xml.encode())
    return BpmnWorkflow(parser.get_spec("p"))


def names(found: BpmnWorkflow, state: int) -> set[str]:
    return {task.task_spec.name for task in found.get_tasks(state=state)}


def test_a_flow_without_an_id_vanishes() -> None:
    """Why a rule of the gate demands ids."""
    flow = workflow(REVIEW.format("'PT1H'").replace('<sequenceFlow id="f1" ', "<sequenceFlow "))
    flow.do_engine_steps()
    assert flow.is_completed()


def test_a_finished_task_runs_again() -> None:
    """Why a task's row is checked before its task is run."""
    flow = workflow(REVIEW.format("'PT1H'"))
    flow.do_engine_steps()
    (task,) = flow.get_tasks(state=TaskState.READY)
    task.run()
    assert task.state == TaskState.COMPLETED
    task.run()


def test_an_unquoted_duration_is_an_error_that_leaves_the_timer_dead() -> None:
    """Why timer texts are read by `engine.definitions.limits` and not by the library."""
    flow = workflow(REVIEW.format("P3D"))
    with pytest.raises(Exception, match="P3D"):
        flow.do_engine_steps()


def test_nobody_waiting_for_a_message_is_no_error_of_catch() -> None:
    """Why messages are checked against the instance's subscriptions first."""
    from SpiffWorkflow.bpmn import BpmnEvent
    from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition

    flow = workflow(REVIEW.format("'PT1H'"))
    flow.do_engine_steps()
    event: Any = BpmnEvent(MessageEventDefinition("complaint"), payload={})
    flow.catch(event)
    assert names(flow, TaskState.READY) == {"review"}


def test_a_plain_task_waits_for_a_person() -> None:
    """Why service tasks have a spec of their own."""
    flow = workflow(REVIEW.format("'PT1H'").replace("userTask", "task"))
    flow.do_engine_steps()
    assert "review" in names(flow, TaskState.READY)
