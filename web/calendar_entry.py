"""What an administrator types into the forms of the calendar, as the JSON that `engine.calendar.reading` reads.

What can be said beside a field is said here; what the engine refuses is put beside the field it is about.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext

from engine.calendar.counting import FIRST_YEAR, LAST_YEAR
from engine.calendar.entries import EntryRefused, Proposal
from engine.calendar.reading import LONGEST_DOCUMENT, LONGEST_NAME, LONGEST_REASON, MOST_DAYS, read
from web.language import language

MOST_BYTES = 200_000  # of a JSON file

_LINE = re.compile(
    r"(?P<first>\d{4}-\d\d?-\d\d?)(?:\s*(?:\.{2,}|…+|至|到|~|～|—+)\s*(?P<last>\d{4}-\d\d?-\d\d?))?"
    r"(?:[\s,，:：]+(?P<name>\S.*))?"
)

Given = Mapping[str, str]


class Wrong(Exception):
    """By field: what is wrong with it, in the reader's language."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = dict(errors)


@dataclass
class _Form:
    given: Given
    errors: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, longest: int, missing: str) -> str:
        text = self.given[name].strip()
        if not text:
            self.errors[name] = missing
        elif len(text) > longest:
            self.errors[name] = gettext("最多 %(longest)s 个字符。", longest=longest)
        return text

    def day(self, name: str) -> str:
        try:
            return date.fromisoformat(self.given[name].strip()).isoformat()
        except ValueError:
            self.errors[name] = gettext("请填写发文日期，例如 2026-11-04。")
            return ""

    def number(self, name: str) -> int:
        text = self.given[name].strip()
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0

    def lines(self, name: str, *, named: bool) -> list[tuple[date, date, str]]:
        """First day, last day and name of each line that is not empty."""
        found, seen = [], set[date]()
        for number, line in enumerate(self.given[name].splitlines(), 1):
            if not line.strip():
                continue
            try:
                first, last, called = _read_line(line)
            except ValueError:
                problem = gettext(
                    "第 %(number)s 行看不懂，请写成 %(example)s。", number=number, example=_example(named)
                )
                self.errors.setdefault(name, problem)
                continue
            days = {first + timedelta(days=n) for n in range((last - first).days + 1)}
            if not days or len(days) > MOST_DAYS:
                problem = gettext(
                    "第 %(number)s 行的结束日不能早于开始日，一段最多 %(most)s 天。", number=number, most=MOST_DAYS
                )
                self.errors.setdefault(name, problem)
            elif days & seen:
                problem = gettext("第 %(number)s 行：%(day)s 已经写过了。", number=number, day=min(days & seen))
                self.errors.setdefault(name, problem)
            elif bool(called) != named or len(called) > LONGEST_NAME:
                problem = gettext(
                    "第 %(number)s 行看不懂，请写成 %(example)s。", number=number, example=_example(named)
                )
                self.errors.setdefault(name, problem)
            seen |= days
            found.append((first, last, called))
        return found


def _read_line(line: str) -> tuple[date, date, str]:
    """Raises ValueError."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(line)
    first = _day(match["first"])
    return first, _day(match["last"]) if match["last"] else first, (match["name"] or "").strip()


def _day(text: str) -> date:
    year, month, day = map(int, text.split("-"))
    return date(year, month, day)


def _example(named: bool) -> str:
    example = gettext("2027-02-05..2027-02-11 春节") if named else gettext("2026-09-21 或 2026-09-21..2026-09-22")
    return str(example)


def _notice(form: _Form) -> Any:
    year = form.number("year")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        form.errors["year"] = gettext("请填写年份，例如 2027。")
    raw: dict[str, Any] = {"year": year}
    for name in ("days_off", "make_up_days"):
        lines = form.lines(name, named=True)
        raw[name] = [{"from": str(first), "to": str(last), "name": called} for first, last, called in lines]
    if not raw["days_off"]:
        form.errors.setdefault("days_off", gettext("请按通知填写全年的放假日，每行一段。"))
    raw["document"] = form.text("document", LONGEST_DOCUMENT, gettext("请填写文件号。"))
    raw["document_date"] = form.day("document_date")
    if form.given["replaces"].strip():
        raw["replaces"] = form.number("replaces")
    return raw


def _closure(form: _Form) -> Any:
    lines = form.lines("dates", named=False)
    if not lines:
        form.errors.setdefault("dates", gettext("请填写停工停业的日期，每行一天或一段。"))
    if not form.given["region"]:
        form.errors["region"] = gettext("请选择地区。")
    return {
        "region": form.given["region"],
        "dates": [str(first + timedelta(days=n)) for first, last, _ in lines for n in range((last - first).days + 1)],
        "reason": form.text("reason", LONGEST_REASON, gettext("请填写原因。")),
        "document": form.text("document", LONGEST_DOCUMENT, gettext("请填写文件号。")),
        "document_date": form.day("document_date"),
    }


def _day_ends(form: _Form) -> Any:
    if not form.given["side"]:
        form.errors["side"] = gettext("请选择一方。")
    return {
        "side": form.given["side"],
        "day_ends": form.given["day_ends"].strip(),
        "reason": form.text("reason", LONGEST_REASON, gettext("请填写理由。")),
    }


def _withdrawal(form: _Form) -> Any:
    reason = form.text("reason", LONGEST_REASON, gettext("请填写撤回的理由。"))
    return {"withdraw": form.number("entry"), "reason": reason}


def _file(form: _Form) -> Any:
    if not form.given["json"].strip():
        form.errors["json"] = gettext("请选择文件，或把内容粘贴到这里。")
        return None
    try:
        return json.loads(form.given["json"])
    except (ValueError, RecursionError) as problem:
        form.errors["json"] = gettext("这不是 JSON：%(problem)s", problem=problem)
        return None


@dataclass(frozen=True)
class Kind:
    """A form of the calendar: its fields, and the one that a refusal is put beside if it names none."""

    fields: tuple[str, ...]
    about: str
    raw: Callable[[_Form], Any]

    def read(self, given: Given) -> tuple[Proposal, ...]:
        """Raises Wrong."""
        form = _Form(given)
        raw = self.raw(form)
        if form.errors:
            raise Wrong({name: form.errors[name] for name in self.fields if name in form.errors})
        try:
            return read(raw)
        except EntryRefused as refusal:
            raise self.refused(refusal) from refusal

    def refused(self, refusal: EntryRefused) -> Wrong:
        return Wrong({refusal.field if refusal.field in self.fields else self.about: refusal.to(language())})


KINDS = {
    "notice": Kind(
        ("year", "days_off", "make_up_days", "document", "document_date", "replaces"), about="days_off", raw=_notice
    ),
    "closure": Kind(("region", "dates", "reason", "document", "document_date"), about="dates", raw=_closure),
    "day-ends": Kind(("side", "day_ends", "reason"), about="day_ends", raw=_day_ends),
    "withdrawal": Kind(("entry", "reason"), about="reason", raw=_withdrawal),
    "file": Kind(("json",), about="json", raw=_file),
}
