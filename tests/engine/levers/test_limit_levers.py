"""Officials pause, let run on and extend the limit on a task of theirs, where the diagram allows it; the record of it.

The shipped diagram allows none of it, so these tests deploy a copy that does.
"""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.definitions.deployment import deploy, read_forms
from engine.errors import Conflict, NotAllowed, NotFound, TaskClaimed, TaskDone
from engine.levers import deadlines, incidents, interventions
from engine.levers.deadlines import LimitOver
from engine.levers.limit_levers import ExtensionRefused, NotOffered, extend_limit, pause_limit, resume_limit
from engine.limits.ledger import LimitLedger, LimitState, clock_ledger, days_by_side
from engine.people.accounts import Actor
from engine.reading.applications import instances as listed
from engine.reading.inbox import open_tasks
from engine.reading.taskfile import TaskFile, task_file
from engine.runtime import checking, instances, timers
from engine.runtime.reasons import BasisTooLong, ReasonMissing
from engine.runtime.runtime import Runtime
from engine.runtime.suspension import Suspended, paused
from engine.runtime.tables import Event, EventKind, Intervention, Timer, TimerState
from engine.telling.tables import Notice
from engine.trust import verification
from handlers import HANDLERS
from tests.casework import FOLDER, Case, deploy_onboarding
from tests.conftest import CAST_SINCE, Cast

REASON = "需现场核查设备"


def at(day: int, hour: int = 10, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, 0, tzinfo=SHANGHAI)


def with_levers(attributes: str = 'wf:pausable="true" wf:extendable="3"') -> bytes:
    """The onboarding process whose limits on the authority's steps officials may pause and extend."""
    xml = (FOLDER / "onboarding.bpmn").read_text("utf-8")
    for event in ("Review_Overdue", "Confirm_Overdue"):
        old = f'<bpmn:boundaryEvent id="{event}"'
        assert xml.count(old) == 1
        xml = xml.replace(old, f"{old} {attributes}")
    return xml.encode()


def deploy_levers(runtime: Runtime, attributes: str = 'wf:pausable="true" wf:extendable="3"') -> None:
    with runtime.database.write() as session:
        deploy(
            session,
            diagram=with_levers(attributes),
            forms=read_forms(FOLDER),
            handlers=HANDLERS,
            by=None,
            now=CAST_SINCE,
        )


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_levers(runtime)
    return Case(runtime)


@pytest.fixture
def reviewed(case: Case) -> Case:
    """The authority has three working days for the review, from Friday 18 September to Tuesday the 22nd."""
    return case.goes("递交申请材料")


@pytest.fixture(autouse=True)
def all_in_order(case: Case) -> object:
    """Whatever was done: rows and state agree, no operator is needed, and the audit trail holds."""
    yield
    with case.runtime.database.read() as session:
        assert checking.check(session, case.runtime.definitions) == []
        assert incidents.count_open(session) == 0
    assert verification.verify(case.runtime.database).flaws == ()


def limit(case: Case, element_id: str = "Review_Overdue") -> Timer:
    """The newest that has not ended, or else the newest."""
    with case.runtime.database.read() as session:
        own = select(Timer).where(Timer.instance_id == case.id, Timer.element_id == element_id)
        return session.scalars(own.order_by(Timer.ended_at.is_not(None), Timer.due_at.desc())).first()  # type: ignore[return-value]


def pause(case: Case, actor: Actor, now: datetime, step: str = "审核材料", event: str = "Review_Overdue") -> None:
    pause_limit(case.runtime, case.task(step).id, limit(case, event).id, REASON, actor, now, basis="《办法》第八条")


def resume(case: Case, actor: Actor, now: datetime) -> None:
    resume_limit(case.runtime, case.task("审核材料").id, limit(case).id, "核查完毕", actor, now)


def extend(case: Case, actor: Actor, now: datetime, days: int) -> None:
    extend_limit(case.runtime, case.task("审核材料").id, limit(case).id, days, "材料较多", actor, now)


