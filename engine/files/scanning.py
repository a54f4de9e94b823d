"""Having uploads looked at by a virus scanner: clamd, over its INSTREAM command.

Where a scanner is named, nothing is taken in without its word. While it can't be reached uploads are refused, in a
sentence that says to try again: what was filled in stays on the page, and nothing unexamined ever lies in the store.
"""

import socket
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Unavailable
from engine.files.store import CHUNK
from engine.text import Text

SECONDS = 30.0  # without a word from the scanner


class ScannerAway(Unavailable):
    """`why` is for the operator."""

    sentence = Text(
        "暂时无法对附件进行病毒扫描，附件没有保存；请过几分钟再上传，其他内容不受影响。",
        "Files can't be checked for viruses at the moment; this one was not kept. Upload it again in a few minutes.",
    )

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


@dataclass(frozen=True, slots=True)
class Clamd:
    """Where clamd listens: host and port, or the path of its Unix socket."""

    address: tuple[str, int] | str
    seconds: float = SECONDS

    def scan(self, path: Path) -> str | None:
        """The name of what was found in a file; None where it is clean. Raises ScannerAway."""
        try:
            said = self._ask(path)
        except OSError as problem:
            raise ScannerAway(f"{type(problem).__name__}: {problem}") from problem
        verdict = said.rstrip(b"\0\n").decode("utf-8", "replace").removeprefix("stream: ")
        if verdict == "OK":
            return None
        if verdict.endswith(" FOUND"):
            return verdict.removesuffix(" FOUND")
        raise ScannerAway(verdict or "clamd closed the connection")  # such as: INSTREAM size limit exceeded. ERROR

    def _ask(self, path: Path) -> bytes:
        with self._connected() as clamd, path.open("rb") as content:
            clamd.sendall(b"zINSTREAM\0")
            try:
                while piece := content.read(CHUNK):
                    clamd.sendall(len(piece).to_bytes(4, "big") + piece)
                clamd.sendall(bytes(4))
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has heard enough, and says why
            said = b""
            while len(said) < 4096 and not said.endswith(b"\0") and (piece := clamd.recv(1024)):
                said += piece
            return said

    def _connected(self) -> socket.socket:
        if isinstance(self.address, tuple):
            return socket.create_connection(self.address, timeout=self.seconds)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self.seconds)
        try:
            connection.connect(self.address)
        except OSError:
            connection.close()
            raise
        return connection
