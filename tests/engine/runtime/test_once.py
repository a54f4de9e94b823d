"""A command that arrives twice is done once, and both are told the same, on either database."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from engine.errors import Broken, Conflict, FormRefused, NothingWaits, TaskDone
from engine.runtime import instances, once
from engine.runtime.once import DoneOtherwise, KeyUnusable
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Answer, CommandDone, Event, EventKind, Instance
from tests.casework import Case, open_incidents
from tests.conftest import Cast
from tests.engine.levers.test_incidents import broken


def _started(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(Instance)) or 0


def _keys(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(CommandDone)) or 0


def _events(case: Case, kind: EventKind) -> int:
    with case.runtime.database.read() as session:
        counted = select(func.count()).select_from(Event).where(Event.instance_id == case.id, Event.kind == kind)
        return session.scalar(counted) or 0


def test_a_start_repeated_gives_the_first_ones_instance(case: Case, cast: Cast) -> None:
    answers = case.answers(application="first")

    def begin() -> str:
        return instances.start(
            case.runtime, process_id="onboarding", answers=answers, actor=cast.enterprise, now=case.now, once="a"
        )

    first = begin()
    assert begin() == first
    assert _started(case.runtime) == 1


def test_starts_that_arrive_together_start_once(case: Case, cast: Cast) -> None:
    answers, together = case.answers(application="first"), Barrier(4)

    def begin(_: int) -> str:
        together.wait(20)
        return instances.start(
            case.runtime, process_id="onboarding", answers=answers, actor=cast.enterprise, now=case.now, once="a"
        )

    with ThreadPoolExecutor(4) as pool:
        told = set(pool.map(begin, range(4)))

    assert len(told) == 1
    assert _started(case.runtime) == 1


def test_completions_that_arrive_together_complete_once_and_all_succeed(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    task, answers, together = case.task("审核材料"), case.answers(review="pass"), Barrier(4)

    def review(_: int) -> None:
        together.wait(20)
        instances.complete(case.runtime, task.id, answers, cast.guangzhou, case.now, once="a")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(review, range(4)))

    assert [t.name for t in case.tasks()] == ["下发测试密钥"]
    with case.runtime.database.read() as session:
        assert len(session.scalars(select(Answer.id).where(Answer.task_id == task.id)).all()) == 1


def test_a_message_repeated_is_received_once_though_nothing_waits_for_it_any_more(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    complaint = case.answers(complaint="key_unusable")
    sent = (case.runtime, case.id, "complaint", complaint, cast.enterprise, case.now)

    for _ in range(2):
        instances.send_message(*sent, once="a")

    assert _events(case, EventKind.MESSAGE_RECEIVED) == 1
    with pytest.raises(NothingWaits):
        instances.send_message(*sent)


def test_messages_that_arrive_together_are_received_once(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    complaint = case.answers(complaint="key_unusable")
    together = Barrier(3)

    def complain(_: int) -> None:
        together.wait(20)
        instances.send_message(case.runtime, case.id, "complaint", complaint, cast.enterprise, case.now, once="a")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(complain, range(3)))

    assert _events(case, EventKind.MESSAGE_RECEIVED) == 1


def test_a_key_used_for_something_else_is_a_conflict_and_changes_nothing(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    other = Case(case.runtime).goes("递交申请材料")
    task, answers = case.task("审核材料"), case.answers(review="pass")
    instances.complete(case.runtime, task.id, answers, cast.guangzhou, case.now, once="a")

    with pytest.raises(DoneOtherwise) as refusal:
        instances.complete(case.runtime, task.id, {"review": {"result": "x"}}, cast.guangzhou, case.now, once="a")
    assert isinstance(refusal.value, Conflict)
    with pytest.raises(DoneOtherwise):
        instances.complete(case.runtime, other.task("审核材料").id, answers, cast.guangzhou, case.now, once="a")
    assert [t.name for t in other.tasks()] == ["审核材料"]


def test_anothers_key_of_the_same_name_is_unrelated(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    other = Case(case.runtime).goes("递交申请材料")
    answers = case.answers(review="pass")

    instances.complete(case.runtime, case.task("审核材料").id, answers, cast.guangzhou, case.now, once="a")
    task = other.task("审核材料").id
    instances.complete(case.runtime, task, answers, cast.guangzhou_colleague, case.now, once="a")

    assert [t.name for t in other.tasks()] == ["下发测试密钥"]
    with pytest.raises(TaskDone):
        instances.complete(case.runtime, task, answers, cast.guangzhou, case.now, once="b")


def test_what_was_refused_or_failed_leaves_no_key(case: Case, cast: Cast) -> None:
    """The corrected page is sent with the key of the refused one."""
    case.goes("递交申请材料")
    task = case.task("审核材料").id
    with pytest.raises(FormRefused):
        instances.complete(case.runtime, task, {"review": {}}, cast.guangzhou, case.now, once="a")
    instances.complete(case.runtime, task, case.answers(review="pass"), cast.guangzhou, case.now, once="a")

    key = case.task("下发测试密钥").id
    issued = (key, case.answers(issue="thirty_days"), cast.guangzhou, case.now)
    with pytest.raises(Broken):
        instances.complete(broken(case.runtime, "issue_test_key"), *issued, once="b")
    instances.complete(case.runtime, *issued, once="b")

    assert _keys(case.runtime) == 2
    assert [t.name for t in case.tasks()] == ["使用测试密钥进行测试联调"]


def test_the_same_file_uploaded_again_is_the_same_content(case: Case, cast: Cast) -> None:
    """A re-sent request carries its files again, and each is stored as a draft of its own."""
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    task = case.task("递交材料").id
    for _ in range(2):
        materials = case.answers(materials="complete")
        instances.complete(case.runtime, task, materials, cast.enterprise, case.now, once="a")

    assert [t.name for t in case.tasks()] == ["审核材料"]


def test_a_repeat_needs_nothing_of_the_instance(case: Case, cast: Cast) -> None:
    """Whatever has failed since: who asks again hears that it was done, and no incident comes of it."""
    case.goes("递交申请材料")
    task, due = case.task("审核材料"), case.task("审核材料").due_at
    assert due is not None
    release = (task.id, case.answers(review="self_test_incomplete"), cast.guangzhou)
    instances.complete(case.runtime, *release, case.now, once="a")
    with case.runtime.database.write() as session:
        session.get_one(Instance, case.id).state = b"unreadable"

    instances.complete(case.runtime, *release, due + timedelta(days=30), once="a")

    with case.runtime.database.read() as session:
        assert open_incidents(session) == []


@pytest.mark.parametrize("key", ["", "x" * 65, "two words", "键", "a\x00", "a\n"])
def test_a_key_that_is_no_key_is_refused(case: Case, cast: Cast, key: str) -> None:
    with pytest.raises(KeyUnusable):
        instances.start(
            case.runtime, process_id="onboarding", answers={}, actor=cast.enterprise, now=case.now, once=key
        )


def test_old_keys_are_forgotten_and_young_ones_kept(case: Case, cast: Cast) -> None:
    long_ago, lately = case.now, case.now + timedelta(days=20)
    answers = case.answers(application="first")
    for key, at in (("old", long_ago), ("young", lately)):
        instances.start(case.runtime, process_id="onboarding", answers=answers, actor=cast.enterprise, now=at, once=key)
    with case.runtime.database.write() as session:
        assert not once.is_time_to_forget(session, long_ago + once.KEPT)
        tomorrow = long_ago + once.KEPT + timedelta(days=1, seconds=1)
        assert once.is_time_to_forget(session, tomorrow)
        assert once.forget_old(session, tomorrow - once.KEPT) == 1
        assert not once.is_time_to_forget(session, tomorrow)
    assert _keys(case.runtime) == 1
