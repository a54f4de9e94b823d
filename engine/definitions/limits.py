"""The text of a timer: `working_days(3)`, an ISO 8601 duration or date, or an expression that yields one.

A limit is kept as plain JSON, so that the instance remembers *what* it is and a calendar can be asked *when*:
`{"working_days": 3, "since": "…"}`, `{"duration": "PT4H", "since": "…"}` or `{"at": "…"}` (moments in ISO 8601, UTC).
Working days also say whose: `"region": "440100"` and `"side": "authority"`; without, the country's, to 24:00. Where
officials have extended it, `"extended"` says how many of its working days that were.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from engine.calendar import counting
from engine.calendar.book import Book
from engine.clock import SHANGHAI
from engine.definitions import expressions
from engine.errors import Invalid, Refusal
from engine.text import Text

Limit = dict[str, Any]

_DURATION = re.compile(
    r"P(?!$)(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?!$)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?(?:(?P<seconds>\d{1,5})S)?)?"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?")

FUNCTIONS = frozenset({"working_days"})

_WHOSE = ("region", "side")
_ANY_MOMENT = datetime(2026, 1, 5, tzinfo=UTC)


class LimitUnclear(Invalid):
    sentence = Text(
        "看不懂时限“{text}”：请写成 working_days(3)（工作日）、P3D（ISO 8601 时长）或 2026-09-30（日期）。",
        "The limit “{text}” can't be read: write working_days(3), an ISO 8601 duration such as P3D, or a date.",
    )


@dataclass(frozen=True, slots=True)
class Due:
    """When a limit ends (UTC, exclusive), as far as is known, and when it is over in any case.

    The two differ only where the calendar it rests on is still 暂定 provisional: `fires_at` is the end under the
    longest holidays that a notice may plausibly give.
    """

    at: datetime
    fires_at: datetime
    provisional: bool


class _WorkingDays(int):
    """What `working_days(…)` yields in an expression: a number of days, and since when they count."""

    since: datetime

    def __new__(cls, days: Any, since: datetime) -> "_WorkingDays":
        counting.check(since, days)
        made = super().__new__(cls, days)
        made.since = since
        return made

    def __add__(self, days: int) -> "_WorkingDays":
        return _WorkingDays(int(self) + days, self.since)

    def __sub__(self, days: int) -> "_WorkingDays":
        return _WorkingDays(int(self) - days, self.since)


def text_problem(text: str, functions: frozenset[str] = frozenset()) -> Text | None:
    """What is wrong with a timer's text as far as can be told without an instance; None if nothing."""
    bare = _bare(text)
    if _DURATION.fullmatch(bare):
        return None
    try:
        if _DATE.fullmatch(bare):
            _moment(bare)
            return None
        expressions.check(text, functions | FUNCTIONS)
        parsed = expressions.parse(text)
        if not parsed.paths | parsed.tested and not parsed.functions & functions:
            resolve(text, {}, _ANY_MOMENT, {})  # nothing in it is left open: what is wrong now would be wrong for ever
    except Refusal as problem:
        return problem.text
    return None


def is_literal(text: str) -> bool:
    """Is a timer's text a duration or a date as it stands, with nothing to work out?"""
    bare = _bare(text)
    return bool(_DURATION.fullmatch(bare) or _DATE.fullmatch(bare))


def resolve(text: str, data: Mapping[str, Any], now: datetime, functions: Mapping[str, Callable[..., Any]]) -> Limit:
    """The limit that a timer's text means for an instance whose timer starts `now`."""
    bare = _bare(text)
    if _DURATION.fullmatch(bare) or _DATE.fullmatch(bare):
        value: Any = bare
    else:

        def working_days(n: Any, since: Any = None) -> _WorkingDays:
            return _WorkingDays(n, now if since is None else _moment(since, ends=False))

        value = expressions.evaluate(text, data, {**functions, "working_days": working_days})
    if isinstance(value, _WorkingDays):
        return {"working_days": int(value), "since": value.since.astimezone(UTC).isoformat()}
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return {"duration": value, "since": now.astimezone(UTC).isoformat()}
    if isinstance(value, str) and _DATE.fullmatch(value):
        return {"at": _moment(value).astimezone(UTC).isoformat()}
    raise LimitUnclear(text=text)


def terms(limit: Limit) -> Limit:
    """A limit without whose it is: steps of both sides may share it."""
    return {name: value for name, value in limit.items() if name not in _WHOSE}


def whose(limit: Limit) -> dict[str, str]:
    """The region and the side a limit counts for, where it says."""
    return {name: limit[name] for name in _WHOSE if name in limit}


def due(limit: Limit, book: Book) -> Due:
    """When a limit ends under a version of the calendar."""
    if "working_days" in limit:
        start, days, region = datetime.fromisoformat(limit["since"]), limit["working_days"], limit.get("region", "")
        day_ends = book.day_ends(limit.get("side", ""))
        deadline = counting.deadline(start, days, book.calendar(region), day_ends)
        if not deadline.provisional:
            return Due(deadline.due_at, deadline.due_at, False)
        latest = counting.deadline(start, days, book.at_the_latest(region), day_ends)
        return Due(deadline.due_at, latest.due_at, True)
    if "duration" in limit:
        at = datetime.fromisoformat(limit["since"]) + _timedelta(limit["duration"])
    else:
        at = datetime.fromisoformat(limit["at"])
    return Due(at, at, False)


def _bare(text: str) -> str:
    """The text without white space around it and without the quotes that other tools want around P3D."""
    bare = text.strip()
    return bare[1:-1].strip() if len(bare) > 1 and bare[0] == bare[-1] and bare[0] in "'\"" else bare


def _timedelta(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise LimitUnclear(text=text)
    return timedelta(**{unit: int(amount) for unit, amount in match.groupdict().items() if amount})


def _moment(value: Any, *, ends: bool = True) -> datetime:
    """An ISO date or moment; one without zone is Shanghai's. A bare date is its 24:00 where something `ends` with it,
    and its 0:00 where something starts: the day of a start does not count anyway."""
    if not isinstance(value, str):
        raise LimitUnclear(text=value)
    try:
        if len(value) == 10:
            return datetime.combine(date.fromisoformat(value) + timedelta(days=1 if ends else 0), time(), SHANGHAI)
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):  # no such day, or one after the last that can be counted
        raise LimitUnclear(text=value) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
