"""A test key's whole life against the real server, by the examples of `docs/test-keys.md`: a device signs, the city's
system asks, the key is replaced, and the new one expires."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import select

from engine.clock import now as real_now
from engine.database import Database
from engine.files import FileStore
from engine.keys import issuing
from engine.people import systems
from engine.people.accounts import actor_named
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from engine.secrets import Keyring
from handlers import HANDLERS
from tests.casework import Case
from tests.conftest import ROOT
from tests.serving import Server

EXAMPLES = ROOT / "web" / "examples"
DOCUMENT = (ROOT / "docs" / "test-keys.md").read_text("utf-8")


@contextmanager
def city_system(platform: str, credential: str) -> Iterator[str]:
    """A city's system that answers each request with the platform's verdict on it."""
    verifying: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PLATFORM", platform)
        environment.setenv("CREDENTIAL", credential)
        exec(compile((EXAMPLES / "verify.py.txt").read_text("utf-8"), "verify.py", "exec"), verifying)

    class Receiving(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            verdict = verifying["verdict"]("POST", self.path, self.headers, body)
            answer = verdict["result"].encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiving)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def run(example: str, key: Mapping[str, str], endpoint: str) -> str:
    interpreter = [sys.executable] if ".py" in example else ["sh"]
    environment = {**os.environ, **key, "ENDPOINT": endpoint}
    command = [*interpreter, str(EXAMPLES / example)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("example", [path.name for path in sorted(EXAMPLES.iterdir())])
def test_the_document_shows_the_examples_that_are_run(example: str) -> None:
    shown = re.findall(r"```(?:python|sh)\n(.*?)\n```", DOCUMENT, re.DOTALL)
    assert (EXAMPLES / example).read_text("utf-8").rstrip("\n") in shown


def test_a_key_is_genuine_until_it_is_replaced_or_expires(tmp_path: Path, sqlite_url: str) -> None:
    server = Server(tmp_path, {"DATABASE_URL": sqlite_url}).start()
    runtime = Runtime(
        Database(sqlite_url),
        HANDLERS,
        Keyring.from_file(tmp_path / "keyring"),
        FileStore(tmp_path / "files"),
        trial=True,
    )
    try:
        case = Case(runtime, begins=real_now()).goes("收到测试密钥")
        with runtime.database.write() as session:
            admin, enterprise = (actor_named(session, name) for name in ("admin", "enterprise-a"))
            _, credential = systems.issue(session, admin, name="system", city="440100", now=real_now())

        def shown() -> dict[str, str]:
            with runtime.database.read() as session:
                key = session.scalars(select(IssuedKey).where(IssuedKey.revoked_at.is_(None))).one()
            return {"KEY_ID": key.id, "TEST_KEY": issuing.reveal(runtime, key.id, enterprise, case.now)}

        with city_system(f"http://127.0.0.1:{server.port}", credential) as endpoint:
            first = shown()
            assert run("sign.py.txt", first, endpoint) == "valid"
            assert run("sign.sh.txt", first, endpoint) == "valid"
            assert run("sign.py.txt", {**first, "TEST_KEY": "rntest_guessed"}, endpoint) == "signature_wrong"
            case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
            case.step(by="主管部门", does="核实情况", fills={"verification": "founded"})
            case.step(by="主管部门", does="组织技术支持单位限期整改", fills={"rectification": "two_days"})
            case.step(by="技术支持单位", does="重新提供测试密钥或接口", fills={"remedy": "key"})
            second = shown()
            assert run("sign.py.txt", first, endpoint) == "revoked"
            assert run("sign.sh.txt", second, endpoint) == "valid"
            server.command("advance", "30")
            assert run("sign.py.txt", second, endpoint) == "expired"
    finally:
        server.stop()
        runtime.database.close()
    assert first["TEST_KEY"] not in (tmp_path / "server.log").read_text("utf-8")
