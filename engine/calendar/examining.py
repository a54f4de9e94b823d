"""Do entries fit into the calendar as it stands? What contradicts it is refused, what is merely odd is remarked on."""

from collections.abc import Sequence

from engine.calendar.book import Book, withdrawn_by
from engine.calendar.entries import Closure, EntryRefused, Notice, Proposal
from engine.calendar.regions import NAMES
from engine.text import Text


def examine(book: Book, proposals: Sequence[Proposal]) -> tuple[Text, ...]:
    """What whoever enters these ought to know before they are published. Raises EntryRefused."""
    _withdrawals_fit(book, proposals)
    remarks: list[Text] = []
    for place, what in enumerate(proposals):
        before = book.proposed(proposals[:place])
        if isinstance(what, Notice):
            _notice_fits(before, what)
        elif isinstance(what, Closure):
            remarks += _closure_fits(before, what)
    return tuple(remarks)


def _withdrawals_fit(book: Book, proposals: Sequence[Proposal]) -> None:
    there = {each.id: each for each in book.in_force}
    gone = set()
    for what in proposals:
        entry = withdrawn_by(what)
        if entry is None:
            continue
        if entry not in there or entry in gone:
            raise EntryRefused(
                "没有第 {entry} 项，或它已被撤回；请在日历页面核对编号。",
                "There is no entry {entry}, or it was withdrawn already; look its number up in the calendar.",
                entry=entry,
            )
        old = there[entry].what
        if isinstance(what, Notice) and not (isinstance(old, Notice) and old.year == what.year):
            raise EntryRefused(
                "第 {entry} 项不是 {year} 年的放假通知，不能由这份通知替换；请核对编号。",
                "Entry {entry} is not the notice of {year}, so this one can't replace it; check the number.",
                entry=entry,
                year=what.year,
            )
        gone.add(entry)


def _notice_fits(book: Book, notice: Notice) -> None:
    for each in book.in_force:
        other = each.what
        if not isinstance(other, Notice) or each.id == notice.replaces:
            continue
        if other.year == notice.year:
            raise EntryRefused(
                "{year} 年的通知已经录入（第 {id} 项，{document}）；如需更正，请写 replaces: {id} 或先撤回它。",
                "The notice of {year} was entered already (entry {id}, {document}); to correct it, say "
                "replaces: {id}, or withdraw it first.",
                year=notice.year,
                id=each.id,
                document=other.document,
            )
        for day, counts in sorted(notice.named.items()):
            if other.named.get(day, counts) != counts:
                raise EntryRefused(
                    "{day} 在 {year} 年的通知（第 {id} 项）里安排相反；请核对，或先更正那份通知。",
                    "The notice of {year} (entry {id}) says the opposite of {day}; check it, or correct that first.",
                    day=day,
                    year=other.year,
                    id=each.id,
                )


def _closure_fits(book: Book, closure: Closure) -> list[Text]:
    calendar = book.calendar(closure.region)
    off = [day for day in closure.days if not calendar.day(day).counts]
    if len(off) == len(closure.days):
        raise EntryRefused(
            "这些日期在{region}本来就不是工作日（{reason}），录入后不会改变任何期限；请核对日期。",
            "These are no working days in {region} anyway ({reason}), so nothing would change; check the dates.",
            region=NAMES[closure.region],
            reason=calendar.day(off[0]).reason,
        )
    return [
        Text("{day} 本来就不是工作日（{reason}）。", "{day} is no working day anyway ({reason}).").filled(
            day=day, reason=calendar.day(day).reason
        )
        for day in off
    ]
