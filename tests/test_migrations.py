"""The schema that migrating makes is the schema the tables describe, on both databases; and what an older version of
the program wrote goes on where it stood."""

import gzip
import json
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, select, text
from sqlalchemy.exc import DBAPIError

from engine import migrations
from engine.audit.tables import Stream
from engine.database import Base, Database, new_id
from engine.migrations import upgrade
from engine.people.accounts import actor_named
from engine.runtime import checking, instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, Instance, Task, TaskState
from engine.trust.verification import verify
from tests.conftest import ROOT, PostgresServer

OLDER = ROOT / "tests" / "older"  # rows by table, in an order they can be inserted in: what each revision once held


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


def older_rows(revision: str) -> list[tuple[str, dict[str, Any]]]:
    with gzip.open(OLDER / f"{revision}.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [
            (table, {column: _plain(value) for column, value in row.items()})
            for line in lines
            for table, row in json.loads(line).items()
        ]


def _plain(value: Any) -> Any:
    match value:
        case {"bytes": str(encoded), **rest} if not rest:
            return b64decode(encoded)
        case {"at": str(moment), **rest} if not rest:
            return datetime.fromisoformat(moment)
    return value


def fill_as_of(database: Database, revision: str) -> None:
    """Bring an empty database to an older revision and put in what the program of that time had written."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.write() as session:
        connection = configuration.attributes["connection"] = session.connection()
        command.upgrade(configuration, revision)
        schema = MetaData()
        schema.reflect(connection)
        connection.execute(schema.tables["streams"].delete())  # the rows it begins with; as filled, they come below
        for table, rows in groupby(older_rows(revision), key=lambda row: row[0]):
            connection.execute(schema.tables[table].insert(), [row for _, row in rows])


class TestADatabaseOfAnOlderVersion:
    """Each revision a program was released with: `0001` holds four applications at different points."""

    @pytest.fixture(params=sorted(path.name.partition(".")[0] for path in OLDER.iterdir()))
    def database(self, empty: Database, request: pytest.FixtureRequest) -> Database:
        fill_as_of(empty, request.param)
        upgrade(empty)
        return empty

    def test_gets_the_tables_of_the_code_and_is_still_sound(self, database: Database, runtime: Runtime) -> None:
        assert differences(database) == []
        verified = verify(database)
        assert (verified.flaws, verified.anchors) == ((), 1)
        with database.read() as session:
            last = (Event.instance_id == Instance.id) & (Event.sequence == Instance.history_length)
            moments = session.execute(select(Instance.history_at, Event.at).join(Event, last)).all()
            assert [kept for kept, _ in moments] == [at for _, at in moments]
            assert len(moments) == 4
            assert checking.check(session, runtime.definitions) == []

    def test_still_refuses_to_change_the_audit_trail(self, database: Database) -> None:
        for table, column in (("events", "at"), ("system_events", "at"), ("anchors", "at"), ("anchored_heads", "head")):
            for change in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column}"):
                with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
                    session.execute(text(change))

    def test_goes_on_where_it_stood(self, database: Database, runtime: Runtime) -> None:
        with database.read() as session:
            official = actor_named(session, "guangzhou")
            waiting = select(Task).where(Task.state == TaskState.OPEN)
            (review,) = session.scalars(waiting.where(Task.element_id == "Review_Materials"))
            before = session.get_one(Stream, "system").length
        assert review.due_at is not None

        assert timers.fire_due(runtime, review.due_at) == 2, "the review's limit and, a day earlier, a rectification's"
        assert _open_in(database, review.instance_id) == ["Explain_Overdue", "Review_Materials"]
        instances.complete(runtime, review.id, {"review": {"result": "pass"}}, official, review.due_at)

        assert _open_in(database, review.instance_id) == ["Explain_Overdue", "Issue_Test_Key"]
        assert verify(database).flaws == ()
        with database.read() as session:
            assert checking.check(session, runtime.definitions) == []
            assert session.get_one(Stream, "system").length == before


def _open_in(database: Database, instance_id: str) -> list[str]:
    with database.read() as session:
        waiting = select(Task.element_id).where(Task.instance_id == instance_id, Task.state == TaskState.OPEN)
        return sorted(session.scalars(waiting))
