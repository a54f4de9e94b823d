"""The sweep: how many limits that ran out together are dealt with in a second, and what an idle look costs.

Each fires as in the onboarding process: a 预警 to three organisations and a task for the authority. With one process,
with two, and then with 100,000 limits that only wait. Prints figures; judges nothing.
"""

import multiprocessing
import statistics
import tempfile
import time
from datetime import datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import insert, select, update

from engine.database import new_id
from engine.runtime import timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Timer, TimerState
from tests.benchmarks.place import FULL, analyse, databases, multiplied, onboarding, percentile, runtime_over, say_where
from tests.casework import BEGINS, Case

DUE = 10_000 if FULL else 2_000  # for one process, and as many again for two
WAITING = 100_000
POLLS = 500

_processes = multiprocessing.get_context("spawn")


def sweeps(url: str, together: Barrier, now: datetime) -> None:
    """What each process does: until nothing is left, as the clock does."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = runtime_over(url, Path(folder))
        timers.fire_due(runtime, now, limit=5)  # so that the definition is read and the connection open
        together.wait()
        while timers.fire_due(runtime, now):
            pass
        together.wait()
        runtime.database.close()


def fired_per_second(url: str, count: int, processes: int, now: datetime) -> float:
    together = _processes.Barrier(processes + 1)
    workers = [_processes.Process(target=sweeps, args=(url, together, now)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    together.wait()
    started = time.perf_counter()
    together.wait()
    took = time.perf_counter() - started
    for worker in workers:
        worker.join()
    return (count - 5 * processes) / took


def idle_polls(runtime: Runtime, instance_id: str) -> list[float]:
    """Milliseconds of looking in vain, while 100,000 limits wait."""
    with runtime.database.write() as session:
        session.execute(update(Timer).values(state=TimerState.FIRED))
        pattern = dict(session.execute(select(*Timer.__table__.columns).limit(1)).mappings().one())
        pattern |= {"instance_id": instance_id, "state": TimerState.WAITING, "ended_at": None}
        due = [BEGINS + timedelta(days=30, seconds=place) for place in range(WAITING)]
        rows = [pattern | {"id": new_id(), "due_at": at, "fires_at": at} for at in due]
        session.execute(insert(Timer), rows)
    analyse(runtime.database)
    took = []
    for _ in range(POLLS):
        started = time.perf_counter()
        timers.fire_due(runtime, BEGINS)
        took.append((time.perf_counter() - started) * 1000)
    return took


def main() -> None:
    say_where(f"Sweep: {DUE:,} limits due at once; {WAITING:,} that wait")
    with databases() as urls:
        for name, url in urls.items():
            with onboarding(url) as runtime:
                now, rates = BEGINS + timedelta(days=14), []
                for processes in (1, 2):
                    case = Case(runtime).goes("递交申请材料")
                    multiplied(runtime.database, case.id, DUE)
                    rates.append(fired_per_second(url, DUE, processes, now))
                polls = idle_polls(runtime, case.id)
            print(
                f"  {name:10}  one process {rates[0]:5.0f}/s, two {rates[1]:5.0f}/s ({rates[1] / rates[0]:.2f} times); "
                f"idle poll median {statistics.median(polls):.2f} ms, p95 {percentile(polls, 0.95):.2f} ms"
            )


if __name__ == "__main__":
    main()
