"""Calendar versions in the database: only ever added, so a book that was read once is never stale."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.calendar.book import FIRST, Book, Entered
from engine.calendar.entries import Proposal, from_row, to_row
from engine.calendar.tables import CalendarEntry, CalendarVersion
from engine.errors import Conflict
from engine.text import Text

_KEPT = 20  # books per process

NEWEST = select(func.coalesce(func.max(CalendarVersion.number), 0)).scalar_subquery()  # as one more column of a query


class CalendarMoved(Conflict):
    """Somebody else published meanwhile."""

    sentence = Text(
        "工作日历已有新版本（第 {version} 版），本次没有发布；请刷新预览后再发布。",
        "The calendar has a newer version ({version}) by now; nothing was published. Look at the preview again first.",
    )


def newest(session: Session) -> Book:
    """The calendar as it is now. One statement, unless this process has not seen the version yet."""
    return at(session, session.scalar(select(NEWEST)) or 0)


def at(session: Session, version: int) -> Book:
    """The calendar as it was in a version."""
    if version == 0:
        return FIRST
    books: dict[int, Book] = session.info.setdefault("memory", {}).setdefault("calendar books", {})
    if version not in books:
        if len(books) >= _KEPT:
            books.pop(next(iter(books)), None)
        books[version] = _read(session, version)
    return books[version]


def add(
    session: Session, proposals: Sequence[Proposal], *, after: int, by: str | None, now: datetime
) -> tuple[int, list[CalendarEntry]]:
    """Write the version that follows `after`; returns its number and its entries. The caller holds a lock that others
    who publish wait for, and has made sure that `after` is the newest."""
    session.add(CalendarVersion(number=after + 1, at=now, by=by))
    session.flush()
    entries = []
    for proposal in proposals:
        row = to_row(proposal)
        row.version = after + 1
        session.add(row)
        session.flush()  # one by one: the order of ids is the order in which they were said
        entries.append(row)
    return after + 1, entries


def _read(session: Session, version: int) -> Book:
    rows = session.execute(
        select(CalendarEntry, CalendarVersion.at, CalendarVersion.by)
        .join(CalendarVersion, CalendarVersion.number == CalendarEntry.version)
        .where(CalendarEntry.version <= version)
        .order_by(CalendarEntry.id)
    )
    entered = (Entered(row.id, row.version, from_row(row), when, by) for row, when, by in rows)
    book = FIRST.with_entries(entered)
    return Book(version, book.entries)
