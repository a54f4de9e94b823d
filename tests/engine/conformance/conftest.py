"""The real engine on SQLite, and playing a diagram on it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.database import Database
from engine.files import FileStore
from engine.people.accounts import actor_named
from engine.runtime.runtime import Runtime
from engine.secrets import Keyring
from tests.engine.conformance.playing import HANDLERS, Play


@pytest.fixture
def played(sqlite_url: str, tmp_path: Path) -> Iterator[Callable[..., Play]]:
    """Deploys a diagram, after those it calls, and starts an instance of it."""
    keyring = Keyring.from_text(Keyring.new_text())
    runtime = Runtime(Database(sqlite_url), HANDLERS, keyring, FileStore(tmp_path / "files"), trial=True)
    with runtime.database.read() as session:
        actor = actor_named(session, "enterprise-a")
    yield lambda diagram, *called: Play(runtime, [*called, diagram], actor)
    runtime.database.close()
