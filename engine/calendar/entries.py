"""What an administrator enters into the calendar: a notice, a closure, an end of day, or a withdrawal of such an entry.

Entries are never edited. One that was wrong is withdrawn by a later one; a notice that `replaces` another withdraws it
in the same breath.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from engine.calendar.tables import CalendarEntry, EntryKind
from engine.errors import Invalid
from engine.text import Text

SIDES: Mapping[str, Text] = {
    "enterprise": Text("企业", "enterprises"),
    "authority": Text("主管部门", "authorities"),
    "support": Text("技术支持单位", "support units"),
}


class EntryRefused(Invalid):
    """What was to be entered into the calendar can't be; `problem` says why and what to do, `field` which field of the
    entry it is about, where it is about one."""

    sentence = Text("{problem}", "{problem}")

    def __init__(self, zh: str, en: str, **facts: object) -> None:
        super().__init__(problem=Text(zh, en).filled(**facts))
        self.field = facts.get("field")


@dataclass(frozen=True, slots=True)
class Notice:
    """The State Council's for a year: days off and make-up days with the festival each is for."""

    year: int
    days_off: Mapping[date, str]
    make_up_days: Mapping[date, str]
    document: str
    document_date: date
    replaces: int | None = None  # id of the entry that it withdraws

    @property
    def named(self) -> dict[date, bool]:
        """The days it names, and whether each is a working day."""
        return {**dict.fromkeys(self.days_off, False), **dict.fromkeys(self.make_up_days, True)}


@dataclass(frozen=True, slots=True)
class Closure:
    """Days on which a region's offices are shut, such as for a typhoon."""

    region: str
    days: tuple[date, ...]
    reason: str
    document: str
    document_date: date


@dataclass(frozen=True, slots=True)
class DayEnds:
    """When the day ends for a side of the process: so long after 0:00."""

    side: str
    after: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    entry: int
    reason: str


Proposal = Notice | Closure | DayEnds | Withdrawal


def clock_time(after: timedelta) -> str:
    """An end of day as people write it: 17:30, 24:00."""
    minutes = int(after.total_seconds()) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def to_row(proposal: Proposal) -> CalendarEntry:
    """The row of an entry, without its version."""
    match proposal:
        case Notice():
            content = {"days_off": _dated(proposal.days_off), "make_up_days": _dated(proposal.make_up_days)}
            if proposal.replaces is not None:
                content["replaces"] = proposal.replaces
            return CalendarEntry(
                kind=EntryKind.NOTICE,
                region="",
                year=proposal.year,
                content=content,
                document=proposal.document,
                document_date=proposal.document_date,
                reason="",
            )
        case Closure():
            return CalendarEntry(
                kind=EntryKind.CLOSURE,
                region=proposal.region,
                content={"dates": [day.isoformat() for day in proposal.days]},
                document=proposal.document,
                document_date=proposal.document_date,
                reason=proposal.reason,
            )
        case DayEnds():
            content = {"side": proposal.side, "at": clock_time(proposal.after)}
            return CalendarEntry(
                kind=EntryKind.DAY_ENDS, region="", content=content, document="", reason=proposal.reason
            )
        case Withdrawal():
            content = {"entry": proposal.entry}
            return CalendarEntry(
                kind=EntryKind.WITHDRAWAL, region="", content=content, document="", reason=proposal.reason
            )


def from_row(row: CalendarEntry) -> Proposal:
    content = row.content
    match EntryKind(row.kind):
        case EntryKind.NOTICE:
            return Notice(
                year=row.year or 0,
                days_off=_undated(content["days_off"]),
                make_up_days=_undated(content["make_up_days"]),
                document=row.document,
                document_date=row.document_date or date.min,
                replaces=content.get("replaces"),
            )
        case EntryKind.CLOSURE:
            days = tuple(date.fromisoformat(day) for day in content["dates"])
            return Closure(row.region, days, row.reason, row.document, row.document_date or date.min)
        case EntryKind.DAY_ENDS:
            hours, minutes = content["at"].split(":")
            return DayEnds(content["side"], timedelta(hours=int(hours), minutes=int(minutes)), row.reason)
        case EntryKind.WITHDRAWAL:
            return Withdrawal(content["entry"], row.reason)


def _dated(days: Mapping[date, str]) -> Any:
    return [[day.isoformat(), name] for day, name in sorted(days.items())]


def _undated(days: list[list[str]]) -> dict[date, str]:
    return {date.fromisoformat(day): name for day, name in days}
