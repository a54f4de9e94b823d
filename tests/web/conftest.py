"""The pages, over SQLite: what differs between the databases is the engine's business and tested there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from engine import clock
from engine.database import Database
from engine.people import sessions
from engine.people.accounts import Actor
from engine.people.tables import Proof
from engine.runtime.runtime import Runtime
from web.assembly import create_app
from web.settings import Settings


def menu(page: str) -> list[str]:
    """The items of a page's main menu, as they are read out."""
    items = html.fromstring(page).iterfind(".//a[@class='govuk-service-navigation__link']")
    return [" ".join(str(item.xpath("string()")).split()) for item in items]


def logged_in(app: Flask, actor: Actor) -> FlaskClient:
    """A browser that is logged in at this application; verifying a password would take its time."""
    client = app.test_client()
    with app.extensions["runtime"].database.write() as writing:
        token = sessions.begin(writing, actor.account_id, agent="", address="127.0.0.1", by=Proof.CODE, now=clock.now())
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return client


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on trial; CSRF protection is off but for the tests that turn it on."""
    app = create_app(
        Settings(
            database_url=database_url,
            data_dir=tmp_path,
            secret_key="a key for tests only",
            keyring_file=tmp_path / "keyring",
            trial=True,
        )
    )
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["runtime"].database.close()


@pytest.fixture
def runtime(app: Flask) -> Runtime:
    """The engine as the pages use it."""
    runtime: Runtime = app.extensions["runtime"]
    return runtime


@pytest.fixture
def database(runtime: Runtime) -> Database:
    return runtime.database


@pytest.fixture
def client_of(app: Flask) -> Callable[[Actor], FlaskClient]:
    """A browser that is logged in: `client_of(cast.enterprise)`."""

    return lambda actor: logged_in(app, actor)


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser that is not logged in."""
    return app.test_client()
