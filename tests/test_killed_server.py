"""SIGKILL in the middle of instances: after a restart nothing is lost, and limits that ran out meanwhile fire once."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest
from sqlalchemy import select

from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, TrialClock
from engine.trust.verification import verify
from tests.casework import Case
from tests.serving import Browser, Server
from web.assembly import open_runtime
from web.settings import Settings
from web.trial_cast import PASSWORD


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.command("init")
    server.command("seed-trial")
    yield server
    server.stop()


@pytest.fixture
def beside(server: Server) -> Iterator[Runtime]:
    """The engine over the server's own database file, to set the scene and to look."""
    runtime = open_runtime(Settings.from_environment(server.environment))
    yield runtime
    runtime.database.close()


def _completions(runtime: Runtime, element_id: str) -> Counter[str]:
    with runtime.database.read() as session:
        return Counter(
            session.scalars(
                select(Event.instance_id).where(Event.kind == EventKind.TASK_COMPLETED, Event.element_id == element_id)
            )
        )


def test_nothing_is_lost_and_overdue_limits_fire_once(server: Server, beside: Runtime) -> None:
    cases = [Case(beside, begins=datetime.now(UTC)).goes("递交申请材料") for _ in range(12)]
    reviews = {case.task("审核材料").id: case for case in cases}
    server.start()
    answered: list[str] = []
    enough = Flag()

    def review_one_after_the_other() -> None:
        with closing(Browser(server.port)) as official:
            official.log_in("guangzhou", PASSWORD)
            for task_id in reviews:
                try:
                    status, _ = official.post(f"/tasks/{task_id}", {"review.result": "pass"})
                except (OSError, HTTPException):
                    return  # the server is gone
                assert status == 302
                answered.append(task_id)
                if len(answered) == 5:
                    enough.set()

    worker = Thread(target=review_one_after_the_other)
    worker.start()
    assert enough.wait(timeout=60)
    server.kill()
    worker.join(timeout=60)
    assert not worker.is_alive()

    # What an official was told is done, is done, once; the rest waits where it was.
    done = _completions(beside, "Review_Materials")
    assert set(done) >= {reviews[task_id].id for task_id in answered}
    assert set(done.values()) == {1}
    for case in cases:
        assert [t.name for t in case.tasks()] == (["下发测试密钥"] if case.id in done else ["审核材料"])

    # While it is down, every review's limit runs out.
    with beside.database.write() as session:
        session.add(TrialClock(id=1, offset_seconds=int(timedelta(days=30).total_seconds())))
    server.start()
    server.command("tick")  # races with the server's own clock on purpose

    with beside.database.read() as session:
        fired = Counter(session.scalars(select(Event.instance_id).where(Event.kind == EventKind.TIMER_FIRED)))
    assert fired == Counter({case.id: 1 for case in cases})

    with closing(Browser(server.port)) as official:
        official.log_in("guangzhou", PASSWORD)
        for task_id, case in reviews.items():
            if case.id not in done:
                assert official.post(f"/tasks/{task_id}", {"review.result": "pass"})[0] == 302
    assert _completions(beside, "Review_Materials") == Counter({case.id: 1 for case in cases})
    assert verify(beside.database).flaws == ()
