"""What analysts see of versions: who deployed them, which is in force, what runs on each; and handing in a new one."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.database import Database
from engine.definitions import deployment
from engine.definitions.review import hand_in, review
from engine.errors import NotAllowed, NotFound
from engine.reading.versions_in_use import instances_on, processes, version_line
from engine.runtime.tables import Instance
from tests.conftest import Cast
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS, broken

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
SECOND = broken("working_days(3)", "working_days(5)").encode()


@pytest.fixture
def first(database: Database) -> str:
    with database.write() as session:
        deployed = deployment.deploy(session, diagram=GOOD.encode(), forms=FORMS, handlers=HANDLERS, by=None, now=NOW)
        return deployed.id


@pytest.fixture
def second(database: Database, cast: Cast, first: str) -> str:
    """Handed in by the analyst, not in force yet."""
    later = NOW + timedelta(hours=1)
    with database.write() as session:
        version, is_new = hand_in(
            session,
            [("permit.bpmn", SECOND)],
            process_id=None,
            handlers=HANDLERS,
            by=cast.analyst.account_id,
            now=later,
            note="五天",
        )
        assert is_new
        return version.id


def _runs(database: Database, cast: Cast, version_id: str, *, closed: bool) -> None:
    with database.write() as session:
        session.add(
            Instance(
                version_id=version_id,
                organisation_id=cast.enterprise.organisation_id,
                started_by=cast.enterprise.account_id,
                started_at=NOW,
                closed_at=NOW if closed else None,
                subject="某公司 · 某产品",
                state=b"",
            )
        )


def test_versions_are_listed_with_who_when_and_what_runs_on_them(
    database: Database, cast: Cast, first: str, second: str
) -> None:
    for closed in (False, False, True):
        _runs(database, cast, first, closed=closed)
    with database.read() as session:
        new, old = processes(session, cast.analyst)["permit"]
    assert (new.id, new.number, new.deployed_by, new.note) == (second, 2, cast.analyst.name, "五天")
    assert (new.in_force_since, new.open, new.closed) == (None, 0, 0)
    assert (old.id, old.deployed_by, old.in_force_since, old.open, old.closed) == (first, None, NOW, 2, 1)


def test_the_instances_of_a_version_are_named(database: Database, cast: Cast, first: str, second: str) -> None:
    _runs(database, cast, first, closed=True)
    with database.read() as session:
        (instance,) = instances_on(session, first, cast.admin).items
        assert (instance.subject, instance.closed_at) == ("某公司 · 某产品", NOW)
        assert instances_on(session, second, cast.admin).total == 0
        assert version_line(session, first, cast.admin).closed == 1


def test_a_version_waiting_is_held_against_the_one_in_force(database: Database, first: str, second: str) -> None:
    with database.read() as session:
        seen = review(session, second, HANDLERS)
    assert (seen.is_in_force, seen.earlier and seen.earlier.id, seen.earlier_is_in_force) == (False, first, True)
    assert [change.element_id for change in seen.changes] == ["Overdue"]
    assert seen.findings == []


def test_the_version_in_force_is_held_against_the_one_before_it(database: Database, first: str, second: str) -> None:
    with database.write() as session:
        deployment.put_in_force(session, second, NOW, by=None)
    with database.read() as session:
        seen, oldest = review(session, second, HANDLERS), review(session, first, HANDLERS)
    assert (seen.is_in_force, seen.earlier and seen.earlier.id, seen.earlier_is_in_force) == (True, first, False)
    assert oldest.earlier is not None
    assert oldest.earlier.id == second


def test_a_first_version_has_nothing_to_be_held_against(database: Database, first: str) -> None:
    with database.read() as session:
        seen = review(session, first, HANDLERS)
    assert (seen.is_in_force, seen.earlier, seen.changes) == (True, None, [])


def test_handing_in_what_is_there_already_is_no_new_version(
    database: Database, cast: Cast, first: str, second: str
) -> None:
    with database.write() as session:
        version, is_new = hand_in(
            session,
            [("permit.bpmn", GOOD.encode())],
            process_id=None,
            handlers=HANDLERS,
            by=cast.analyst.account_id,
            now=NOW,
        )
        assert (version.id, is_new) == (first, False)
        assert len(deployment.versions(session, "permit")) == 2


def test_others_may_not_look_and_unknown_versions_are_not_found(database: Database, cast: Cast, first: str) -> None:
    with database.read() as session:
        for actor in (cast.enterprise, cast.guangzhou, cast.guangzhou_support, cast.province):
            with pytest.raises(NotAllowed):
                processes(session, actor)
            with pytest.raises(NotAllowed):
                instances_on(session, first, actor)
        with pytest.raises(NotFound):
            version_line(session, "0" * 32, cast.analyst)
