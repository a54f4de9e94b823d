"""The clock ticks in a thread of its own, outlives a tick that fails, and stops when told."""

import logging
import threading

import pytest

from web.scheduler import Clock


def test_the_clock_ticks_at_once_and_again() -> None:
    ticks = threading.Semaphore(0)

    def tick() -> int:
        ticks.release()
        return 0

    clock = Clock(tick, seconds=0.05)
    clock.start()
    try:
        assert all(ticks.acquire(timeout=10) for _ in range(3))
    finally:
        clock.stop()


def test_a_failing_tick_is_logged_and_the_next_one_comes(caplog: pytest.LogCaptureFixture) -> None:
    recovered = threading.Event()
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        if ticks == 1:
            raise OSError("the database is away")
        recovered.set()
        return 1

    clock = Clock(tick, seconds=0.05)
    with caplog.at_level(logging.INFO, logger="web.scheduler"):
        clock.start()
        try:
            assert recovered.wait(timeout=10)
        finally:
            clock.stop()
    assert any("the database is away" in str(record.exc_info) for record in caplog.records)


def test_a_stopped_clock_has_finished_its_tick_and_ticks_no_more() -> None:
    entered, leave = threading.Event(), threading.Event()
    finished: list[bool] = []

    def tick() -> int:
        entered.set()
        leave.wait(10)
        finished.append(True)
        return 0

    clock = Clock(tick, seconds=0.05)
    clock.start()
    assert entered.wait(10)
    leave.set()
    clock.stop()
    ticks = len(finished)
    assert ticks >= 1
    assert not any(thread.name.startswith("APScheduler") for thread in threading.enumerate())
    assert len(finished) == ticks
