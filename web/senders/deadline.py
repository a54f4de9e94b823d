"""A deadline for a whole exchange: a time-out of a socket only limits each single wait, and a byte now and then
passes it for ever."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def deadline(seconds: float, current: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cuts the connection that `current` names when the time is up, and turns the failure into TimeoutError."""
    passed = threading.Event()

    def cut() -> None:
        passed.set()
        if (connection := current()) is not None:
            with suppress(OSError):
                # The plain socket's way: that of TLS would first take its own state apart under the reader's hands.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as problem:
        if passed.is_set():
            raise _late(seconds) from problem
        raise
    finally:
        timer.cancel()
    if passed.is_set():  # what was cut off may look like a short answer
        raise _late(seconds)


def _late(seconds: float) -> TimeoutError:
    return TimeoutError(f"not done within {seconds:g} seconds")
