"""What the benchmarks share: where they measure, many applications at once, and how a figure is printed."""

import json
import os
import platform
import re
import sqlite3
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, select

from engine.database import Base, Database, new_id
from engine.files import FileStore
from engine.migrations import upgrade
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Answer, Event, Instance, Party, Subscription, Task, Timer
from engine.secrets import Keyring
from engine.telling.tables import Notice
from handlers import HANDLERS
from tests.casework import deploy_onboarding
from tests.conftest import CAST_SINCE, PASSWORD, running_postgres
from web import trial_cast

FULL = bool(os.environ.get("FULL"))  # `make bench FULL=1`

# An application's rows, each table after those it refers to, and the column that names the application.
_ROWS = (
    (Instance, Instance.id),
    (Party, Party.instance_id),
    (Task, Task.instance_id),
    (Timer, Timer.instance_id),
    (Subscription, Subscription.instance_id),
    (Answer, Answer.instance_id),
    (Event, Event.instance_id),
    (Notice, Notice.instance_id),
)
_AT_ONCE = 500  # applications per transaction


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """URLs of an empty SQLite file and of an empty database of a PostgreSQL server that waits for its disk."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(durable=True) as server:
        server.run("CREATE DATABASE bench")
        yield {"SQLite": f"sqlite:///{Path(folder) / 'bench.db'}", "PostgreSQL": server.url("bench")}


@contextmanager
def onboarding(url: str) -> Iterator[Runtime]:
    """The engine over an empty database: migrated, all 21 cities registered, the onboarding process deployed."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = runtime_over(url, Path(folder))
        upgrade(runtime.database)
        with runtime.database.write() as session:
            trial_cast.seed(session, password=PASSWORD, now=CAST_SINCE)
        deploy_onboarding(runtime)
        yield runtime
        runtime.database.close()


def runtime_over(url: str, folder: Path) -> Runtime:
    keyring = Keyring.from_text(Keyring.new_text())
    return Runtime(Database(url), HANDLERS, keyring, FileStore(folder / "files"), trial=True)


def multiplied(database: Database, instance_id: str, count: int) -> None:
    """So many more applications that stand where this one does: its rows, with ids and a number of their own.

    Their histories don't verify (the hashes name the original), and they share its files; everything else is as if
    somebody had brought each of them along.
    """
    with database.read() as session:
        pattern: list[tuple[Table, list[dict[str, Any]]]] = [
            (table.__table__, [dict(row) for row in session.execute(_rows(table, column, instance_id)).mappings()])  # type: ignore[misc]
            for table, column in _ROWS
        ]
        numbered = session.scalar(select(func.count()).select_from(Instance)) or 0
    ids = {row["id"] for _, rows in pattern for row in rows if "id" in row}
    ids |= {
        id_
        for _, rows in pattern
        for row in rows
        if isinstance(row.get("state"), bytes)
        for id_ in _steps_in(row["state"])
    }
    for first in range(0, count, _AT_ONCE):
        copies = [_renaming(ids) for _ in range(min(_AT_ONCE, count - first))]
        with database.write() as session:
            for table, rows in pattern:
                made = [{name: _renamed(value, to) for name, value in row.items()} for to in copies for row in rows]
                if table.name == Instance.__tablename__:
                    for place, row in enumerate(made):
                        row["number"] = f"copy-{numbered + first + place}"
                if made:
                    session.execute(insert(table), made)
    analyse(database)


def _rows(table: type[Base], column: Any, instance_id: str) -> Any:
    return select(*table.__table__.columns).where(column == instance_id)


def _steps_in(state: bytes | str) -> set[str]:
    """Ids of the library's steps in an instance's state, those to come included."""
    return (
        set(re.findall(r'"([0-9a-f]{32})": ?{', zlib.decompress(state).decode())) if isinstance(state, bytes) else set()
    )


def _renaming(ids: Iterable[str]) -> Callable[[str], str]:
    """New ids for old ones, wherever they stand in a text."""
    new = {id_: new_id() for id_ in ids}
    found = re.compile("|".join(new))
    return lambda text: found.sub(lambda match: new[match[0]], text)


def _renamed(value: Any, to: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return to(value)
    if isinstance(value, dict | list):
        return json.loads(to(json.dumps(value)))
    if isinstance(value, bytes):
        return zlib.compress(to(zlib.decompress(value).decode()).encode(), 1)
    return value


def analyse(database: Database) -> None:
    """What PostgreSQL does by itself after a while: statistics, and pages marked as visible to all."""
    if database.engine.dialect.name == "postgresql":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def say_where(title: str) -> None:
    """A heading, and what the figures under it were measured on."""
    load = os.getloadavg()[0]
    print(
        f"\n{title}\n  {os.cpu_count()} cores ({platform.machine()}), load {load:.1f}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )
    sys.stdout.flush()


def percentile(figures: Sequence[float], part: float) -> float:
    return sorted(figures)[min(len(figures) - 1, int(len(figures) * part))]
