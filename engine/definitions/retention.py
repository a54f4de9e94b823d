"""How long an application's content is kept after it was closed (`wf:retention`), as ISO 8601 writes it: P5Y, P30D.

The period ends at 24:00 in Shanghai, on the day of the same date so many years or months later; where that month is
shorter, on its last day.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.clock import SHANGHAI

MOST_YEARS = 100

_PERIOD = re.compile(r"P(?=[0-9])(?:([0-9]{1,3})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})D)?")


@dataclass(frozen=True, slots=True)
class Retention:
    months: int
    days: int

    def ends(self, closed_at: datetime) -> datetime:
        """When what was closed at a moment may go, exclusive of its last day."""
        last = _later(closed_at.astimezone(SHANGHAI).date(), self.months) + timedelta(days=self.days + 1)
        return datetime(last.year, last.month, last.day, tzinfo=SHANGHAI)

    def closed_before(self, now: datetime) -> datetime:
        """Nothing that was closed at this moment or later is past its time at `now`; most of what was before is."""
        first = _later(now.astimezone(SHANGHAI).date() - timedelta(days=self.days), -self.months) + timedelta(days=1)
        return datetime(first.year, first.month, first.day, tzinfo=SHANGHAI)


def read(text: str) -> Retention | None:
    """None where it is no period from a day to a hundred years."""
    found = _PERIOD.fullmatch(text.strip())
    if found is None:
        return None
    years, months, days = (int(part or 0) for part in found.groups())
    period = Retention(years * 12 + months, days)
    return period if 0 < period.months + period.days / 30 <= MOST_YEARS * 12 else None


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
