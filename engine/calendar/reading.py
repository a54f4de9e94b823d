"""Entries of the calendar as they come in, from a JSON file or a form:

    {"year": 2027, "days_off": [{"from": "2027-02-05", "to": "2027-02-11", "name": "春节"}, …],
     "make_up_days": [{"date": "2027-02-14", "name": "春节"}], "document": "国办发明电〔2026〕…号",
     "document_date": "2026-11-…", "replaces": 3}
    {"region": "440100", "dates": ["2026-09-21"], "reason": "台风", "document": "…", "document_date": "…"}
    {"side": "authority", "day_ends": "17:30", "reason": "…"}
    {"withdraw": 3, "reason": "…"}

or a list of these. `replaces` is left out where a year has no entered notice yet.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from engine.calendar import festivals
from engine.calendar.counting import FIRST_YEAR, LAST_YEAR
from engine.calendar.entries import SIDES, Closure, DayEnds, EntryRefused, Notice, Proposal, Withdrawal
from engine.calendar.regions import CITIES, PROVINCE

MOST_ENTRIES = 20  # at once
MOST_DAYS = 60  # in one range, or in one closure
LONGEST_NAME, LONGEST_DOCUMENT, LONGEST_REASON = 60, 200, 500  # characters

_NOTICE = {"year", "days_off", "make_up_days", "document", "document_date", "replaces"}
_CLOSURE = {"region", "dates", "reason", "document", "document_date"}
_DAY_ENDS = {"side", "day_ends", "reason"}
_WITHDRAWAL = {"withdraw", "reason"}
_KINDS = (("year", _NOTICE), ("region", _CLOSURE), ("side", _DAY_ENDS), ("withdraw", _WITHDRAWAL))


def read(raw: Any) -> tuple[Proposal, ...]:
    """Raises EntryRefused for what can be told wrong without looking at the calendar."""
    several = raw if isinstance(raw, list) else [raw]
    if not 1 <= len(several) <= MOST_ENTRIES:
        raise EntryRefused(
            "一次请录入 1 至 {most} 项，现有 {count} 项。",
            "Enter 1 to {most} things at once, not {count}.",
            most=MOST_ENTRIES,
            count=len(several),
        )
    return tuple(_read_one(each) for each in several)


def _read_one(raw: Any) -> Proposal:
    if not isinstance(raw, Mapping):
        raise EntryRefused(
            "每一项都应是一组字段（JSON 对象），例如 {example}。",
            "Each entry is a group of fields (a JSON object), such as {example}.",
            example='{"year": 2027, …}',
        )
    key, known = next(((key, known) for key, known in _KINDS if key in raw), (None, None))
    if key is None or known is None:
        raise EntryRefused(
            "看不出要录入什么：放假通知请写 year，停工停业请写 region，下班时间请写 side，撤回请写 withdraw。",
            "It can't be told what this enters: a notice has year, a closure region, an end of day side, "
            "a withdrawal withdraw.",
        )
    if unknown := sorted(str(name) for name in raw if name not in known):
        raise EntryRefused(
            "不认识字段“{unknown}”；可用的字段：{known}。",
            "The field “{unknown}” is unknown; known are {known}.",
            unknown="、".join(unknown),
            known=", ".join(sorted(known)),
        )
    match key:
        case "year":
            return _notice(raw)
        case "region":
            return _closure(raw)
        case "side":
            return _day_ends(raw)
    return _withdrawal(raw)


def _notice(raw: Mapping[str, Any]) -> Notice:
    year = _year(raw["year"])
    replaces = raw.get("replaces")
    days_off = _named_days(raw.get("days_off"), "days_off", year)
    make_up_days = _named_days(raw.get("make_up_days", []), "make_up_days", year)
    if not days_off:
        raise EntryRefused(
            "通知里没有放假日，请在 days_off 中填写。", "The notice gives no days off; put them into days_off."
        )
    if both := sorted(days_off.keys() & make_up_days.keys()):
        raise EntryRefused(
            "{day} 既是放假日又是调休上班日，请核对通知后只留一处。",
            "{day} is both a day off and a make-up workday; check the notice and leave it in one place.",
            day=both[0],
        )
    for day in sorted(make_up_days):
        if day.weekday() < 5:
            raise EntryRefused(
                "调休上班日 {day} 不是周六或周日，本来就上班；请核对日期。",
                "The make-up workday {day} is no Saturday or Sunday: it is a working day anyway. Check the date.",
                day=day,
            )
    for festival in (festivals.NEW_YEAR, festivals.SPRING, festivals.LABOUR, festivals.NATIONAL_DAY):
        day_by_law = festival.falls(year)
        if day_by_law is not None and day_by_law not in days_off:
            raise EntryRefused(
                "放假日里缺少 {day}（{festival}，法定）；请按通知录入全年的放假日。",
                "{day} ({festival}, a holiday by law) is missing; enter the days off of the whole year.",
                day=day_by_law,
                festival=festival.name,
            )
    return Notice(
        year=year,
        days_off=days_off,
        make_up_days=make_up_days,
        document=_text(raw.get("document"), "document", LONGEST_DOCUMENT),
        document_date=_date(raw.get("document_date"), "document_date"),
        replaces=None if replaces is None else _number(replaces, "replaces"),
    )


def _closure(raw: Mapping[str, Any]) -> Closure:
    region = raw["region"]
    if not isinstance(region, str) or (region not in CITIES and region != PROVINCE):
        raise EntryRefused(
            "没有地区“{region}”：请填写 440000（广东省）或地级市代码，例如 440100（广州市）。",
            "There is no region “{region}”: give 440000 (Guangdong) or a city's code, such as 440100 (Guangzhou).",
            region=region,
        )
    dates = raw.get("dates")
    if not isinstance(dates, list) or not 1 <= len(dates) <= MOST_DAYS:
        raise EntryRefused(
            "请在 dates 中列出 1 至 {most} 个停工停业的日期。",
            "List 1 to {most} dates on which work stops, in dates.",
            most=MOST_DAYS,
        )
    days = [_in_years(_date(day, "dates")) for day in dates]
    if len(set(days)) < len(days):
        raise EntryRefused("dates 里有重复的日期，请删除。", "A date stands twice in dates; remove one.")
    return Closure(
        region=region,
        days=tuple(sorted(days)),
        reason=_text(raw.get("reason"), "reason", LONGEST_REASON),
        document=_text(raw.get("document"), "document", LONGEST_DOCUMENT),
        document_date=_date(raw.get("document_date"), "document_date"),
    )


def _day_ends(raw: Mapping[str, Any]) -> DayEnds:
    side, at = raw["side"], raw.get("day_ends")
    if not isinstance(side, str) or side not in SIDES:
        raise EntryRefused(
            "没有“{side}”这一方，可用：{sides}。",
            "There is no side “{side}”; known are {sides}.",
            side=side,
            sides=", ".join(SIDES),
        )
    match = re.fullmatch(r"(\d\d):(\d\d)", at) if isinstance(at, str) else None
    after = timedelta(hours=int(match[1]), minutes=int(match[2])) if match and int(match[2]) < 60 else timedelta()
    if not timedelta(hours=12) <= after <= timedelta(hours=24):
        raise EntryRefused(
            "下班时间“{at}”不正确：请写 12:00 至 24:00 之间的时刻，例如 17:30。",
            "The end of day “{at}” can't be used: write a time from 12:00 to 24:00, such as 17:30.",
            at=at,
        )
    return DayEnds(side, after, _text(raw.get("reason"), "reason", LONGEST_REASON))


def _withdrawal(raw: Mapping[str, Any]) -> Withdrawal:
    return Withdrawal(_number(raw["withdraw"], "withdraw"), _text(raw.get("reason"), "reason", LONGEST_REASON))


def _named_days(raw: Any, field: str, year: int) -> dict[date, str]:
    """The days of a list of {date, name} and {from, to, name}."""
    if not isinstance(raw, list) or not all(isinstance(each, Mapping) for each in raw):
        raise EntryRefused(
            '{field} 应是一列日期，每项写 {{"date": …, "name": …}} 或 {{"from": …, "to": …, "name": …}}。',
            '{field} is a list; each item is {{"date": …, "name": …}} or {{"from": …, "to": …, "name": …}}.',
            field=field,
        )
    days: dict[date, str] = {}
    for each in raw:
        if each.keys() not in ({"date", "name"}, {"from", "to", "name"}):
            raise EntryRefused(
                "{field} 的每一项应只有 date 和 name，或 from、to 和 name；这一项有：{keys}。",
                "Each item of {field} has date and name, or from, to and name; this one has {keys}.",
                field=field,
                keys=", ".join(sorted(map(str, each))),
            )
        first = _date(each.get("date", each.get("from")), field)
        last = _date(each.get("date", each.get("to")), field)
        if not 0 <= (last - first).days < MOST_DAYS:
            raise EntryRefused(
                "{first} 至 {last} 不是一段放假日期：结束日不能早于开始日，最多 {most} 天。",
                "{first} to {last} is no stretch of days: it ends no earlier than it begins, and has at most {most}.",
                first=first,
                last=last,
                most=MOST_DAYS,
            )
        name = _text(each["name"], "name", LONGEST_NAME)
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            if not date(year - 1, 12, 1) <= day <= date(year + 1, 1, 31):
                raise EntryRefused(
                    "{day} 不属于 {year} 年的通知：只能写当年、上一年 12 月和下一年 1 月的日期。请核对年份。",
                    "{day} doesn't belong into the notice of {year}, which covers that year, the December before and "
                    "the January after. Check the year.",
                    day=day,
                    year=year,
                )
            if day in days:
                raise EntryRefused(
                    "{day} 在 {field} 中出现了两次，请删去重复的一处。",
                    "{day} stands twice in {field}; remove one.",
                    day=day,
                    field=field,
                )
            days[day] = name
    return days


def _year(value: Any) -> int:
    if type(value) is not int or not FIRST_YEAR <= value <= LAST_YEAR:
        raise EntryRefused(
            "年份“{value}”不正确：请填写 {first} 至 {last} 之间的整数。",
            "“{value}” is no year to count in: give a whole number from {first} to {last}.",
            value=value,
            first=FIRST_YEAR,
            last=LAST_YEAR,
        )
    return value


def _in_years(day: date) -> date:
    _year(day.year)
    return day


def _number(value: Any, field: str) -> int:
    if type(value) is not int or value < 1:
        raise EntryRefused(
            "{field} 应是要撤回的那一项的编号（正整数），不是“{value}”。",
            "{field} is the number of the entry to withdraw (a whole number), not “{value}”.",
            field=field,
            value=value,
        )
    return value


def _date(value: Any, field: str) -> date:
    try:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError(value)
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise EntryRefused(
            "{field} 中的“{value}”不是日期，请写成 2027-02-05 的样子。",
            "“{value}” in {field} is no date; write it like 2027-02-05.",
            field=field,
            value=value,
        ) from None


def _text(value: Any, field: str, longest: int) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not 1 <= len(text) <= longest:
        raise EntryRefused(
            "{field} 必须填写，最多 {longest} 个字符。",
            "{field} must be filled in, with at most {longest} characters.",
            field=field,
            longest=longest,
        )
    return text
