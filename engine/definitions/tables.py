"""Rows for deployed definitions."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime, new_id
from engine.definitions import lengths


class DefinitionVersion(Base):
    """One diagram with its forms, as deployed. Never changed: a change is a new version."""

    __tablename__ = "definition_versions"
    __table_args__ = (UniqueConstraint("process_id", "number"), UniqueConstraint("process_id", "sha256"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    process_id: Mapped[str] = mapped_column(String(lengths.PROCESS_ID))
    number: Mapped[int]
    name: Mapped[str] = mapped_column(String(lengths.PROCESS_NAME))
    name_en: Mapped[str] = mapped_column(String(lengths.PROCESS_NAME), default="")
    sha256: Mapped[str] = mapped_column(String(64))
    diagram: Mapped[bytes] = mapped_column(LargeBinary)
    forms: Mapped[dict[str, Any]] = mapped_column(JSON)
    called: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # process it calls → id of the version it runs
    note: Mapped[str] = mapped_column(String(500), default="")
    deployed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    deployed_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"))


class DefinitionInForce(Base):
    """Which version of a process new instances start on."""

    __tablename__ = "definitions_in_force"

    process_id: Mapped[str] = mapped_column(String(lengths.PROCESS_ID), primary_key=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("definition_versions.id"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
