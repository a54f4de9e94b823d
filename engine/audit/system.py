"""Adding to the system's stream. The only writer of `system_events`."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.audit.chain import entry_hash
from engine.audit.tables import SYSTEM, Stream, SystemEvent, SystemEventKind


def record(session: Session, kind: SystemEventKind, *, at: datetime, actor_id: str | None, **details: Any) -> None:
    """One entry, committed or rolled back with what it tells of. Others who record wait until then: do it late."""
    head = locked_head(session, SYSTEM)
    head.length += 1
    head.head = entry_hash(
        head.head,
        stream=SYSTEM,
        sequence=head.length,
        at=at,
        kind=kind,
        element_id=None,
        actor_id=actor_id,
        details=details,
    )
    session.add(SystemEvent(sequence=head.length, at=at, kind=kind, actor_id=actor_id, details=details, hash=head.head))


def locked_head(session: Session, name: str) -> Stream:
    """The head of a stream, read again under its lock."""
    query = select(Stream).where(Stream.name == name).with_for_update()
    return session.scalars(query, execution_options={"populate_existing": True}).one()
