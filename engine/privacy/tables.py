"""Rows that say which closed instances keep their content beyond its time, which have lost it, and who was erased."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
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


class AccountErasure(Base):
    """An account whose person was erased: it stays for what refers to it, and can't be used or activated again."""

    __tablename__ = "account_erasures"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    reason: Mapped[str] = mapped_column(String(500))


# So that looking for what is past its time costs what is, not what there is; and for what one person filled in.
Index("ix_instances_closed", Instance.version_id, Instance.closed_at)
Index("ix_answers_by", Answer.by)
