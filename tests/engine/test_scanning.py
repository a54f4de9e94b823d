"""Uploads before a virus scanner: a real server that speaks clamd's INSTREAM, over TCP and over a Unix socket."""

import io
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine import clock
from engine.audit.tables import SystemEvent, SystemEventKind
from engine.files import FileInfected, FileStore, StoredFile
from engine.files.leaving import QUARANTINED
from engine.files.scanning import Clamd, ScannerAway
from engine.reading.attachments import take_in
from engine.runtime.runtime import Runtime
from tests.casework import open_incidents
from tests.conftest import Cast
from web.settings import SettingRefused, Settings

CLEAN = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <<>> endobj\n%%EOF\n"
INFECTED = CLEAN + b"a virus, let us say"
LARGEST = 1_000_000  # bytes this scanner takes


@dataclass
class Scanning:
    """What the scanner says to what it was sent; `says` takes the place of a judgement."""

    says: bytes | None = None
    heard: list[bytes] = field(default_factory=list)

    def judge(self, content: bytes) -> bytes:
        self.heard.append(content)
        if self.says is not None:
            return self.says
        return b"stream: Some.Virus-1 FOUND\0" if b"a virus" in content else b"stream: OK\0"


def handler_of(scanning: Scanning) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            assert self.rfile.read(10) == b"zINSTREAM\0"
            content = b""
            while size := int.from_bytes(self.rfile.read(4), "big"):
                content += self.rfile.read(size)
                if len(content) > LARGEST:
                    self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                    return
            self.wfile.write(scanning.judge(content))

    return Handler


@pytest.fixture
def scanning() -> Scanning:
    return Scanning()


@pytest.fixture
def clamd(scanning: Scanning) -> Iterator[Clamd]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler_of(scanning)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Clamd(("127.0.0.1", server.server_address[1]))
        server.shutdown()
        thread.join()


@pytest.fixture
def scanned(runtime: Runtime, clamd: Clamd) -> Runtime:
    return replace(runtime, files=FileStore(runtime.files.root, clamd))


def upload(runtime: Runtime, cast: Cast, content: bytes) -> StoredFile:
    return take_in(
        runtime,
        stream=io.BytesIO(content),
        name="证明.pdf",
        accept=[".pdf"],
        max_bytes=5_000_000,
        actor=cast.enterprise,
        now=clock.now(),
    )


def lying(runtime: Runtime) -> list[str]:
    return [str(path.relative_to(runtime.files.root)) for path in runtime.files.root.rglob("*") if path.is_file()]


def test_a_clean_file_is_taken_in(scanned: Runtime, scanning: Scanning, cast: Cast) -> None:
    file = upload(scanned, cast, CLEAN)
    assert scanning.heard == [CLEAN]
    with scanned.files.open(file.sha256) as content:
        assert content.read() == CLEAN


def test_a_large_file_is_scanned_whole(scanned: Runtime, scanning: Scanning, cast: Cast) -> None:
    large = CLEAN + bytes(500_000)
    upload(scanned, cast, large)
    assert scanning.heard == [large]


def test_an_infected_file_is_refused_put_away_and_told_of(scanned: Runtime, cast: Cast) -> None:
    for _ in range(2):
        with pytest.raises(FileInfected, match="中发现病毒，没有接收") as refusal:
            upload(scanned, cast, INFECTED)
    sha256 = refusal.value.facts["sha256"]
    assert lying(scanned) == [f".quarantine/{sha256}"]
    with scanned.database.read() as session:
        assert session.scalars(select(StoredFile)).all() == []
        (incident,) = open_incidents(session)
        assert (incident.action, incident.cause, incident.times) == ("scan", f"Some.Virus-1 in {sha256}", 2)
        kept = select(SystemEvent).where(SystemEvent.kind == SystemEventKind.FILE_INFECTED)
        for entry in session.scalars(kept):
            assert entry.actor_id == cast.enterprise.account_id
            assert entry.details == {"signature": "Some.Virus-1", "sha256": sha256}


def test_an_infected_file_is_kept_for_a_while_only(scanned: Runtime, cast: Cast) -> None:
    with pytest.raises(FileInfected):
        upload(scanned, cast, INFECTED)
    assert scanned.files.empty_quarantine(clock.now() - QUARANTINED) == 0
    assert lying(scanned)
    assert scanned.files.empty_quarantine(clock.now() + timedelta(minutes=1)) == 1
    assert lying(scanned) == []


@pytest.mark.parametrize(
    "says", [b"", b"stream: ", b"UNKNOWN COMMAND\0", b"stream: Can't allocate memory ERROR\0", b"x" * 9_000]
)
def test_without_a_clear_word_nothing_is_taken_in(
    scanned: Runtime, scanning: Scanning, cast: Cast, says: bytes
) -> None:
    scanning.says = says
    with pytest.raises(ScannerAway, match="请过几分钟再上传"):
        upload(scanned, cast, CLEAN)
    assert lying(scanned) == []
    scanning.says = None
    upload(scanned, cast, CLEAN)


def test_what_the_scanner_finds_too_large_is_not_taken_in(scanned: Runtime, cast: Cast) -> None:
    with pytest.raises(ScannerAway):
        upload(scanned, cast, CLEAN + bytes(3_000_000))
    assert lying(scanned) == []


def nobody() -> Clamd:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Clamd(("127.0.0.1", probe.getsockname()[1]))


@pytest.mark.parametrize("absent", [nobody, lambda: Clamd("/nowhere/clamd.ctl")], ids=["tcp", "unix"])
def test_while_nobody_listens_nothing_is_taken_in_and_administrators_read_why(
    runtime: Runtime, cast: Cast, absent: Callable[[], Clamd]
) -> None:
    without = replace(runtime, files=FileStore(runtime.files.root, absent()))
    for _ in range(3):
        with pytest.raises(ScannerAway):
            upload(without, cast, CLEAN)
    assert lying(without) == []
    with runtime.database.read() as session:
        (incident,) = open_incidents(session)
    assert incident.times == 3
    assert incident.cause.startswith("ScannerAway: ")


def test_a_scanner_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(ScannerAway):
        Clamd(("127.0.0.1", listening.getsockname()[1]), seconds=0.05).scan(Path(__file__))


def test_a_unix_socket_will_do(scanning: Scanning, tmp_path: Path) -> None:
    path, infected = tmp_path / "clamd.ctl", tmp_path / "infected"
    infected.write_bytes(INFECTED)
    with socketserver.ThreadingUnixStreamServer(str(path), handler_of(scanning)) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert Clamd(str(path)).scan(infected) == "Some.Virus-1"
        thread.join()


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("", None),
        ("127.0.0.1:3310", ("127.0.0.1", 3310)),
        ("[::1]:3310", ("::1", 3310)),
        ("/run/clamav/clamd.ctl", "/run/clamav/clamd.ctl"),
    ],
)
def test_where_it_listens_is_a_setting(tmp_path: Path, setting: str, address: Any) -> None:
    clamd = Settings.from_environment({"DATA_DIR": str(tmp_path), "CLAMD": setting}).clamd
    assert (clamd.address if clamd else None) == address


@pytest.mark.parametrize("setting", ["clamd", "host:", ":3310", "host:99999", "host:port"])
def test_a_setting_that_names_no_place_is_refused(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SettingRefused, match="CLAMD"):
        Settings.from_environment({"DATA_DIR": str(tmp_path), "CLAMD": setting})
