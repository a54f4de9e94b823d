"""What is recorded where, that nothing personal is in it, and that writing it together keeps it one chain."""

import json
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError

from engine.audit.system import record
from engine.audit.tables import AnchoredHead, SystemEvent, SystemEventKind
from engine.database import Database
from engine.definitions import deployment
from engine.definitions.fields import Field
from engine.keys import issuing
from engine.levers import incidents
from engine.migrations import upgrade
from engine.people.tables import Account, Organisation, Role
from engine.runtime import instances, trial
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Answer, Event, EventKind, Incident, Instance, IssuedKey
from engine.scenarios.playing import Play
from engine.scenarios.reading import Scenario, read_folder
from engine.trust.anchors import anchor, anchor_when_due
from engine.trust.verification import verify
from tests.casework import FOLDER, Case, deploy_onboarding
from tests.conftest import ROOT, Cast

NOW = datetime(2026, 9, 20, 1, 0, tzinfo=UTC)


def last_entry(database: Database) -> tuple[str, str | None, dict[str, Any]]:
    with database.read() as session:
        entry = session.scalars(select(SystemEvent).order_by(SystemEvent.sequence.desc()).limit(1)).one()
        return entry.kind, entry.actor_id, entry.details


def told(case: Case, *kinds: EventKind) -> list[tuple[str, str | None, str | None]]:
    with case.runtime.database.read() as session:
        query = select(Event).where(Event.instance_id == case.id, Event.kind.in_(kinds)).order_by(Event.sequence)
        return [(entry.kind, entry.element_id, entry.actor_id) for entry in session.scalars(query)]


def test_claiming_and_releasing_are_entries_and_doing_nothing_is_none(case: Case, cast: Cast) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    who = cast.guangzhou
    instances.claim(case.runtime, task.id, who, case.now)
    instances.claim(case.runtime, task.id, who, case.now)
    instances.release(case.runtime, task.id, who, case.now)
    instances.release(case.runtime, task.id, who, case.now)
    assert told(case, EventKind.TASK_CLAIMED, EventKind.TASK_RELEASED) == [
        (EventKind.TASK_CLAIMED, "Review_Materials", who.account_id),
        (EventKind.TASK_RELEASED, "Review_Materials", who.account_id),
    ]
    assert verify(case.runtime.database).flaws == ()


def test_issuing_and_showing_a_key_are_entries(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    with case.runtime.database.read() as session:
        key = session.scalars(select(IssuedKey)).one()
        issued = session.scalars(select(Event).where(Event.kind == EventKind.KEY_ISSUED)).one()
    assert issued.details == {"key_id": key.id, "revoked": []}
    issuing.reveal(case.runtime, key.id, cast.enterprise, case.now)
    assert told(case, EventKind.KEY_REVEALED) == [(EventKind.KEY_REVEALED, None, cast.enterprise.account_id)]
    assert verify(case.runtime.database).flaws == ()


def test_the_cast_and_a_deployment_stand_in_the_systems_stream(case: Case, cast: Cast, database: Database) -> None:
    with database.read() as session:
        recorded = list(session.scalars(select(SystemEvent).order_by(SystemEvent.sequence)))
        accounts = set(session.scalars(select(Account.id)))
        organisations = set(session.scalars(select(Organisation.id)))
        (version,) = deployment.versions(session, "onboarding")
    made = {kind: {entry.sequence for entry in recorded if entry.kind == kind} for kind in SystemEventKind}
    by_kind = {kind: [entry.details for entry in recorded if entry.sequence in made[kind]] for kind in SystemEventKind}
    assert {each["account_id"] for each in by_kind[SystemEventKind.ACCOUNT_CREATED]} == accounts
    assert {each["organisation_id"] for each in by_kind[SystemEventKind.ORGANISATION_CREATED]} == organisations
    assert [(each["version_id"], each["sha256"]) for each in by_kind[SystemEventKind.VERSION_DEPLOYED]] == [
        (version.id, version.sha256)
    ]
    assert by_kind[SystemEventKind.PUT_IN_FORCE] == [
        {"process": "onboarding", "version_id": version.id, "instead_of": None}
    ]

    with database.write() as session:
        deployment.put_in_force(session, version.id, NOW, by=cast.analyst.account_id)  # it is already
    with database.read() as session:
        assert len(session.scalars(select(SystemEvent)).all()) == len(recorded)


def test_moving_the_trials_clock_is_an_entry(runtime: Runtime, cast: Cast, database: Database) -> None:
    moved = trial.advance(runtime, working_days=1, actor=cast.admin, real_now=NOW)
    kind, actor_id, details = last_entry(database)
    assert (kind, actor_id) == (SystemEventKind.TRIAL_CLOCK_MOVED, cast.admin.account_id)
    assert details == {"offset_seconds": (moved - NOW).total_seconds()}


def test_retrying_an_incident_is_an_entry(runtime: Runtime, cast: Cast, database: Database) -> None:
    with database.write() as session:
        incident = Incident(action="start", cause="ValueError: x", stack="", at=NOW, last_at=NOW)
        session.add(incident)
    incidents.retry(runtime, incident.id, cast.admin, NOW)
    assert last_entry(database) == (
        SystemEventKind.INCIDENT_RETRIED,
        cast.admin.account_id,
        {"incident_id": incident.id, "instance_id": None},
    )


def test_entries_of_the_system_from_four_threads_are_one_chain(database: Database) -> None:
    before = verify(database).entries

    def log_in_ten_times(worker: int) -> None:
        for _ in range(10):
            with database.write() as session:
                record(session, SystemEventKind.LOGGED_IN, at=NOW, actor_id=f"{worker}" * 32)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(log_in_ten_times, range(4)))
    found = verify(database)
    assert found.flaws == ()
    assert found.entries == before + 40


