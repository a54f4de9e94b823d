"""Rows of what leaves the platform: notices of instances to organisations, and the messages that carry them, and
letters to persons, outside."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.database import Base, UtcDateTime, new_id
from engine.definitions import lengths

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)  # a step knows process time only, and that may lie ahead of real time


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"  # 预警


class Notice(Base):
    """A message to one organisation about one instance; a 预警 is a notice of severity `warning`."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_organisation_id", "organisation_id", "severity", "at"),
        # So that every page can say how many are unread at the cost of those that are.
        Index(
            "ix_notices_unread",
            "organisation_id",
            sqlite_where=text("read_at IS NULL"),
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"))
    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), index=True)
    element_id: Mapped[str] = mapped_column(String(lengths.ELEMENT_ID))
    severity: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class OutboxState(StrEnum):
    WAITING = "waiting"  # to be sent, for the first time or again
    SENT = "sent"  # the other side has accepted it
    GIVEN_UP = "given_up"  # refused too often, or its contact was removed


class OutboxMessage(Base):
    """One notice on its way to one contact, or a letter to one person's address. Written with what it tells of,
    delivered afterwards, at least once."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "kind", "state", "next_attempt_at", "created_at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    idempotency_key: Mapped[str] = mapped_column(String(80), unique=True)  # the same at every attempt
    notice_id: Mapped[str | None] = mapped_column(ForeignKey("notices.id"), index=True)  # none: a letter
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contacts.id"))  # none: a letter
    kind: Mapped[str] = mapped_column(String(10))
    address: Mapped[str] = mapped_column(String(500))
    body: Mapped[dict[str, Any]] = mapped_column(JSON)  # the facts; each kind of sender words them in its own way
    letter: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted with the keyring, until it is sent
    state: Mapped[str] = mapped_column(String(10), default=OutboxState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)  # counted when one begins, so that a crash counts
    next_attempt_at: Mapped[datetime] = mapped_column(UtcDateTime)  # real time; while one is under way, its lease's end
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)  # process time, as the notice; a letter: real time
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # real time
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incidents.id"), index=True)  # of the last giving up

    notice: Mapped[Notice | None] = relationship(lazy="raise")  # a notice is written before what tells of it
