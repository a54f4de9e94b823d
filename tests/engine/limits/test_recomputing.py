"""A newer calendar: whose limits move, once, and who is told; what was told is never shortened by itself."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from engine.audit.tables import SystemEvent, SystemEventKind
from engine.calendar import versions
from engine.calendar.entries import EntryRefused
from engine.calendar.reading import read
from engine.clock import SHANGHAI
from engine.errors import NotAllowed, NotFound
from engine.limits import calendars, recomputing, shortening
from engine.limits.explaining import of_task
from engine.limits.recomputing import Change, recompute_all, recompute_due
from engine.people.accounts import Actor
from engine.runtime import timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, Timer, TimerState
from engine.telling.tables import Notice, Severity
from tests.casework import Case
from tests.conftest import Cast
from tests.engine.calendar.notices import NOTICE_2027, TYPHOON

NOW = datetime(2026, 9, 18, 3, 0, tzinfo=UTC)


def begun(runtime: Runtime, day: str) -> Case:
    """A case whose materials were handed in at 10:00 that day, so that the review's 3 working days run from it."""
    return Case(runtime, begins=datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=SHANGHAI)).goes("递交申请材料")


def entered(runtime: Runtime, admin: Actor, raw: Any, now: datetime = NOW) -> int:
    with runtime.database.read() as session:
        after = versions.newest(session).version
    return calendars.publish(runtime, read(raw), after=after, actor=admin, now=now)


def timer(case: Case) -> Timer:
    with case.runtime.database.read() as session:
        return session.scalars(select(Timer).where(Timer.instance_id == case.id)).one()


def last_day(moment: datetime | None) -> str:
    assert moment is not None
    return (moment.astimezone(SHANGHAI) - timedelta(seconds=1)).date().isoformat()


def told(case: Case, kind: EventKind) -> list[Event]:
    with case.runtime.database.read() as session:
        found = select(Event).where(Event.instance_id == case.id, Event.kind == kind)
        return list(session.scalars(found.order_by(Event.sequence)))


@pytest.fixture
def over_spring(runtime: Runtime, case: Case) -> Case:
    """Provisionally until 10 February 2027, in truth until the 13th."""
    return begun(runtime, "2027-02-03")


def test_a_typhoon_moves_the_limits_of_its_city_and_everybody_is_told(runtime: Runtime, case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    assert last_day(timer(case).due_at) == "2026-09-22"

    entered(runtime, cast.admin, TYPHOON)
    assert recompute_all(runtime, NOW) == 1

    moved = timer(case)
    assert last_day(moved.due_at) == last_day(case.task("审核材料").due_at) == "2026-09-23"
    assert moved.fires_at == moved.due_at
    assert moved.calendar_version == 1
    (entry,) = told(case, EventKind.LIMIT_RECOMPUTED)
    assert entry.details["timer_id"] == moved.id
    assert entry.details["due_at"] == moved.due_at.isoformat()
    with runtime.database.read() as session:
        notices = session.scalars(select(Notice).where(Notice.severity == Severity.INFO)).all()
    assert {notice.organisation_id for notice in notices} == {
        cast.guangzhou.organisation_id,
        cast.enterprise.organisation_id,
    }
    assert "2026-09-23 24:00" in notices[0].text


def test_another_citys_typhoon_moves_nothing(runtime: Runtime, case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    before = timer(case)

    entered(runtime, cast.admin, {**TYPHOON, "region": "440300"})
    assert recompute_all(runtime, NOW) == 1

    assert (timer(case).due_at, timer(case).calendar_version) == (before.due_at, 1)
    assert told(case, EventKind.LIMIT_RECOMPUTED) == []


def test_the_notice_moves_the_provisional_limits_it_should_and_each_once(
    runtime: Runtime, over_spring: Case, cast: Cast
) -> None:
    confirmed, settled = begun(runtime, "2026-12-30"), begun(runtime, "2026-09-18")
    assert timer(over_spring).provisional
    assert last_day(timer(over_spring).due_at) == "2027-02-10"

    entered(runtime, cast.admin, NOTICE_2027)
    assert recompute_all(runtime, NOW) == 3
    assert recompute_all(runtime, NOW) == 0

    assert last_day(timer(over_spring).due_at) == last_day(over_spring.task("审核材料").due_at) == "2027-02-13"
    assert last_day(timer(confirmed).due_at) == "2027-01-05"
    assert not any(timer(each).provisional for each in (over_spring, confirmed, settled))
    assert not over_spring.task("审核材料").provisional
    counts = [len(told(each, EventKind.LIMIT_RECOMPUTED)) for each in (over_spring, confirmed, settled)]
    assert counts == [1, 1, 0]


def test_a_provisional_limit_warns_when_it_is_over_whatever_the_notice_says(over_spring: Case) -> None:
    assert last_day(timer(over_spring).fires_at) == "2027-02-16"
    over_spring.step(at="2027-02-16 23:00", expect={"warnings": 0})
    over_spring.step(at="2027-02-17 00:00", expect={"warnings": 1})


def test_two_administrators_pressing_the_button_make_one_version(runtime: Runtime, case: Case, cast: Cast) -> None:
    proposals = read(NOTICE_2027)

    def press(_: int) -> str:
        try:
            return str(calendars.publish(runtime, proposals, after=0, actor=cast.admin, now=NOW))
        except versions.CalendarMoved as refusal:
            return type(refusal).__name__

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == ["1", "CalendarMoved"]
    with runtime.database.read() as session:
        assert [each.id for each in versions.newest(session).entries] == [1]
        kinds = select(SystemEvent.details).where(SystemEvent.kind == SystemEventKind.CALENDAR_PUBLISHED)
        assert [details["version"] for details in session.scalars(kinds)] == [1]


def test_two_processes_at_once_move_each_limit_once(runtime: Runtime, over_spring: Case, cast: Cast) -> None:
    cases = [over_spring, *(begun(runtime, "2027-02-03") for _ in range(3))]
    entered(runtime, cast.admin, NOTICE_2027)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: [recompute_due(runtime, NOW, limit=1) for _ in range(8)], range(2)))

    recompute_all(runtime, NOW)
    assert [len(told(each, EventKind.LIMIT_RECOMPUTED)) for each in cases] == [1, 1, 1, 1]
    assert {last_day(timer(each).due_at) for each in cases} == {"2027-02-13"}


