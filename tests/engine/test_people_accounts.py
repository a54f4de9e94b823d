"""Organisations are found by role and key; people prove who they are with a password."""

from datetime import UTC, datetime

import pytest

from engine.database import Database
from engine.errors import NotFound, Refusal
from engine.people.accounts import (
    OrganisationKeyTaken,
    OrganisationUnnamed,
    UsernameRefused,
    UsernameTaken,
    WrongCredentials,
    actor,
    authenticate,
    create_account,
    create_organisation,
    organisation_for,
)
from engine.people.passwords import PasswordRefused
from engine.people.tables import Account, Role
from tests.conftest import PASSWORD, Cast

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)


def test_a_person_who_knows_the_password_is_let_in(database: Database, cast: Cast) -> None:
    with database.read() as session:
        assert authenticate(session, "enterprise-a", PASSWORD) == cast.enterprise
        assert authenticate(session, "  Enterprise-A ", PASSWORD) == cast.enterprise


@pytest.mark.parametrize(
    ("username", "password"),
    [("enterprise-a", "wrong-password"), ("nobody", PASSWORD), ("", ""), ("enterprise-a", PASSWORD + " ")],
)
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(
    database: Database, username: str, password: str
) -> None:
    with database.read() as session, pytest.raises(WrongCredentials):
        authenticate(session, username, password)


def test_a_password_is_kept_as_an_argon2id_hash_only(database: Database, cast: Cast) -> None:
    with database.read() as session:
        account = session.get_one(Account, cast.enterprise.account_id)
    assert account.password_hash.startswith("$argon2id$")
    assert PASSWORD not in account.password_hash


def test_an_inactive_account_is_let_in_no_more(database: Database, cast: Cast) -> None:
    with database.write() as session:
        session.get_one(Account, cast.enterprise.account_id).active = False
    with database.read() as session:
        with pytest.raises(WrongCredentials):
            authenticate(session, "enterprise-a", PASSWORD)
        with pytest.raises(NotFound):
            actor(session, cast.enterprise.account_id)


def test_an_account_takes_its_role_from_its_organisation(database: Database) -> None:
    with database.write() as session:
        unit = create_organisation(session, Role.SUPPORT, "测试单位", ["449999"], now=NOW)
        account = create_account(
            session, organisation=unit, username="Unit.One", password="long enough to keep", name="何敏", now=NOW
        )
        assert (account.username, account.role, account.organisation_id) == ("unit.one", Role.SUPPORT, unit.id)


@pytest.mark.parametrize(
    ("username", "password", "refusal"),
    [
        ("有空格 的名字", "long enough to keep", UsernameRefused),
        ("-dash-first", "long enough to keep", UsernameRefused),
        ("x" * 61, "long enough to keep", UsernameRefused),
        ("new-person", "Xk3!vq9Lm2#", PasswordRefused),
        ("new-person", "x7" * 65, PasswordRefused),
        ("ENTERPRISE-A", "long enough to keep", UsernameTaken),
    ],
)
def test_an_unusable_account_is_refused(
    database: Database, cast: Cast, username: str, password: str, refusal: type[Refusal]
) -> None:
    with database.write() as session:
        organisation = organisation_for(session, Role.AUTHORITY, "440100")
        assert organisation is not None
        with pytest.raises(refusal):
            create_account(
                session, organisation=organisation, username=username, password=password, name="何敏", now=NOW
            )


def test_a_key_leads_to_one_organisation_of_a_role(database: Database, cast: Cast) -> None:
    with database.read() as session:
        authority = organisation_for(session, Role.AUTHORITY, "440100")
        support = organisation_for(session, "support", "440100")
        assert authority is not None
        assert support is not None
        assert (authority.id, support.id) == (cast.guangzhou.organisation_id, cast.guangzhou_support.organisation_id)
        assert organisation_for(session, Role.AUTHORITY, "110000") is None


def test_one_support_unit_may_serve_several_cities(database: Database) -> None:
    with database.write() as session:
        unit = create_organisation(session, Role.SUPPORT, "联合单位", ["449901", "449902"], now=NOW)
        for city in ("449901", "449902"):
            served_by = organisation_for(session, Role.SUPPORT, city)
            assert served_by is not None
            assert served_by.id == unit.id


def test_a_key_that_is_taken_is_refused_with_the_holder_named(database: Database, cast: Cast) -> None:
    with database.write() as session, pytest.raises(OrganisationKeyTaken, match="广州市住房和城乡建设局"):
        create_organisation(session, Role.AUTHORITY, "另一个广州", ["440100"], now=NOW)


@pytest.mark.parametrize(("name", "keys"), [("  ", ["449999"]), ("单位", [" "])])
def test_an_organisation_without_name_or_with_a_blank_key_is_refused(
    database: Database, name: str, keys: list[str]
) -> None:
    with database.write() as session, pytest.raises(OrganisationUnnamed):
        create_organisation(session, Role.AUTHORITY, name, keys, now=NOW)
