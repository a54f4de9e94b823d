"""Changing the audit trail behind the program's back, as somebody could who owns the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.audit.chain import GENESIS, entry_hash
from engine.database import Database
from engine.runtime.tables import Event, Instance

PROTECTED = ("events", "system_events", "anchors", "anchored_heads")


@contextmanager
def unguarded(database: Database) -> Iterator[Session]:
    """One transaction without the triggers; on SQLite they stay away."""
    with database.write() as session:
        if database.engine.dialect.name == "postgresql":
            for table in PROTECTED:
                session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        else:
            for (trigger,) in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                session.execute(text(f"DROP TRIGGER {trigger}"))
        yield session
        session.flush()
        if database.engine.dialect.name == "postgresql":
            for table in PROTECTED:
                session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def chain_anew(session: Session, instance: Instance, entries: list[Event]) -> None:
    """Give every entry the hash that fits what it says now, and the instance the head that fits: sound in itself."""
    head = GENESIS
    for entry in entries:
        head = entry.hash = entry_hash(
            head,
            stream=instance.id,
            sequence=entry.sequence,
            at=entry.at,
            kind=entry.kind,
            element_id=entry.element_id,
            actor_id=entry.actor_id,
            details=entry.details,
        )
    instance.history_length, instance.history_head = len(entries), head
    session.flush()
