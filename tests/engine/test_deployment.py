"""Deploying: versions are immutable, the same bytes are the same version, a refusal changes nothing."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from engine.database import Database
from engine.definitions import deployment
from engine.definitions.deployment import DeploymentRefused, FolderUnreadable
from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.errors import NotFound
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS, broken

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
FIRST = GOOD.encode()
SECOND = broken("working_days(3)", "working_days(5)").encode()
BROKEN = broken(' default="Flow_Again"', "").encode()


@dataclass
class Office:
    """An analyst at work: every act is a transaction of its own, a minute after the last."""

    database: Database
    now: datetime = NOW

    def deploys(self, diagram: bytes = FIRST, *, put_in_force: bool = True, note: str = "") -> DefinitionVersion:
        self.now += timedelta(minutes=1)
        with self.database.write() as session:
            return deployment.deploy(
                session,
                diagram=diagram,
                forms=FORMS,
                handlers=HANDLERS,
                by=None,
                now=self.now,
                note=note,
                put_in_force=put_in_force,
            )

    def starts_the_program(self, folder: Path) -> list[DefinitionVersion]:
        self.now += timedelta(minutes=1)
        with self.database.write() as session:
            return deployment.deploy_folder(session, folder, handlers=HANDLERS, now=self.now)

    def puts_in_force(self, version: DefinitionVersion) -> None:
        self.now += timedelta(minutes=1)
        with self.database.write() as session:
            deployment.put_in_force(session, version.id, self.now, by=None)

    @property
    def in_force(self) -> str | None:
        with self.database.read() as session:
            version = deployment.in_force(session, "permit")
            return version.id if version else None

    @property
    def count(self) -> int:
        with self.database.read() as session:
            return session.scalar(select(func.count()).select_from(DefinitionVersion)) or 0


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "permit" / "forms").mkdir(parents=True)
    (tmp_path / "permit" / "permit.bpmn").write_bytes(FIRST)
    for name, schema in FORMS.items():
        (tmp_path / "permit" / "forms" / f"{name}.json").write_text(json.dumps(schema, indent=4))
    return tmp_path / "permit"


def test_a_deployed_version_is_stored_as_it_came_and_put_in_force(office: Office) -> None:
    version = office.deploys(note=" 首次部署 ")
    assert (version.process_id, version.number, version.name, version.name_en) == ("permit", 1, "许可", "Permit")
    assert (version.diagram, version.forms, version.note) == (FIRST, FORMS, "首次部署")
    assert office.in_force == version.id


def test_a_changed_diagram_is_a_new_version_with_the_next_number(office: Office) -> None:
    first, second = office.deploys(FIRST), office.deploys(SECOND)
    assert [first.number, second.number] == [1, 2]
    assert office.in_force == second.id
    with office.database.read() as session:
        assert [version.number for version in deployment.versions(session, "permit")] == [2, 1]
        assert deployment.get_version(session, first.id).diagram == FIRST


def test_a_changed_form_is_a_new_version_too() -> None:
    other = FORMS | {"review": {**FORMS["review"], "properties": {"title": "审核"}}}
    assert deployment.version_hash(FIRST, FORMS) != deployment.version_hash(FIRST, other)
    assert deployment.version_hash(FIRST, FORMS) == deployment.version_hash(FIRST, dict(reversed(FORMS.items())))


def test_the_same_again_is_the_same_version(office: Office) -> None:
    first = office.deploys()
    office.deploys(SECOND)
    assert office.deploys(FIRST, put_in_force=False).id == first.id
    assert office.count == 2
    assert office.in_force != first.id


def test_a_version_can_wait_until_it_is_put_in_force(office: Office) -> None:
    first = office.deploys()
    second = office.deploys(SECOND, put_in_force=False)
    assert office.in_force == first.id
    office.puts_in_force(second)
    assert office.in_force == second.id
    office.puts_in_force(first)
    assert office.in_force == first.id


def test_putting_in_force_what_is_so_already_does_not_move_its_date(office: Office) -> None:
    version = office.deploys()
    with office.database.read() as session:
        since = session.get_one(DefinitionInForce, "permit").since
    office.puts_in_force(version)
    with office.database.read() as session:
        assert session.get_one(DefinitionInForce, "permit").since == since


def test_a_diagram_with_errors_is_refused_and_nothing_changes(office: Office) -> None:
    first = office.deploys()
    with pytest.raises(DeploymentRefused) as refused:
        office.deploys(BROKEN)
    assert {finding.rule for finding in refused.value.findings} == {"gateways_decide"}
    assert "默认连线" in refused.value.to("zh")
    assert "default flow" in refused.value.to("en")
    assert (office.in_force, office.count) == (first.id, 1)


def test_an_unknown_version_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound), office.database.write() as session:
        deployment.put_in_force(session, "0" * 32, NOW, by=None)


def test_a_folder_is_deployed_once(office: Office, folder: Path) -> None:
    (version,) = office.starts_the_program(folder)
    assert office.in_force == version.id
    assert office.starts_the_program(folder) == []
    assert office.count == 1


def test_a_restart_never_overrides_what_an_analyst_has_put_in_force(office: Office, folder: Path) -> None:
    office.starts_the_program(folder)
    by_analyst = office.deploys(SECOND)
    assert office.starts_the_program(folder) == []
    assert office.in_force == by_analyst.id


def test_a_folder_that_has_changed_is_deployed(office: Office, folder: Path) -> None:
    office.starts_the_program(folder)
    (folder / "permit.bpmn").write_bytes(SECOND)
    (version,) = office.starts_the_program(folder)
    assert (office.in_force, version.number) == (version.id, 2)


def test_the_layout_of_a_form_file_makes_no_new_version(office: Office, folder: Path) -> None:
    office.starts_the_program(folder)
    (folder / "forms" / "review.json").write_text(json.dumps(FORMS["review"]))
    assert office.starts_the_program(folder) == []


def test_a_folder_with_a_broken_diagram_or_form_says_so(office: Office, folder: Path) -> None:
    (folder / "permit.bpmn").write_bytes(BROKEN)
    with pytest.raises(DeploymentRefused):
        office.starts_the_program(folder)
    (folder / "forms" / "review.json").write_text("{")
    with pytest.raises(FolderUnreadable, match=r"review\.json"):
        office.starts_the_program(folder)
    assert office.in_force is None
