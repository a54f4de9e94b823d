"""The text of a timer: `working_days(3)`, an ISO 8601 duration or date, or an expression that yields one.

A limit is kept as plain JSON, so that the instance remembers *what* it is and a calendar can be asked *when*:
`{"working_days": 3, "since": "…"}`, `{"duration": "PT4H", "since": "…"}` or `{"at": "…"}` (moments in ISO 8601, UTC).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from engine.calendar import counting
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


class LimitUnclear(Invalid):
    sentence = Text(
        "看不懂时限“{text}”：请写成 working_days(3)（工作日）、P3D（ISO 8601 时长）或 2026-09-30（日期）。",
        "The limit “{text}” can't be read: write working_days(3), an ISO 8601 duration such as P3D, or a date.",
    )


@dataclass(frozen=True, slots=True)
class Due:
    """When a limit ends (UTC, exclusive), and whether the calendar it rests on is still 暂定 provisional."""

    at: datetime
    provisional: bool


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

        def working_days(n: Any, since: Any = None) -> Limit:
            start = now if since is None else _moment(since, ends=False)
            counting.deadline(start, n)  # refuses a number of days that is none
            return {"working_days": n, "since": start.astimezone(UTC).isoformat()}

        value = expressions.evaluate(text, data, {**functions, "working_days": working_days})
    if isinstance(value, dict) and "working_days" in value:
        return value
    if isinstance(value, str) and _DURATION.fullmatch(value):
        return {"duration": value, "since": now.astimezone(UTC).isoformat()}
    if isinstance(value, str) and _DATE.fullmatch(value):
        return {"at": _moment(value).astimezone(UTC).isoformat()}
    raise LimitUnclear(text=text)


def due(limit: Limit) -> Due:
    """When a limit ends under the calendar as it is known today."""
    if "working_days" in limit:
        deadline = counting.deadline(datetime.fromisoformat(limit["since"]), limit["working_days"])
        return Due(deadline.due_at, deadline.provisional)
    if "duration" in limit:
        return Due(datetime.fromisoformat(limit["since"]) + _timedelta(limit["duration"]), False)
    return Due(datetime.fromisoformat(limit["at"]), False)


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
