"""What goes at the end of its time, what stays, and what is held back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from engine import clock
from engine.clock import SHANGHAI
from engine.definitions.retention import Retention, read
from engine.errors import NotAllowed, NotFound
from engine.files import StoredFile
from engine.people.accounts import Actor
from engine.privacy.holding import ContentGone, Held, NotHeld, hold, lift
from engine.privacy.retention import remove_due, upcoming
from engine.reading.answered import REMOVED_SAID
from engine.reading.applications import instances
from engine.reading.attachments import readable_file
from engine.reading.casefile import CaseFile, case_file
from engine.runtime import checking
from engine.runtime.history import answers_hash
from engine.runtime.reasons import ReasonMissing
from engine.runtime.tables import Answer, Event, EventKind, Instance
from engine.telling.noticeboard import notices
from engine.trust import verification
from engine.trust.verification import verify
from tests.casework import Case
from tests.conftest import Cast


def day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("period", "closed", "ends"),
    [
        ("P5Y", day(2026, 9, 18), day(2031, 9, 19)),
        ("P1Y", day(2028, 2, 29), day(2029, 3, 1)),
        ("P18M", day(2026, 8, 31), day(2028, 2, 29) + timedelta(days=1)),
        ("P30D", day(2026, 9, 18), day(2026, 10, 19)),
        ("P1Y6M", datetime(2026, 9, 18, 16, 30, tzinfo=UTC), day(2028, 3, 20)),  # the 19th in Shanghai
    ],
)
def test_a_period_ends_with_its_last_day_in_shanghai(period: str, closed: datetime, ends: datetime) -> None:
    kept = read(period)
    assert kept is not None
    assert kept.ends(closed) == ends
    assert closed < kept.closed_before(ends)
    assert kept.closed_before(ends) - closed < timedelta(days=5)


@pytest.mark.parametrize("written", ["", "P", "5Y", "P0D", "P0Y", "PT1H", "P-1Y", "P1Y ago", "P101Y", "P1W"])
def test_what_is_no_period_is_read_as_none(written: str) -> None:
    assert read(written) is None


def test_years_and_months_are_one_count() -> None:
    assert read("P1Y6M2D") == Retention(months=18, days=2)


def end_of(case: Case) -> datetime:
    closed_at = case.instance().closed_at
    assert closed_at is not None
    return Retention(months=60, days=0).ends(closed_at)


def removed(case: Case, now: datetime) -> int:
    """As long after uploading as it takes for content to be nobody's that is just coming in."""
    return remove_due(case.runtime, now, real_now=clock.now() + timedelta(hours=2))


def as_read_by(case: Case, reader: Actor) -> CaseFile:
    with case.runtime.database.read() as session:
        return case_file(session, case.runtime.definitions, case.id, reader, end_of(case))


def test_nothing_goes_a_moment_before_its_time_and_all_of_it_then(closed: Case, cast: Cast) -> None:
    running = Case(closed.runtime).goes("递交申请材料")
    assert removed(closed, end_of(closed) - timedelta(microseconds=1)) == 0
    assert removed(closed, end_of(closed)) == 1
    assert removed(closed, end_of(closed) + timedelta(days=900)) == 0, "once is enough; running ones stay"

    file = as_read_by(closed, cast.enterprise)
    assert {each.hidden for each in file.answers} == {REMOVED_SAID}
    with closed.runtime.database.read() as session:
        stored = session.scalars(select(Answer).where(Answer.instance_id == closed.id)).all()
        assert len(stored) == 8
        assert all(list(answer.data) == ["_removed"] for answer in stored)
        assert session.scalars(select(StoredFile).where(StoredFile.instance_id == closed.id)).all() == []
        assert session.scalars(select(StoredFile).where(StoredFile.instance_id == running.id)).all()
        told = [line.text.zh for line in notices(session, cast.guangzhou).items if line.instance_id == closed.id]
        assert set(told) == {"内容已按保存期限删除。"}
        state = session.get_one(Instance, closed.id).state
    assert len(state) < 1_000


def test_the_skeleton_stays(closed: Case, cast: Cast) -> None:
    before = closed.instance()
    removed(closed, end_of(closed))
    after = closed.instance()
    for name in ("number", "outcome", "started_at", "closed_at", "organisation_id"):
        assert getattr(after, name) == getattr(before, name)
    assert after.subject == ""
    file = as_read_by(closed, cast.enterprise)
    assert file.line.title.zh == "实名制软硬件设备联调对接流程"
    assert file.timeline[-1].sentence.zh == "保存期限届满，填报内容和附件已删除"
    with closed.runtime.database.read() as session:
        assert instances(session, closed.runtime.definitions, cast.province, closed.now).total == 1
        assert list(checking.check(session, closed.runtime.definitions)) == []


