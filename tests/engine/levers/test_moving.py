"""Moving a token to another step: where to, what stays, what is refused; on the flowchart and on small diagrams."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.definitions.deployment import deploy
from engine.errors import NotAllowed, NotFound, TaskCancelled
from engine.levers import incidents, interventions, moving
from engine.levers.moving import StepOver, TargetRefused, Token
from engine.people.accounts import Actor
from engine.runtime import checking, instances, state, timers
from engine.runtime.runtime import Runtime
from engine.runtime.suspension import Suspended
from engine.runtime.tables import Event, EventKind, Instance, Task, TaskState, Timer, TimerState
from engine.telling.tables import Notice
from engine.trust import verification
from tests.casework import Case
from tests.conftest import CAST_SINCE, Cast
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS, HEAD, TAIL

REASON = "材料已线下补齐"


@pytest.fixture(autouse=True)
def all_in_order(runtime: Runtime) -> object:
    """Whatever was moved: rows and state agree, no operator is needed, and the audit trail holds."""
    yield
    with runtime.database.read() as session:
        assert checking.check(session, runtime.definitions) == []
        assert incidents.count_open(session) == 0
    assert verification.verify(runtime.database).flaws == ()


def standing(runtime: Runtime, instance_id: str) -> dict[str, Token]:
    with runtime.database.read() as session:
        instance = session.get_one(Instance, instance_id)
        compiled = runtime.definitions.get(session, instance.version_id)
        return {t.element.id: t for t in moving.tokens(compiled.diagram, state.load(instance.state, compiled))}


def move(case: Case, cast: Cast, start: str, to: str) -> None:
    token = standing(case.runtime, case.id)[start]
    moving.move(case.runtime, case.id, token.id, to, REASON, cast.admin, case.now)


def happened(case: Case) -> list[tuple[str, str | None]]:
    with case.runtime.database.read() as session:
        events = session.scalars(select(Event).where(Event.instance_id == case.id).order_by(Event.sequence))
        return [(event.kind, event.element_id) for event in events]


def test_a_token_is_taken_to_another_step_and_the_case_goes_on_to_its_end(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    old = case.task("Test_Connection")
    move(case, cast, "Test_Connection", "Confirm_Test")
    (task,) = case.tasks()
    assert (task.element_id, task.organisation_id) == ("Confirm_Test", cast.guangzhou.organisation_id)
    assert task.due_at == old.due_at, "the five days are the same"
    assert case.tasks(TaskState.CANCELLED)[-1].cancelled_by == EventKind.MOVED
    case.step(by="主管部门", does="确认是否完成测试联调", fills={"confirmation": "success"})
    assert (case.instance().outcome, case.instance().closed_at) == ("联调成功", case.now)


def test_a_step_whose_data_is_missing_can_not_be_moved_to(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    before = happened(case)
    with pytest.raises(TargetRefused, match="rectification"):
        move(case, cast, "Test_Connection", "Provide_Remedy")
    assert happened(case) == before
    assert [task.element_id for task in case.tasks()] == ["Test_Connection"]


def test_the_events_on_the_boundary_go_with_the_step(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    due = case.task("Test_Connection").due_at
    move(case, cast, "Test_Connection", "Decide_Extension")
    with case.runtime.database.read() as session:
        states = session.scalars(select(Timer.state).where(Timer.element_id == "Test_Overdue")).all()
    assert states == [TimerState.CANCELLED]
    assert due is not None
    assert timers.fire_due(case.runtime, due + timedelta(days=1)) == 0
    answers = case.answers(complaint="key_unusable")
    instances.send_message(case.runtime, case.id, "complaint", answers, cast.enterprise, case.now)
    assert [t.element_id for t in case.tasks()] == ["Verify_Complaint"], "the new step's own boundary counts"


def test_service_tasks_on_the_way_are_carried_out(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    move(case, cast, "Test_Connection", "Create_Test_Key")
    assert [t.element_id for t in case.tasks()] == ["Test_Connection"]
    assert happened(case).count((EventKind.KEY_ISSUED, None)) == 2


def test_a_sub_process_is_left_with_what_was_filled_in_inside(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    move(case, cast, "Review_And_Issue", "Amend_Materials")
    assert [t.element_id for t in case.tasks()] == ["Amend_Materials"]
    case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
    assert [t.element_id for t in case.tasks()] == ["Review_Materials"]


def test_inside_a_sub_process_a_token_moves_within_it(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    move(case, cast, "Issue_Test_Key", "Review_Materials")
    assert [t.element_id for t in case.tasks()] == ["Review_Materials"]
    assert case.tasks()[0].due_at == case.tasks(TaskState.CANCELLED)[-1].due_at, "the sub-process's limit runs on"
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})


def test_a_side_branch_stays_and_the_case_ends_with_its_last_branch(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(after="3 working days")
    assert sorted(standing(case.runtime, case.id)) == ["Explain_Overdue", "Review_And_Issue", "Review_Materials"]
    move(case, cast, "Review_And_Issue", "End_Success")
    assert case.instance().outcome == "联调成功"
    assert [t.element_id for t in case.tasks()] == ["Explain_Overdue"]
    assert case.instance().closed_at is None
    move(case, cast, "Explain_Overdue", "End_Explained")
    assert case.instance().closed_at == case.now


def test_moving_to_the_same_step_begins_it_anew(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    old = case.task("审核材料").id
    move(case, cast, "Review_Materials", "Review_Materials")
    assert case.task("审核材料").id != old


def test_a_hundred_moves_leave_no_trace_in_the_state(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    move(case, cast, "Test_Connection", "Confirm_Test")
    move(case, cast, "Confirm_Test", "Test_Connection")
    before = len(case.instance().state)
    for _ in range(5):
        move(case, cast, "Test_Connection", "Confirm_Test")
        move(case, cast, "Confirm_Test", "Test_Connection")
    assert len(case.instance().state) < before * 1.2


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("Nowhere", "没有这个元素"),
        ("Start_Application", "开始事件"),
        ("Complaint_During_Test", "边界事件"),
        ("Review_Materials", "另一个（子）流程"),
        ("Explain_Overdue", "另一条分支"),
    ],
)
def test_what_can_t_be_right_is_refused_and_changes_nothing(case: Case, cast: Cast, to: str, why: str) -> None:
    case.goes("收到测试密钥")
    before = happened(case)
    with pytest.raises(TargetRefused, match=why):
        move(case, cast, "Test_Connection", to)
    assert happened(case) == before
    assert to not in {target.id for target in standing(case.runtime, case.id)["Test_Connection"].targets}


def test_every_target_that_is_offered_can_be_gone_to(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    offered = standing(case.runtime, case.id)["Test_Connection"].targets
    assert {"Confirm_Test", "Decide_Extension", "Amend_Materials", "End_Success", "Verify_Complaint"} <= {
        target.id for target in offered
    }
    assert not {target.type for target in offered} & {"startEvent", "boundaryEvent"}


def test_only_an_administrator_moves_and_not_what_is_suspended(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    token = standing(case.runtime, case.id)["Test_Connection"]
    for actor in (cast.enterprise, cast.guangzhou, cast.province, cast.analyst):
        with pytest.raises(NotAllowed):
            moving.move(case.runtime, case.id, token.id, "Confirm_Test", REASON, actor, case.now)
    with pytest.raises(NotFound):
        moving.move(case.runtime, "0" * 32, token.id, "Confirm_Test", REASON, cast.admin, case.now)
    interventions.suspend(case.runtime, case.id, REASON, cast.admin, case.now)
    with pytest.raises(Suspended):
        move(case, cast, "Test_Connection", "Confirm_Test")


def test_whoever_comes_late_to_a_step_that_was_left_hears_so(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    token, answers = standing(case.runtime, case.id)["Test_Connection"], case.answers(test_report="done")
    move(case, cast, "Test_Connection", "Confirm_Test")
    with pytest.raises(TaskCancelled, match="管理员转移流程"):
        instances.complete(case.runtime, token.id, answers, cast.enterprise, case.now)
    with pytest.raises(StepOver):
        moving.move(case.runtime, case.id, token.id, "Confirm_Test", REASON, cast.admin, case.now)


def test_both_sides_are_told_from_where_to_where_and_why(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    move(case, cast, "Test_Connection", "Confirm_Test")
    with case.runtime.database.read() as session:
        notices = session.scalars(select(Notice).where(Notice.element_id == "Confirm_Test")).all()
    assert {n.organisation_id for n in notices} == {cast.enterprise.organisation_id, cast.guangzhou.organisation_id}
    assert all(REASON in notice.text and "确认是否完成测试联调" in notice.text for notice in notices)


PARALLEL = (
    HEAD
    + """
  <bpmn:process id="fork" name="并行" isExecutable="true" wf:subject="scenario.kind">
    <bpmn:laneSet id="Lanes">
      <bpmn:lane id="Lane_Enterprise" name="企业" wf:role="enterprise" wf:organisation="starter.organisation">
        <bpmn:flowNodeRef>Begin</bpmn:flowNodeRef><bpmn:flowNodeRef>Before</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>A1</bpmn:flowNodeRef><bpmn:flowNodeRef>A2</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>B1</bpmn:flowNodeRef><bpmn:flowNodeRef>After</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Wait</bpmn:flowNodeRef>
      </bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="Begin" wf:form="scenario" />
    <bpmn:userTask id="Before" name="之前" wf:form="basic" />
    <bpmn:parallelGateway id="Split" />
    <bpmn:userTask id="A1" name="甲一" wf:form="review" />
    <bpmn:userTask id="A2" name="甲二" wf:form="review" />
    <bpmn:userTask id="B1" name="乙" wf:form="explanation" />
    <bpmn:intermediateCatchEvent id="Wait" name="等">
      <bpmn:timerEventDefinition>
        <bpmn:timeDuration xsi:type="bpmn:tFormalExpression">P2D</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:intermediateCatchEvent>
    <bpmn:parallelGateway id="Join" />
    <bpmn:userTask id="After" name="之后" wf:form="complaint" />
    <bpmn:endEvent id="Finish" wf:outcome="完" wf:outcome_en="Done" />
    <bpmn:sequenceFlow id="f1" sourceRef="Begin" targetRef="Before" />
    <bpmn:sequenceFlow id="f2" sourceRef="Before" targetRef="Split" />
    <bpmn:sequenceFlow id="f3" sourceRef="Split" targetRef="A1" />
    <bpmn:sequenceFlow id="f4" sourceRef="A1" targetRef="A2" />
    <bpmn:sequenceFlow id="f5" sourceRef="A2" targetRef="Join" />
    <bpmn:sequenceFlow id="f6" sourceRef="Split" targetRef="B1" />
    <bpmn:sequenceFlow id="f7" sourceRef="B1" targetRef="Wait" />
    <bpmn:sequenceFlow id="f8" sourceRef="Wait" targetRef="Join" />
    <bpmn:sequenceFlow id="f9" sourceRef="Join" targetRef="After" />
    <bpmn:sequenceFlow id="f10" sourceRef="After" targetRef="Finish" />
  </bpmn:process>
