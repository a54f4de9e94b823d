"""How often a person may do what costs others: their disk, their attention, their test keys."""

from datetime import timedelta

from engine import clock
from engine.people import throttling
from engine.people.throttling import Rate
from web.session import current_actor, runtime

UPLOADS = Rate(burst=200, every=timedelta(seconds=3))  # files
MESSAGES = Rate(burst=10, every=timedelta(minutes=1))
EXPORTS = Rate(burst=5, every=timedelta(minutes=10))  # of all that is kept of somebody
REVEALS = Rate(burst=10, every=timedelta(minutes=1))


def count(what: str, rate: Rate) -> None:
    """One more by whoever asks. Raises TooOften."""
    with runtime().database.write() as writing:
        throttling.take(writing, rate, what, current_actor().account_id, now=clock.now())