class Killed(BaseException):
    """What a process that is killed meets, as far as a test can kill itself."""


def test_a_process_that_dies_in_the_middle_leaves_the_rest_to_the_next(
    runtime: Runtime, over_spring: Case, cast: Cast
) -> None:
    cases = [over_spring, begun(runtime, "2027-02-03")]
    entered(runtime, cast.admin, NOTICE_2027)

    assert recompute_due(runtime, NOW, limit=1) == 1

    def die(*_: object) -> None:
        raise Killed

    event.listen(runtime.database.engine, "commit", die)
    with pytest.raises(Killed):
        recompute_due(runtime, NOW, limit=1)
    event.remove(runtime.database.engine, "commit", die)

    with runtime.database.read() as session:
        assert recomputing.left_to_do(session) == 1
    assert recompute_all(runtime, NOW) == 1
    assert [len(told(each, EventKind.LIMIT_RECOMPUTED)) for each in cases] == [1, 1]


@pytest.fixture
def shortened(runtime: Runtime, case: Case, cast: Cast) -> Case:
    """27 April was told; with the make-up Sunday of the 25th it would be the 26th."""
    shorter = begun(runtime, "2027-04-22")
    entered(runtime, cast.admin, NOTICE_2027)
    recompute_all(runtime, NOW)
    return shorter


def test_a_date_that_was_told_is_not_made_earlier_by_itself(shortened: Case, cast: Cast) -> None:
    row = timer(shortened)
    assert last_day(row.due_at) == last_day(row.fires_at) == last_day(shortened.task("审核材料").due_at) == "2027-04-27"
    assert last_day(row.shortened_to) == "2027-04-26"
    assert not row.provisional
    assert len(told(shortened, EventKind.LIMIT_MAY_SHORTEN)) == 1
    with shortened.runtime.database.read() as session:
        definitions = shortened.runtime.definitions
        assert [each.timer_id for each in shortening.waiting(session, definitions, cast.guangzhou)] == [row.id]
        assert shortening.waiting(session, definitions, cast.shenzhen) == []


@pytest.mark.parametrize(
    ("accept", "ends", "kind"),
    [(True, "2027-04-26", EventKind.LIMIT_SHORTENED), (False, "2027-04-27", EventKind.LIMIT_KEPT)],
    ids=["accepted", "kept"],
)
def test_an_official_of_the_case_decides_whether_it_ends_earlier(
    shortened: Case, cast: Cast, accept: bool, ends: str, kind: EventKind
) -> None:
    runtime, row = shortened.runtime, timer(shortened)
    for stranger, refusal in ((cast.shenzhen, NotFound), (cast.enterprise, NotAllowed), (cast.admin, NotAllowed)):
        with pytest.raises(refusal):
            shortening.confirm(runtime, row.id, stranger, shortened.now, accept=accept)

    shortening.confirm(runtime, row.id, cast.guangzhou, shortened.now, accept=accept)

    row = timer(shortened)
    assert last_day(row.due_at) == last_day(row.fires_at) == last_day(shortened.task("审核材料").due_at) == ends
    assert row.shortened_to is None
    assert [entry.actor_id for entry in told(shortened, kind)] == [cast.guangzhou.account_id]
    with pytest.raises(shortening.NothingToConfirm):
        shortening.confirm(runtime, row.id, cast.guangzhou, shortened.now, accept=accept)
    entered(runtime, cast.admin, {**TYPHOON, "dates": ["2026-11-03"]})  # which has nothing to do with it
    recompute_all(runtime, NOW)
    assert (last_day(timer(shortened).due_at), timer(shortened).shortened_to) == (ends, None)


