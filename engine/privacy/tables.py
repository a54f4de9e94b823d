"""Rows that say which closed instances keep their content beyond its time, and which have lost it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime
from engine.runtime.tables import Answer, Instance


class LegalHold(Base):
    """保留: an instance is kept whatever its retention period says, until the hold is lifted and this row deleted."""

    __tablename__ = "legal_holds"

    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    intervention_id: Mapped[str] = mapped_column(ForeignKey("interventions.id"))  # who, and why
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class Removal(Base):
    """An instance's content was removed at the end of its time; its skeleton (number, dates, outcome, audit) stays."""

    __tablename__ = "removals"

    instance_id: Mapped[str] = mapped_column(ForeignKey("instances.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


# So that looking for what is past its time costs what is, not what there is; and for what one person filled in.
Index("ix_instances_closed", Instance.version_id, Instance.closed_at)
Index("ix_answers_by", Answer.by)
