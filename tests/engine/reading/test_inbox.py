"""Lists of tasks and one task: what waits for whom, until when, and what of it another organisation never sees."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI
from engine.database import new_id
from engine.errors import NotFound
from engine.reading.inbox import TaskLine, count_open_tasks, done_tasks, open_tasks
from engine.reading.taskfile import task_file
from engine.runtime import instances
from engine.runtime.next_task import first_open_task
from engine.runtime.paging import MOST_COUNTED, Page, Slice
from engine.runtime.tables import Task, TaskState
from tests.casework import BEGINS, Case
from tests.conftest import Cast
from tests.plans import plans


def test_a_task_is_listed_for_its_city_alone(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    with case.runtime.database.read() as session:
        (line,) = open_tasks(session, cast.guangzhou, case.now).items
        assert (line.name.zh, line.number, line.claimed_by) == ("审核材料", "440100-20260918-0001", None)
        assert "智筑实名制考勤一体机" in line.title.zh
        strangers = (cast.shenzhen, cast.shenzhen_support, cast.guangzhou_support, cast.other_enterprise)
        for stranger in (*strangers, cast.province, cast.analyst, cast.admin):
            assert open_tasks(session, stranger, case.now).total == 0
            assert count_open_tasks(session, stranger, 9) == 0
        assert count_open_tasks(session, cast.guangzhou_colleague, 9) == 1
        assert first_open_task(session, case.id, cast.guangzhou) == line.id
        assert first_open_task(session, case.id, cast.shenzhen) is None


@pytest.mark.parametrize(
    ("moment", "working_days", "today", "overdue"),
    [
        (BEGINS, 3, False, False),  # Friday 18 September; Sunday the 20th is worked
        (datetime(2026, 9, 22, 23, 59, tzinfo=SHANGHAI), 0, True, False),
        (datetime(2026, 9, 23, 0, 0, tzinfo=SHANGHAI), -1, False, True),
    ],
)
def test_the_limit_reads_in_working_days(
    case: Case, cast: Cast, moment: datetime, working_days: int, today: bool, overdue: bool
) -> None:
    case.goes("递交申请材料")
    with case.runtime.database.read() as session:
        left = open_tasks(session, cast.guangzhou, moment).items[0].left
    assert left is not None
    assert (left.last_day, left.provisional) == (date(2026, 9, 22), False)
    assert (left.working_days, left.today, left.overdue) == (working_days, today, overdue)


def test_the_most_urgent_comes_first_and_pages_hold_their_size(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    later = Case(case.runtime, begins=BEGINS + timedelta(days=4)).goes("递交申请材料")
    with case.runtime.database.read() as session:
        whole = open_tasks(session, cast.guangzhou, later.now)
        assert [line.instance_id for line in whole.items] == [case.id, later.id]
        first = open_tasks(session, cast.guangzhou, later.now, size=1)
        assert ([line.instance_id for line in first.items], first.starts, first.ends) == ([case.id], True, False)
        second = open_tasks(session, cast.guangzhou, later.now, after=first.items[0].id, size=1)
        assert ([line.instance_id for line in second.items], second.starts, second.ends) == ([later.id], False, True)
        assert first.total == second.total == 2
        assert open_tasks(session, cast.guangzhou, later.now, after="no such task").items == whole.items
        found = open_tasks(session, cast.guangzhou, later.now, search="20260922")
        assert [line.instance_id for line in found.items] == [later.id]
        assert open_tasks(session, cast.guangzhou, later.now, search="100%").total == 0


@pytest.fixture
def many(case: Case, cast: Cast) -> Case:
    """An authority with 3,000 open tasks, every tenth without a limit, and 3,000 done; another's are in between."""
    pattern = {"instance_id": case.goes("递交申请材料").id, "element_id": "Review_Materials", "name": "审核材料"}
    rows = []
    for number in range(12_000):
        opened = BEGINS - timedelta(minutes=number)
        organisation = cast.guangzhou if number % 2 else cast.shenzhen
        done = number % 4 > 1
        row = {
            "id": new_id(),
            "organisation_id": organisation.organisation_id,
            "role": organisation.role,
            "opened_at": opened,
            "due_at": None if number % 20 == 5 else opened + timedelta(days=number % 7),
            "state": TaskState.COMPLETED if done else TaskState.OPEN,
            "closed_at": opened + timedelta(hours=number % 5) if done else None,
        }
        rows.append(pattern | row)
    with case.runtime.database.write() as session:
        session.execute(insert(Task), rows)
    with case.runtime.database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    return case


