"""Where content lies: on disk under its SHA-256, each content once."""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.files.refusals import ContentMissing, FileTooLarge, NoRoomForFile

CHUNK = 64 * 1024  # bytes


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Received:
    """Content that has arrived and can be looked at, but is not in the store yet."""

    path: Path
    sha256: str
    size: int


class FileStore:
    """Content by its SHA-256 in `root`/ab/cd/<sha256>; the same content is stored once and never changed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def save(self, stream: Readable, max_bytes: int) -> tuple[str, int]:
        """Stores what the stream yields: (sha256, size in bytes). Raises FileTooLarge."""
        with self.receive(stream, max_bytes) as received:
            self.keep(received)
            return received.sha256, received.size

    def open(self, sha256: str) -> BinaryIO:
        """The content, to be read and closed. Raises ContentMissing."""
        try:
            return self._place(sha256).open("rb")
        except FileNotFoundError:
            raise ContentMissing() from None

    @contextmanager
    def receive(self, stream: Readable, max_bytes: int) -> Iterator[Received]:
        """The stream's content in a temporary file, read in pieces; gone after the block unless kept.

        Raises FileTooLarge, and NoRoomForFile where the disk is full, in the block too.
        """
        digest, size = hashlib.sha256(), 0
        with told_when_full():
            self.root.mkdir(parents=True, exist_ok=True)
        with told_when_full(), tempfile.NamedTemporaryFile(dir=self.root, prefix=".incoming-", delete=False) as target:
            path = Path(target.name)
            try:
                while piece := stream.read(CHUNK):
                    size += len(piece)
                    if size > max_bytes:
                        raise FileTooLarge(limit=readable_size(max_bytes))
                    digest.update(piece)
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())
                yield Received(path, digest.hexdigest(), size)
            finally:
                path.unlink(missing_ok=True)

    def keep(self, received: Received) -> None:
        """Moves the content to its place in one step: a reader sees all of it or nothing."""
        place = self._place(received.sha256)
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            received.path.replace(place)
            _settle(place.parent)

    def _place(self, sha256: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):  # never a path made by somebody else
            raise ContentMissing()
        return self.root / sha256[:2] / sha256[2:4] / sha256


def _settle(folder: Path) -> None:
    """What was moved into the folder is there after a power cut too: a row is about to name it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def told_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoRoomForFile() from problem
        raise


def readable_size(size: int) -> str:
    return f"{size / 1024**2:.4g} MB" if size >= 1024**2 else f"{size / 1024:.4g} KB"
