"""The database gone for ten seconds under the real server, with officials at work and limits that run out meanwhile.

Not collected by default; `make soak` runs it. Prints how it went (`pytest -s`).
"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
from sqlalchemy import select

from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, TrialClock
from engine.trust.verification import verify
from tests.casework import Case
from tests.conftest import _prepare
from tests.serving import Browser, Server
from tests.test_faults import nothing_is_wrong, server_of_its_own
from web.assembly import open_runtime
from web.settings import Settings
from web.trial_cast import PASSWORD

AWAY = 10  # seconds
REVIEWS, OVERDUE = 60, 20  # applications that officials review, and those whose limit runs out while it is away
PATIENCE = 120  # seconds for everything to be as it should be again; the machine may be busy


@pytest.fixture
def postgres_of_its_own(postgres: object) -> Iterator[Any]:
    with server_of_its_own() as postgres:
        yield postgres


@pytest.fixture
def server(postgres_of_its_own: Any, tmp_path: Path) -> Iterator[Server]:
    url = postgres_of_its_own.get_uri(database="postgres").replace("postgresql://", "postgresql+psycopg://", 1)
    _prepare(url)
    server = Server(tmp_path, {"DATABASE_URL": url})
    server.command("init")
    yield server
    server.stop()


@pytest.fixture
def beside(server: Server) -> Iterator[Runtime]:
    runtime = open_runtime(Settings.from_environment(server.environment))
    yield runtime
    runtime.database.close()


class Official:
    """Reviews one application after the other; what is refused because the database is away is sent again."""

    def __init__(self, username: str, task_ids: list[str], enough: Flag) -> None:
        self.username, self.task_ids, self.enough = username, task_ids, enough
        self.accepted: dict[str, float] = {}  # task → when (seconds, monotonic)
        self.refusals: list[tuple[float, str]] = []  # how long it took to be told so, in seconds, and what was said

    def work(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        with closing(Browser(port)) as browser:
            browser.log_in(self.username, PASSWORD)
            for task_id in self.task_ids:
                while task_id not in self.accepted:
                    assert time.monotonic() < deadline, f"{self.username} still can't hand in {task_id}"
                    began = time.monotonic()
                    status, page = browser.post(
                        f"/tasks/{task_id}", {"review.result": "pass", "_once": f"review-{task_id}"}
                    )
                    if status == 302:
                        self.accepted[task_id] = time.monotonic()
                    else:
                        assert status == 503, page
                        self.refusals.append((time.monotonic() - began, page))
                        time.sleep(0.2)
                if len(self.accepted) == 3:
                    self.enough.set()


def moments(runtime: Runtime, kind: EventKind, element_id: str) -> dict[str, list[datetime]]:
    """When it happened, by instance."""
    found: dict[str, list[datetime]] = {}
    with runtime.database.read() as session:
        rows = session.execute(
            select(Event.instance_id, Event.at).where(Event.kind == kind, Event.element_id == element_id)
        )
        for instance_id, at in rows:
            found.setdefault(instance_id, []).append(at)
    return found


def test_ten_seconds_without_a_database(server: Server, beside: Runtime, postgres_of_its_own: Any) -> None:
    """Whoever hands something in is refused in a sentence and can send it again; nothing is lost or done twice; what
    runs out meanwhile fires by itself once the database is back; nobody restarts anything."""
    overdue = [Case(beside, begins=datetime.now(UTC)).goes("递交申请材料") for _ in range(OVERDUE)]
    runs_out = overdue[-1].task("审核材料").due_at
    assert runs_out is not None
    reviewed = [Case(beside, begins=runs_out - timedelta(hours=1)).goes("递交申请材料") for _ in range(REVIEWS)]
    tasks = {case.task("审核材料").id: case for case in reviewed}
    server.start()
    process = server.process
    enough = [Flag(), Flag()]
    officials = [
        Official(login, list(tasks)[part::2], enough[part]) for part, login in enumerate(("guangzhou", "guangzhou2"))
    ]

    with ThreadPoolExecutor(2) as threads:
        working = [threads.submit(official.work, server.port) for official in officials]
        assert all(flag.wait(PATIENCE) for flag in enough)
        with beside.database.write() as session:  # so that the limits run out in the middle of the outage
            ahead = runs_out - timedelta(seconds=AWAY / 2) - datetime.now(UTC)
            session.add(TrialClock(id=1, offset_seconds=int(ahead.total_seconds())))
        postgres_of_its_own.stop()
        gone = time.monotonic()
        Flag().wait(AWAY)
        process_time_then = datetime.now(UTC) + timedelta(seconds=int(ahead.total_seconds()))
        back = time.monotonic()
        postgres_of_its_own.start()
        for official in working:
            official.result(PATIENCE)

    while set(fired := moments(beside, EventKind.TIMER_FIRED, "Review_Overdue")) != {case.id for case in overdue}:
        assert time.monotonic() < back + PATIENCE, f"only {len(fired)} limits fired"
        time.sleep(0.2)
    all_fired = time.monotonic()

    refusals = [refusal for official in officials for refusal in official.refusals]
    accepted = [moment for official in officials for moment in official.accepted.values()]
    assert refusals, "nobody met the outage"
    assert all("系统暂时连不上数据库，内容没有提交" in page for _, page in refusals)
    assert not [moment for moment in accepted if gone < moment < back]
    completed = moments(beside, EventKind.TASK_COMPLETED, "Review_Materials")
    assert {id_: len(times) for id_, times in completed.items()} == {case.id: 1 for case in reviewed}
    assert {len(times) for times in fired.values()} == {1}
    assert min(at for times in fired.values() for at in times) >= process_time_then >= runs_out
    assert verify(beside.database).flaws == ()
    nothing_is_wrong(overdue[0])
    assert process is server.process
    assert process is not None
    assert process.poll() is None

    before = sum(moment < gone for moment in accepted)
    first = min(moment for moment in accepted if moment > back)
    print(
        f"\naway {back - gone:.1f} s; {before} of {REVIEWS} reviews before it; {len(refusals)} refused meanwhile, the "
        f"slowest after {max(seconds for seconds, _ in refusals):.1f} s; the first accepted {first - back:.1f} s after "
        f"the start of the database, all {OVERDUE} limits fired after {all_fired - back:.1f} s"
    )