@pytest.mark.parametrize(("find", "index"), [(open_tasks, "ix_tasks_open"), (done_tasks, "ix_tasks_done")])
def test_a_page_of_a_long_list_is_read_off_an_index_from_where_the_last_one_ended(
    many: Case, cast: Cast, find: Callable[..., Slice[TaskLine]], index: str
) -> None:
    """Nothing is sorted, skipped over or counted to the end, so that a page costs the same in a list of any length."""
    database, seen, after = many.runtime.database, list[str](), ""
    with database.read() as session:
        while True:
            page = find(session, cast.guangzhou, many.now, after=after, size=400)
            assert page.total == MOST_COUNTED
            seen += [line.id for line in page.items]
            if page.ends:
                break
            after = page.items[-1].id
    assert len(seen) == len(set(seen)) >= 3_000

    for place in ("", seen[200], seen[-1]):

        def read(session: Session, place: str = place) -> None:
            find(session, cast.guangzhou, many.now, after=place)

        read_off = plans(database, read)
        assert read_off
        for plan in read_off:
            assert index in plan
            assert "Sort" not in plan
            assert "TEMP B-TREE" not in plan


def test_a_long_list_links_its_ends_and_its_neighbours() -> None:
    assert Page((), number=5, size=1, total=9).shown == [1, None, 4, 5, 6, None, 9]
    assert Page((), number=1, size=1, total=2).shown == [1, 2]


def test_what_is_done_is_listed_with_by_whom(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    with case.runtime.database.read() as session:
        done = {line.name.zh: line for line in done_tasks(session, cast.guangzhou_colleague, case.now).items}
        assert done["审核材料"].closed_by == cast.guangzhou.name
        interrupted = [
            line for line in done_tasks(session, cast.enterprise, case.now).items if line.state is TaskState.CANCELLED
        ]
        assert [line.closed_by for line in interrupted] == [None]
        file = task_file(session, case.runtime.definitions, interrupted[0].id, cast.enterprise, case.now)
    assert file.cause is not None
    assert file.cause.zh == "我的投诉"


def test_a_task_shows_what_was_handed_in_and_starts_from_what_counts(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    amend = case.task("修改申请材料后再次提交")
    with case.runtime.database.read() as session:
        file = task_file(session, case.runtime.definitions, amend.id, cast.enterprise, case.now)
    assert [form.name for form in file.forms] == ["basic", "materials"]
    assert file.filled["basic"]["company"] == "粤筑智联（演示）科技有限公司"
    (review,) = file.shown
    assert review.data["problems"][0]["field"] == "materials.self_test"
    assert review.by.zh == "广州市住房和城乡建设局"  # the other side's person is not named
    assert file.data["review"]["result"] == "fail"
    assert "starter" in file.data


def test_a_task_of_another_organisation_is_not_found(case: Case, cast: Cast) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    with case.runtime.database.read() as session:
        for stranger in (cast.shenzhen, cast.enterprise, cast.guangzhou_support, cast.province, cast.analyst):
            with pytest.raises(NotFound):
                task_file(session, case.runtime.definitions, task.id, stranger, case.now)


def test_a_completed_task_can_be_read_with_what_was_answered(case: Case, cast: Cast) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    instances.complete(case.runtime, task.id, case.answers(review="pass"), cast.guangzhou, case.now)
    with case.runtime.database.read() as session:
        file = task_file(session, case.runtime.definitions, task.id, cast.guangzhou_colleague, case.now)
    assert (file.line.state, file.line.closed_by) == (TaskState.COMPLETED, cast.guangzhou.name)
    assert file.filled["review"]["result"] == "pass"
