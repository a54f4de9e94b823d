"""Does a day count as a working day, and why: a calendar is a pile of rules, the first with an opinion decides.

The piles' lowest layers are here: the State Council's yearly notices (国务院办公厅关于节假日安排的通知, through
`chinesecalendar`), then, for years without a notice yet, the fixed part of 《全国年节及纪念日放假办法》 (as revised
for 2025), then the week. A notice entered by an administrator or a city's closure is one more rule on top.

What a year without a notice can't know: the make-up days, and the holidays of the lunar calendar (春节, 端午, 中秋);
清明 follows the sun and is computed. Hence `provisional`: such a day may yet change. A notice may also move the last
three days of the December before it (it did for 2019); days of an announced year are taken as final all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from chinese_calendar import Holiday, get_holiday_detail, get_solar_terms

from engine.text import Text


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One day, whether it counts as a working day, and why; `provisional` (暂定) where no notice covers its year."""

    date: date
    counts: bool
    reason: Text
    provisional: bool = False


DayRule = Callable[[date], CountedDay | None]
"""A layer of a calendar: it decides about a day, or leaves it to the layer below by answering None."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Rules in order of precedence. Hashable, so that what it said of a day is remembered."""

    rules: tuple[DayRule, ...]

    def day(self, day: date) -> CountedDay:
        """What the first rule with an opinion says of the day; the week decides where none has one."""
        return _decided(self.rules, day)


@lru_cache(maxsize=16_384)
def _decided(rules: tuple[DayRule, ...], day: date) -> CountedDay:
    for rule in rules:
        decision = rule(day)
        if decision is not None:
            return decision
    return _of_the_week(day, provisional=False)


def _of_the_week(day: date, *, provisional: bool) -> CountedDay:
    if day.weekday() >= 5:
        return CountedDay(day, False, Text("周末", "weekend"), provisional)
    return CountedDay(day, True, Text("工作日", "working day"), provisional)


_HOLIDAYS = {
    Holiday.new_years_day.value: Text("元旦", "New Year's Day"),
    Holiday.spring_festival.value: Text("春节", "Spring Festival"),
    Holiday.tomb_sweeping_day.value: Text("清明节", "Qingming Festival"),
    Holiday.labour_day.value: Text("劳动节", "Labour Day"),
    Holiday.dragon_boat_festival.value: Text("端午节", "Dragon Boat Festival"),
    Holiday.national_day.value: Text("国庆节", "National Day"),
    Holiday.mid_autumn_festival.value: Text("中秋节", "Mid-Autumn Festival"),
    Holiday.anti_fascist_70th_day.value: Text("抗战胜利70周年纪念日", "70th anniversary of victory"),
}


def announced(day: date) -> CountedDay | None:
    """The State Council's notice for the day's year; None for a year without one."""
    try:
        off, name = get_holiday_detail(day)
    except NotImplementedError:  # how the library says that it has no notice of that year
        return None
    if name is None:
        return _of_the_week(day, provisional=False)
    holiday = _HOLIDAYS.get(name, Text(name))
    if off:
        return CountedDay(day, False, Text("{holiday}放假", "{holiday} holiday").filled(holiday=holiday))
    return CountedDay(day, True, Text("{holiday}调休上班", "make-up day for {holiday}").filled(holiday=holiday))


_FIXED = {
    (1, 1): Holiday.new_years_day,
    (5, 1): Holiday.labour_day,
    (5, 2): Holiday.labour_day,
    (10, 1): Holiday.national_day,
    (10, 2): Holiday.national_day,
    (10, 3): Holiday.national_day,
}


def unannounced(day: date) -> CountedDay:
    """The week and the statutory days with a fixed date, all of it provisional."""
    holiday = Holiday.tomb_sweeping_day if day == _qingming(day.year) else _FIXED.get((day.month, day.day))
    if holiday is None:
        return _of_the_week(day, provisional=True)
    reason = Text("{holiday}（法定，暂定）", "{holiday} (statutory, provisional)")
    return CountedDay(day, False, reason.filled(holiday=_HOLIDAYS[holiday.value]), provisional=True)


@lru_cache(maxsize=128)
def _qingming(year: int) -> date | None:
    if not 1900 <= year <= 2100:  # what the library's formula holds for
        return None
    terms = get_solar_terms(date(year, 4, 1), date(year, 4, 10))
    return next((day for day, name in terms if name == "清明"), None)


NATIONAL = Calendar((announced, unannounced))
