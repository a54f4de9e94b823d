"""Completing a user task over HTTP, with 1, 4 and 8 clients, on SQLite and on PostgreSQL.

Each is a POST of the review form to the real server: session, permission, form validation, engine, history, commit.
On PostgreSQL two workers serve; on SQLite the one that `serve` allows there. The clients share the machine with them.
Prints figures; judges nothing.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from engine.runtime.runtime import Runtime
from engine.runtime.tables import Task, TaskState
from tests.benchmarks.place import FULL, databases, multiplied, percentile, say_where
from tests.casework import Case
from tests.serving import Browser, Server
from web.assembly import open_runtime
from web.settings import Settings
from web.trial_cast import PASSWORD

CLIENTS = (1, 4, 8)
COMPLETIONS = 1000 if FULL else 200  # per number of clients
WARM_UP = 10  # per client


@contextmanager
def serving(url: str, applications: int) -> Iterator[tuple[Server, list[str]]]:
    """The server over so many applications that wait for their review in 广州, and the ids of those tasks."""
    workers = () if url.startswith("sqlite") else ("--workers", "2")
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), {"DATABASE_URL": url}, workers)
        server.command("init")
        server.command("seed-trial")
        runtime = open_runtime(Settings.from_environment(server.environment))
        tasks = waiting_reviews(runtime, applications)
        runtime.database.close()
        server.start()
        try:
            yield server, tasks
        finally:
            server.stop()


def waiting_reviews(runtime: Runtime, count: int) -> list[str]:
    case = Case(runtime, begins=datetime.now(UTC)).goes("递交申请材料")
    multiplied(runtime.database, case.id, count - 1)
    with runtime.database.read() as session:
        query = select(Task.id).where(Task.state == TaskState.OPEN, Task.element_id == "Review_Materials")
        return list(session.scalars(query))


def completed(browser: Browser, tasks: Sequence[str]) -> list[float]:
    """Milliseconds of each completion."""
    took, cookies = [], dict(browser.cookies)
    browser.close()  # the server ends a connection on which nothing was said for a while; the next request opens one
    for task in tasks:
        started = time.perf_counter()
        status, _ = browser.post(f"/tasks/{task}", {"review.result": "pass", "_once": task})
        took.append((time.perf_counter() - started) * 1000)
        if status != 302:
            sys.exit(f"task {task}: status {status}")
        browser.cookies = dict(cookies)  # without the message for the next page, which nobody reads here
    return took


def dealt(tasks: Sequence[str], players: int) -> list[Sequence[str]]:
    return [tasks[player::players] for player in range(players)]


def main() -> None:
    say_where(f"Completing a user task over HTTP: {COMPLETIONS} for each number of clients")
    with databases() as urls, ThreadPoolExecutor(max(CLIENTS)) as threads:
        for name, url in urls.items():
            needed = sum(COMPLETIONS + WARM_UP * clients for clients in CLIENTS)
            with serving(url, needed) as (server, tasks):
                browsers = [Browser(server.port).log_in("guangzhou", PASSWORD) for _ in range(max(CLIENTS))]
                for clients in CLIENTS:
                    warm, tasks = tasks[: WARM_UP * clients], tasks[WARM_UP * clients :]
                    counted, tasks = tasks[:COMPLETIONS], tasks[COMPLETIONS:]
                    list(threads.map(completed, browsers, dealt(warm, clients)))
                    started = time.perf_counter()
                    took = [ms for each in threads.map(completed, browsers, dealt(counted, clients)) for ms in each]
                    seconds = time.perf_counter() - started
                    print(
                        f"  {name:10}  clients: {clients}  median {statistics.median(took):5.1f} ms, "
                        f"p90 {percentile(took, 0.9):5.1f} ms, {len(took) / seconds:4.0f} completions/s"
                    )


if __name__ == "__main__":
    main()
