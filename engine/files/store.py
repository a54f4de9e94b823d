"""Where content lies: on disk under its SHA-256, each content once."""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.database import new_id
from engine.files.refusals import ContentMissing, FileTooLarge, NoRoomForFile

CHUNK = 64 * 1024  # bytes
_INCOMING, _LEAVING, _QUARANTINE = ".incoming-", ".leaving-", ".quarantine"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Scanner(Protocol):
    def scan(self, path: Path, /) -> str | None:
        """The name of what was found in a file; None where it is clean. Raises ScannerAway."""


@dataclass(frozen=True, slots=True)
class Received:
    """Content that has arrived and can be looked at, but is not in the store yet."""

    path: Path
    sha256: str
    size: int


class FileStore:
    """Content by its SHA-256 in `root`/ab/cd/<sha256>; the same content is stored once and never changed.

    With a scanner nothing is taken in without its word.
    """

    def __init__(self, root: Path, scanner: Scanner | None = None) -> None:
        self.root = root
        self.scanner = scanner

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
        with told_when_full(), tempfile.NamedTemporaryFile(dir=self.root, prefix=_INCOMING, delete=False) as target:
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
        """Moves the content to its place in one step: a reader sees all of it or nothing. What is there already is
        marked as fresh, so that nobody takes it away before the row that names it is written."""
        place = self._place(received.sha256)
        try:
            os.utime(place)
        except FileNotFoundError:
            place.parent.mkdir(parents=True, exist_ok=True)
            received.path.replace(place)
            _settle(place.parent)

    def quarantine(self, received: Received) -> None:
        """Puts content where nothing is served from, for whoever wants to look into it."""
        folder = self.root / _QUARANTINE
        folder.mkdir(mode=0o700, exist_ok=True)
        received.path.chmod(0o400)
        received.path.replace(folder / received.sha256)

    def empty_quarantine(self, before: datetime) -> int:
        """Deletes what was put there before a moment of real time; how many."""
        old = [path for path in self.root.glob(f"{_QUARANTINE}/*") if _older(path, before)]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def discard(self, sha256: str, *, unless_since: datetime) -> bool:
        """Takes content away for good, unless it was stored (again) since a moment of real time; whether it did."""
        place = self._place(sha256)
        # Moved aside before it is looked at: whoever stores it again from now on finds nothing and stores their own.
        aside = self.root / f"{_LEAVING}{sha256}-{new_id()}"
        try:
            place.rename(aside)
            if aside.stat().st_mtime >= unless_since.timestamp():
                aside.replace(place)
                return False
            aside.unlink()
        except FileNotFoundError:  # somebody else did
            return False
        return True

    def listed(self, *, before: datetime, batch: int, hour: int | None) -> Iterator[list[str]]:
        """The hashes of what was stored before a moment of real time, a batch at a time; with an hour of the day only
        the 24th part that belongs to it."""
        hashes: list[str] = []
        for folder in self.root.glob("[0-9a-f][0-9a-f]"):
            if hour is None or int(folder.name, 16) % 24 == hour:
                for place in folder.glob("*/*"):
                    if _older(place, before):
                        hashes.append(place.name)
                    if len(hashes) == batch:
                        yield hashes
                        hashes = []
        if hashes:
            yield hashes

    def tidy(self, *, before: datetime, wanted: Callable[[str], bool]) -> None:
        """Clears away what processes left that were killed before a moment of real time, half-way through receiving;
        and what they left half-way through discarding, unless by now it is `wanted` again."""
        for left in [*self.root.glob(f"{_INCOMING}*"), *self.root.glob(f"{_LEAVING}*")]:
            sha256 = left.name.removeprefix(_LEAVING)[:64]
            if left.name.startswith(_LEAVING) and wanted(sha256):
                with suppress(FileNotFoundError):
                    left.replace(self._place(sha256))
            elif _older(left, before):
                left.unlink(missing_ok=True)

    def _place(self, sha256: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):  # never a path made by somebody else
            raise ContentMissing()
        return self.root / sha256[:2] / sha256[2:4] / sha256


def _older(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False


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
