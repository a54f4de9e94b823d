"""The server as it is started for real: it listens, serves, ticks, and ends when told."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_it_says_where_it_listens_serves_pages_and_ends_cleanly(sqlite_url: str, tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "web", "serve", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": sqlite_url, "DATA_DIR": str(tmp_path / "data"), "TRIAL": "1", "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        address = f"http://127.0.0.1:{port}"
        assert any(address in line for line in process.stdout), process.stderr and process.stderr.read()
        with urllib.request.urlopen(f"{address}/login", timeout=30) as answer:
            assert answer.status == 200
            assert "enterprise-a" in answer.read().decode()
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def test_the_clock_runs_alone_and_ends_when_told(sqlite_url: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "web", "clock"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": sqlite_url, "DATA_DIR": str(tmp_path / "data"), "LC_ALL": "en_GB.UTF-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "The clock is running.\n"
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


@pytest.mark.parametrize(
    ("name", "value", "told"), [("PORT", "many", "PORT"), ("DATABASE_URL", "mysql://x", "DATABASE_URL")]
)
def test_what_keeps_it_from_starting_is_a_sentence(tmp_path: Path, name: str, value: str, told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "web", "serve"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(tmp_path), name: value, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
