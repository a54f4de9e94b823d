"""What may be entered into the calendar, what is refused with a sentence that says what to do, and what a book says."""

from datetime import date, timedelta
from typing import Any

import pytest

from engine.calendar.book import FIRST, Book, announced_years
from engine.calendar.entries import EntryRefused, Notice, from_row, to_row
from engine.calendar.examining import examine
from engine.calendar.reading import read
from tests.engine.calendar.notices import NOTICE_2027, TYPHOON, changed

DAY_ENDS = {"side": "authority", "day_ends": "17:30", "reason": "下班"}
OFF = NOTICE_2027["days_off"]
MAKE_UP = NOTICE_2027["make_up_days"]


def book(*entries: Any) -> Book:
    """The first version with these entries, one version each."""
    made = FIRST
    for entry in entries:
        examine(made, read(entry))
        made = made.proposed(read(entry))
    return made


def notice(**fields: Any) -> dict[str, Any]:
    return changed(NOTICE_2027, **fields)


def typhoon(**fields: Any) -> dict[str, Any]:
    return changed(TYPHOON, **fields)


def a_day(day: str) -> dict[str, str]:
    return {"date": day, "name": "元旦"}


UNREADABLE = {
    "a day off that is a make-up workday": (notice(days_off=[*OFF, a_day("2027-02-13")]), "既是放假日又是调休上班日"),
    "a make-up day that is a weekday": (notice(make_up_days=[a_day("2027-02-12")]), "既是放假日|不是周六或周日"),
    "a make-up day on a plain weekday": (notice(make_up_days=[a_day("2027-03-10")]), "不是周六或周日"),
    "a day off named twice": (notice(days_off=[*OFF, a_day("2027-02-07")]), "出现了两次"),
    "a day off of another year": (notice(days_off=[*OFF, a_day("2026-11-30")]), "不属于 2027 年"),
    "a range that ends before it begins": (
        notice(days_off=[{"from": "2027-02-11", "to": "2027-02-05", "name": "春节"}]),
        "不是一段放假日期",
    ),
    "a range of a year": (
        notice(days_off=[{"from": "2027-01-01", "to": "2027-12-31", "name": "元旦"}]),
        "不是一段放假日期",
    ),
    "a range without its end": (notice(days_off=[{"from": "2027-02-11", "name": "春节"}]), "date 和 name"),
    "no days off": (notice(days_off=[]), "没有放假日"),
    "days off left out": (notice(days_off=None), "应是一列日期"),
    "only a part of the year": (notice(days_off=OFF[:2]), "缺少 2027-05-01"),
    "a year of the past": (notice(year=2003), "2004 至 2200"),
    "a year too far away": (notice(year=2201), "2004 至 2200"),
    "a year as a text": (notice(year="2027"), "2004 至 2200"),
    "yes as a year": (notice(year=True), "2004 至 2200"),
    "a date that does not exist": (notice(days_off=[*OFF, a_day("2027-02-30")]), "不是日期"),
    "a date without dashes": (notice(document_date="20261104"), "不是日期"),
    "a notice without its number": (notice(document=" "), "document 必须填写"),
    "a number that is too long": (notice(document="号" * 201), "最多 200"),
    "a festival's name that is too long": (
        notice(days_off=[*OFF, {"date": "2027-12-31", "name": "元" * 61}]),
        "最多 60",
    ),
    "replacing what is no number": (notice(replaces="一"), "编号"),
    "a misspelt field": (notice(makeup_days=[]), "不认识字段"),
    "an unknown region": (typhoon(region="110000"), "没有地区"),
    "the whole country": (typhoon(region=""), "没有地区"),
    "a list as a region": (typhoon(region=["440100"]), "没有地区"),
    "no dates": (typhoon(dates=[]), "1 至 60"),
    "a date twice": (typhoon(dates=["2026-09-21", "2026-09-21"]), "重复"),
    "a closure without a reason": (typhoon(reason=None), "reason 必须填写"),
    "a reason that is too long": (typhoon(reason="风" * 501), "最多 500"),
    "a closure beyond 2200": (typhoon(dates=["2300-01-01"]), "2004 至 2200"),
    "a list as a side": ({**DAY_ENDS, "side": ["authority"]}, "这一方"),
    "an unknown side": ({**DAY_ENDS, "side": "province"}, "没有“province”这一方"),
    "a day that ends in the morning": ({**DAY_ENDS, "day_ends": "09:00"}, "12:00 至 24:00"),
    "a day that ends after midnight": ({**DAY_ENDS, "day_ends": "24:01"}, "12:00 至 24:00"),
    "an hour that is none": ({**DAY_ENDS, "day_ends": "17:60"}, "12:00 至 24:00"),
    "an hour as a number": ({**DAY_ENDS, "day_ends": 17}, "12:00 至 24:00"),
    "a withdrawal without a reason": ({"withdraw": 1}, "reason 必须填写"),
    "a withdrawal of nothing": ({"withdraw": 0, "reason": "误录"}, "编号"),
    "nothing that can be told apart": ({"days_off": OFF}, "看不出"),
    "a text": ("2027", "一组字段"),
    "nothing at all": ([], "1 至 20"),
    "too much at once": ([TYPHOON] * 21, "1 至 20"),
}