def ledger(case: Case, actor: Actor, now: datetime) -> tuple[LimitLedger, ...]:
    with case.runtime.database.read() as session:
        return clock_ledger(session, case.runtime.definitions, case.id, actor, now)


def page(case: Case, actor: Actor, now: datetime, step: str = "审核材料") -> TaskFile:
    with case.runtime.database.read() as session:
        return task_file(session, case.runtime.definitions, case.task(step).id, actor, now)


def test_a_paused_limit_does_not_run_out_and_runs_on_with_the_days_left(reviewed: Case, cast: Cast) -> None:
    pause(reviewed, cast.guangzhou, at(21))
    assert timers.fire_due(reviewed.runtime, at(30)) == 0
    assert reviewed.task("审核材料").due_at is None
    (offered,) = page(reviewed, cast.guangzhou_colleague, at(30)).limits
    assert (offered.paused_at, offered.most) == (at(21), 0)

    resume(reviewed, cast.guangzhou_colleague, at(28))

    assert limit(reviewed).due_at == reviewed.task("审核材料").due_at == at(30, 0), "one working day was left"
    assert timers.fire_due(reviewed.runtime, at(30, 0)) == 1


def test_the_task_of_a_paused_limit_can_be_completed(reviewed: Case, cast: Cast) -> None:
    pause(reviewed, cast.guangzhou, at(21))
    reviewed.play.now = at(29)
    reviewed.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    reviewed.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    assert limit(reviewed).state == TimerState.CANCELLED
    review = ledger(reviewed, cast.guangzhou, at(29))[0]
    assert (review.state, review.days and len(review.days), review.left) == (LimitState.MET, 2, 1)


def test_an_extension_counts_from_the_same_start_and_no_further_than_allowed(reviewed: Case, cast: Cast) -> None:
    extend(reviewed, cast.guangzhou, at(21), 2)
    assert limit(reviewed).due_at == reviewed.task("审核材料").due_at == at(25, 0), "five days from the 18th"
    for too_many in (2, 0, -1):
        with pytest.raises(ExtensionRefused, match="1 到 1 "):
            extend(reviewed, cast.guangzhou, at(21), too_many)
    extend(reviewed, cast.guangzhou, at(22), 1)
    assert limit(reviewed).due_at == at(29, 0), "the 25th is a holiday, and the 26th and 27th a weekend"
    assert page(reviewed, cast.guangzhou, at(22)).limits[0].most == 0
    with pytest.raises(NotOffered):
        extend(reviewed, cast.guangzhou, at(22), 1)


def test_what_was_extended_stays_so_over_a_pause(reviewed: Case, cast: Cast) -> None:
    extend(reviewed, cast.guangzhou, at(18, 15), 2)
    pause(reviewed, cast.guangzhou, at(21))
    with pytest.raises(LimitOver):
        extend(reviewed, cast.guangzhou, at(21), 1)
    resume(reviewed, cast.guangzhou, at(28))
    assert limit(reviewed).due_at == at(9, 0, 10), "three days left: 29 and 30 September, and 8 October"
    with pytest.raises(ExtensionRefused, match="1 到 1 "):
        extend(reviewed, cast.guangzhou, at(28), 2)