"""
    + TAIL
)
NOW = datetime(2026, 9, 18, 10, 0, tzinfo=SHANGHAI)
ANSWERS = {
    "Before": {"basic": {"company": "粤筑", "city": "440100"}},
    "A1": {"review": {"result": "一"}},
    "A2": {"review": {"result": "二"}},
    "B1": {"explanation": {"findings": "乙"}},
    "After": {"complaint": {"facts": "无"}},
}


class Fork:
    """An application on the diagram with two branches."""

    def __init__(self, runtime: Runtime, cast: Cast) -> None:
        with runtime.database.write() as session:
            deploy(session, diagram=PARALLEL.encode(), forms=FORMS, handlers=HANDLERS, by=None, now=CAST_SINCE)
        self.runtime, self.enterprise, self.admin = runtime, cast.enterprise, cast.admin
        given = {"scenario": {"kind": "并行"}}
        self.id = instances.start(runtime, process_id="fork", answers=given, actor=cast.enterprise, now=NOW)

    def complete(self, *elements: str, now: datetime = NOW) -> "Fork":
        for element in elements:
            (task_id,) = (id_ for id_, name in self.open().items() if name == element)
            instances.complete(self.runtime, task_id, ANSWERS[element], self.enterprise, now)
        return self

    def move(self, start: str, to: str) -> None:
        token = standing(self.runtime, self.id)[start]
        moving.move(self.runtime, self.id, token.id, to, REASON, self.admin, NOW)

    def open(self) -> dict[str, str]:
        with self.runtime.database.read() as session:
            query = select(Task.id, Task.element_id).where(Task.instance_id == self.id, Task.state == TaskState.OPEN)
            return dict(session.execute(query).all())


@pytest.fixture
def fork(runtime: Runtime, cast: Cast) -> Fork:
    return Fork(runtime, cast)


def test_within_a_branch_a_token_moves_and_the_branches_still_meet(fork: Fork) -> None:
    fork.complete("Before")
    fork.move("A1", "A2")
    fork.move("A2", "A1")
    fork.move("B1", "Wait")
    fork.complete("A1", "A2")
    assert fork.open() == {}
    timers.fire_due(fork.runtime, NOW + timedelta(days=2))
    assert list(fork.open().values()) == ["After"], "the branches met, once"
    fork.complete("After")
    with fork.runtime.database.read() as session:
        assert session.get_one(Instance, fork.id).closed_at


def test_an_event_that_waits_can_be_left_and_its_limit_goes(fork: Fork) -> None:
    fork.complete("Before", "B1")
    fork.move("Wait", "B1")
    assert timers.fire_due(fork.runtime, NOW + timedelta(days=3)) == 0
    assert sorted(fork.open().values()) == ["A1", "B1"]
    fork.complete("A1", "A2", "B1")
    timers.fire_due(fork.runtime, NOW + timedelta(days=2))
    assert list(fork.open().values()) == ["After"]


@pytest.mark.parametrize(
    ("done", "start", "to"),
    [
        (["Before"], "A1", "B1"),
        (["Before"], "A1", "After"),
        (["Before"], "A1", "Before"),
        (["Before"], "A1", "Join"),
        ([], "Before", "A1"),
        ([], "Before", "After"),
    ],
    ids=["other branch", "after the join", "before the split", "onto the join", "into a branch", "past the block"],
)
def test_across_a_parallel_gateway_nothing_is_moved(fork: Fork, done: list[str], start: str, to: str) -> None:
    fork.complete(*done)
    with pytest.raises(TargetRefused, match="并行网关"):
        fork.move(start, to)


def test_a_sub_process_with_a_message_on_it_can_be_gone_back_to(runtime: Runtime, cast: Cast) -> None:
    runtime = replace(runtime, handlers=HANDLERS)
    with runtime.database.write() as session:
        deploy(session, diagram=GOOD.encode(), forms=FORMS, handlers=HANDLERS, by=None, now=CAST_SINCE)
    given = {"scenario": {"kind": "first"}}
    id_ = instances.start(runtime, process_id="permit", answers=given, actor=cast.enterprise, now=NOW)

    def complete(element: str, actor: Actor, answers: dict[str, dict[str, str]]) -> None:
        with runtime.database.read() as session:
            query = select(Task.id).where(Task.element_id == element, Task.state == TaskState.OPEN)
            task_id = session.scalars(query).one()
        instances.complete(runtime, task_id, answers, actor, NOW)

    complete("Apply", cast.enterprise, {"basic": {"company": "粤筑", "city": "440100"}})
    complain = {"complaint": {"facts": "无法接入"}}
    instances.send_message(runtime, id_, "complaint", complain, cast.enterprise, NOW)
    moving.move(runtime, id_, standing(runtime, id_)["Verify"].id, "Approval", REASON, cast.admin, NOW)
    instances.send_message(runtime, id_, "complaint", complain, cast.enterprise, NOW)
    moving.move(runtime, id_, standing(runtime, id_)["Verify"].id, "Approval", REASON, cast.admin, NOW)
    complete("Review", cast.guangzhou, {"review": {"result": "ok"}})
    with runtime.database.read() as session:
        assert session.get_one(Instance, id_).outcome == "通过"