@pytest.mark.parametrize(("raw", "said"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_can_be_told_wrong_by_itself_is_refused(raw: Any, said: str) -> None:
    with pytest.raises(EntryRefused, match=said) as refusal:
        read(raw)
    assert refusal.value.to("en") != refusal.value.to("zh")
    assert "{" not in refusal.value.to("en").replace("{year", "").replace('{"', "")


CONTRADICTING = {
    "a second notice of the year": ([NOTICE_2027], NOTICE_2027, "已经录入（第 1 项"),
    "a notice that replaces nothing": ([], notice(replaces=1), "没有第 1 项"),
    "a notice that replaces a closure": ([TYPHOON], notice(replaces=1), "不是 2027 年的放假通知"),
    "a withdrawal twice": ([TYPHOON, {"withdraw": 1, "reason": "误录"}], {"withdraw": 1, "reason": "误录"}, "已被撤回"),
    "a withdrawal of a withdrawal": (
        [TYPHOON, {"withdraw": 1, "reason": "误录"}],
        {"withdraw": 2, "reason": "误录"},
        "没有第 2 项",
    ),
    "a neighbouring notice that says the opposite": (
        [notice(days_off=[*OFF, a_day("2028-01-01")])],
        {
            "year": 2028,
            "days_off": [
                {"from": "2028-01-01", "to": "2028-01-01", "name": "元旦"},
                {"from": "2028-01-25", "to": "2028-01-31", "name": "春节"},
                {"from": "2028-05-01", "to": "2028-05-03", "name": "劳动节"},
                {"from": "2028-10-01", "to": "2028-10-07", "name": "国庆节"},
            ],
            "make_up_days": [{"date": "2027-10-03", "name": "国庆节"}],
            "document": "某号",
            "document_date": "2027-11-01",
        },
        "不属于 2028 年",
    ),
    "a closure of days that are off anyway": ([], typhoon(dates=["2026-10-01", "2026-10-02"]), "本来就不是工作日"),
    "the same closure again": ([TYPHOON], TYPHOON, "本来就不是工作日"),
}


@pytest.mark.parametrize(("before", "raw", "said"), CONTRADICTING.values(), ids=CONTRADICTING.keys())
def test_what_contradicts_the_calendar_is_refused(before: list[Any], raw: Any, said: str) -> None:
    with pytest.raises(EntryRefused, match=said):
        examine(book(*before), read(raw))


def test_a_notice_may_name_days_of_the_december_before_and_they_go_before_its_own_year() -> None:
    named = book(notice(days_off=[*OFF, a_day("2026-12-31")], make_up_days=[*MAKE_UP, a_day("2026-12-26")]))
    assert not named.calendar().day(date(2026, 12, 31)).counts
    assert named.calendar().day(date(2026, 12, 26)).counts
    opposite = {**NOTICE_2027, "year": 2026, "days_off": [], "document": "某号"}
    opposite["days_off"] = [
        {"from": "2026-01-01", "to": "2026-01-03", "name": "元旦"},
        {"from": "2026-02-15", "to": "2026-02-23", "name": "春节"},
        {"from": "2026-05-01", "to": "2026-05-05", "name": "劳动节"},
        {"from": "2026-10-01", "to": "2026-10-07", "name": "国庆节"},
        {"date": "2026-12-26", "name": "元旦"},
    ]
    opposite["make_up_days"] = []
    with pytest.raises(EntryRefused, match="2026-12-26 在 2027 年的通知（第 1 项）里安排相反"):
        examine(named, read(opposite))


def test_a_year_with_a_notice_is_announced_by_it_entirely() -> None:
    calendar = book(NOTICE_2027).calendar("440100")
    days = [calendar.day(date(2027, 1, 1) + timedelta(n)) for n in range(365)]
    assert not any(day.provisional for day in days)
    (entered,) = read(NOTICE_2027)
    assert isinstance(entered, Notice)
    exchanged = {day.date for day in days if day.counts != (day.date.weekday() < 5)}
    assert exchanged == {day for day in entered.days_off if day.weekday() < 5} | entered.make_up_days.keys()
    assert calendar.day(date(2027, 2, 13)).reason.en == "make-up day for Spring Festival"
    assert "国办发明电〔2026〕测试号" in calendar.day(date(2027, 2, 9)).source.zh
    assert calendar.day(date(2027, 5, 6)).reason.zh == "工作日"


def test_an_entered_notice_goes_before_the_librarys() -> None:
    corrected = {
        **NOTICE_2027,
        "year": 2026,
        "days_off": [
            {"from": "2026-01-01", "to": "2026-01-03", "name": "元旦"},
            {"from": "2026-02-15", "to": "2026-02-23", "name": "春节"},
            {"from": "2026-05-01", "to": "2026-05-04", "name": "劳动节"},
            {"from": "2026-10-01", "to": "2026-10-07", "name": "国庆节"},
        ],
        "make_up_days": [],
    }
    entered = book(corrected)
    assert not FIRST.calendar().day(date(2026, 5, 5)).counts
    assert entered.calendar().day(date(2026, 5, 5)).counts
    assert announced_years(entered) == announced_years(FIRST) == list(range(2004, 2027))


def test_a_notice_that_replaces_another_is_the_one_that_counts() -> None:
    both = book(NOTICE_2027, notice(replaces=1, make_up_days=[]))
    assert [each.id for each in both.in_force] == [2]
    assert [each.withdrawn_in for each in both.entries] == [2, None]
    assert not both.calendar().day(date(2027, 2, 13)).counts
    assert announced_years(both)[-1] == 2027


def test_a_withdrawn_notice_leaves_its_year_unannounced() -> None:
    gone = book(NOTICE_2027, {"withdraw": 1, "reason": "误录"})
    assert announced_years(gone)[-1] == 2026
    assert gone.calendar().day(date(2027, 2, 13)).provisional


def test_a_city_closes_for_itself_and_the_province_for_all() -> None:
    closed = book(TYPHOON, {**TYPHOON, "region": "440000", "dates": ["2026-09-22"]})
    monday, tuesday = date(2026, 9, 21), date(2026, 9, 22)
    counts = {region: [closed.calendar(region).day(day).counts for day in (monday, tuesday)] for region in REGIONS}
    assert counts == {"440100": [False, False], "440300": [True, False], "440000": [True, False], "": [True, True]}
    assert closed.calendar("somewhere").day(tuesday).counts
    assert closed.calendar("440100").day(monday).reason.zh == "广州市停工停业：台风“测试”"


REGIONS = ("440100", "440300", "440000", "")


def test_a_closure_over_a_weekend_is_remarked_on() -> None:
    proposals = read(typhoon(dates=["2026-09-19", "2026-09-21"]))
    assert [remark.zh for remark in examine(FIRST, proposals)] == ["2026-09-19 本来就不是工作日（周末）。"]


def test_the_last_word_on_a_sides_hours_counts() -> None:
    assert FIRST.day_ends("authority") == timedelta(hours=24)
    later = book(DAY_ENDS, {**DAY_ENDS, "day_ends": "18:00"})
    assert later.day_ends("authority") == timedelta(hours=18)
    assert later.day_ends("enterprise") == timedelta(hours=24)
    assert book(DAY_ENDS, {"withdraw": 1, "reason": "误录"}).day_ends("authority") == timedelta(hours=24)


@pytest.mark.parametrize(
    "raw",
    [
        NOTICE_2027,
        notice(replaces=3),
        TYPHOON,
        DAY_ENDS,
        {**DAY_ENDS, "day_ends": "24:00"},
        {"withdraw": 3, "reason": "误录"},
    ],
    ids=["notice", "replacing notice", "closure", "day ends", "day ends at midnight", "withdrawal"],
)
def test_an_entry_comes_back_from_its_row_as_it_was(raw: Any) -> None:
    (entry,) = read(raw)
    assert from_row(to_row(entry)) == entry


def test_the_days_of_a_notice_are_those_of_its_ranges() -> None:
    (entry,) = read(NOTICE_2027)
    assert isinstance(entry, Notice)
    assert len(entry.days_off) == 3 + 7 + 3 + 5 + 1 + 1 + 7
    assert entry.named[date(2027, 2, 13)] is True
