"""How long is waited for what a browser is still sending, and what becomes of the rest once it is answered."""

import io
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STALLED_SECONDS = 30.0  # without a byte of what was announced: whoever was sending it is gone
LINGER_SECONDS = 10.0
LINGER_BYTES = 32 * 1024 * 1024
_PIECE = 64 * 1024


class PatientServer:
    """Keeps a sender who stalls from holding a thread for good, and lets one who is refused hear why: a connection that
    is closed while the body still comes is reset, and the answer is lost on its way. So the rest is read and thrown
    away, as far as that is bearable.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._app(environ, start_response)
        environ["wsgi.input"] = body = _Body(environ["wsgi.input"], environ.get("gunicorn.socket"))
        return ClosingIterator(self._app(environ, start_response), body.throw_away_the_rest)


class _Body(io.RawIOBase):
    """The body of a request as the server hands it on; `connection` is the socket it comes from, if there is one."""

    def __init__(self, stream: Any, connection: Any) -> None:
        self._stream = stream
        self._connection = connection

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Raises TimeoutError."""
        with self._waiting(STALLED_SECONDS):
            piece: bytes = self._stream.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def throw_away_the_rest(self) -> None:
        ends, left = time.monotonic() + LINGER_SECONDS, LINGER_BYTES
        with suppress(OSError, ValueError):
            while left > 0 and (seconds := ends - time.monotonic()) > 0:
                with self._waiting(seconds):
                    piece = self._stream.read(_PIECE)
                if not piece:
                    break
                left -= len(piece)

    @contextmanager
    def _waiting(self, seconds: float) -> Iterator[None]:
        """Only while reading: a large answer over a slow line may take longer."""
        if self._connection is None:
            yield
            return
        before = self._connection.gettimeout()
        self._connection.settimeout(seconds)
        try:
            yield
        finally:
            with suppress(OSError):  # it is closed
                self._connection.settimeout(before)
