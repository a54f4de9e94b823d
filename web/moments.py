"""Moments that somebody has written: a date means its end."""

from datetime import UTC, datetime, time, timedelta

from engine.clock import SHANGHAI
from engine.errors import Invalid
from engine.text import Text


class DateUnreadable(Invalid):
    sentence = Text(
        "“{given}”不是日期；请写成 2026-09-30，或 2026-09-30T18:00+08:00。",
        "“{given}” is no date; write 2026-09-30, or 2026-09-30T18:00+08:00.",
    )


def end_of(given: str) -> datetime:
    """24:00 in Shanghai of a date, or the moment that is written. Raises DateUnreadable."""
    try:
        moment = datetime.fromisoformat(given)
        if len(given) == 10:
            moment = datetime.combine(moment.date() + timedelta(days=1), time(), SHANGHAI)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise DateUnreadable(given=given[:40])
