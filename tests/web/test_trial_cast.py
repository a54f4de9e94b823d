"""The trial's people can play every part of the process, in every city the forms offer."""

import json

import pytest
from sqlalchemy import func, select

from engine.calendar.regions import CITIES
from engine.clock import now
from engine.database import Database
from engine.definitions.checks import uscc
from engine.people.accounts import organisation_for
from engine.people.tables import Account, Role
from tests.casework import FOLDER
from web import trial_cast
from web.trial_cast import PASSWORD, members


@pytest.fixture
def whole_cast(database: Database) -> Database:
    with database.write() as session:
        trial_cast.seed(session, password=PASSWORD, now=now())
    return database


def cities_offered() -> set[str]:
    """The values of every choice of a city in the forms."""
    components = json.loads((FOLDER / "forms" / "basic.json").read_text("utf-8"))["components"]
    return {
        option["value"]
        for component in components
        if component.get("key") == "city"
        for option in component.get("values", ())
    }


def test_the_forms_offer_guangdongs_21_cities_and_no_other() -> None:
    assert len(CITIES) == 21
    assert cities_offered() == set(CITIES)


def test_every_city_has_an_authority_and_a_support_unit_with_somebody_in_it(whole_cast: Database) -> None:
    with whole_cast.read() as session:
        for city in CITIES:
            for role in (Role.AUTHORITY, Role.SUPPORT):
                organisation = organisation_for(session, role, city)
                assert organisation is not None, (role, city)
                people = select(func.count()).where(Account.organisation_id == organisation.id)
                assert session.scalar(people), (role, city)


def test_every_role_can_be_played() -> None:
    assert {member.role for member in members()} == set(Role)


def test_the_enterprises_have_valid_credit_codes() -> None:
    codes = [key for member in members() if member.role is Role.ENTERPRISE for key in member.keys]
    assert len(codes) == 2
    assert [uscc(code) for code in codes] == codes
