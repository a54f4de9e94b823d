"""Rows of the calendar: what administrators entered, version after version. Nothing is edited in place."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.database import Base, UtcDateTime


class EntryKind(StrEnum):
    NOTICE = "notice"  # the State Council's for a year: days off, make-up days
    CLOSURE = "closure"  # a province's or a city's: days off, such as for a typhoon
    DAY_ENDS = "day_ends"  # when a day ends for a side of the process
    WITHDRAWAL = "withdrawal"  # an earlier entry no longer counts


class CalendarVersion(Base):
    """A calendar is everything entered up to a version; version 0 has no row: nothing was entered yet."""

    __tablename__ = "calendar_versions"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str | None] = mapped_column(String(32))  # account; none at the command line


class CalendarEntry(Base):
    """One thing a version says. `content` by kind: days and what they are, a side and its hour, an entry's id."""

    __tablename__ = "calendar_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(ForeignKey("calendar_versions.number"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    region: Mapped[str] = mapped_column(String(20), default="")  # empty: the whole country; 440000; 440100 …
    year: Mapped[int | None] = mapped_column()  # of a notice
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    document: Mapped[str] = mapped_column(
        String(200), default=""
    )  # number of the notice, such as 国办发明电〔2025〕7号
    document_date: Mapped[date | None] = mapped_column()
    reason: Mapped[str] = mapped_column(String(500), default="")
