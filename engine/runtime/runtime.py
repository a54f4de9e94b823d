"""What the engine needs to run, put together once by whoever starts the process."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Lock

from sqlalchemy.orm import Session

from engine.database import Database
from engine.definitions.calling import whole
from engine.definitions.handlers import Handler
from engine.definitions.specs import Compiled, compile_definition
from engine.definitions.tables import DefinitionVersion
from engine.errors import NotFound
from engine.files import FileStore
from engine.secrets import Keyring


class Definitions:
    """Definition versions, parsed once per process: a version never changes, so a cached one is never stale."""

    KEPT = 50  # versions

    def __init__(self) -> None:
        self._compiled: OrderedDict[str, Compiled] = OrderedDict()
        self._lock = Lock()

    def get(self, session: Session, version_id: str) -> Compiled:
        """Raises NotFound."""
        with self._lock:
            if compiled := self._compiled.get(version_id):
                self._compiled.move_to_end(version_id)
                return compiled
        version = session.get(DefinitionVersion, version_id)
        if version is None:
            raise NotFound()
        compiled = compile_definition(*whole(session, version))
        with self._lock:
            self._compiled[version_id] = compiled
            while len(self._compiled) > self.KEPT:
                self._compiled.popitem(last=False)
        return compiled


@dataclass(frozen=True)
class Runtime:
    database: Database
    handlers: Mapping[str, Handler]
    keyring: Keyring
    files: FileStore
    trial: bool  # may the process clock be moved?
    anchor_every: timedelta = timedelta(minutes=10)  # at the shortest; see engine.trust.anchors
    definitions: Definitions = field(default_factory=Definitions)
