"""Uploads at the real server: large ones are refused early and cost it neither memory nor disk, broken ones leave
nothing, and what else is on the page survives."""

import os
import re
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.runtime import Runtime
from engine.scenarios.sampling import SMALL_FILES
from tests.casework import Case, deploy_onboarding
from tests.conftest import PASSWORD
from tests.serving import Browser, Server
from web import patience
from web.assembly import open_runtime
from web.patience import PatientServer
from web.settings import Settings

MB = 1024 * 1024
BOUNDARY = "----a-boundary"
PIECE = b"%PDF" + b"0" * (MB - 4)
LIMIT = 220 * MB  # of a request


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(sqlite_template, folder / "onboarding.db")
    server = Server(folder).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def runtime(server: Server) -> Iterator[Runtime]:
    """The engine over the server's own database and files."""
    runtime = open_runtime(Settings.from_environment(server.environment))
    deploy_onboarding(runtime)
    yield runtime
    runtime.database.close()


@pytest.fixture
def page(runtime: Runtime) -> str:
    """Where an enterprise hands in its materials, files of at most 20 MB each."""
    case = Case(runtime).step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    return f"/tasks/{case.tasks()[0].id}"


@pytest.fixture
def enterprise(server: Server, page: str) -> Iterator[Browser]:
    browser = Browser(server.port).log_in("enterprise-a", PASSWORD)
    browser.get(page)
    yield browser
    browser.close()


Sending = Callable[[int | None], "Upload"]


@pytest.fixture
def post(server: Server, enterprise: Browser, page: str) -> Iterator[Sending]:
    """`post(length)` begins to hand in materials of so many bytes, or, with None, of an unknown number."""
    with ExitStack() as lines:
        yield lambda length: lines.enter_context(Upload(server, enterprise, page).announce(length))


class Upload:
    """A post that is sent as slowly, as long and as broken as a test likes."""

    def __init__(self, server: Server, browser: Browser, page: str) -> None:
        self.line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        self.page, self.browser = page, browser
        self.sent = 0

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.line.close()

    def announce(self, length: int | None) -> "Upload":
        cookies = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        how = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        head = f"POST {self.page} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\n{how}\r\n"
        self.line.sendall(f"{head}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode())
        return self

    def send(self, pieces: Iterable[bytes], *, chunked: bool = False) -> "Upload":
        """As much as the server lets it."""
        try:
            for piece in pieces:
                self.line.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                self.sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def answer(self) -> tuple[int, str]:
        """Status and page; waits for the server to say that it is done."""
        received = b""
        while not complete(received):
            piece = self.line.recv(64 * 1024)
            if not piece:
                break
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split()[1]), body.decode()


