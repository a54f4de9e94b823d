"""Application numbers: prefix (city code) + Shanghai date + sequence, unique and never reused."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI
from engine.runtime.tables import NumberSequence


def next_number(session: Session, prefix: str, now: datetime) -> str:
    """The next number of a prefix and day, such as 440100-20260918-0001, counted in the caller's transaction."""
    day = f"{prefix}-{now.astimezone(SHANGHAI):%Y%m%d}"
    counter = session.scalar(select(NumberSequence).where(NumberSequence.prefix == day).with_for_update())
    if counter is None:
        counter = NumberSequence(prefix=day, last=0)
        session.add(counter)
    counter.last += 1
    return f"{day}-{counter.last:04d}"
