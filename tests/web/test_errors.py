"""Every kind of refusal becomes a page with a sentence, advice and a way back."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from engine.database import Database
from engine.errors import Broken, Conflict, Invalid, NotAllowed, NotFound, Refusal, TaskClaimed, Unavailable
from engine.people.accounts import Actor
from tests.conftest import Cast
from web.session import public

ClientOf = Callable[[Actor], FlaskClient]


def raising(app: Flask, error: Exception) -> None:
    @app.route("/raise", methods=["GET", "POST"])
    @public
    def fail() -> str:
        raise error


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (NotFound(), 404),
        (NotAllowed(), 403),
        (Conflict(), 409),
        (Invalid(), 422),
        (Broken(), 500),
        (Unavailable(), 503),
    ],
)
def test_each_kind_of_refusal_has_its_status(app: Flask, refusal: Refusal, status: int) -> None:
    raising(app, refusal)
    answer = app.test_client().get("/raise")
    assert answer.status_code == status
    assert refusal.text.zh in answer.text
    assert 'href="/"' in answer.text


def test_a_refusal_tells_its_facts_in_the_readers_language(app: Flask) -> None:
    raising(app, TaskClaimed(who="何敏"))
    client = app.test_client()
    assert "该任务已由何敏签收。" in client.get("/raise").text
    client.post("/language", data={"language": "en"})
    assert "This task has been claimed by 何敏." in client.get("/raise").text


def test_a_fact_can_not_bring_markup_into_the_page(app: Flask) -> None:
    raising(app, TaskClaimed(who="<script>alert(1)</script>"))
    assert "<script>alert" not in app.test_client().get("/raise").text


def test_a_bug_shows_a_page_and_no_stack_trace(app: Flask) -> None:
    raising(app, ZeroDivisionError("a secret detail"))
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    answer = app.test_client().get("/raise")
    assert answer.status_code == 500
    assert "系统出现问题，内容没有提交。" in answer.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_page_for_a_bug_needs_no_database(app: Flask, client_of: ClientOf, cast: Cast) -> None:
    raising(app, ZeroDivisionError())
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    client = client_of(cast.enterprise)
    app.jinja_env.globals["navigation"] = app.jinja_env.globals["signed_in"] = None  # would fail if called
    assert client.get("/raise").status_code == 500


def test_an_unknown_address_is_told_in_words(client_of: ClientOf, cast: Cast) -> None:
    answer = client_of(cast.enterprise).get("/no-such-page")
    assert answer.status_code == 404
    assert "找不到所请求的内容" in answer.text


def test_what_is_too_large_is_told_in_words(app: Flask, client_of: ClientOf, cast: Cast) -> None:
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = client_of(cast.enterprise).post("/language", data={"next": "x" * 2000})
    assert answer.status_code == 413
    assert "提交的内容太大" in answer.text


def test_a_refused_post_leads_back_to_its_page(app: Flask) -> None:
    raising(app, Conflict())
    answer = app.test_client().post("/raise", headers={"Referer": "http://localhost/inbox?view=done"})
    assert 'href="/inbox?view=done"' in answer.text
    answer = app.test_client().post("/raise", headers={"Referer": "http://evil.example/inbox"})
    assert "evil" not in answer.text


def test_a_database_that_is_away_is_told_on_a_page_that_asks_it_nothing(app: Flask) -> None:
    """With a status that proxies and monitors understand."""
    away = Database("sqlite:////no/such/folder/onboarding.db")

    @app.route("/needs-the-database")
    @public
    def needs_the_database() -> str:
        with away.read() as session:
            return str(session.scalar(text("SELECT 1")))

    app.jinja_env.globals["navigation"] = app.jinja_env.globals["signed_in"] = None  # would fail if called
    answer = app.test_client().get("/needs-the-database")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "系统暂时连不上数据库，内容没有提交" in answer.text
    assert "no/such/folder" not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/inbox"), ("POST", "/tasks/1"), ("GET", "/no-such-page")])
def test_whoever_is_logged_in_when_the_database_goes_is_told_so(
    app: Flask, client_of: ClientOf, cast: Cast, method: str, path: str
) -> None:
    """Finding out who asks already needs the database; the page that says so must not try that again."""
    client = client_of(cast.guangzhou)
    away = Database("sqlite:////no/such/folder/onboarding.db")
    app.extensions["runtime"] = replace(app.extensions["runtime"], database=away)

    answer = client.open(path, method=method)

    assert answer.status_code == 503
    assert "系统暂时连不上数据库，内容没有提交" in answer.text
