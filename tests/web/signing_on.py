"""The application with an OpenID provider configured, and a browser that signs on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.audit.tables import SystemEvent
from tests.provider import CLIENT, SECRET, TestProvider
from web.assembly import create_app
from web.settings import SignOn


@contextmanager
def with_signon(app: Flask, provider: TestProvider, **more: Any) -> Iterator[Flask]:
    """The application outside a trial, with the provider configured; `more` are settings of `SignOn`."""
    about = ("preferred_username", "openid profile", "粤政易登录", "Sign on")
    signon = SignOn(provider.issuer, CLIENT, SECRET, *about, **more)
    settings = replace(app.extensions["settings"], trial=False, public_url="http://localhost", signon=signon)
    app = create_app(settings)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["runtime"].database.close()


def sign_on(browser: FlaskClient, provider: TestProvider, then: str = "") -> TestResponse:
    return browser.get(path_of(provider.grant(browser.get("/signon", query_string={"next": then}).location)))


def path_of(address: str) -> str:
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("http", "localhost", "/signon/back")
    return f"{parts.path}?{parts.query}"


def is_logged_in(browser: FlaskClient) -> bool:
    return browser.get("/account").status_code == 200


def events(app: Flask) -> list[tuple[str, str | None, dict[str, Any]]]:
    with app.extensions["runtime"].database.read() as reading:
        rows = reading.scalars(select(SystemEvent).order_by(SystemEvent.sequence)).all()
        return [(row.kind, row.actor_id, row.details) for row in rows]