def complete(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return length is not None and len(body) >= int(length[1])


def part(name: str, filename: str = "", header: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    return f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{header}\r\n'.encode()


def form(browser: Browser, *parts: bytes) -> Iterator[bytes]:
    yield part("csrf_token") + browser.token.encode()
    yield from parts
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def endless(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield PIECE


def memory(server: Server) -> int:
    """Bytes of the largest process of the server, at its highest."""
    assert server.process
    group = os.getpgid(server.process.pid)
    highest = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if os.getpgid(int(status.parent.name)) == group:
                highest = max(highest, int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) * 1024)
        except (OSError, IndexError):
            continue  # it has ended
    return highest


def left_behind(runtime: Runtime) -> set[str]:
    """Files that are neither content under its hash nor gone, those without a name that the server holds included."""
    lying = {file.name for file in runtime.files.root.glob("*") if file.is_file()}
    return lying | {
        target
        for link in Path("/proc").glob("[0-9]*/fd/*")
        if (target := pointed_at(link)).startswith(str(runtime.files.root))
    }


def pointed_at(link: Path) -> str:
    try:
        return os.readlink(link)
    except OSError:
        return ""


def stored(runtime: Runtime) -> int:
    return sum(1 for file in runtime.files.root.glob("??/??/*"))


def test_two_gigabytes_announced_are_refused_at_once(
    server: Server, runtime: Runtime, enterprise: Browser, post: Sending
) -> None:
    before = memory(server)
    upload = post(2048 * MB)
    status, answer = upload.answer()  # before a single byte of it is sent
    assert status == 413
    assert "提交的内容太大" in answer
    assert memory(server) - before < 60 * MB


def test_who_goes_on_sending_all_the_same_hears_it_too(
    server: Server, runtime: Runtime, enterprise: Browser, post: Sending
) -> None:
    upload = post(2048 * MB)
    status, answer = upload.send(form(enterprise, part("materials.licence", "a.pdf"), *endless(20))).answer()
    assert (status, "提交的内容太大" in answer) == (413, True)
    again = post(2048 * MB)
    again.send(form(enterprise, part("materials.licence", "a.pdf"), *endless(300)))
    assert again.sent < 100 * MB, "the server reads on and on"


def test_two_gigabytes_in_chunks_stop_at_the_limit_of_a_request_and_cost_no_memory(
    server: Server, runtime: Runtime, enterprise: Browser, post: Sending
) -> None:
    before = memory(server)
    upload = post(None)
    upload.send([part("csrf_token") + enterprise.token.encode() + part("materials.licence", "a.pdf")], chunked=True)
    upload.send(endless(2048), chunked=True)
    assert LIMIT < upload.sent < LIMIT + 100 * MB
    assert memory(server) - before < 60 * MB
    assert left_behind(runtime) == set()


def test_a_field_that_is_too_large_costs_neither_memory_nor_disk_nor_the_rest_of_the_page(
    server: Server, runtime: Runtime, enterprise: Browser, post: Sending
) -> None:
    before, kept = memory(server), stored(runtime)
    sent = [
        part("materials.licence", "licence.pdf"),
        *endless(100),
        part("materials.manual", "manual.pdf") + SMALL_FILES[".pdf"] + b"\n%% of this test",
    ]
    body = list(form(enterprise, *sent))
    upload = post(sum(map(len, body)))
    largest = 0
    for piece in body:
        upload.send([piece])
        largest = max(largest, on_disk(runtime))
    status, answer = upload.answer()
    assert status == 422
    assert "文件超过 20 MB" in answer
    assert "manual.pdf" in answer, "a file that is in order was lost with the other"
    assert memory(server) - before < 60 * MB
    assert largest < 25 * MB
    assert stored(runtime) == kept + 1
    assert left_behind(runtime) == set()


def on_disk(runtime: Runtime) -> int:
    """Bytes in files without a name."""
    sizes = [0]
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        if pointed_at(link).startswith(str(runtime.files.root)):
            try:
                sizes.append(link.stat().st_size)
            except OSError:
                continue
    return max(sizes)


def test_who_breaks_off_half_way_leaves_nothing(
    server: Server, runtime: Runtime, enterprise: Browser, post: Sending
) -> None:
    kept = stored(runtime)
    for announced in (15 * MB, None):
        upload = post(announced)
        beginning = [part("csrf_token") + enterprise.token.encode() + part("materials.licence", "a.pdf"), *endless(5)]
        upload.send(beginning, chunked=announced is None)
        upload.line.shutdown(socket.SHUT_WR)
        while upload.line.recv(64 * 1024):
            pass  # until the server is through with it
    assert stored(runtime) == kept
    assert left_behind(runtime) == set()


def test_text_without_end_is_refused_and_costs_no_memory(server: Server, enterprise: Browser, post: Sending) -> None:
    before = memory(server)
    fields = (part(f"materials.note{number}") + b"x" * MB for number in range(200))
    upload = post(210 * MB)
    upload.send(form(enterprise, *fields))
    assert upload.sent < 60 * MB
    assert memory(server) - before < 60 * MB


def test_a_page_that_asks_for_no_files_takes_none(server: Server, enterprise: Browser) -> None:
    """The log-in page above all, which anybody may post to."""
    with Upload(server, enterprise, "/login").announce(100 * MB) as upload:
        status, answer = upload.answer()
    assert (status, "提交的内容太大" in answer) == (413, True)


def test_somebody_logged_out_hears_so_after_a_large_file(server: Server, page: str) -> None:
    stranger = Browser(server.port)
    stranger.get("/login")
    body = list(form(stranger, part("materials.licence", "a.pdf"), *endless(18)))
    with Upload(server, stranger, page).announce(sum(map(len, body))) as upload:
        status, answer = upload.send(body).answer()
    stranger.close()
    assert (status, "登录已过期" in answer) == (401, True)


@pytest.mark.parametrize("said", ["text/html", "image/svg+xml", "application/x-msdownload", "", "x" * 5000])
def test_what_a_part_says_of_its_type_counts_for_nothing(enterprise: Browser, post: Sending, said: str) -> None:
    licence = part("materials.licence", "licence.pdf", f"Content-Type: {said}\r\n") + SMALL_FILES[".pdf"]
    body = list(form(enterprise, licence))
    status, answer = post(sum(map(len, body))).send(body).answer()
    assert status == 422, "the other files are missing"
    address = re.search(r"/files/[0-9a-f]{32}", answer)
    assert address, answer
    assert enterprise.get(address[0])[0] == 200


def test_who_stalls_is_not_waited_for_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "STALLED_SECONDS", 0.01)
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb") as body:
        environ = {"REQUEST_METHOD": "POST", "wsgi.input": body, "gunicorn.socket": ours}

        def reads_the_form(environ: Any, _start_response: Any) -> list[bytes]:
            with pytest.raises(TimeoutError):
                environ["wsgi.input"].read(10)
            assert ours.gettimeout() is None, "an answer may take longer"
            return [b"answered"]

        monkeypatch.setattr(patience, "LINGER_SECONDS", 0.0)
        answer: Any = PatientServer(reads_the_form)(environ, _start)
        with closing(answer):
            assert list(answer) == [b"answered"]


def _start(*_: object) -> Any:
    raise AssertionError("nobody starts an answer here")
