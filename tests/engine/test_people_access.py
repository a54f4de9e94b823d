"""The table of roles and actions, and the conditions that keep what is not theirs out of people's queries."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from engine.database import Database
from engine.definitions.tables import DefinitionVersion
from engine.errors import NotAllowed
from engine.people import access
from engine.people.access import ALLOWED, Action, may, require
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.runtime.tables import Instance, Party, Task
from engine.telling.tables import Notice, Severity
from tests.conftest import Cast

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)


def someone(role: Role) -> Actor:
    return Actor("account", "name", "Name", role, "organisation")


WHO_MAY = {
    Action.START_APPLICATION: {Role.ENTERPRISE},
    Action.WORK_ON_TASKS: {Role.ENTERPRISE, Role.AUTHORITY, Role.SUPPORT},
    Action.SEND_MESSAGES: {Role.ENTERPRISE, Role.AUTHORITY, Role.SUPPORT},
    Action.SEE_INSTANCES: {Role.ENTERPRISE, Role.AUTHORITY, Role.PROVINCE},
    Action.SEE_ALL_INSTANCES: {Role.PROVINCE},
    Action.SEE_KEYS: {Role.ENTERPRISE},
    Action.REVOKE_KEYS: {Role.ENTERPRISE, Role.AUTHORITY},
    Action.SEE_PERSONAL_DATA: {Role.ENTERPRISE, Role.AUTHORITY, Role.SUPPORT},
    Action.SEE_NOTICES: {Role.ENTERPRISE, Role.AUTHORITY, Role.SUPPORT, Role.PROVINCE},
    Action.SEE_ALL_WARNINGS: {Role.PROVINCE},
    Action.SEE_VERSIONS: {Role.ANALYST, Role.ADMIN},
    Action.DEPLOY: {Role.ANALYST},
    Action.ADMINISTER: {Role.ADMIN},
    Action.INTERVENE: {Role.ADMIN},
    Action.WITHDRAW: {Role.ENTERPRISE},
    Action.MANAGE_ACCOUNTS: {Role.ADMIN},
    Action.MANAGE_SYSTEMS: {Role.ADMIN},
    Action.REASSIGN_TASKS: set(),  # heads of sections only
    Action.MOVE_TRIAL_CLOCK: {Role.ADMIN},
    Action.CONFIRM_SHORTENING: {Role.AUTHORITY},
    Action.PAUSE_LIMIT: {Role.AUTHORITY},
    Action.EXTEND_LIMIT: {Role.AUTHORITY},
}


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_exactly_what_the_table_says(role: Role, action: Action) -> None:
    allowed = role in WHO_MAY[action]
    assert may(someone(role), action) is allowed
    if allowed:
        require(someone(role), action)
    else:
        with pytest.raises(NotAllowed):
            require(someone(role), action)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_who_manages_accounts_may_that_beside_what_the_role_may(role: Role) -> None:
    manager = replace(someone(role), manages=True)
    beside = {Action.MANAGE_ACCOUNTS} | ({Action.MANAGE_SYSTEMS} if role is Role.AUTHORITY else set())
    assert {action for action in Action if may(manager, action)} == ALLOWED[role] | beside


def test_every_role_has_its_row_in_the_table() -> None:
    assert set(ALLOWED) == set(Role)


@pytest.fixture
def two_cases(database: Database, cast: Cast) -> None:
    """Each enterprise has an application, one in Guangzhou and one in Shenzhen, with tasks and a 预警 on each side."""
    cases = {
        "guangzhou": (cast.enterprise, cast.guangzhou, cast.guangzhou_support),
        "shenzhen": (cast.other_enterprise, cast.shenzhen, cast.shenzhen_support),
    }
    with database.write() as session:
        version = DefinitionVersion(
            process_id="p", number=1, name="p", sha256="0" * 64, diagram=b"", forms={}, deployed_at=NOW
        )
        session.add(version)
        session.flush()
        for name, (enterprise, authority, support) in cases.items():
            session.add(
                Instance(
                    id=name,
                    version_id=version.id,
                    organisation_id=enterprise.organisation_id,
                    started_by=enterprise.account_id,
                    started_at=NOW,
                    state=b"",
                )
            )
            session.flush()
            for party in (enterprise, authority, support):
                session.add(Party(instance_id=name, role=party.role, organisation_id=party.organisation_id))
                session.add(
                    Task(
                        id=f"{name}-{party.role}",
                        instance_id=name,
                        element_id="t",
                        name="t",
                        role=party.role,
                        organisation_id=party.organisation_id,
                        opened_at=NOW,
                    )
                )
            for severity in Severity:
                session.add(
                    Notice(
                        id=f"{name}-{severity}",
                        organisation_id=authority.organisation_id,
                        instance_id=name,
                        element_id="t",
                        severity=severity,
                        text="t",
                        at=NOW,
                    )
                )


@pytest.mark.usefixtures("two_cases")
class TestWhatPeopleSee:
    def instances(self, database: Database, actor: Actor) -> set[str]:
        condition = access.sees_instance(
            actor, Instance.id, party_instance_id=Party.instance_id, party_organisation_id=Party.organisation_id
        )
        with database.read() as session:
            return set(session.scalars(select(Instance.id).where(condition)))

    def tasks(self, database: Database, actor: Actor) -> set[str]:
        with database.read() as session:
            condition = access.works_on_task(actor, Task.organisation_id, Task.role)
            return set(session.scalars(select(Task.id).where(condition)))

    def notices(self, database: Database, actor: Actor) -> set[str]:
        is_warning = Notice.severity == Severity.WARNING
        with database.read() as session:
            condition = access.sees_notice(actor, Notice.organisation_id, is_warning=is_warning)
            return set(session.scalars(select(Notice.id).where(condition)))

    def test_enterprises_and_authorities_see_the_instances_they_are_a_party_of(
        self, database: Database, cast: Cast
    ) -> None:
        for actor in (cast.enterprise, cast.enterprise_colleague, cast.guangzhou, cast.guangzhou_colleague):
            assert self.instances(database, actor) == {"guangzhou"}
        for actor in (cast.other_enterprise, cast.shenzhen):
            assert self.instances(database, actor) == {"shenzhen"}

    def test_the_province_sees_all_instances_and_works_on_none(self, database: Database, cast: Cast) -> None:
        assert self.instances(database, cast.province) == {"guangzhou", "shenzhen"}
        assert self.tasks(database, cast.province) == set()

    def test_a_support_unit_sees_its_tasks_but_not_the_instance_around_them(
        self, database: Database, cast: Cast
    ) -> None:
        assert self.instances(database, cast.guangzhou_support) == set()
        assert self.tasks(database, cast.guangzhou_support) == {"guangzhou-support"}

    def test_analysts_and_administrators_see_no_content(self, database: Database, cast: Cast) -> None:
        for actor in (cast.analyst, cast.admin):
            assert self.instances(database, actor) == set()
            assert self.tasks(database, actor) == set()
            assert self.notices(database, actor) == set()

    def test_an_inbox_holds_the_own_organisations_tasks_only(self, database: Database, cast: Cast) -> None:
        assert self.tasks(database, cast.enterprise) == {"guangzhou-enterprise"}
        assert self.tasks(database, cast.guangzhou) == {"guangzhou-authority"}
        assert self.tasks(database, cast.shenzhen) == {"shenzhen-authority"}

    def test_a_task_of_the_organisation_in_another_role_is_not_in_the_inbox(
        self, database: Database, cast: Cast
    ) -> None:
        elsewhere = replace(cast.guangzhou, role=Role.SUPPORT)
        assert self.tasks(database, elsewhere) == set()

    def test_notices_go_to_their_organisation_and_every_warning_to_the_province(
        self, database: Database, cast: Cast
    ) -> None:
        assert self.notices(database, cast.guangzhou) == {"guangzhou-info", "guangzhou-warning"}
        assert self.notices(database, cast.province) == {"guangzhou-warning", "shenzhen-warning"}
        assert self.notices(database, cast.enterprise) == set()
