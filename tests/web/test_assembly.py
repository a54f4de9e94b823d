"""What every answer of the application carries, and when the application refuses to start."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.database import Database
from engine.runtime.tables import TrialClock
from engine.secrets import Keyring, KeyringRefused
from tests.conftest import PASSWORD
from web.assembly import create_app
from web.settings import Settings


@pytest.fixture
def settings(app: Flask) -> Settings:
    settings: Settings = app.extensions["settings"]
    return settings


@pytest.mark.parametrize("path", ["/login", "/nowhere", "/static/icon.svg"])
def test_every_answer_carries_the_security_headers(stranger: FlaskClient, path: str) -> None:
    with stranger.get(path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in headers


def test_each_request_has_a_nonce_of_its_own_and_the_page_uses_it(stranger: FlaskClient) -> None:
    nonces = set()
    for _ in range(2):
        answer = stranger.get("/login")
        nonce = answer.headers["Content-Security-Policy"].split("'nonce-")[1].split("'")[0]
        assert f'nonce="{nonce}"' in answer.text
        nonces.add(nonce)
    assert len(nonces) == 2


def test_over_https_only_the_cookie_and_the_browser_are_told_so(settings: Settings) -> None:
    app = create_app(replace(settings, https_only=True))
    answer = app.test_client().get("/login", base_url="https://localhost")
    assert "Strict-Transport-Security" in answer.headers
    assert "Secure" in answer.headers["Set-Cookie"]
    app.extensions["runtime"].database.close()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: FlaskClient) -> None:
    cookie = stranger.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_post_without_the_forms_token_is_refused(app: Flask, stranger: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = stranger.post("/login", data={"username": "enterprise-a", "password": PASSWORD})
    assert answer.status_code == 400


def test_too_large_a_request_is_refused(app: Flask, stranger: FlaskClient) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    assert stranger.post("/login", data={"username": "x" * 2000}).status_code == 413


def test_a_trial_shows_its_people_on_the_log_in_page(stranger: FlaskClient) -> None:
    page = stranger.get("/login").text
    assert "enterprise-a" in page
    assert PASSWORD in page


def test_outside_a_trial_the_log_in_page_names_nobody(settings: Settings) -> None:
    app = create_app(replace(settings, trial=False))
    page = app.test_client().get("/login").text
    assert "enterprise-a" not in page
    assert PASSWORD not in page
    app.extensions["runtime"].database.close()


def test_a_database_whose_clock_was_moved_is_not_used_for_real(settings: Settings, database: Database) -> None:
    with database.write() as session:
        session.add(TrialClock(id=1, offset_seconds=60))
    app = create_app(replace(settings, trial=False))

    answer = app.test_client().get("/login")
    assert answer.status_code == 422
    assert "TRIAL=1" in answer.text
    for words in (["serve"], ["tick"], ["inbox", "--as", "guangzhou"]):
        result = app.test_cli_runner().invoke(args=words)
        assert result.exit_code == 1
        assert "TRIAL=1" in result.stderr
    assert app.test_cli_runner().invoke(args=["lint", "--alone", "bpmn/onboarding"]).exit_code == 0
    app.extensions["runtime"].database.close()


def test_a_keyring_that_should_be_elsewhere_is_missed_rather_than_made(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "keyring"
    with pytest.raises(KeyringRefused):
        create_app(replace(settings, keyring_file=elsewhere))
    assert not elsewhere.exists()


def test_a_keyring_in_the_environment_takes_the_place_of_the_file(settings: Settings, tmp_path: Path) -> None:
    text, file = Keyring.new_text(), tmp_path / "elsewhere"
    app = create_app(replace(settings, keyring=text, keyring_file=file))
    sealed = Keyring.from_text(text).encrypt(b"secret", bound_to="a row")
    assert app.extensions["runtime"].keyring.decrypt(sealed, bound_to="a row") == b"secret"
    assert not file.exists()
    assert text not in repr(settings)
    app.extensions["runtime"].database.close()
