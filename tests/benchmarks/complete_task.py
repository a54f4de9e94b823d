"""How long completing one user task takes over HTTP on the SQLite default, with one client.

A POST of the review form to the real server: session, permission, form validation, engine, history, commit. Prints
figures; judges nothing. Run it with `make bench`.
"""

import platform
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from engine.runtime.runtime import Runtime
from tests.casework import Case
from tests.serving import Browser, Server
from web.assembly import open_runtime
from web.settings import Settings
from web.trial_cast import PASSWORD

COMPLETIONS = 200
WARM_UP = 20


def waiting_reviews(runtime: Runtime) -> list[str]:
    """Task ids of as many applications that wait for their review."""
    cases = [Case(runtime, begins=datetime.now(UTC)).goes("递交申请材料") for _ in range(COMPLETIONS + WARM_UP)]
    return [case.task("审核材料").id for case in cases]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        server.command("init")
        server.command("seed-trial")
        runtime = open_runtime(Settings.from_environment(server.environment))
        tasks = waiting_reviews(runtime)
        runtime.database.close()
        server.start()
        try:
            official = Browser(server.port).log_in("guangzhou", PASSWORD)
            official.get(f"/tasks/{tasks[0]}")
            took = []
            for task in tasks:
                started = time.perf_counter()
                status, _ = official.post(f"/tasks/{task}", {"review.result": "pass", "_once": task})
                took.append((time.perf_counter() - started) * 1000)
                if status != 302:
                    sys.exit(f"task {task}: status {status}")
                official.get("/inbox")  # as a browser goes on after it; the answer's message would pile up otherwise
        finally:
            server.stop()
    counted = sorted(took[WARM_UP:])
    print(f"{platform.machine()}, Python {platform.python_version()}, SQLite, 1 client, {len(counted)} completions")
    print(
        f"completing a user task over HTTP: median {statistics.median(counted):.1f} ms, "
        f"p90 {counted[int(len(counted) * 0.9)]:.1f} ms, max {counted[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()
