"""Application numbers: prefix (city code) + Shanghai date + sequence, unique and never reused."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI

# One statement, the same on both databases: there is no row to lock yet for the first two of a day.
_COUNT_UP = text(
    "INSERT INTO number_sequences (prefix, last) VALUES (:prefix, 1) "
    "ON CONFLICT (prefix) DO UPDATE SET last = number_sequences.last + 1 RETURNING last"
)


def next_number(session: Session, prefix: str, now: datetime) -> str:
    """The next number of a prefix and day, such as 440100-20260918-0001, counted in the caller's transaction."""
    day = f"{prefix}-{now.astimezone(SHANGHAI):%Y%m%d}"
    return f"{day}-{session.scalar(_COUNT_UP, {'prefix': day}):04d}"
