"""The server: gunicorn with threads, started from Python, with the clock in the worker."""

import gc
import socket
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from engine.errors import Invalid
from engine.runtime.runtime import Runtime
from engine.text import Text
from web import logs
from web.scheduler import clock_of
from web.settings import Settings


class PortTaken(Invalid):
    sentence = Text(
        "端口 {port} 无法使用（可能已被占用）；请换一个，例如 make run PORT=8080。",
        "Port {port} can't be used (something else may be using it). Choose another, such as make run PORT=8080.",
    )


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn carries no types
    """Serves one application. `run()` returns when it is told to stop (SIGTERM, SIGINT)."""

    def __init__(
        self, app: Flask, settings: Settings, *, workers: int, clock: bool, on_ready: Callable[[], None]
    ) -> None:
        self.flask_app = app
        self.options: dict[str, Any] = {
            "bind": f"{settings.host}:{settings.port}",
            "worker_class": "gthread",
            "workers": workers,
            "threads": 8,
            "timeout": 60,
            "graceful_timeout": 20,
            "keepalive": 0,  # a connection that stayed would be one worker's, however busy that is and idle the others
            "control_socket_disable": True,
            "forwarded_allow_ips": "",  # which proxies are believed is for `web.proxies` alone
            "loglevel": "warning",
            "logger_class": logs.ServerLog,
            "when_ready": lambda server: on_ready(),  # it listens now
        }
        if clock:
            ticking = clock_of(_runtime_of(app), settings)
            # Threads do not survive the fork that makes the worker, so the clock starts in it, and ends with it.
            self.options["post_worker_init"] = lambda worker: ticking.start()
            self.options["worker_exit"] = lambda server, worker: ticking.stop()
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.flask_app

    def run(self) -> None:
        """Raises PortTaken."""
        host, port = self.options["bind"].rsplit(":", 1)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server will: a port just left is free
            try:
                probe.bind((host, int(port)))
            except OSError:
                raise PortTaken(port=port) from None
        logs.to_standard_error()
        _runtime_of(self.flask_app).database.close()  # a connection must not be shared with the worker
        _collect_less_garbage()
        super().run()


def _collect_less_garbage() -> None:
    """What was loaded stays for good and need not be looked through again and again; nor need what a request makes be
    looked through several times while it still works with it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _runtime_of(app: Flask) -> Runtime:
    runtime: Runtime = app.extensions["runtime"]
    return runtime