def test_steps_that_share_a_limit_share_its_extension_and_what_may_be_added(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥").step(by="企业", does="使用测试密钥进行测试联调", fills={"test_report": "done"})
    before = limit(case, "Confirm_Overdue").due_at
    task = case.task("确认是否完成测试联调")
    timer = limit(case, "Confirm_Overdue")
    extend_limit(case.runtime, task.id, timer.id, 2, "接口复测", cast.guangzhou, case.now)
    after = limit(case, "Confirm_Overdue").due_at
    assert after > before
    case.step(by="主管部门", does="确认是否完成测试联调", fills={"confirmation": "missing"})
    assert limit(case, "Test_Overdue").due_at == after
    case.step(by="企业", does="使用测试密钥进行测试联调", fills={"test_report": "done"})
    assert page(case, cast.guangzhou, case.now, "确认是否完成测试联调").limits[0].most == 1


def test_a_limit_in_another_bodys_hands_is_left_alone(reviewed: Case, cast: Cast) -> None:
    for stranger in (cast.enterprise, cast.guangzhou_support, cast.province, cast.analyst, cast.admin):
        with pytest.raises(NotAllowed):
            pause(reviewed, stranger, at(21))
        with pytest.raises(NotAllowed):
            extend(reviewed, stranger, at(21), 1)
        with pytest.raises(NotAllowed):
            resume(reviewed, stranger, at(21))
    for attempt in (pause, resume, lambda case, actor, now: extend(case, actor, now, 1)):
        with pytest.raises(NotFound):
            attempt(reviewed, cast.shenzhen, at(21))
    instances.claim(reviewed.runtime, reviewed.task("审核材料").id, cast.guangzhou_colleague, reviewed.now)
    with pytest.raises(TaskClaimed):
        pause(reviewed, cast.guangzhou, at(21))
    assert page(reviewed, cast.guangzhou, at(21)).limits == ()
    assert limit(reviewed).state == TimerState.WAITING


@pytest.mark.parametrize(
    ("attributes", "pausable", "most"),
    [
        pytest.param('wf:pausable="true"', True, 0, id="pausing alone"),
        pytest.param('wf:extendable="2"', False, 2, id="extending alone"),
        pytest.param("wf:extendable=\"3 if basic.city == '440100' else 1\"", False, 3, id="as the city has it"),
    ],
)
def test_only_what_the_diagram_allows_is_offered_and_accepted(
    runtime: Runtime, cast: Cast, attributes: str, pausable: bool, most: int
) -> None:
    deploy_levers(runtime, attributes)
    case = Case(runtime).goes("递交申请材料")
    (offered,) = page(case, cast.guangzhou, case.now).limits
    assert (offered.pausable, offered.most, offered.basis) == (pausable, most, "F5")
    if not pausable:
        with pytest.raises(NotOffered):
            pause(case, cast.guangzhou, case.now)
    if not most:
        with pytest.raises(NotOffered):
            extend(case, cast.guangzhou, case.now, 1)


def test_the_shipped_diagram_offers_no_lever_and_accepts_none(runtime: Runtime, cast: Cast) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    assert page(case, cast.guangzhou, case.now).limits == ()
    attempts: tuple[Callable[[], None], ...] = (
        lambda: pause(case, cast.guangzhou, case.now),
        lambda: extend(case, cast.guangzhou, case.now, 1),
    )
    for attempt in attempts:
        with pytest.raises(NotOffered):
            attempt()
    assert limit(case).state == TimerState.WAITING


def test_levers_want_a_reason_an_open_task_and_a_case_that_goes_on(reviewed: Case, cast: Cast) -> None:
    task, timer, runtime = reviewed.task("审核材料").id, limit(reviewed).id, reviewed.runtime
    with pytest.raises(ReasonMissing):
        pause_limit(runtime, task, timer, " ", cast.guangzhou, at(18, 11))
    with pytest.raises(BasisTooLong):
        pause_limit(runtime, task, timer, REASON, cast.guangzhou, at(18, 11), basis="长" * 501)
    with pytest.raises(LimitOver):
        pause_limit(runtime, task, "f" * 32, REASON, cast.guangzhou, at(18, 11))
    with pytest.raises(LimitOver):
        resume(reviewed, cast.guangzhou, at(18, 11))
    interventions.suspend(runtime, reviewed.id, "立案", cast.admin, at(18, 12))
    with pytest.raises(Suspended):
        pause(reviewed, cast.guangzhou, at(18, 13))
    assert page(reviewed, cast.guangzhou, at(18, 13)).limits == ()
    interventions.resume(runtime, reviewed.id, "结案", cast.admin, at(18, 14))
    reviewed.play.now = at(18, 15)
    reviewed.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    with pytest.raises(TaskDone):
        pause_limit(runtime, task, timer, REASON, cast.guangzhou, at(18, 16))


def test_a_limit_paused_by_an_official_stays_so_when_the_case_is_resumed(reviewed: Case, cast: Cast) -> None:
    pause(reviewed, cast.guangzhou, at(18, 12))
    interventions.suspend(reviewed.runtime, reviewed.id, "立案", cast.admin, at(18, 13))
    interventions.resume(reviewed.runtime, reviewed.id, "结案", cast.admin, at(21))
    assert limit(reviewed).state == TimerState.PAUSED
    with pytest.raises(LimitOver):
        deadlines.change_deadline(
            reviewed.runtime, reviewed.id, limit(reviewed).id, at(30), "改期", cast.admin, at(21, 11)
        )


def test_a_lever_pulled_twice_with_the_same_key_acts_once_and_both_sides_are_told(reviewed: Case, cast: Cast) -> None:
    task, timer = reviewed.task("审核材料").id, limit(reviewed).id
    for _ in range(2):
        extend_limit(reviewed.runtime, task, timer, 1, "材料较多", cast.guangzhou, at(21), basis="第八条", once="key-1")
    with reviewed.runtime.database.read() as session:
        (why,) = session.scalars(select(Intervention)).all()
        (told,) = session.scalars(select(Event).where(Event.kind == EventKind.DEADLINE_EXTENDED)).all()
        notices = session.scalars(select(Notice).where(Notice.text.contains("延长 1 个工作日"))).all()
    assert (why.reason, why.basis, why.by) == ("材料较多", "第八条", cast.guangzhou.account_id)
    assert told.details["days"] == 1
    assert {notice.organisation_id for notice in notices} == {
        cast.enterprise.organisation_id,
        cast.guangzhou.organisation_id,
    }
    assert all("2026-09-23 24:00" in notice.text and "第八条" in notice.text for notice in notices)


def test_the_ledger_tells_every_turn_of_a_limits_clock_and_why(reviewed: Case, cast: Cast) -> None:
    extend(reviewed, cast.guangzhou, at(20), 2)
    pause(reviewed, cast.guangzhou, at(21))
    (review,) = ledger(reviewed, cast.enterprise, at(23))
    assert (review.step.zh, review.side, review.state) == (review.step.zh, "authority", LimitState.PAUSED)
    assert (review.days and len(review.days), review.left) == (2, 3), "the make-up Sunday and Monday; five in all"
    assert [(entry.kind, entry.cause, entry.reason, entry.basis, entry.days) for entry in review.entries] == [
        (EventKind.LIMIT_STARTED, None, "", "", 0),
        (EventKind.LIMIT_CHANGED, EventKind.DEADLINE_EXTENDED, "材料较多", "", 2),
        (EventKind.LIMIT_PAUSED, EventKind.DEADLINE_PAUSED, REASON, "《办法》第八条", 0),
    ]
    extended = review.entries[1]
    assert (extended.before, extended.due_at, extended.calendar_version) == (at(23, 0), at(25, 0), 0)
    resume(reviewed, cast.guangzhou, at(28))
    (review,) = ledger(reviewed, cast.province, at(29))
    assert (review.state, review.days and len(review.days), review.left) == (LimitState.RUNNING, 3, 2)
    assert review.since == at(18)


def test_the_ledger_blames_an_operators_levers_too(reviewed: Case, cast: Cast) -> None:
    interventions.suspend(reviewed.runtime, reviewed.id, "立案", cast.admin, at(18, 12))
    interventions.resume(reviewed.runtime, reviewed.id, "结案", cast.admin, at(18, 13))
    deadlines.change_deadline(
        reviewed.runtime, reviewed.id, limit(reviewed).id, at(30, 0), "台风", cast.admin, at(21), basis="通知"
    )
    interventions.cancel(reviewed.runtime, reviewed.id, "注销", cast.admin, at(22))
    (review,) = ledger(reviewed, cast.guangzhou, at(23))
    assert [(entry.cause, entry.reason) for entry in review.entries] == [
        (None, ""),
        (EventKind.SUSPENDED, "立案"),
        (EventKind.RESUMED, "结案"),
        (EventKind.DEADLINE_CHANGED, "台风"),
        (EventKind.CANCELLED, "注销"),
    ]
    assert (review.state, review.days and len(review.days), review.left) == (LimitState.CANCELLED, 3, None)


def test_each_round_is_a_limit_of_its_own_and_the_enterprises_time_is_not_the_authoritys(
    case: Case, cast: Cast
) -> None:
    case.goes("递交申请材料")
    case.play.now = at(21)
    case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    case.play.now = at(9, 10, 10)
    case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
    case.play.now = at(13, 10, 10)
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    told = ledger(case, cast.guangzhou, at(14, 10, 10))
    assert [(each.state, each.side, each.days and len(each.days)) for each in told] == [
        (LimitState.MET, "authority", 2),
        (LimitState.MET, "authority", 3),
        (LimitState.RUNNING, "enterprise", 1),
    ]
    assert days_by_side(told) == {"authority": 5, "enterprise": 1}


def test_of_a_shared_limit_each_side_has_the_days_on_which_it_was_its_turn(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    case.play.now = at(22)
    case.step(by="企业", does="使用测试密钥进行测试联调", fills={"test_report": "done"})
    told = ledger(case, cast.guangzhou, at(23))
    assert [each.state for each in told[-2:]] == [LimitState.MET, LimitState.RUNNING]
    assert told[-2].since == told[-1].since
    assert days_by_side(told) == {"authority": 1, "enterprise": 3}


def test_a_limit_that_ran_out_is_missed(reviewed: Case, cast: Cast) -> None:
    timers.fire_due(reviewed.runtime, at(28))
    (review,) = ledger(reviewed, cast.guangzhou, at(28))
    assert (review.state, review.days and len(review.days), review.left) == (LimitState.MISSED, 3, None)


def test_strangers_find_no_ledger(reviewed: Case, cast: Cast) -> None:
    for stranger in (cast.shenzhen, cast.other_enterprise, cast.guangzhou_support, cast.analyst, cast.admin):
        with pytest.raises(NotFound):
            ledger(reviewed, stranger, at(21))


def test_lists_mark_a_paused_limit_and_a_suspended_case(reviewed: Case, cast: Cast) -> None:
    def marked() -> tuple[bool, bool, bool, bool]:
        with reviewed.runtime.database.read() as session:
            definitions = reviewed.runtime.definitions
            (line,) = open_tasks(session, cast.guangzhou, reviewed.now).items
            (case,) = listed(session, definitions, cast.enterprise, reviewed.now).items
            is_paused = line.id in paused(session, definitions, [line.id])
            return line.suspended, case.suspended_at is not None, is_paused, case.waiting[0].paused

    assert marked() == (False, False, False, False)
    pause(reviewed, cast.guangzhou, at(18, 12))
    assert marked() == (False, False, True, True)
    resume(reviewed, cast.guangzhou, at(18, 13))
    interventions.suspend(reviewed.runtime, reviewed.id, "立案", cast.admin, at(18, 14))
    assert marked() == (True, True, True, True)


def test_what_is_refused_leaves_no_trace(reviewed: Case, cast: Cast) -> None:
    extend(reviewed, cast.guangzhou, at(21), 3)
    with pytest.raises(Conflict):
        extend(reviewed, cast.guangzhou, at(21), 1)
    assert len(ledger(reviewed, cast.guangzhou, at(21))[0].entries) == 2
