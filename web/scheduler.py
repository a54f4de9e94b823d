"""The clock: asks the engine to fire the timers that are due. Rows decide, this only ticks.

It wakes when the next timer is due, and every few seconds all the same: another process may have started an earlier
one meanwhile. Now and then it also has a few instances checked against their rows.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from engine import clock, files
from engine.errors import Unavailable
from engine.files.leaving import DRAFTS_KEPT, QUARANTINED
from engine.keys.uses import forget_nonces, record_uses
from engine.limits.recomputing import recompute_all
from engine.membership.forgetting import REJECTED_KEPT, forget_rejected
from engine.privacy.retention import remove_due
from engine.runtime import once
from engine.runtime.checking import Patrol
from engine.runtime.runtime import Runtime
from engine.runtime.timers import fire_due, next_due
from engine.runtime.trial import process_now
from engine.telling.outbox import deliver_due
from engine.trust.anchors import anchor_when_due
from web.senders import from_settings
from web.settings import Settings

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every tick at INFO

# Seconds. What is overdue after a tick is in somebody else's hands or was too much for one sweep.
SHORTEST_PAUSE = 0.2

_TICK = "tick"
_MINUTE, _HOUR = 60, 3600


class Clock:
    """Ticks in a thread of its own until stopped. A tick that fails is logged, and the next one comes all the same.

    `seconds` is the longest pause between two ticks; `until_next`, in seconds, may ask for a shorter one.
    """

    def __init__(
        self, tick: Callable[[], int], *, seconds: float, until_next: Callable[[], float | None] = lambda: None
    ) -> None:
        self._tick = tick
        self._seconds = seconds
        self._until_next = until_next
        self._scheduler = BackgroundScheduler(timezone=UTC)
        self._add(_TICK, self._tick_and_log, seconds, at_once=True)

    def also(self, name: str, job: Callable[[], object], *, seconds: float) -> None:
        """Something else to be done every so many seconds, in a thread of its own. A failure is logged."""

        def run() -> None:
            try:
                job()
            except Exception:
                log.exception("%s failed; it is tried again in %s seconds", name, seconds)

        self._add(name, run, seconds, at_once=False)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Waits for the tick that is running, if any."""
        self._scheduler.shutdown(wait=True)

    def _add(self, name: str, job: Callable[[], None], seconds: float, *, at_once: bool) -> None:
        first = datetime.now(UTC) + timedelta(seconds=0 if at_once else seconds)
        # However late a tick is, it is not to be missed.
        every = {"id": name, "seconds": seconds, "max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        self._scheduler.add_job(job, "interval", next_run_time=first, **every)

    def _tick_and_log(self) -> None:
        try:
            if fired := self._tick():
                log.info("%d timers fired", fired)
            wait = self._until_next()
            if wait is not None and wait < self._seconds:
                wake = datetime.now(UTC) + timedelta(seconds=max(wait, SHORTEST_PAUSE))
                with suppress(JobLookupError):  # told to stop meanwhile
                    self._scheduler.modify_job(_TICK, next_run_time=wake)
        except Exception:
            # An exception that reached the scheduler would only be logged under its name; the database may be
            # back at the next tick.
            log.exception("a tick of the clock failed; the next one tries again")


def clock_of(runtime: Runtime, settings: Settings) -> Clock:
    """The clock as the server and the `clock` command run it."""
    ticking = Clock(lambda: tick(runtime), seconds=settings.tick_seconds, until_next=lambda: seconds_until_due(runtime))
    if settings.check_seconds:
        patrol = Patrol(runtime)
        ticking.also(
            "checking instances",
            lambda: patrol.next_slice(process_now(runtime, clock.now())),
            seconds=settings.check_seconds,
        )
    senders = from_settings(settings)
    # Apart from the ticks, so that no limit waits for a slow mail server.
    ticking.also("delivering messages", lambda: deliver_due(runtime, clock.now, senders), seconds=settings.tick_seconds)
    # Often, for a trial's clock may have moved by years; looking costs a statement for each version with a period.
    ticking.also(
        "removing what is past its time",
        lambda: remove_due(runtime, process_now(runtime, clock.now()), real_now=clock.now()),
        seconds=_MINUTE,
    )
    ticking.also("recording uses of keys", lambda: record_uses_of_keys(runtime), seconds=_MINUTE)
    ticking.also("forgetting keys", lambda: forget_old_keys(runtime), seconds=_HOUR)
    ticking.also("tidying files", lambda: tidy_files(runtime), seconds=_HOUR)
    ticking.also("forgetting registrations", lambda: forget_registrations(runtime), seconds=_HOUR)
    return ticking


def record_uses_of_keys(runtime: Runtime) -> None:
    """Uses of test keys (测试密钥) go into the histories, and nonces that would be refused anyway are forgotten."""
    real_now = clock.now()
    record_uses(runtime, process_now(runtime, real_now))
    with runtime.database.write() as session:
        forget_nonces(session, real_now)


def forget_old_keys(runtime: Runtime) -> None:
    """Keys against repeated submission that are past their time; once a day, however often and wherever it is asked."""
    now = process_now(runtime, clock.now())
    with runtime.database.read() as session:
        due = once.is_time_to_forget(session, now)
    if due:
        with runtime.database.write() as session:
            once.forget_old(session, now - once.KEPT)


def tidy_files(runtime: Runtime) -> None:
    """Drafts that nobody handed in, this hour's part of the content that no row names, and old infected files."""
    with runtime.database.write() as session:
        files.forget_drafts(session, process_now(runtime, clock.now()) - DRAFTS_KEPT)
    files.sweep(runtime.database, runtime.files, clock.now(), hour=clock.now().hour)
    runtime.files.empty_quarantine(clock.now() - QUARANTINED)


def forget_registrations(runtime: Runtime) -> None:
    """Who stood in registrations that were rejected long ago."""
    with runtime.database.write() as session:
        forget_rejected(session, clock.now() - REJECTED_KEPT)


def tick(runtime: Runtime) -> int:
    """One tick: moves limits that a newer calendar moves, fires what is due by now, and says how many instances it
    brought up to date. Anchors the audit trail when it is time to."""
    real_now = clock.now()
    now = process_now(runtime, real_now)
    try:
        recompute_all(runtime, now)
    except Unavailable:
        raise
    except Exception:
        log.exception("recomputing limits failed; the next tick tries again")  # what is due has to fire all the same
    fired = fire_due(runtime, now)
    anchor_when_due(runtime, real_now)
    return fired


def seconds_until_due(runtime: Runtime) -> float | None:
    """How long until the next timer is due; None where nothing waits."""
    with runtime.database.read() as session:
        due = next_due(session)
    return None if due is None else (due - process_now(runtime, clock.now())).total_seconds()
