"""Starting, claiming, completing and messaging: who may, who is too late, and what is kept."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.errors import (
    Conflict,
    FormRefused,
    InstanceClosed,
    NotAllowed,
    NotFound,
    NothingWaits,
    TaskCancelled,
    TaskClaimed,
    TaskDone,
)
from engine.runtime import instances
from engine.runtime.next_task import first_open_task
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.tables import Answer, Event, EventKind, Party, TaskState
from tests.casework import Case
from tests.conftest import Cast


def test_a_task_lands_in_the_inbox_that_its_lane_and_the_city_name(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")

    task = case.task("审核材料")
    assert (task.role, task.organisation_id) == ("authority", cast.guangzhou.organisation_id)
    with case.runtime.database.read() as session:
        parties = set(session.scalars(select(Party.organisation_id).where(Party.instance_id == case.id)))
    assert parties == {cast.enterprise.organisation_id, cast.guangzhou.organisation_id}


def test_what_is_not_ones_own_is_not_found(case: Case, cast: Cast) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    answers = case.answers(review="pass")

    for stranger in (cast.shenzhen, cast.enterprise, cast.province, cast.analyst, cast.guangzhou_support):
        with pytest.raises(NotFound):
            instances.complete(case.runtime, task.id, answers, stranger, case.now)
        with pytest.raises(NotFound):
            instances.claim(case.runtime, task.id, stranger, case.now)
    with pytest.raises(NotFound):
        instances.complete(case.runtime, "no such task", answers, cast.guangzhou, case.now)


def test_only_enterprises_start_applications(case: Case, cast: Cast) -> None:
    for other in (cast.guangzhou, cast.guangzhou_support, cast.province, cast.analyst, cast.admin):
        with pytest.raises(NotAllowed):
            instances.start(case.runtime, process_id="onboarding", answers={}, actor=other, now=case.now)
    with pytest.raises(NotFound):
        instances.start(case.runtime, process_id="unheard-of", answers={}, actor=cast.enterprise, now=case.now)


def test_completing_a_task_tells_which_one_of_the_office_is_next(case: Case, cast: Cast) -> None:
    review = case.goes("递交申请材料").task("审核材料").id
    answers = case.answers(review="pass")
    following = instances.complete(case.runtime, review, answers, cast.guangzhou, case.now, once="one-key")

    assert following == case.task("下发测试密钥").id
    with case.runtime.database.read() as session:
        assert following == first_open_task(session, case.id, cast.guangzhou)
    again = instances.complete(case.runtime, review, answers, cast.guangzhou, case.now, once="one-key")
    assert again == following
    answers = case.answers(issue="thirty_days")
    assert instances.complete(case.runtime, following, answers, cast.guangzhou, case.now) is None


def test_a_claimed_task_is_the_claimers_until_released(case: Case, cast: Cast) -> None:
    runtime, task = case.runtime, case.goes("递交申请材料").task("审核材料")
    answers = case.answers(review="pass")
    instances.claim(runtime, task.id, cast.guangzhou, case.now)

    with pytest.raises(TaskClaimed) as refusal:
        instances.complete(runtime, task.id, answers, cast.guangzhou_colleague, case.now)
    assert cast.guangzhou.name in refusal.value.text.zh
    with pytest.raises(TaskClaimed):
        instances.release(runtime, task.id, cast.guangzhou_colleague, case.now)

    instances.release(runtime, task.id, cast.guangzhou, case.now)
    instances.complete(runtime, task.id, answers, cast.guangzhou_colleague, case.now)
    done = next(t for t in case.tasks(TaskState.COMPLETED) if t.id == task.id)
    assert done.claimed_by == done.closed_by == cast.guangzhou_colleague.account_id


def test_a_task_is_completed_once_and_the_late_one_hears_by_whom(case: Case, cast: Cast) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    answers = case.answers(review="pass")
    instances.complete(case.runtime, task.id, answers, cast.guangzhou, case.now)

    with pytest.raises(TaskDone) as refusal:
        instances.complete(case.runtime, task.id, answers, cast.guangzhou_colleague, case.now)
    assert cast.guangzhou.name in refusal.value.text.zh
    assert "2026-09-18 10:00" in refusal.value.text.zh
    assert [t.name for t in case.tasks()] == ["下发测试密钥"]


def test_refused_answers_change_nothing(case: Case, cast: Cast) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    before = case.instance().revision

    with pytest.raises(FormRefused) as refusal:
        instances.complete(case.runtime, task.id, {"review": {"result": "fail"}}, cast.guangzhou, case.now)

    assert set(refusal.value.errors) == {"review.problems"}
    assert case.instance().revision == before
    assert case.task("审核材料").claimed_by is None


def test_an_answer_after_the_limit_finds_the_task_interrupted(case: Case, cast: Cast) -> None:
    """The sweep may not have come by yet: the limit counts, not when somebody looked."""
    task = case.goes("收到测试密钥").task("使用测试密钥进行测试联调")
    assert task.due_at is not None

    with pytest.raises(TaskCancelled) as refusal:
        instances.complete(case.runtime, task.id, {}, cast.enterprise, task.due_at)
    assert "超过5个工作日" in refusal.value.text.zh


def test_a_message_is_taken_only_while_the_diagram_waits_and_only_from_its_lane(case: Case, cast: Cast) -> None:
    runtime, complaint = case.runtime, case.answers(complaint="key_unusable")
    case.goes("递交申请材料")
    with pytest.raises(NothingWaits):
        instances.send_message(runtime, case.id, "complaint", complaint, cast.enterprise, case.now)
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    for stranger in (cast.other_enterprise, cast.guangzhou):
        with pytest.raises(NotFound):
            instances.send_message(runtime, case.id, "complaint", complaint, stranger, case.now)
    with pytest.raises(NotFound):
        instances.send_message(runtime, case.id, "praise", complaint, cast.enterprise, case.now)

    instances.send_message(runtime, case.id, "complaint", complaint, cast.enterprise, case.now)

    with pytest.raises(NothingWaits):  # the same complaint sent twice
        instances.send_message(runtime, case.id, "complaint", complaint, cast.enterprise, case.now)
    case.step(by="主管部门", does="核实情况", fills={"verification": "unfounded"})
    case.step(by="主管部门", does="填写核实情况", fills={"findings": "device_clock"})
    with pytest.raises(InstanceClosed):
        instances.send_message(runtime, case.id, "complaint", complaint, cast.enterprise, case.now)


def test_a_file_of_another_enterprise_cannot_be_handed_in(case: Case, cast: Cast) -> None:
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    task = case.task("递交材料")
    theirs = case.answers(by="另一企业", materials="complete")

    with pytest.raises(FormRefused) as refusal:
        instances.complete(case.runtime, task.id, theirs, cast.enterprise, case.now)
    assert "materials.licence" in refusal.value.errors
    assert case.task("递交材料").id == task.id


def test_a_file_is_what_was_stored_not_what_the_sender_says_of_it(case: Case, cast: Cast) -> None:
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    files = case.answers(materials="complete")
    files["materials"]["licence"] |= {"name": "program.exe", "size": 10**12, "sha256": "0" * 64}

    instances.complete(case.runtime, case.task("递交材料").id, files, cast.enterprise, case.now)

    with case.runtime.database.read() as session:
        kept = session.scalars(select(Answer.data).where(Answer.form == "materials")).one()["licence"]
    assert kept["name"] == "营业执照.pdf"
    assert kept["size"] < 1000
    assert kept["sha256"] != "0" * 64


def test_an_enterprise_applies_for_itself_only(case: Case, cast: Cast) -> None:
    case.step(by="另一企业", starts="onboarding", fills={"application": "first"})
    task = case.task("登录平台填写基本信息")

    with pytest.raises(FormRefused) as refusal:
        instances.complete(case.runtime, task.id, case.answers(basic="first"), cast.other_enterprise, case.now)
    assert set(refusal.value.errors) == {"basic.uscc"}


def test_every_round_of_answers_is_kept(case: Case) -> None:
    case.goes("递交申请材料")
    case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    case.step(
        by="企业",
        does="修改申请材料后再次提交",
        fills={"basic": {"like": "first", "version": "2.2"}, "materials": "complete"},
    )

    with case.runtime.database.read() as session:
        versions = [
            answer.data["version"]
            for answer in session.scalars(
                select(Answer).where(Answer.instance_id == case.id, Answer.form == "basic").order_by(Answer.at)
            )
        ]
    assert sorted(versions) == ["2.1", "2.2"]


def test_the_history_is_numbered_without_gaps(case: Case) -> None:
    case.goes("投诉属实并限期整改")

    with case.runtime.database.read() as session:
        numbers = session.scalars(
            select(Event.sequence).where(Event.instance_id == case.id).order_by(Event.sequence)
        ).all()
        interrupted = session.scalar(
            select(func.count()).where(Event.instance_id == case.id, Event.kind == EventKind.TASK_CANCELLED)
        )
    assert list(numbers) == list(range(1, len(numbers) + 1))
    assert interrupted == 1


def test_who_asked_for_the_time_before_somebody_else_acted_acts_after_it(case: Case, cast: Cast) -> None:
    """`now` is taken before one waits for the lock, and the clocks of two machines differ."""
    task = case.goes("递交申请材料").task("审核材料")
    earlier, later = case.now, case.now + timedelta(days=1)

    instances.claim(case.runtime, task.id, cast.guangzhou, later)
    instances.release(case.runtime, task.id, cast.guangzhou, earlier)
    instances.complete(case.runtime, task.id, case.answers(review="pass"), cast.guangzhou, earlier)
    instances.claim(case.runtime, case.task("下发测试密钥").id, cast.guangzhou, earlier)

    (reviewed,) = (row for row in case.tasks(TaskState.COMPLETED) if row.id == task.id)
    issue = case.task("下发测试密钥")
    with case.runtime.database.read() as session:
        history = list(session.scalars(select(Event.at).where(Event.instance_id == case.id).order_by(Event.sequence)))
        answered = session.scalars(select(Answer.at).where(Answer.task_id == task.id)).one()
    assert history == sorted(history)
    assert history[-1] == later
    assert {reviewed.closed_at, reviewed.claimed_at, answered, issue.opened_at, issue.claimed_at} == {later}


def test_numbers_count_up_per_city_and_day_and_belong_to_the_submission(runtime: Runtime, case: Case) -> None:
    first = case.goes("递交申请材料").instance().number
    second = Case(runtime).goes("递交申请材料").instance().number
    next_day = Case(runtime, begins=case.now.replace(day=21)).goes("递交申请材料").instance().number

    assert [first, second, next_day] == ["440100-20260918-0001", "440100-20260918-0002", "440100-20260921-0001"]


def test_an_old_revision_is_never_written_over_a_newer_one(case: Case) -> None:
    case.goes("递交申请材料")

    def save_after_somebody_else() -> None:
        with opened(case.runtime, case.id, now=case.now, action="complete") as run:
            run.session.connection().exec_driver_sql("UPDATE instances SET revision = revision + 1")
            run.instance.outcome = "decided from a stale page"

    with pytest.raises(Conflict):
        save_after_somebody_else()
