"""The real server as a process of its own, and a plain browser for it: cookies and form tokens, nothing more."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests.conftest import ROOT

READY_SECONDS = 60


@dataclass
class Server:
    """`flask --app web serve` on a free port of 127.0.0.1, over one data folder. `{port}` in a setting is that port."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()  # of `serve`
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        settings = {name: value.replace("{port}", str(self.port)) for name, value in self.settings.items()}
        return {**os.environ, "DATA_DIR": str(self.data_dir), "TRIAL": "1", "TICK_SECONDS": "1", **settings}

    def command(self, *arguments: str) -> str:
        """Run a command of the command line; what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "web", *arguments],
            cwd=ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def start(self) -> "Server":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        with (self.data_dir / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "--app", "web", "serve", "--port", str(self.port), *self.options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that killing it takes its worker along
            )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError((self.data_dir / "server.log").read_text("utf-8"))
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
                try:
                    connection.request("GET", "/login")
                    connection.getresponse().read()
                    return self
                except OSError:
                    time.sleep(0.05)  # not listening yet
        raise RuntimeError("the server did not come up")

    def kill(self) -> None:
        """SIGKILL to the server and its worker: nothing gets a chance to tidy up."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait(timeout=30)


class Browser:
    """One person's session, with a connection for as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.token = ""

    def close(self) -> None:
        self._connection.close()

    def log_in(self, username: str, password: str) -> "Browser":
        self.get("/login")
        status, _ = self.post("/login", {"username": username, "password": password})
        if status != 302:
            raise RuntimeError(f"{username} could not log in: {status}")
        self.get("/inbox")
        return self

    def get(self, path: str) -> tuple[int, str]:
        status, body = self._send("GET", path, None)
        if found := re.search(r'name="csrf_token"[^>]*value="([^"]+)"', body):
            self.token = found[1]
        return status, body

    def post(self, path: str, fields: Mapping[str, str]) -> tuple[int, str]:
        return self._send("POST", path, urlencode({"csrf_token": self.token, **fields}))

    def _send(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        for cookie in response.msg.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return response.status, response.read().decode()
