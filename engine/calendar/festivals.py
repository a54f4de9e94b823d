"""The seven festivals of 《全国年节及纪念日放假办法》 (as revised for 2025): which days the law itself gives off, and
how far around them the State Council's yearly notices have ever reached.

The lunar calendar is known up to 2100; after that its festivals are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

from borax.calendars.lunardate import LunarDate
from chinese_calendar import get_solar_terms

from engine.text import Text

_LUNAR_YEARS = range(1901, 2101)


@dataclass(frozen=True, slots=True)
class _Festival:
    """`law` are the days off by law, `reach` the days that a notice has given or may give, both as first and last day
    relative to the festival. Solar ones have a month and a day, lunar ones those of the lunar calendar."""

    name: Text
    month: int
    day: int
    law: tuple[int, int]
    reach: tuple[int, int]
    lunar: bool = False

    def falls(self, year: int) -> date | None:
        if not self.lunar:
            return date(year, self.month, self.day)
        return LunarDate(year, self.month, self.day).to_solar_date() if year in _LUNAR_YEARS else None


NEW_YEAR = _Festival(Text("元旦", "New Year's Day"), 1, 1, (0, 0), (-2, 2))
SPRING = _Festival(Text("春节", "Spring Festival"), 1, 1, (-1, 2), (-1, 8), lunar=True)
QINGMING = Text("清明节", "Qingming Festival")
LABOUR = _Festival(Text("劳动节", "Labour Day"), 5, 1, (0, 1), (-3, 5))
DRAGON_BOAT = _Festival(Text("端午节", "Dragon Boat Festival"), 5, 5, (0, 0), (-3, 3), lunar=True)
MID_AUTUMN = _Festival(Text("中秋节", "Mid-Autumn Festival"), 8, 15, (0, 0), (-3, 3), lunar=True)
NATIONAL_DAY = _Festival(Text("国庆节", "National Day"), 10, 1, (0, 2), (-4, 8))
_FESTIVALS = (NEW_YEAR, SPRING, LABOUR, DRAGON_BOAT, NATIONAL_DAY, MID_AUTUMN)
_QINGMING_REACH = (-3, 3)
VICTORY = Text("抗战胜利纪念日", "Victory Day")  # 3 to 5 September were given off for its 70th anniversary, in 2015

NAMES: Mapping[str, Text] = MappingProxyType(
    {name.zh: name for name in (*(festival.name for festival in _FESTIVALS), QINGMING, VICTORY)}
)


@lru_cache(maxsize=256)
def by_law(year: int) -> Mapping[date, Text]:
    """The 13 days off that the law itself gives in a year, and the festival of each."""
    days: dict[date, Text] = {}
    for name, falls, law, _ in _of(year):
        days.update((day, name) for day in _stretch(falls, law) if day.year == year)
    return days


@lru_cache(maxsize=256)
def in_reach(year: int) -> frozenset[date]:
    """The days of a year that its notice, or the next year's, may plausibly give off."""
    days = {day for each in (year, year + 1) for _, falls, _, reach in _of(each) for day in _stretch(falls, reach)}
    if year % 10 == 5:  # a round anniversary
        days.update(date(year, 9, day) for day in (3, 4, 5))
    return frozenset(day for day in days if day.year == year)


def next_years(day: date) -> bool:
    """Is this a day of December that the next year's notice would plausibly rearrange? Where 1 January is a Tuesday,
    the Monday before was given off for a Saturday worked (2018). No other pattern touched a weekday of December."""
    return day.month == 12 and day.day >= 29 and date(day.year + 1, 1, 1).weekday() == 1


def _of(year: int) -> list[tuple[Text, date, tuple[int, int], tuple[int, int]]]:
    found = [
        (festival.name, falls, festival.law, festival.reach)
        for festival in _FESTIVALS
        if (falls := festival.falls(year)) is not None
    ]
    if (qingming := _qingming(year)) is not None:
        found.append((QINGMING, qingming, (0, 0), _QINGMING_REACH))
    return found


def _stretch(falls: date, days: tuple[int, int]) -> list[date]:
    return [falls + timedelta(days=n) for n in range(days[0], days[1] + 1)]


def _qingming(year: int) -> date | None:
    if not 1900 <= year <= 2100:  # what the library's formula holds for
        return None
    terms = get_solar_terms(date(year, 4, 1), date(year, 4, 10))
    return next((day for day, name in terms if name == "清明"), None)
