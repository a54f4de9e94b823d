"""Suspending, resuming, cancelling and withdrawing an application: who may, what stands still, and who is told."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.errors import InstanceClosed, NotAllowed, NotFound, TaskCancelled
from engine.keys import issuing
from engine.levers import incidents, interventions
from engine.levers.interventions import Decided, NotSuspended, NotWithdrawable
from engine.people.accounts import Actor
from engine.reading.casefile import case_file
from engine.runtime import checking, instances, timers
from engine.runtime.reasons import ReasonMissing
from engine.runtime.suspension import Suspended
from engine.runtime.tables import (
    EndedEarly,
    Event,
    EventKind,
    Intervention,
    IssuedKey,
    Subscription,
    TaskState,
    Timer,
    TimerState,
)
from engine.telling.tables import Notice
from engine.trust import verification
from tests.casework import Case
from tests.conftest import Cast


def at(day: int, hour: int = 10, month: int = 9) -> datetime:
    return datetime(2026, month, day, hour, 0, tzinfo=SHANGHAI)


def told(case: Case, actor: Actor) -> str:
    with case.runtime.database.read() as session:
        file = case_file(session, case.runtime.definitions, case.id, actor, case.now)
    return "\n".join(entry.sentence.zh + entry.sentence.en for entry in file.timeline)


def limits(case: Case) -> dict[str, Timer]:
    with case.runtime.database.read() as session:
        return {t.element_id: t for t in session.scalars(select(Timer).where(Timer.instance_id == case.id))}


def kinds(case: Case) -> list[str]:
    with case.runtime.database.read() as session:
        query = select(Event.kind).where(Event.instance_id == case.id).order_by(Event.sequence)
        return list(session.scalars(query))


@pytest.fixture
def reviewed(case: Case) -> Case:
    """The authority has three working days for the review, from Friday 18 September to Tuesday the 22nd."""
    return case.goes("递交申请材料")


def suspend(case: Case, cast: Cast, now: datetime | None = None) -> None:
    interventions.suspend(case.runtime, case.id, "企业被立案调查", cast.admin, now or case.now)


def resume(case: Case, cast: Cast, now: datetime) -> None:
    interventions.resume(case.runtime, case.id, "调查结束", cast.admin, now)


@pytest.fixture(autouse=True)
def all_in_order(case: Case) -> object:
    """Whatever was done: rows and state agree, no operator is needed, and the audit trail holds."""
    yield
    with case.runtime.database.read() as session:
        assert checking.check(session, case.runtime.definitions) == []
        assert incidents.count_open(session) == 0
    assert verification.verify(case.runtime.database).flaws == ()


def test_while_suspended_nobody_can_work_and_everybody_hears_since_when_and_why(reviewed: Case, cast: Cast) -> None:
    task = reviewed.task("审核材料")
    suspend(reviewed, cast)
    answers = reviewed.answers(review="pass")
    attempts: tuple[Callable[[], object], ...] = (
        lambda: instances.claim(reviewed.runtime, task.id, cast.guangzhou, reviewed.now),
        lambda: instances.complete(reviewed.runtime, task.id, answers, cast.guangzhou, reviewed.now),
        lambda: interventions.withdraw(reviewed.runtime, reviewed.id, "不办了", cast.enterprise, reviewed.now),
        lambda: suspend(reviewed, cast),
    )
    for refused in attempts:
        with pytest.raises(Suspended, match=r"自 2026-09-18 1\d:00 起暂停办理.*企业被立案调查"):
            refused()
    assert reviewed.task("审核材料").claimed_by is None
    assert "企业被立案调查" in told(reviewed, cast.enterprise)


def test_a_message_is_refused_while_suspended(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    suspend(case, cast)
    answers = case.answers(complaint="key_unusable")
    with pytest.raises(Suspended):
        instances.send_message(case.runtime, case.id, "complaint", answers, cast.enterprise, case.now)
    resume(case, cast, case.now)
    instances.send_message(case.runtime, case.id, "complaint", answers, cast.enterprise, case.now)
    assert [t.element_id for t in case.tasks()] == ["Verify_Complaint"]


def test_a_key_can_still_be_read_while_suspended(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    suspend(case, cast)
    with case.runtime.database.read() as session:
        key_id = session.scalars(select(IssuedKey.id).where(IssuedKey.instance_id == case.id)).one()
    assert issuing.reveal(case.runtime, key_id, cast.enterprise, case.now)
    assert case.instance().suspended_at == case.now


def test_no_limit_fires_while_suspended(reviewed: Case, cast: Cast) -> None:
    suspend(reviewed, cast)
    assert timers.fire_due(reviewed.runtime, at(30)) == 0
    with reviewed.runtime.database.read() as session:
        assert timers.next_due(session) is None
    assert limits(reviewed)["Review_Overdue"].state == TimerState.PAUSED
    assert reviewed.task("审核材料").due_at is None
    assert checking.repair(reviewed.runtime, reviewed.id, at(30)) == []
    assert [t.element_id for t in reviewed.tasks()] == ["Review_Materials"]


@pytest.mark.parametrize(
    ("paused", "resumed", "due"),
    [
        pytest.param(at(18, 15), at(18, 17), at(23, 0), id="within a day nothing changes"),
        pytest.param(at(20, 15), at(20, 17), at(23, 0), id="nor within a later day"),
        pytest.param(at(18, 15), at(28, 9), at(9, 0, 10), id="before any day was used"),
        pytest.param(at(20, 15), at(28, 9), at(1, 0, 10), id="one of three days was used, two are left"),
        pytest.param(at(22, 15), at(28, 9), at(30, 0), id="paused on the last day, one whole day is left"),
    ],
)
def test_a_limit_in_working_days_runs_on_with_the_days_left(
    reviewed: Case, cast: Cast, paused: datetime, resumed: datetime, due: datetime
) -> None:
    suspend(reviewed, cast, paused)
    resume(reviewed, cast, resumed)
    assert limits(reviewed)["Review_Overdue"].due_at == due
    assert reviewed.task("审核材料").due_at == due
    assert timers.fire_due(reviewed.runtime, due) == 1
    assert [t.element_id for t in reviewed.tasks()] == ["Review_Materials", "Explain_Overdue"]


def test_a_step_that_shares_the_limit_shares_what_the_suspension_gave_it(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    before = limits(case)["Test_Overdue"].due_at
    suspend(case, cast, case.now)
    resume(case, cast, at(12, 9, 10))
    after = limits(case)["Test_Overdue"].due_at
    assert after > before
    case.play.now = at(12, 10, 10)
    case.step(by="企业", does="使用测试密钥进行测试联调", fills={"test_report": "done"})
    assert limits(case)["Confirm_Overdue"].due_at == after
    assert [t.element_id for t in case.tasks()] == ["Confirm_Test"]


def test_the_history_keeps_each_limits_clock(reviewed: Case, cast: Cast) -> None:
    suspend(reviewed, cast)
    resume(reviewed, cast, at(21))
    reviewed.play.now = at(21, 11)
    reviewed.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    reviewed.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    with reviewed.runtime.database.read() as session:
        events = session.scalars(select(Event).where(Event.instance_id == reviewed.id).order_by(Event.sequence)).all()
    clock = [
        (e.kind, e.details.get("met")) for e in events if e.element_id == "Review_Overdue" and "timer_id" in e.details
    ]
    assert clock == [
        (EventKind.LIMIT_STARTED, None),
        (EventKind.LIMIT_PAUSED, None),
        (EventKind.LIMIT_RESUMED, None),
        (EventKind.LIMIT_ENDED, True),
    ]


def test_both_sides_are_told(reviewed: Case, cast: Cast) -> None:
    suspend(reviewed, cast)
    resume(reviewed, cast, at(21))
    interventions.cancel(reviewed.runtime, reviewed.id, "企业已注销", cast.admin, at(21))
    with reviewed.runtime.database.read() as session:
        notices = session.scalars(select(Notice).where(Notice.instance_id == reviewed.id).order_by(Notice.at)).all()
    for side in (cast.enterprise, cast.guangzhou):
        texts = [notice.text for notice in notices if notice.organisation_id == side.organisation_id]
        assert len(texts) == 3
        assert "企业被立案调查" in texts[0]
        assert "企业已注销" in texts[-1]
        assert "企业已注销" in told(reviewed, side)


def test_cancelling_closes_the_application_and_revokes_its_key(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    task = case.task("使用测试密钥进行测试联调")
    answers = case.answers(test_report="done")
    interventions.cancel(case.runtime, case.id, "重复申请", cast.admin, case.now)

    instance = case.instance()
    assert (instance.ended_early, instance.closed_at, instance.outcome) == (EndedEarly.CANCELLED, case.now, None)
    assert case.tasks() == []
    assert limits(case)["Test_Overdue"].state == TimerState.CANCELLED
    with case.runtime.database.read() as session:
        assert session.scalars(select(IssuedKey.revoked_at).where(IssuedKey.instance_id == case.id)).all() == [case.now]
        assert session.scalars(select(Subscription).where(Subscription.instance_id == case.id)).all() == []
    with pytest.raises(TaskCancelled, match="申请被终止"):
        instances.complete(case.runtime, task.id, answers, cast.enterprise, case.now)
    for again in (interventions.cancel, interventions.suspend, interventions.resume):
        with pytest.raises(InstanceClosed):
            again(case.runtime, case.id, "又一次", cast.admin, case.now)
    assert kinds(case)[-1] == EventKind.CLOSED


def test_a_suspended_application_can_be_cancelled(reviewed: Case, cast: Cast) -> None:
    suspend(reviewed, cast)
    interventions.cancel(reviewed.runtime, reviewed.id, "企业已注销", cast.admin, at(21))
    assert reviewed.instance().suspended_at is None
    assert reviewed.tasks(TaskState.CANCELLED)[-1].cancelled_by == EventKind.CANCELLED


def test_the_applicant_withdraws_until_there_is_an_outcome(reviewed: Case, cast: Cast) -> None:
    interventions.withdraw(reviewed.runtime, reviewed.id, "产品停产", cast.enterprise_colleague, reviewed.now)
    assert reviewed.instance().ended_early == EndedEarly.WITHDRAWN
    assert reviewed.tasks() == []
    assert "撤回申请，理由：产品停产" in told(reviewed, cast.guangzhou)


def test_an_application_with_an_outcome_is_not_withdrawn(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(after="3 working days")
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    case.step(by="企业", does="使用测试密钥进行测试联调", fills={"test_report": "done"})
    case.step(by="主管部门", does="确认是否完成测试联调", fills={"confirmation": "success"})
    assert case.instance().closed_at is None, "the explanation is still owed"
    with pytest.raises(Decided, match="联调成功"):
        interventions.withdraw(case.runtime, case.id, "不办了", cast.enterprise, case.now)


def test_only_the_applicant_withdraws_and_only_an_administrator_intervenes(reviewed: Case, cast: Cast) -> None:
    with pytest.raises(NotFound):
        interventions.withdraw(reviewed.runtime, reviewed.id, "不办了", cast.other_enterprise, reviewed.now)
    for actor in (cast.guangzhou, cast.admin, cast.province, cast.guangzhou_support):
        with pytest.raises(NotAllowed):
            interventions.withdraw(reviewed.runtime, reviewed.id, "不办了", actor, reviewed.now)
    for actor in (cast.guangzhou, cast.enterprise, cast.province, cast.analyst, cast.guangzhou_support):
        for lever in (interventions.suspend, interventions.resume, interventions.cancel):
            with pytest.raises(NotAllowed):
                lever(reviewed.runtime, reviewed.id, "理由", actor, reviewed.now)
    assert reviewed.instance().closed_at is None


@pytest.mark.parametrize("reason", ["", "  \n ", "长" * 501, "a\x00b"], ids=["empty", "blank", "long", "unprintable"])
def test_every_lever_wants_a_reason(reviewed: Case, cast: Cast, reason: str) -> None:
    for lever in (interventions.suspend, interventions.resume, interventions.cancel):
        with pytest.raises(ReasonMissing):
            lever(reviewed.runtime, reviewed.id, reason, cast.admin, reviewed.now)
    with pytest.raises(ReasonMissing):
        interventions.withdraw(reviewed.runtime, reviewed.id, reason, cast.enterprise, reviewed.now)
    assert EventKind.SUSPENDED not in kinds(reviewed)


def test_what_is_not_suspended_is_not_resumed(reviewed: Case, cast: Cast) -> None:
    with pytest.raises(NotSuspended):
        resume(reviewed, cast, reviewed.now)


def test_a_lever_pulled_twice_with_the_same_key_acts_once(reviewed: Case, cast: Cast) -> None:
    for _ in range(2):
        interventions.suspend(reviewed.runtime, reviewed.id, "查", cast.admin, reviewed.now, once="key-1")
    assert kinds(reviewed).count(EventKind.SUSPENDED) == 1


@pytest.mark.parametrize("column", ["reason", "details"])
def test_an_intervention_that_was_changed_afterwards_is_found_out(reviewed: Case, cast: Cast, column: str) -> None:
    suspend(reviewed, cast)
    with reviewed.runtime.database.write() as session:
        row = session.scalars(select(Intervention)).one()
        kept = getattr(row, column)
        setattr(row, column, {"after": "…"} if column == "details" else "另一个理由")
    (flaw,) = verification.verify(reviewed.runtime.database).flaws
    assert (flaw.stream, row.id in flaw.problem.zh) == (reviewed.id, True)
    with reviewed.runtime.database.write() as session:
        setattr(session.scalars(select(Intervention)).one(), column, kept)


def test_an_intervention_that_is_missing_or_unrecorded_is_found_out(reviewed: Case, cast: Cast) -> None:
    suspend(reviewed, cast)
    with reviewed.runtime.database.write() as session:
        row = session.scalars(select(Intervention)).one()
        copy = {c.key: getattr(row, c.key) for c in Intervention.__table__.columns}
        session.delete(row)
    assert len(verification.verify(reviewed.runtime.database).flaws) == 1
    with reviewed.runtime.database.write() as session:
        session.add(Intervention(**copy))
        session.add(Intervention(**{**copy, "id": "f" * 32}))
    (flaw,) = verification.verify(reviewed.runtime.database).flaws
    assert "f" * 32 in flaw.problem.en
    with reviewed.runtime.database.write() as session:
        session.delete(session.get_one(Intervention, "f" * 32))


def test_a_process_may_forbid_withdrawing(reviewed: Case, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with reviewed.runtime.database.read() as session:
        diagram = reviewed.runtime.definitions.get(session, reviewed.instance().version_id).diagram
    object.__setattr__(diagram, "withdrawable", False)
    with pytest.raises(NotWithdrawable):
        interventions.withdraw(reviewed.runtime, reviewed.id, "不办了", cast.enterprise, reviewed.now)
