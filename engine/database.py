"""One database, SQLite or PostgreSQL: how to open it, read from it, and change it in one transaction."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

from sqlalchemy import DateTime, MetaData, String, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from engine.errors import Busy, Invalid, Refusal, Unavailable
from engine.text import Text

LOCK_SECONDS = 10  # how long a transaction waits for another that holds what it needs
IDLE_SECONDS = 60  # how long one may hold its locks while the program does something else (PostgreSQL only)
# Kept open by one process (PostgreSQL only): for each of the server's eight threads and for its clocks. What is needed
# beyond them is opened and closed again each time, which costs more than a short transaction.
CONNECTIONS = 10
IDLE_UNASKED = 5.0  # seconds; how long a pooled connection is trusted without asking (PostgreSQL only)
_WAITED_TOO_LONG = {
    "55P03",  # lock_not_available: lock_timeout ran out
    "40P01",  # deadlock_detected: the server ended one of the two
    "40001",  # serialization_failure
}


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class TextTooLong(Invalid):
    sentence = Text(
        "内容太长：“{column}”最多 {most} 个字符，现有 {count} 个。",
        "This is too long: “{column}” holds {most} characters, not {count}.",
    )


@event.listens_for(Base, "attribute_instrument", propagate=True)
def _keep_to_its_length(_row: type[Base], key: str, attribute: Any) -> None:
    """A text that its column can't hold is refused where it is set: one database would fail later, the other never."""
    column = getattr(attribute.property, "columns", (None,))[0]
    if column is None or not isinstance(column.type, String) or column.type.length is None:
        return
    most = column.type.length

    def refuse_what_is_longer(_target: Base, value: Any, _before: Any, _initiator: Any) -> None:
        if isinstance(value, str) and len(value) > most:
            raise TextTooLong(column=str(column), most=most, count=len(value))

    event.listen(attribute, "set", refuse_what_is_longer)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, stored in UTC; a naive one is refused rather than guessed at."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def new_id() -> str:
    """An id that can't be guessed: 32 hexadecimal characters."""
    return uuid.uuid4().hex


def insert(session: Session, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say ON CONFLICT, in the session's dialect."""
    kind = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return kind(table)


class Database:
    """Sessions over one SQLAlchemy engine. `read()` sees one moment; `write()` is one transaction."""

    def __init__(self, url: str, *, lock_seconds: int = LOCK_SECONDS, idle_seconds: int = IDLE_SECONDS) -> None:
        if url.startswith("sqlite"):
            # What is written stays out of errors, logs and incidents: it may be somebody's telephone number.
            self.engine: Engine = create_engine(url, hide_parameters=True)
        else:
            # A handler that hangs keeps its instance locked: the others are told so after a while, and in the end
            # the server breaks the transaction off, which undoes it.
            limits = f"-c lock_timeout={lock_seconds}s -c idle_in_transaction_session_timeout={idle_seconds}s"
            self.engine = create_engine(
                url,
                hide_parameters=True,  # as above
                pool_size=CONNECTIONS,
                connect_args={"options": limits, "connect_timeout": lock_seconds},
            )
            event.listen(self.engine, "checkin", _note_the_time)
            event.listen(self.engine, "checkout", partial(_ask_after_a_pause, self.engine.dialect))
        self._turn = Lock() if url.startswith("sqlite") else None
        self._lock_seconds = lock_seconds
        # For what is read again and again and never changes once it is written; sessions carry it in `info`.
        self.memory: dict[str, Any] = {}
        self._writer = self.engine.execution_options(writes=True)
        # A page is made of several statements: what one of them saw, the next must not find gone.
        self._reader = (
            self.engine.execution_options(isolation_level="REPEATABLE READ")
            if self.engine.dialect.name == "postgresql"
            else self.engine
        )
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", partial(_prepare_sqlite, lock_seconds))
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment, and whose changes are thrown away. Raises Unavailable."""
        with (
            told_in_a_sentence(),
            Session(self._reader, expire_on_commit=False, info={"memory": self.memory}) as session,
        ):
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when it raises. Raises Unavailable."""
        with (
            told_in_a_sentence(),
            self._in_turn(),
            Session(self._writer, expire_on_commit=False, info={"memory": self.memory}) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One after the other, on SQLite: its own way to wait for the write lock is to sleep and try again, longer each
        time, which leaves the lock unused in between. Other processes still wait in that way. Raises Busy."""
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=self._lock_seconds):
            raise Busy()
        try:
            yield
        finally:
            self._turn.release()

    def close(self) -> None:
        """Closes the pooled connections; the next use opens new ones."""
        self.engine.dispose()


@contextmanager
def told_in_a_sentence() -> Iterator[None]:
    """A database that is away, full or too busy comes out as Unavailable or Busy; other failures pass through."""
    try:
        yield
    except Refusal:
        raise
    except Exception as failure:
        if refusal := unavailability(failure):
            raise refusal from failure
        raise


def unavailability(failure: BaseException | None) -> Unavailable | None:
    """What a failure says about the database itself, if anything, be it wrapped in another or not."""
    while failure is not None:
        if isinstance(failure, PoolExhausted):
            return Busy()
        if isinstance(failure, DBAPIError):
            said = str(failure.orig)
            if getattr(failure.orig, "sqlstate", None) in _WAITED_TOO_LONG or "database is locked" in said:
                return Busy()
            if said.startswith(("no such", "near ")):  # how SQLite speaks of a wrong statement
                return None
            gone = isinstance(failure, OperationalError | InterfaceError) or failure.connection_invalidated
            return Unavailable() if gone else None
        failure = failure.__cause__
    return None


def _note_the_time(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["last used"] = monotonic()


def _ask_after_a_pause(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """A connection that was idle may have been closed by the other end: it is asked, and replaced where it was. One
    that was used a moment ago is not: asking each time took a tenth of a short transaction."""
    if monotonic() - record.info.get("last used", 0.0) < IDLE_UNASKED:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as gone:
        raise DisconnectionError() from gone


def _prepare_sqlite(lock_seconds: int, connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's "begin" event below starts transactions, not the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={lock_seconds * 1000}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads first and writes later can fail with "database is locked" at its first
    # write, without waiting; IMMEDIATE takes the write lock at once and queues.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
