"""A calendar version: everything that was entered up to it, piled up into one calendar per region."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from engine.calendar import festivals
from engine.calendar.counting import MIDNIGHT
from engine.calendar.days import (
    IN_LIBRARY,
    Calendar,
    CountedDay,
    DayRule,
    announced,
    day_off,
    make_up_day,
    notice_of,
    of_the_week,
    unannounced,
)
from engine.calendar.entries import Closure, DayEnds, Notice, Proposal, Withdrawal
from engine.calendar.regions import COUNTRY, NAMES, layers
from engine.text import Text


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry as it stands in the book. `withdrawn_in` is the version that withdrew it."""

    id: int
    version: int
    what: Proposal
    at: datetime | None = None
    by: str | None = None  # account
    withdrawn_in: int | None = None


@dataclass(frozen=True, eq=False)
class Book:
    """Never changes; a later version is another book. Its calendars are made once, so that what they said of a day is
    remembered."""

    version: int
    entries: tuple[Entered, ...]  # all of them, oldest first
    _calendars: dict[str, Calendar] = field(default_factory=dict, init=False, repr=False)

    @property
    def in_force(self) -> tuple[Entered, ...]:
        """What counts: neither withdrawn nor a withdrawal."""
        return tuple(
            each for each in self.entries if each.withdrawn_in is None and not isinstance(each.what, Withdrawal)
        )

    @property
    def notices(self) -> dict[int, Notice]:
        """The notices in force by year."""
        return {each.what.year: each.what for each in self.in_force if isinstance(each.what, Notice)}

    def calendar(self, region: str = COUNTRY) -> Calendar:
        """What counts in a region: its closures, the province's, the notices entered, those of the library, the law."""
        region = region if region in NAMES else COUNTRY
        if region not in self._calendars:
            self._calendars[region] = self._piled_up(region)
        return self._calendars[region]

    def at_the_latest(self, region: str = COUNTRY) -> Calendar:
        """The calendar as it would be if every notice still to come gave off all that notices ever plausibly do."""
        name = f"{region} at the latest"
        if name not in self._calendars:
            known = self.calendar(region)

            def cautious(day: date) -> CountedDay:
                decided = known.day(day)
                if decided.provisional and day in festivals.in_reach(day.year):
                    return CountedDay(day, False, Text("可能放假", "may be given off"), True, decided.source)
                return decided

            self._calendars[name] = Calendar((cautious,))
        return self._calendars[name]

    def day_ends(self, side: str) -> timedelta:
        """When a day ends for a side of the process, counted from 0:00 Shanghai time."""
        said = [each.what for each in self.in_force if isinstance(each.what, DayEnds) and each.what.side == side]
        return said[-1].after if said else MIDNIGHT

    def with_entries(self, added: Iterable[Entered]) -> "Book":
        """The book with later entries; one that withdraws another marks it."""
        entries = {each.id: each for each in self.entries}
        version = self.version
        for entry in added:
            version = max(version, entry.version)
            entries[entry.id] = entry
            gone = withdrawn_by(entry.what)
            if gone is not None and gone in entries:
                old = entries[gone]
                entries[gone] = Entered(old.id, old.version, old.what, old.at, old.by, entry.version)
        return Book(version, tuple(entries.values()))

    def proposed(self, proposals: Sequence[Proposal]) -> "Book":
        """The next version as it would be, if these were entered."""
        first = max((each.id for each in self.entries), default=0) + 1
        return self.with_entries(Entered(first + place, self.version + 1, what) for place, what in enumerate(proposals))

    def _piled_up(self, region: str) -> Calendar:
        rules: list[DayRule] = []
        for layer in layers(region):
            closed = _closed(layer, [each.what for each in self.in_force if isinstance(each.what, Closure)])
            if closed:
                rules.append(closed.get)
        notices = self.notices
        if notices:
            rules.append(_notices(notices))
        years = frozenset(announced_years(self))

        def before_an_unannounced_year(day: date) -> CountedDay | None:
            open_ = festivals.next_years(day) and day.year in years and day.year + 1 not in years
            return of_the_week(day, provisional=True) if open_ else None

        return Calendar((*rules, before_an_unannounced_year, announced, unannounced))


def withdrawn_by(what: Proposal) -> int | None:
    """Id of the entry that another withdraws."""
    if isinstance(what, Withdrawal):
        return what.entry
    return what.replaces if isinstance(what, Notice) else None


def announced_years(book: Book) -> list[int]:
    """The years with a notice, entered or in the library."""
    return sorted({*IN_LIBRARY, *book.notices})


def _closed(region: str, closures: Iterable[Closure]) -> dict[date, CountedDay]:
    days: dict[date, CountedDay] = {}
    for closure in closures:
        if closure.region == region:
            source = Text(
                f"{closure.document}（{closure.document_date.isoformat()}）",
                f"{closure.document} ({closure.document_date.isoformat()})",
            )
            reason = Text("{region}停工停业：{why}", "{region} closed: {why}").filled(
                region=NAMES[region], why=closure.reason
            )
            days |= {day: CountedDay(day, False, reason, source=source) for day in closure.days}
    return days


def _notices(notices: dict[int, Notice]) -> DayRule:
    """Years with an entered notice are announced by it entirely; it may also name days of the neighbouring years."""
    named: dict[date, CountedDay] = {}
    sources = {year: notice_of(year, notice.document) for year, notice in notices.items()}
    for year, notice in notices.items():
        for days, decided in ((notice.days_off, day_off), (notice.make_up_days, make_up_day)):
            named |= {
                day: decided(day, festivals.NAMES.get(name, Text(name)), sources[year]) for day, name in days.items()
            }

    def rule(day: date) -> CountedDay | None:
        return named.get(day) or (of_the_week(day) if day.year in notices else None)

    return rule


FIRST = Book(0, ())  # before anything was entered
