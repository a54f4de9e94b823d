"""The schema that migrating makes is the schema the tables describe, on both databases."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from engine.database import Base, Database, new_id
from engine.migrations import upgrade
from tests.conftest import ROOT, PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a single table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    name = f"t{new_id()}"
    postgres.run(f"CREATE DATABASE {name}")
    database = Database(postgres.url(name))
    yield database
    database.close()
    postgres.run(f"DROP DATABASE {name} WITH (FORCE)")


def differences(database: Database) -> list[object]:
    with database.read() as session:
        return list(compare_metadata(MigrationContext.configure(session.connection()), Base.metadata))


def test_migrating_an_empty_database_makes_exactly_the_tables_of_the_code(empty: Database) -> None:
    assert differences(empty), "an empty database differs, or the comparison is blind"
    upgrade(empty)
    assert differences(empty) == []


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    upgrade(empty)
    tables = inspect(empty.engine).get_table_names()
    upgrade(empty)
    assert inspect(empty.engine).get_table_names() == tables
    assert differences(empty) == []


def test_processes_that_start_together_wait_for_each_other(empty: Database) -> None:
    url = empty.engine.url.render_as_string(hide_password=False)
    start = "import sys; from engine.database import Database; from engine.migrations import upgrade; "
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", start + "upgrade(Database(sys.argv[1]))", url],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert differences(empty) == []