def test_a_preview_tells_what_would_move_and_moves_nothing(runtime: Runtime, over_spring: Case, cast: Cast) -> None:
    shorter, confirmed, settled = (begun(runtime, day) for day in ("2027-04-22", "2026-12-30", "2026-09-18"))
    with runtime.database.read() as session:
        shows = calendars.preview(session, runtime.definitions, read(NOTICE_2027), cast.admin)
        with pytest.raises(NotAllowed):
            calendars.preview(session, runtime.definitions, read(NOTICE_2027), cast.guangzhou)

    assert {(move.instance_id, move.change, last_day(move.after)) for move in shows.moves} == {
        (confirmed.id, Change.CONFIRMED, "2027-01-05"),
        (over_spring.id, Change.LONGER, "2027-02-13"),
        (shorter.id, Change.SHORTER, "2027-04-26"),
    }
    assert shows.version == 0
    assert {move.step.zh for move in shows.moves} == {"审核材料并下发测试密钥"}
    assert timer(settled).calendar_version == timer(over_spring).calendar_version == 0


def test_withdrawing_a_closure_asks_before_it_takes_the_day_back(runtime: Runtime, case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    entered(runtime, cast.admin, TYPHOON)
    recompute_all(runtime, NOW)
    entered(runtime, cast.admin, {"withdraw": 1, "reason": "台风改道"})
    recompute_all(runtime, NOW)

    assert (last_day(timer(case).due_at), last_day(timer(case).shortened_to)) == ("2026-09-23", "2026-09-22")


def test_only_administrators_publish_and_nothing_that_contradicts(runtime: Runtime, case: Case, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        entered(runtime, cast.guangzhou, TYPHOON)
    entered(runtime, cast.admin, NOTICE_2027)
    with pytest.raises(EntryRefused, match="已经录入"):
        entered(runtime, cast.admin, NOTICE_2027)


def test_a_limit_counts_by_the_newest_calendar_from_its_start(runtime: Runtime, case: Case, cast: Cast) -> None:
    entered(runtime, cast.admin, TYPHOON)
    entered(runtime, cast.admin, {"side": "authority", "day_ends": "17:30", "reason": "下班时间"})
    case.goes("递交申请材料")

    row = timer(case)
    assert row.due_at.astimezone(SHANGHAI).isoformat() == "2026-09-23T17:30:00+08:00"
    assert row.calendar_version == 2
    with runtime.database.read() as session:
        (why,) = of_task(session, runtime.definitions, case.task("审核材料").id, cast.guangzhou)
        with pytest.raises(NotFound):
            of_task(session, runtime.definitions, case.task("审核材料").id, cast.shenzhen)
    assert why.counted is not None
    said = {day.date.isoformat(): day for day in why.counted.deadline.days}
    assert (said["2026-09-21"].counts, said["2026-09-21"].source.zh) == (False, "穗府办〔2026〕测试号（2026-09-20）")
    assert "2026年部分节假日安排" in said["2026-09-20"].source.zh


def test_a_limit_that_has_run_out_stays_as_it_was(runtime: Runtime, case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(after="3 working days")
    fired = timer(case)
    entered(runtime, cast.admin, TYPHOON)

    assert recompute_all(runtime, NOW) == 0
    assert (timer(case).state, timer(case).due_at) == (TimerState.FIRED, fired.due_at)
    assert timers.fire_due(runtime, case.now) == 0


@pytest.mark.parametrize(
    ("day", "missing"),
    [("2026-11-14", None), ("2026-11-15", 2027), ("2027-03-01", 2027)],
)
def test_administrators_are_told_from_15_november_that_the_notice_is_missing(
    runtime: Runtime, cast: Cast, day: str, missing: int | None
) -> None:
    now = datetime.fromisoformat(f"{day}T00:30").replace(tzinfo=SHANGHAI)
    with runtime.database.read() as session:
        assert calendars.missing_notice(session, now) == missing
    entered(runtime, cast.admin, NOTICE_2027)
    with runtime.database.read() as session:
        assert calendars.missing_notice(session, now) is None
