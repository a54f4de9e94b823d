"""Whatever is done to the audit trail, `verify` names the stream and the first entry that is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from engine.audit.tables import ANCHORS, SYSTEM, Anchor, AnchoredHead, Stream, SystemEvent
from engine.database import Base, Database, new_id
from engine.runtime.tables import Answer, Event, EventKind, Instance
from engine.text import Text
from engine.trust import verification
from engine.trust.anchors import anchor, digest, last_anchor
from engine.trust.verification import Flaw, holds, verify
from tests.casework import Case
from tests.conftest import Cast
from tests.engine.trust.tampering import PROTECTED, chain_anew, unguarded

NOW = datetime(2026, 9, 20, 1, 0, tzinfo=UTC)


@pytest.fixture
def case(case: Case) -> Case:
    return case.goes("递交申请材料")


@pytest.fixture
def anchored(case: Case) -> Case:
    assert anchor(case.runtime, NOW) == 1
    return case


def flaws(database: Database) -> list[tuple[str, int, Text]]:
    return [(flaw.stream, flaw.sequence, flaw.problem) for flaw in verify(database).flaws]


def the_only_flaw(database: Database) -> Flaw:
    (flaw,) = verify(database).flaws
    return flaw


def entries(session: Any, instance_id: str) -> list[Event]:
    query = select(Event).where(Event.instance_id == instance_id).order_by(Event.sequence)
    return list(session.scalars(query))


def test_what_the_program_wrote_is_sound_and_counted(anchored: Case, database: Database) -> None:
    anchored.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    found = verify(database)
    with database.read() as session:
        written = len(entries(session, anchored.id)) + len(session.scalars(select(SystemEvent)).all())
        newest = last_anchor(session)
    assert found.flaws == ()
    assert found.entries == written
    assert newest is not None
    assert (found.anchors, found.digest) == (1, newest.digest)


def test_no_column_of_an_entry_can_be_changed_unnoticed(case: Case, cast: Cast, database: Database) -> None:
    forged: dict[str, object] = {
        "at": NOW,
        "kind": EventKind.CLOSED,
        "element_id": "Elsewhere",
        "actor_id": cast.admin.account_id,
        "details": {"forged": True},
        "hash": "f" * 64,
    }
    with database.read() as session:
        original = entries(session, case.id)[2]
    assert forged.keys() | {"instance_id", "sequence"} == {column.name for column in Event.__mapper__.columns}
    third = update(Event).where(Event.instance_id == case.id, Event.sequence == 3)
    for column, value in forged.items():
        with unguarded(database) as session:
            session.execute(third.values({column: value}))
        assert flaws(database) == [(case.id, 3, verification.ALTERED)], column
        with unguarded(database) as session:
            session.execute(third.values({column: getattr(original, column)}))
    assert flaws(database) == []


def test_no_column_of_the_systems_entries_can_be_changed_unnoticed(case: Case, cast: Cast, database: Database) -> None:
    forged: dict[str, object] = {
        "at": NOW,
        "kind": "logged_out",
        "actor_id": cast.admin.account_id,
        "details": {"forged": True},
        "hash": "f" * 64,
    }
    with database.read() as session:
        original = session.get_one(SystemEvent, 2)
    assert forged.keys() | {"sequence"} == {column.name for column in SystemEvent.__mapper__.columns}
    second = update(SystemEvent).where(SystemEvent.sequence == 2)
    for column, value in forged.items():
        with unguarded(database) as session:
            session.execute(second.values({column: value}))
        assert flaws(database) == [(SYSTEM, 2, verification.ALTERED)], column
        with unguarded(database) as session:
            session.execute(second.values({column: getattr(original, column)}))
    assert flaws(database) == []


def test_an_entry_taken_out_of_the_middle_is_missed(case: Case, database: Database) -> None:
    with unguarded(database) as session:
        session.execute(delete(Event).where(Event.instance_id == case.id, Event.sequence == 3))
        session.execute(delete(SystemEvent).where(SystemEvent.sequence.in_((4, 5))))
    assert flaws(database) == [
        (SYSTEM, 4, verification.MISSING.filled(first=4, last=5)),
        (case.id, 3, verification.MISSING.filled(first=3, last=3)),
    ]


def test_a_missing_tail_is_missed(case: Case, database: Database) -> None:
    length = case.instance().history_length
    with unguarded(database) as session:
        session.execute(delete(Event).where(Event.instance_id == case.id, Event.sequence >= length - 1))
    assert flaws(database) == [(case.id, length - 1, verification.MISSING.filled(first=length - 1, last=length))]


def test_an_entry_put_after_the_end_is_noticed(case: Case, database: Database) -> None:
    length = case.instance().history_length
    with database.write() as session:  # adding is not refused
        session.add(
            Event(instance_id=case.id, sequence=length + 1, at=NOW, kind=EventKind.CLOSED, details={}, hash="f" * 64)
        )
    assert flaws(database) == [(case.id, length + 1, verification.UNCOUNTED)]


def test_two_entries_that_changed_places_are_noticed(case: Case, database: Database) -> None:
    def move(old: int, new: int) -> None:
        with unguarded(database) as session:
            where = (Event.instance_id == case.id, Event.sequence == old)
            session.execute(update(Event).where(*where).values(sequence=new))

    move(3, 999)
    move(4, 3)
    move(999, 4)
    assert flaws(database) == [(case.id, 3, verification.ALTERED)]


def test_a_stream_rewritten_with_its_head_is_told_by_the_anchor(anchored: Case, cast: Cast, database: Database) -> None:
    with unguarded(database) as session:
        written = entries(session, anchored.id)
        written[1].actor_id = cast.guangzhou.account_id
        chain_anew(session, session.get_one(Instance, anchored.id), written)
    last = anchored.instance().history_length
    flaw = the_only_flaw(database)
    assert (flaw.stream, flaw.sequence) == (anchored.id, last)
    assert flaw.problem.en.startswith("This entry is not the one that anchor 1 of 2026-09-20T01:00")


def test_a_stream_cut_short_with_its_head_is_told_by_the_anchor(anchored: Case, database: Database) -> None:
    with unguarded(database) as session:
        written = entries(session, anchored.id)
        session.execute(delete(Event).where(Event.instance_id == anchored.id, Event.sequence == len(written)))
        session.expunge(written[-1])
        chain_anew(session, session.get_one(Instance, anchored.id), written[:-1])
    flaw = the_only_flaw(database)
    assert (flaw.stream, flaw.sequence) == (anchored.id, len(written))
    assert "the end was cut off" in flaw.problem.en


def test_an_application_that_is_gone_altogether_is_told_by_the_anchor(anchored: Case, database: Database) -> None:
    with unguarded(database) as session:
        for table in reversed(Base.metadata.sorted_tables):
            if "instance_id" in table.columns:
                session.execute(delete(table).where(table.c.instance_id == anchored.id))
        instances = Instance.__table__
        assert isinstance(instances, Table)
        session.execute(delete(instances).where(instances.c.id == anchored.id))
    assert flaws(database) == [(anchored.id, 1, verification.STREAM_GONE)]


def test_anchors_can_be_neither_changed_nor_taken_away(anchored: Case, database: Database) -> None:
    anchored.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    assert anchor(anchored.runtime, NOW + timedelta(minutes=10)) == 1
    first = update(Anchor).where(Anchor.sequence == 1)
    with unguarded(database) as session:
        session.execute(first.values(at=NOW + timedelta(seconds=1)))
    assert flaws(database) == [(ANCHORS, 1, verification.ALTERED)]
    with unguarded(database) as session:
        session.execute(first.values(at=NOW))
        session.execute(delete(AnchoredHead).where(AnchoredHead.anchor == 2))
    assert flaws(database) == [(ANCHORS, 2, verification.ALTERED)]
    with unguarded(database) as session:
        session.execute(delete(Anchor).where(Anchor.sequence == 2))
    assert flaws(database) == [(ANCHORS, 2, verification.MISSING.filled(first=2, last=2))]


def test_whoever_rewrites_the_anchors_as_well_is_told_by_one_kept_elsewhere(anchored: Case, database: Database) -> None:
    with database.read() as session:
        kept = last_anchor(session)
    assert kept is not None
    assert holds(database, kept.sequence, kept.digest)
    with unguarded(database) as session:
        for head in session.scalars(select(AnchoredHead).where(AnchoredHead.stream == anchored.id)):
            session.delete(head)
        session.flush()
        left = [(row.stream, row.length, row.head) for row in session.scalars(select(AnchoredHead))]
        forged = digest("0" * 64, 1, NOW, left)
        session.get_one(Anchor, 1).digest = forged
        session.get_one(Stream, ANCHORS).head = forged
    assert flaws(database) == []
    assert not holds(database, kept.sequence, kept.digest)


@contextmanager
def newest_answers(database: Database, case: Case) -> Iterator[tuple[Any, Answer]]:
    with database.write() as session:
        query = select(Answer).where(Answer.instance_id == case.id, Answer.form == "materials")
        yield session, session.scalars(query).one()


def test_answers_can_be_neither_changed_nor_added_nor_taken_away(case: Case, database: Database) -> None:
    with newest_answers(database, case) as (_, answer):
        original = answer.data
        answer.data = {**original, "submitted_at": "2020-01-01"}
    flaw = the_only_flaw(database)
    assert flaw.problem == verification.ANSWERS_ALTERED.filled(answers=answer.id)
    with database.read() as session:
        named = entries(session, case.id)[flaw.sequence - 1]
    assert (named.kind, named.details["answers"][-1]["id"]) == (EventKind.TASK_COMPLETED, answer.id)

    with newest_answers(database, case) as (session, answer):
        answer.data = original
        stranger = Answer(
            id=new_id(), instance_id=case.id, form="basic", data={}, by=answer.by, at=answer.at, salt=new_id()
        )
        session.add(stranger)
    assert the_only_flaw(database).problem == verification.ANSWERS_UNRECORDED.filled(answers=stranger.id)

    with newest_answers(database, case) as (session, answer):
        session.delete(session.get_one(Answer, stranger.id))
        session.delete(answer)
    assert the_only_flaw(database).problem == verification.ANSWERS_GONE.filled(answers=answer.id)


@pytest.mark.parametrize("table", PROTECTED)
def test_the_database_refuses_to_change_or_delete_entries(anchored: Case, database: Database, table: str) -> None:
    column = {"anchored_heads": "length"}.get(table, "sequence")
    forbidden = [f"UPDATE {table} SET {column} = {column} + 1", f"DELETE FROM {table}"]
    if database.engine.dialect.name == "postgresql":
        forbidden.append(f"TRUNCATE {table} CASCADE")
    else:
        forbidden.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    for statement in forbidden:
        with pytest.raises(DBAPIError, match="append-only"), database.engine.begin() as connection:
            connection.execute(text(statement))
    assert flaws(database) == []


def test_a_trail_of_thousands_is_walked_to_its_end(case: Case, database: Database) -> None:
    from engine.runtime import history

    with database.write() as session:
        instance = session.get_one(Instance, case.id)
        for number in range(2000):
            history.append(session, instance, EventKind.PASSED, at=NOW, element_id=f"Element_{number}")
    found = verify(database)
    assert found.flaws == ()
    assert found.entries > 2000
