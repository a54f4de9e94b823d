"""Before a key is shown or the account's safety is touched, a session that has grown old shows again whose it is."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine import clock
from engine.audit.tables import SystemEvent
from engine.people.accounts import Actor
from engine.people.tables import LoginSession, System
from engine.people.throttling import FREE_ATTEMPTS
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from tests.casework import Case, deploy_onboarding
from tests.conftest import PASSWORD, Cast
from web.proof import RECENT

ClientOf = Callable[[Actor], FlaskClient]
SENSITIVE = ("/account/second-factor", "/account/second-factor/remove")


def grows_old(runtime: Runtime) -> None:
    """Every session was begun, and its owner last asked, a little longer ago than counts as recent."""
    before = clock.now() - RECENT - timedelta(seconds=1)
    with runtime.database.write() as session:
        session.execute(update(LoginSession).values(started_at=before, proven_at=before))


@pytest.fixture
def key_page(runtime: Runtime) -> str:
    """Where the enterprise's unseen test key is shown."""
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("收到测试密钥")
    with runtime.database.read() as session:
        key = session.scalars(select(IssuedKey.id)).one()
    return f"/instances/{case.id}/keys/{key}"


def test_right_after_logging_in_nothing_is_asked(client_of: ClientOf, cast: Cast, key_page: str) -> None:
    enterprise = client_of(cast.enterprise)
    assert enterprise.get(key_page).status_code == 200
    assert "rntest_" in enterprise.post(key_page).text


def test_an_old_session_shows_a_key_after_the_password_only_and_goes_on_where_it_was(
    client_of: ClientOf, cast: Cast, key_page: str, runtime: Runtime
) -> None:
    enterprise = client_of(cast.enterprise)
    grows_old(runtime)
    for asked in (enterprise.get(key_page), enterprise.post(key_page)):
        assert (asked.status_code, asked.location) == (303, f"/proof?next={key_page}")
    with runtime.database.read() as session:
        assert session.scalars(select(IssuedKey.revealed_at)).one() is None

    proof = asked.location
    assert "确认是您本人" in enterprise.get(proof).text
    refused = enterprise.post(proof, data={"password": "not this one"})
    assert refused.status_code == 422
    assert 'id="password-error"' in refused.text
    assert enterprise.get(key_page).status_code == 303

    assert enterprise.post(proof, data={"password": PASSWORD}).location == key_page
    assert "rntest_" in enterprise.post(key_page).text


def test_a_proof_counts_in_its_own_session_only(client_of: ClientOf, cast: Cast, runtime: Runtime) -> None:
    here, there = client_of(cast.enterprise), client_of(cast.enterprise)
    grows_old(runtime)
    here.post("/proof", data={"password": PASSWORD})
    assert [client.get(SENSITIVE[0]).status_code for client in (here, there)] == [200, 303]


@pytest.mark.parametrize("address", SENSITIVE)
def test_the_second_factor_is_neither_given_up_nor_set_up_by_an_old_session(
    client_of: ClientOf, cast: Cast, runtime: Runtime, address: str
) -> None:
    client = client_of(cast.enterprise)
    grows_old(runtime)
    assert client.get(address).location == client.post(address).location == f"/proof?next={address}"


def test_a_system_gets_no_credential_from_an_old_session(client_of: ClientOf, cast: Cast, runtime: Runtime) -> None:
    client = client_of(cast.admin)
    grows_old(runtime)
    asked = client.post("/systems", data={"name": "正式环境", "city": "440100"})
    assert asked.location == "/proof?next=/systems"
    with runtime.database.read() as session:
        assert session.scalars(select(System)).all() == []


def test_what_is_not_theirs_is_not_found_before_anything_is_asked(
    client_of: ClientOf, cast: Cast, runtime: Runtime, key_page: str
) -> None:
    other = client_of(cast.other_enterprise)
    grows_old(runtime)
    assert [other.get(key_page).status_code, other.post(key_page).status_code] == [404, 404]


def test_guessing_is_slowed_down_and_never_leads_to_another_site(
    client_of: ClientOf, cast: Cast, runtime: Runtime
) -> None:
    client = client_of(cast.enterprise)
    assert client.post("/proof?next=//evil.example", data={"password": PASSWORD}).location == "/account"
    for _ in range(FREE_ATTEMPTS):
        assert client.post("/proof", data={"password": "not this one"}).status_code == 422
    answer = client.post("/proof", data={"password": PASSWORD})
    assert answer.status_code == 429
    assert "Retry-After" in answer.headers


def test_a_stranger_is_led_to_the_log_in_page(stranger: FlaskClient) -> None:
    assert stranger.get("/proof").location.startswith("/login")


def test_both_outcomes_are_in_the_audit_trail(app: Flask, client_of: ClientOf, cast: Cast, runtime: Runtime) -> None:
    client = client_of(cast.enterprise)
    client.post("/proof", data={"password": "not this one"})
    client.post("/proof", data={"password": PASSWORD})
    with runtime.database.read() as session:
        newest = session.scalars(select(SystemEvent).order_by(SystemEvent.sequence.desc()).limit(2)).all()
    assert [event.kind for event in newest] == ["proven_again", "login_failed"]
