"""Does a day count as a working day, and why: a calendar is a pile of rules, the first with an opinion decides.

The lowest layers are here: the State Council's yearly notices (国务院办公厅关于部分节假日安排的通知, through
`chinesecalendar`), then, for years without a notice yet, the days that the law itself gives off, then the week.
What administrators entered lies above them; `engine.calendar.book` piles them up.

What a year without a notice can't know: the make-up days, and which days around a festival are exchanged for them.
Hence `provisional`: such a day may yet change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import MappingProxyType

from chinese_calendar import Holiday, get_holiday_detail

from engine.calendar import festivals
from engine.text import Text

NO_SOURCE = Text("")


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One day, whether it counts as a working day, and why; `provisional` (暂定) where no notice covers its year.

    `source` is the notice or order that says so; empty where the week alone decides.
    """

    date: date
    counts: bool
    reason: Text
    provisional: bool = False
    source: Text = NO_SOURCE


DayRule = Callable[[date], CountedDay | None]
"""A layer of a calendar: it decides about a day, or leaves it to the layer below by answering None."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Rules in order of precedence. Hashable, so that what it said of a day is remembered."""

    rules: tuple[DayRule, ...]

    def day(self, day: date) -> CountedDay:
        """What the first rule with an opinion says of the day; the week decides where none has one."""
        return _decided(self.rules, day)


@lru_cache(maxsize=65_536)  # four years of days in two dozen regions
def _decided(rules: tuple[DayRule, ...], day: date) -> CountedDay:
    for rule in rules:
        decision = rule(day)
        if decision is not None:
            return decision
    return of_the_week(day)


def of_the_week(day: date, *, provisional: bool = False, source: Text = NO_SOURCE) -> CountedDay:
    if day.weekday() >= 5:
        return CountedDay(day, False, Text("周末", "weekend"), provisional, source)
    return CountedDay(day, True, Text("工作日", "working day"), provisional, source)


def day_off(day: date, holiday: Text, source: Text) -> CountedDay:
    reason = Text("{holiday}放假", "{holiday} holiday").filled(holiday=holiday)
    return CountedDay(day, False, reason, source=source)


def make_up_day(day: date, holiday: Text, source: Text) -> CountedDay:
    reason = Text("{holiday}调休上班", "make-up day for {holiday}").filled(holiday=holiday)
    return CountedDay(day, True, reason, source=source)


IN_LIBRARY = range(2004, 2027)
"""The years whose notices `chinesecalendar` holds. Written down rather than asked: a newer library must not turn a
provisional year into an announced one by itself; a test tells when there is a year to add."""

_NUMBERS: Mapping[int, str] = MappingProxyType(
    {
        2018: "国办发明电〔2017〕12号",
        2019: "国办发明电〔2018〕15号",
        2020: "国办发明电〔2019〕16号",
        2021: "国办发明电〔2020〕27号",
        2022: "国办发明电〔2021〕11号",
        2023: "国办发明电〔2022〕16号",
        2024: "国办发明电〔2023〕7号",
        2025: "国办发明电〔2024〕12号",
        2026: "国办发明电〔2025〕7号",
    }
)

_HOLIDAYS = {
    Holiday.new_years_day.value: festivals.NEW_YEAR.name,
    Holiday.spring_festival.value: festivals.SPRING.name,
    Holiday.tomb_sweeping_day.value: festivals.QINGMING,
    Holiday.labour_day.value: festivals.LABOUR.name,
    Holiday.dragon_boat_festival.value: festivals.DRAGON_BOAT.name,
    Holiday.national_day.value: festivals.NATIONAL_DAY.name,
    Holiday.mid_autumn_festival.value: festivals.MID_AUTUMN.name,
    Holiday.anti_fascist_70th_day.value: festivals.VICTORY,
}


@lru_cache(maxsize=256)
def notice_of(year: int, number: str = "") -> Text:
    """How the yearly notice is cited."""
    number = number or _NUMBERS.get(year, "")
    return Text(
        f"国务院办公厅关于{year}年部分节假日安排的通知" + (f"（{number}）" if number else ""),
        f"State Council General Office, notice on the holidays of {year}" + (f" ({number})" if number else ""),
    )


def announced(day: date) -> CountedDay | None:
    """The State Council's notice for the day's year, as the library has it; None for a year without one."""
    if day.year not in IN_LIBRARY:
        return None
    off, name = get_holiday_detail(day)
    if name is None:
        return of_the_week(day)
    holiday = _HOLIDAYS.get(name, Text(name))
    # What a December day is named for is the next year's notice.
    source = notice_of(day.year + (day.month == 12))
    return day_off(day, holiday, source) if off else make_up_day(day, holiday, source)


LAW = Text(
    "《全国年节及纪念日放假办法》", "Regulation on Public Holidays for National Annual Festivals and Memorial Days"
)


def unannounced(day: date) -> CountedDay:
    """The week and the days that the law itself gives off, all of it provisional."""
    holiday = festivals.by_law(day.year).get(day)
    if holiday is None:
        return of_the_week(day, provisional=True)
    reason = Text("{holiday}（法定，暂定）", "{holiday} (statutory, provisional)")
    return CountedDay(day, False, reason.filled(holiday=holiday), provisional=True, source=LAW)
