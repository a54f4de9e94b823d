"""Unknown files are examined in a process of its own, which is ended when one takes too long.

A file may keep the XML parser, a rule or the workflow library busy for ever (a data object used two sub-processes
further down does it to the library), and what hangs inside them can only be ended together with its process. One such
process is kept as long as files come, so that the next is examined in milliseconds; left alone it ends by itself.

What counts is the time it computes, not the time that passes: on a busy machine a sound diagram must not be refused.
"""

import atexit
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

CPU_SECONDS = 1.2  # for one file; the largest that the rules let pass takes half of it
WALL_SECONDS = 10.0  # for one that sleeps instead of computing; nothing known does
MEMORY = 2_000_000_000  # bytes
IDLE_SECONDS = 120.0

_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = "from engine.definitions import examiner, lint; examiner.serve(lint.examine)"


class TookTooLong(Exception):
    """The examination was ended."""


class Ended(Exception):
    """The process came to an end by itself, twice."""


class _Examiner:
    """The process that examines, and our end of the line to it."""

    def __init__(self) -> None:
        self.line, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 (our own program; the file goes through the pipe)
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for us; it ends when the line does
            )

    def ask(self, question: tuple[Any, ...]) -> Any:
        """Raises TookTooLong, and OSError or EOFError where the process is gone."""
        try:
            self.line.send(question)
            if not self.line.poll(WALL_SECONDS):
                raise TookTooLong
            return self.line.recv()
        except (OSError, EOFError):
            with suppress(subprocess.TimeoutExpired):
                if self.process.wait(1) == -signal.SIGPROF:
                    raise TookTooLong from None
            raise

    def end(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


_lock = threading.Lock()
_examiner: _Examiner | None = None


def ask(*question: Any) -> Any:
    """The answer of the program's function to the arguments `question`. Raises TookTooLong, Ended."""
    global _examiner
    with _lock:
        while True:
            begun = _examiner is None
            _examiner = _examiner or _Examiner()
            try:
                return _examiner.ask(question)
            except TookTooLong:
                close()
                raise
            except (OSError, EOFError) as gone:
                close()
                if begun:  # not one that had ended while nobody asked
                    raise Ended(repr(gone)) from gone


@atexit.register
def close() -> None:
    """End the process that examines, if there is one."""
    global _examiner
    if _examiner is not None:
        _examiner.end()
        _examiner = None


def _forget() -> None:
    """In a forked process: the examiner is the parent's, which goes on talking to it."""
    global _examiner, _lock
    _lock = threading.Lock()
    if _examiner is not None:
        _examiner.line.close()
        _examiner.process.returncode = 0  # not ours to wait for
        _examiner = None


os.register_at_fork(after_in_child=_forget)


def serve(answer: Callable[..., Any]) -> None:
    """What the process does: answer one question after the other until nobody asks or the other side is gone.

    A question that takes too long ends the process by a signal that nothing catches, not even a loop inside a library.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with Connection(int(sys.argv[1])) as line:
        try:
            while line.poll(IDLE_SECONDS):
                question = line.recv()
                signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
                answered = answer(*question)
                signal.setitimer(signal.ITIMER_PROF, 0)
                line.send(answered)
        except (EOFError, OSError):
            pass