def test_an_entry_is_undone_with_what_it_tells_of(database: Database) -> None:
    before = verify(database).entries

    def record_and_fail() -> None:
        with database.write() as session:
            record(session, SystemEventKind.LOGGED_IN, at=NOW, actor_id=None)
            session.flush()
            raise ConnectionError

    with pytest.raises(ConnectionError):
        record_and_fail()
    assert (verify(database).entries, verify(database).flaws) == (before, ())


def test_anchors_hold_what_has_grown_since_and_come_at_the_most_every_ten_minutes(
    case: Case, database: Database
) -> None:
    def streams(sequence: int) -> set[str]:
        with database.read() as session:
            return set(session.scalars(select(AnchoredHead.stream).where(AnchoredHead.anchor == sequence)))

    case.goes("递交申请材料")
    assert anchor_when_due(case.runtime, NOW) == 1
    assert streams(1) == {"system", case.id}
    other = Case(case.runtime).goes("递交申请材料")
    assert anchor_when_due(case.runtime, NOW + timedelta(minutes=9)) == 0
    assert anchor_when_due(case.runtime, NOW + timedelta(minutes=10)) == 1
    assert streams(2) == {other.id}
    assert anchor_when_due(case.runtime, NOW + timedelta(minutes=20)) == 0, "nothing new, no anchor"
    assert verify(database).flaws == ()


def test_anchoring_leaves_an_instances_revision_alone(case: Case) -> None:
    before = case.goes("递交申请材料").instance().revision
    anchor(case.runtime, NOW)
    assert case.instance().revision == before


class TestOnPostgreSQL:
    """SQLite has one writer at a time, and no roles."""

    @pytest.fixture
    def database_url(self, postgres_url: str) -> str:
        return postgres_url

    def test_an_anchor_waits_for_nobody(self, case: Case, database: Database) -> None:
        case.goes("递交申请材料")
        with database.write() as session:
            session.execute(select(Instance.id).where(Instance.id == case.id).with_for_update())
            anchor(case.runtime, NOW)
            with database.read() as reading:
                assert set(reading.scalars(select(AnchoredHead.stream))) == {"system"}
        anchor(case.runtime, NOW)
        with database.read() as reading:
            assert set(reading.scalars(select(AnchoredHead.stream))) == {"system", case.id}

    def test_the_role_that_the_handbook_describes_runs_the_program_and_can_change_no_entry(
        self, case: Case, database: Database
    ) -> None:
        grants = re.search(r"```sql\n(.*?)```", (ROOT / "docs" / "operations.md").read_text("utf-8"), re.DOTALL)
        assert grants is not None
        with database.engine.begin() as owner:
            if not owner.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = 'onboarding'")):
                owner.execute(text("CREATE ROLE onboarding"))
            owner.execute(text(grants[1]))
        server = Database(database.engine.url.render_as_string(hide_password=False))
        event.listen(server.engine, "connect", _become_the_programs_role)
        runtime = replace(case.runtime, database=server)
        try:
            upgrade(server)
            Case(runtime).goes("投诉属实并限期整改")
            anchor(runtime, NOW)
            assert verify(server).flaws == ()
            for forbidden in (
                "UPDATE events SET kind = kind",
                "DELETE FROM anchors",
                "TRUNCATE system_events",
                "ALTER TABLE events DISABLE TRIGGER ALL",
                "DROP TRIGGER events_append_only ON events",
                "UPDATE alembic_version SET version_num = '0'",
            ):
                with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), server.engine.begin() as to:
                    to.execute(text(forbidden))
        finally:
            server.close()
            with database.engine.begin() as owner:
                owner.execute(text("DROP OWNED BY onboarding"))


def _become_the_programs_role(connection: Any, _record: object) -> None:
    connection.execute("SET ROLE onboarding")
    connection.commit()


class TestEveryScenario:
    """On SQLite: what is written is the same on both."""

    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url

    @pytest.mark.parametrize("scenario", read_folder(FOLDER), ids=lambda scenario: scenario.file)
    def test_leaves_a_trail_that_is_sound_and_holds_nothing_personal(
        self, runtime: Runtime, database: Database, scenario: Scenario
    ) -> None:
        deploy_onboarding(runtime)
        Play(runtime, scenario).run()
        anchor(runtime, NOW)
        found = verify(database)
        assert found.flaws == ()
        with database.read() as session:
            version = deployment.in_force(session, "onboarding")
            assert version is not None
            forms = runtime.definitions.get(session, version.id).forms
            personal = {account.name for account in session.scalars(select(Account))}
            personal |= {account.username for account in session.scalars(select(Account))} - set(Role)
            for answer in session.scalars(select(Answer)):
                personal |= set(_personal(forms[answer.form].fields, answer.data))
            said = [*session.scalars(select(Event.details)), *session.scalars(select(SystemEvent.details))]
        assert len(personal) > 20, "accounts' names, and what forms mark as personal"
        words = {word for details in said for word in _strings(details)}
        assert words & personal == set()
        assert not [value for value in personal if len(value) >= 6 and value in json.dumps(said, ensure_ascii=False)]


def _personal(fields: Iterable[Field], data: dict[str, Any]) -> Iterable[str]:
    """The answers to fields that are marked as personal."""
    for field in fields:
        value = data.get(field.key)
        if field.fields and isinstance(value, list):
            for item in value:
                yield from _personal(field.fields, item)
        elif field.personal and isinstance(value, str) and value:
            yield value


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value
