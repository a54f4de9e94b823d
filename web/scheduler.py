"""The clock: asks the engine every few seconds to fire the timers that are due. Rows decide, this only ticks."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from engine import clock
from engine.runtime.runtime import Runtime
from engine.runtime.timers import fire_due
from engine.runtime.trial import process_now

log = logging.getLogger(__name__)
logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every tick at INFO


class Clock:
    """Ticks in a thread of its own until stopped. A tick that fails is logged, and the next one comes all the same."""

    def __init__(self, tick: Callable[[], int], *, seconds: float) -> None:
        self._tick = tick
        self._seconds = seconds
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        self._scheduler.add_job(
            self._tick_and_log,
            "interval",
            seconds=self._seconds,
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Waits for the tick that is running, if any."""
        self._scheduler.shutdown(wait=True)

    def _tick_and_log(self) -> None:
        try:
            if fired := self._tick():
                log.info("%d timers fired", fired)
        except Exception:
            # An exception that reached the scheduler would only be logged under its name; the database may be
            # back at the next tick.
            log.exception("a tick of the clock failed; the next one tries again")


def tick(runtime: Runtime) -> int:
    """One tick: fires what is due by now, and says how many instances it brought up to date."""
    return fire_due(runtime, process_now(runtime, clock.now()))
