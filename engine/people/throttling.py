"""How often something may be done, in rows, so that every process counts together. On real time."""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.database import insert
from engine.errors import Refusal
from engine.people.tables import Throttle
from engine.text import Text

FREE_ATTEMPTS = 5  # before one has to wait
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


class TooOften(Refusal):
    """`seconds` until the next try."""

    sentence = Text("操作过于频繁，请在 {seconds} 秒后再试。", "Too many tries. Try again in {seconds} seconds.")

    def __init__(self, wait: timedelta) -> None:
        self.seconds = max(1, -(-wait // timedelta(seconds=1)))
        super().__init__(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and one more for every so long after that."""

    burst: int
    every: timedelta


def take(session: Session, rate: Rate, *about: str, now: datetime) -> None:
    """Count one against a rate. `about` names the rate and whose it is. Raises TooOften, and then counts nothing.

    A row holds when all that was taken will be paid back (the generic cell rate algorithm).
    """
    row = _locked(session, about, now)
    paid_back = max(row.until, now) + rate.every
    wait = paid_back - now - rate.burst * rate.every
    if wait > timedelta(0):
        raise TooOften(wait)
    row.until = paid_back


def give_back(session: Session, rate: Rate, *about: str, now: datetime) -> None:
    """What was taken turned out not to count."""
    _locked(session, about, now).until -= rate.every


def attempt(session: Session, *about: str, now: datetime) -> None:
    """Count an attempt before it is known how it goes, so that many at once are counted too. Each beyond the free ones
    doubles the pause before the next. Raises TooOften."""
    row = _locked(session, about, now)
    if row.until > now:
        raise TooOften(row.until - now)
    row.count = 1 if row.until < now - FORGOTTEN_AFTER else row.count + 1
    doubled = row.count - FREE_ATTEMPTS
    row.until = now if doubled < 0 else now + min(FIRST_PAUSE * 2 ** min(doubled, 20), LONGEST_PAUSE)


def succeeded(session: Session, *about: str) -> None:
    """The attempt went well: the next one starts afresh."""
    session.execute(delete(Throttle).where(Throttle.key == _key(about)))


def source(address: str) -> str:
    """Whom an address stands for: an IPv6 subscriber has a whole /64 to choose from."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def _locked(session: Session, about: tuple[str, ...], now: datetime) -> Throttle:
    key = _key(about)
    query = select(Throttle).where(Throttle.key == key).with_for_update()
    row = session.scalar(query)
    if row is None:
        session.execute(delete(Throttle).where(Throttle.until < now - FORGOTTEN_AFTER))
        session.execute(insert(session, Throttle).values(key=key, count=0, until=now).on_conflict_do_nothing())
        row = session.scalars(query).one()
    return row


def _key(about: tuple[str, ...]) -> str:
    """A hash: what a stranger typed as a user name may be a password."""
    return hashlib.sha256("\0".join(about).encode()).hexdigest()
