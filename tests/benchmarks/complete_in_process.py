"""What the engine and its store add to the workflow library: completing the same three user tasks of the same diagram.

- the library alone, in memory;
- the library's own way to keep an instance: restore, run, serialise at every completion, nothing stored;
- the engine on SQLite and on PostgreSQL: permission, form, history, projections and commit included.

One instance of each in turn, so that what the machine does meanwhile falls on all of them. Prints ratios to the
library's own way; judges nothing.
"""

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.util.task import TaskState as LibraryState
from sqlalchemy import select

from engine.definitions import deployment
from engine.people.accounts import actor_named
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Task, TaskState
from tests.benchmarks.place import FULL, databases, onboarding, say_where
from tests.casework import BEGINS
from tests.engine.rules.builder import HEAD, TAIL, form

INSTANCES = 300 if FULL else 100
WARM_UP = 10
SERIALISER = "library: restore, run, serialise"

# start → apply → review (limit beside it → explain) → decide → test (limit ends it) → end; written so that both the
# library's parser and ours read the same: quoted durations, subscripts.
DIAGRAM = (
    HEAD
    + """
  <bpmn:process id="bench" name="计时" isExecutable="true">
    <bpmn:laneSet id="Lanes">
      <bpmn:lane id="Lane_E" name="企业" wf:role="enterprise" wf:organisation="starter['organisation']">
        <bpmn:flowNodeRef>Begin</bpmn:flowNodeRef><bpmn:flowNodeRef>Apply</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Test</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="Lane_A" name="主管部门" wf:role="authority" wf:organisation="basic['city']">
        <bpmn:flowNodeRef>Review</bpmn:flowNodeRef><bpmn:flowNodeRef>Explain</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="Lane_P" name="平台"><bpmn:flowNodeRef>Decide</bpmn:flowNodeRef></bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="Begin" name="开始" />
    <bpmn:userTask id="Apply" name="申请" wf:form="basic" />
    <bpmn:userTask id="Review" name="审核" wf:form="review" />
    <bpmn:boundaryEvent id="Overdue" name="超期" attachedToRef="Review" cancelActivity="false">
      <bpmn:timerEventDefinition>
        <bpmn:timeDuration xsi:type="bpmn:tFormalExpression">'P3D'</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:userTask id="Explain" name="说明" wf:form="explanation" />
    <bpmn:endEvent id="Explained" name="已说明" />
    <bpmn:exclusiveGateway id="Decide" name="结论" default="Again" />
    <bpmn:userTask id="Test" name="测试" wf:form="report" />
    <bpmn:boundaryEvent id="Late" name="测试超期" attachedToRef="Test">
      <bpmn:timerEventDefinition>
        <bpmn:timeDuration xsi:type="bpmn:tFormalExpression">'P5D'</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:endEvent id="Failed" name="未完成" wf:outcome="未完成" />
    <bpmn:endEvent id="Done" name="完成" wf:outcome="完成" />
    <bpmn:sequenceFlow id="F1" sourceRef="Begin" targetRef="Apply" />
    <bpmn:sequenceFlow id="F2" sourceRef="Apply" targetRef="Review" />
    <bpmn:sequenceFlow id="F3" sourceRef="Review" targetRef="Decide" />
    <bpmn:sequenceFlow id="Ok" name="符合" sourceRef="Decide" targetRef="Test">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">review['result'] == 'ok'</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="Again" name="不符合" sourceRef="Decide" targetRef="Apply" />
    <bpmn:sequenceFlow id="F4" sourceRef="Test" targetRef="Done" />
    <bpmn:sequenceFlow id="F5" sourceRef="Overdue" targetRef="Explain" />
    <bpmn:sequenceFlow id="F6" sourceRef="Explain" targetRef="Explained" />
    <bpmn:sequenceFlow id="F7" sourceRef="Late" targetRef="Failed" />
  </bpmn:process>
"""
    + TAIL
)
FORMS = {
    "basic": form("basic", "company", "city"),
    "review": form("review", "result"),
    "explanation": form("explanation", "findings"),
    "report": form("report", "findings"),
}
ANSWERS: dict[str, dict[str, dict[str, Any]]] = {
    "Apply": {"basic": {"company": "粤筑", "city": "440100"}},
    "Review": {"review": {"result": "ok"}},
    "Test": {"report": {"findings": "联调完成"}},
}
STEPS = {"Apply": "enterprise-a", "Review": "guangzhou", "Test": "enterprise-a"}

Contender = Callable[[], float]  # completes an instance's user tasks; seconds it took


def library(*, keeps: bool) -> Contender:
    """The library in memory, or with its own serializer between any two completions."""
    parser = BpmnParser()
    parser.add_bpmn_xml(etree.parse(BytesIO(DIAGRAM.encode())))
    spec = parser.get_spec("bench")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())

    def instance() -> float:
        workflow = BpmnWorkflow(spec)
        workflow.do_engine_steps()
        kept = serializer.serialize_json(workflow)
        took = 0.0
        for element, answers in ANSWERS.items():
            started = time.perf_counter()
            if keeps:
                workflow = serializer.deserialize_json(kept)
            (task,) = workflow.get_tasks(state=LibraryState.READY, manual=True)
            task.data.update(answers)
            task.run()
            workflow.refresh_waiting_tasks()
            workflow.do_engine_steps()
            if keeps:
                kept = serializer.serialize_json(workflow)
            took += time.perf_counter() - started
            if task.task_spec.bpmn_id != element:
                raise RuntimeError(f"{element} was to come, not {task.task_spec.bpmn_id}")
        return took

    return instance


def engine(runtime: Runtime) -> Contender:
    with runtime.database.write() as session:
        deployment.deploy(
            session, diagram=DIAGRAM.encode(), forms=FORMS, handlers=runtime.handlers, by=None, now=BEGINS
        )
    with runtime.database.read() as session:
        people = {login: actor_named(session, login) for login in STEPS.values()}

    def instance() -> float:
        id_ = instances.start(runtime, process_id="bench", answers={}, actor=people[STEPS["Apply"]], now=BEGINS)
        took = 0.0
        for element, login in STEPS.items():
            with runtime.database.read() as session:
                waiting = select(Task.id).where(Task.instance_id == id_, Task.state == TaskState.OPEN)
                task_id = session.scalars(waiting.where(Task.element_id == element)).one()
            started = time.perf_counter()
            instances.complete(runtime, task_id, ANSWERS[element], people[login], BEGINS)
            took += time.perf_counter() - started
        return took

    return instance


def main() -> None:
    say_where(f"Completing a user task in the process: {INSTANCES} instances of three, in turn")
    with ExitStack() as stack:
        urls = stack.enter_context(databases())
        contenders = {"library in memory": library(keeps=False), SERIALISER: library(keeps=True)} | {
            f"engine and store on {name}": engine(stack.enter_context(onboarding(url))) for name, url in urls.items()
        }
        took: dict[str, list[float]] = {name: [] for name in contenders}
        for _ in range(WARM_UP + INSTANCES):
            for name, complete in contenders.items():
                took[name].append(complete() / len(ANSWERS) * 1000)
    medians = {name: statistics.median(each[WARM_UP:]) for name, each in took.items()}
    for name, median in medians.items():
        ratio = median / medians[SERIALISER]
        print(f"  {name:32}  {median:5.2f} ms per completion, {ratio:5.2f} times the library's own way")


if __name__ == "__main__":
    main()
