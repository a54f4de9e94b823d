"""The workflow library reads an unknown diagram in a process of its own.

Some diagrams make it loop for ever (a data object used two sub-processes further down), and a loop inside a library
can only be ended together with its process. One such process is kept as long as diagrams come, so that the next one
is read in milliseconds; left alone it ends by itself.
"""

import atexit
import os
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from SpiffWorkflow.bpmn import BpmnWorkflow

from engine.definitions.specs import compile_definition
from engine.errors import Refusal
from engine.text import Text

SECONDS = 10.0  # the widest diagram that the rules let pass takes one, on a busy machine
IDLE_SECONDS = 120.0

_ROOT = Path(__file__).resolve().parents[2]
_READ = "from engine.definitions.loading import serve; serve()"

_REFUSES = Text(
    "流程引擎无法装载这个流程图（{cause}）；请把流程图文件发给系统管理员。",
    "The engine can't load this diagram ({cause}); send the file to an administrator.",
)
_TOO_LONG = Text(
    "流程引擎装载这个流程图超过 {seconds} 秒，已中止；请简化流程图，或把文件发给系统管理员。",
    "The engine had not loaded this diagram after {seconds} seconds and was stopped; make the diagram simpler, or "
    "send the file to an administrator.",
)


class _Reader:
    """The process that reads, and our end of the line to it."""

    def __init__(self) -> None:
        self.line, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 (our own program; the diagram goes through the pipe)
                [sys.executable, "-c", _READ, str(theirs.fileno())],
                cwd=_ROOT,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for us; it ends when the line does
            )

    def ask(self, diagram: bytes) -> Text | None:
        """What is wrong with a diagram. Raises TimeoutError, and OSError or EOFError where the process is gone."""
        self.line.send_bytes(diagram)
        if not self.line.poll(SECONDS):
            raise TimeoutError
        problem: Text | None = self.line.recv()
        return problem

    def end(self) -> None:
        self.line.close()
        self.process.kill()
        self.process.wait()


_lock = threading.Lock()
_reader: _Reader | None = None


def problem_of(diagram: bytes) -> Text | None:
    """Why the engine can't load and begin a diagram that the rules have nothing against; None if it can."""
    global _reader
    with _lock:
        while True:
            begun = _reader is None
            _reader = _reader or _Reader()
            try:
                return _reader.ask(diagram)
            except TimeoutError:
                close()
                return _TOO_LONG.filled(seconds=int(SECONDS))
            except (OSError, EOFError) as gone:
                close()
                if begun:  # not one that had ended while nobody asked
                    return _REFUSES.filled(cause=repr(gone))


@atexit.register
def close() -> None:
    """End the process that reads, if there is one."""
    global _reader
    if _reader is not None:
        _reader.end()
        _reader = None


def _forget() -> None:
    """In a forked process: the reader is the parent's, which goes on talking to it."""
    global _reader, _lock
    _lock = threading.Lock()
    if _reader is not None:
        _reader.line.close()
        _reader.process.returncode = 0  # not ours to wait for
        _reader = None


os.register_at_fork(after_in_child=_forget)


def serve() -> None:
    """What the process does: answer one diagram after the other until nobody asks or the other side is gone."""
    with Connection(int(sys.argv[1])) as line:
        try:
            while line.poll(IDLE_SECONDS):
                line.send(_read(line.recv_bytes()))
        except (EOFError, OSError):
            pass


def _read(diagram: bytes) -> Text | None:
    try:
        compiled = compile_definition(diagram, {})
        BpmnWorkflow(compiled.spec, compiled.subprocess_specs)  # it looks ahead through the whole diagram
    except Refusal as refused:
        return refused.text
    except Exception as problem:
        return _REFUSES.filled(cause=repr(problem))
    return None
