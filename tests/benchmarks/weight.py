"""What an application weighs in the database, a worker in memory before and after many completions, and how long the
server takes from its start to its first page.

Prints figures; judges nothing.
"""

import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select, text

from engine.database import Database
from engine.runtime.tables import Instance
from tests.benchmarks.complete_over_http import completed, serving
from tests.benchmarks.place import FULL, databases, multiplied, onboarding, say_where
from tests.casework import Case
from tests.serving import Browser, Server
from web.trial_cast import PASSWORD

APPLICATIONS = 500
COMPLETIONS = 10_000 if FULL else 1_000
WARM_UP = 200  # until every cache is filled
STARTS = 3


def size(database: Database) -> int:
    """Bytes of the whole database."""
    with database.read() as session:
        if database.engine.dialect.name == "postgresql":
            return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
        pages = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        return int(session.scalar(pages) or 0)


def bytes_per_application(url: str) -> tuple[float, float]:
    """All rows with their indexes, and the compressed state among them; of one that waits for its test."""
    with onboarding(url) as runtime:
        case = Case(runtime).goes("收到测试密钥")
        multiplied(runtime.database, case.id, APPLICATIONS)
        before = size(runtime.database)
        multiplied(runtime.database, case.id, APPLICATIONS)
        with runtime.database.read() as session:
            state = session.scalar(select(func.avg(func.length(Instance.state)))) or 0
        return (size(runtime.database) - before) / APPLICATIONS, float(state)


def workers_memory(server: Server) -> list[float]:
    """Megabytes of resident memory of each worker."""
    if server.process is None:
        return []
    master = server.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text("ascii").split()
    pages = [int(Path(f"/proc/{child}/statm").read_text("ascii").split()[1]) for child in children]
    return [count * 4096 / 1024**2 for count in pages]


def memory(url: str) -> list[list[float]]:
    """Of the workers at the beginning, half-way, and at the end."""
    with serving(url, WARM_UP + COMPLETIONS) as (server, tasks):
        browser = Browser(server.port).log_in("guangzhou", PASSWORD)
        completed(browser, tasks[:WARM_UP])
        found = [workers_memory(server)]
        for begin in (WARM_UP, WARM_UP + COMPLETIONS // 2):
            completed(browser, tasks[begin : begin + COMPLETIONS // 2])
            found.append(workers_memory(server))
        return found


def cold_start() -> float:
    """Seconds from starting the server over a database that is there already to its first page; the best of a few."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.command("init")
        took = []
        for _ in range(STARTS):
            started = time.perf_counter()
            server.start()
            took.append(time.perf_counter() - started)
            server.stop()
        return min(took)


def main() -> None:
    say_where(f"Weight: {APPLICATIONS} applications, {COMPLETIONS:,} completions")
    with databases() as urls:
        for name, url in urls.items():
            whole, state = bytes_per_application(url)
            print(f"  {name:10}  {whole:7,.0f} bytes an application with its indexes, {state:5,.0f} of them its state")
    with databases() as urls:
        for name, url in urls.items():
            before, half_way, after = (", ".join(f"{each:.1f}" for each in figures) for figures in memory(url))
            print(
                f"  {name:10}  resident memory per worker {before} MB, after {COMPLETIONS // 2:,} completions "
                f"{half_way} MB, after {COMPLETIONS:,} {after} MB"
            )
    print(f"  from start to first page {cold_start():.1f} s")


if __name__ == "__main__":
    main()