def test_files_can_no_longer_be_opened_and_their_content_is_gone(closed: Case, cast: Cast) -> None:
    with closed.runtime.database.read() as session:
        file = session.scalars(select(StoredFile).where(StoredFile.instance_id == closed.id)).first()
    assert file is not None
    removed(closed, end_of(closed))
    with closed.runtime.database.read() as session, pytest.raises(NotFound):
        readable_file(session, closed.runtime.definitions, file.id, cast.enterprise, closed.now)
    assert [path for path in closed.runtime.files.root.rglob("*") if path.is_file()] == []


class TestTheAuditTrail:
    def test_stays_sound_and_counts_what_was_erased(self, closed: Case) -> None:
        assert verify(closed.runtime.database).erased == 0
        removed(closed, end_of(closed))
        found = verify(closed.runtime.database)
        assert (found.flaws, found.erased) == ((), 8)
        with closed.runtime.database.read() as session:
            query = select(Event).where(Event.instance_id == closed.id).order_by(Event.sequence.desc()).limit(1)
            entry = session.scalars(query).one()
        assert (entry.kind, entry.actor_id, len(entry.details["erased"])) == (EventKind.CONTENT_REMOVED, None, 8)

    def test_tells_when_a_row_that_was_erased_is_filled_in_again(self, closed: Case) -> None:
        removed(closed, end_of(closed))
        with closed.runtime.database.write() as session:
            row = session.scalars(select(Answer).where(Answer.instance_id == closed.id).limit(1)).one()
            session.execute(update(Answer).where(Answer.id == row.id).values(data={"mobile": "13800138000"}))
        (flaw,) = verify(closed.runtime.database).flaws
        assert flaw.problem == verification.ANSWERS_ALTERED.filled(answers=row.id)

    def test_tells_when_a_row_was_emptied_that_no_entry_says_was_erased(self, closed: Case) -> None:
        with closed.runtime.database.write() as session:
            row = session.scalars(select(Answer).where(Answer.instance_id == closed.id).limit(1)).one()
            session.execute(update(Answer).where(Answer.id == row.id).values(data={"_removed": True}))
        assert len(verify(closed.runtime.database).flaws) == 1

    def test_does_not_let_anybody_find_out_what_was_erased_by_guessing(self, closed: Case) -> None:
        with closed.runtime.database.read() as session:
            of_case = select(Answer).where(Answer.instance_id == closed.id, Answer.form == "basic")
            before = session.scalars(of_case).one()
            told = answers_hash(before)
        removed(closed, end_of(closed))
        with closed.runtime.database.read() as session:
            after = session.get_one(Answer, before.id)
            after.data = before.data  # a right guess
            assert answers_hash(after) != told
            session.expunge_all()


class TestAHold:
    def test_keeps_one_application_until_it_is_lifted(self, closed: Case, cast: Cast) -> None:
        hold(closed.runtime, closed.id, "行政复议", cast.admin, closed.now)
        with pytest.raises(Held):
            hold(closed.runtime, closed.id, "行政复议", cast.admin, closed.now)
        assert removed(closed, end_of(closed)) == 0
        with closed.runtime.database.read() as session:
            (kept,) = upcoming(session, closed.runtime.definitions, cast.admin)
        assert (kept.id, kept.ends, kept.held) == (closed.id, end_of(closed), "行政复议")

        lift(closed.runtime, closed.id, "复议已结束", cast.admin, closed.now)
        with pytest.raises(NotHeld):
            lift(closed.runtime, closed.id, "复议已结束", cast.admin, closed.now)
        assert removed(closed, end_of(closed)) == 1
        with pytest.raises(ContentGone):
            hold(closed.runtime, closed.id, "太迟", cast.admin, end_of(closed))
        assert verify(closed.runtime.database).flaws == ()

    def test_is_for_administrators_with_a_reason(self, closed: Case, cast: Cast) -> None:
        for actor in (cast.guangzhou, cast.province, cast.enterprise):
            with pytest.raises(NotAllowed):
                hold(closed.runtime, closed.id, "理由", actor, closed.now)
        with pytest.raises(ReasonMissing):
            hold(closed.runtime, closed.id, " ", cast.admin, closed.now)
        with pytest.raises(NotFound):
            hold(closed.runtime, "0" * 32, "理由", cast.admin, closed.now)
        with closed.runtime.database.read() as session, pytest.raises(NotAllowed):
            upcoming(session, closed.runtime.definitions, cast.province)

    def test_is_told_in_the_history_with_its_reason(self, closed: Case, cast: Cast) -> None:
        hold(closed.runtime, closed.id, "行政复议", cast.admin, closed.now)
        last = as_read_by(closed, cast.guangzhou).timeline[-1].sentence
        assert last.zh.endswith("要求保留申请内容，不按保存期限删除，理由：行政复议")
