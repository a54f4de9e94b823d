"""The clock ticks in a thread of its own, outlives a tick that fails, and stops when told."""

import logging
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import delete

from engine.runtime.runtime import Runtime
from engine.runtime.tables import Task
from tests.casework import Case, deploy_onboarding
from web.scheduler import Clock, clock_of, seconds_until_due
from web.settings import Settings


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


def test_the_clock_wakes_when_the_next_limit_is_due() -> None:
    """The pause would be an hour; what is due sooner is asked for after each tick."""
    ticks = threading.Semaphore(0)
    waits = iter([0.3, 0.0, -5.0, None])

    def tick() -> int:
        ticks.release()
        return 0

    clock = Clock(tick, seconds=3600, until_next=lambda: next(waits))
    clock.start()
    try:
        assert all(ticks.acquire(timeout=10) for _ in range(4))
        assert not ticks.acquire(timeout=1)  # nothing waits any more: the fixed pause
    finally:
        clock.stop()


def test_a_limit_is_not_looked_for_before_it_is_due() -> None:
    ticks = threading.Semaphore(0)

    def tick() -> int:
        ticks.release()
        return 0

    clock = Clock(tick, seconds=3600, until_next=lambda: 1800.0)
    clock.start()
    try:
        assert ticks.acquire(timeout=10)
        assert not ticks.acquire(timeout=1)
    finally:
        clock.stop()


def test_what_else_the_clock_does_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    ticked, tries = threading.Semaphore(0), threading.Semaphore(0)

    def fails() -> None:
        tries.release()
        raise OSError("the disk is away")

    def tick() -> int:
        ticked.release()
        return 0

    clock = Clock(tick, seconds=0.05)
    clock.also("checking", fails, seconds=0.05)
    clock.start()
    try:
        assert all(tries.acquire(timeout=10) and ticked.acquire(timeout=10) for _ in range(3))
    finally:
        clock.stop()
    assert "checking failed" in caplog.text


def test_the_clock_knows_how_long_the_next_limit_has_left(runtime: Runtime) -> None:
    assert seconds_until_due(runtime) is None
    deploy_onboarding(runtime)
    Case(runtime, begins=datetime.now(UTC)).goes("递交申请材料")

    left = seconds_until_due(runtime)
    assert left is not None
    assert 2 * 86400 < left < 15 * 86400  # three working days, whatever holidays lie ahead


def test_the_clock_repairs_what_it_finds_on_its_rounds(runtime: Runtime, tmp_path: Path) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=datetime.now(UTC)).goes("递交申请材料")
    with runtime.database.write() as session:
        session.execute(delete(Task))
    environment = {"DATA_DIR": str(tmp_path), "CHECK_SECONDS": "1"}
    clock = clock_of(runtime, Settings.from_environment(environment))
    clock.start()
    try:
        for _ in range(200):
            if case.tasks():
                break
            threading.Event().wait(0.05)
    finally:
        clock.stop()
    assert [task.name for task in case.tasks()] == ["审核材料"]
