"""Uploaded files (附件): content on disk under its SHA-256, one row per upload, type told by content, not by name."""

import codecs
import errno
import hashlib
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

import puremagic
from sqlalchemy import ForeignKey, String, or_, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from engine.database import Base, UtcDateTime, new_id
from engine.errors import Broken, Conflict, Invalid, Unavailable
from engine.text import Text

MAX_NAME = 200  # characters
_CHUNK = 64 * 1024  # bytes
_MAX_DIRECTORY = 512 * 1024  # bytes of a zip's central directory: about 10,000 entries


class FileRefused(Invalid):
    """The upload can't be taken; nothing was kept."""


class FileTooLarge(FileRefused):
    sentence = Text(
        "文件超过 {limit}，请压缩或拆分后重新上传。", "The file is larger than {limit}. Compress or split it."
    )


class FileEmpty(FileRefused):
    sentence = Text("文件是空的，请检查后重新上传。", "The file is empty. Check it and upload it again.")


class FileNameRefused(FileRefused):
    sentence = Text("文件没有名称，请命名后重新上传。", "The file has no name. Name it and upload it again.")


class FileTypeRefused(FileRefused):
    sentence = Text("不接受“{name}”：请上传 {accepted} 格式的文件。", "“{name}” is not accepted: upload {accepted}.")


class FileContentRefused(FileRefused):
    sentence = Text(
        "“{name}”的内容不是有效的 {ending} 文件，请用正确的格式重新保存后上传。",
        "The content of “{name}” is no valid {ending} file. Save it in the right format and upload it again.",
    )


class NoRoomForFile(Unavailable):
    sentence = Text(
        "服务器的存储空间不足，附件没有保存，请稍后再试；如仍不成功，请联系平台运维人员。",
        "The server has no room for the file; it was not kept. Try again later, or tell whoever runs the platform.",
    )


class FileElsewhere(Conflict):
    sentence = Text(
        "附件已用于另一申请或已不存在，请重新上传。",
        "A file belongs to another application or is gone. Upload it again.",
    )


class ContentMissing(Broken):
    """A row's content is not in the store: a backup restored in part, or a wrong folder."""


class StoredFile(Base):
    """One upload. A draft until the answers that hold it are submitted; then it belongs to their instance."""

    __tablename__ = "stored_files"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    size: Mapped[int]  # bytes
    media_type: Mapped[str] = mapped_column(String(100))
    organisation_id: Mapped[str] = mapped_column(ForeignKey("organisations.id"), index=True)  # the uploader's
    uploaded_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    instance_id: Mapped[str | None] = mapped_column(String(32), index=True)  # no foreign key: a room above this one

    def as_answer(self) -> dict[str, str | int]:
        """What a form's answers hold of the file."""
        return {"file_id": self.id, "name": self.name, "size": self.size, "sha256": self.sha256}


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
        with _told_when_full():
            self.root.mkdir(parents=True, exist_ok=True)
        with _told_when_full(), tempfile.NamedTemporaryFile(dir=self.root, prefix=".incoming-", delete=False) as target:
            path = Path(target.name)
            try:
                while piece := stream.read(_CHUNK):
                    size += len(piece)
                    if size > max_bytes:
                        raise FileTooLarge(limit=_readable_size(max_bytes))
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

    def _place(self, sha256: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):  # never a path made by somebody else
            raise ContentMissing()
        return self.root / sha256[:2] / sha256[2:4] / sha256


@contextmanager
def _told_when_full() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoRoomForFile() from problem
        raise


def add(
    session: Session,
    store: FileStore,
    *,
    stream: Readable,
    name: str,
    accept: Sequence[str],
    max_bytes: int,
    actor_id: str,
    organisation_id: str,
    now: datetime,
) -> StoredFile:
    """Takes in an upload as a draft of the organisation. `accept` as in a form: ".pdf", "image/png" or "image/*".

    With nothing in `accept`: PDF, OFD, pictures and office documents. Archives, films and plain text must be named.
    Raises FileRefused (name, type, content, empty, too large).
    """
    name = clean_name(name)
    ending = Path(name).suffix.lower()
    _refuse_ending(name, ending, accept)
    with store.receive(stream, max_bytes) as received:
        if not received.size:
            raise FileEmpty()
        media_type = _media_type(received.path, ending)
        if media_type is None:
            raise FileContentRefused(name=name, ending=ending)
        store.keep(received)
    file = StoredFile(
        id=new_id(),
        sha256=received.sha256,
        name=name,
        size=received.size,
        media_type=media_type,
        organisation_id=organisation_id,
        uploaded_by=actor_id,
        at=now,
    )
    session.add(file)
    session.flush()
    return file


def attach(session: Session, file_ids: Iterable[str], instance_id: str) -> None:
    """The files belong to the instance from now on; those that already do stay.

    Whose files they are is the caller's to check. Raises FileElsewhere, after which the transaction has to be undone.
    """
    ids = set(file_ids)
    free = StoredFile.id.in_(ids) & or_(StoredFile.instance_id.is_(None), StoredFile.instance_id == instance_id)
    # Of two instances that hand in the same draft at once, the second waits for the first and finds it taken.
    attached = update(StoredFile).where(free).values(instance_id=instance_id).returning(StoredFile.id)
    if len(session.scalars(attached, execution_options={"synchronize_session": False}).all()) != len(ids):
        raise FileElsewhere()


def clean_name(name: str) -> str:
    """The bare name to show and to offer for download. Raises FileNameRefused when nothing of it is left.

    Without folders, control and invisible characters (a right-to-left override makes gpj.exe look like exe.jpg);
    at most 200 characters, the ending kept.
    """
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(" " if c.isspace() else c for c in bare if c.isspace() or unicodedata.category(c)[0] != "C")
    clean = " ".join(visible.split()).strip(" .")
    if not clean:
        raise FileNameRefused()
    ending = Path(clean).suffix
    return clean if len(clean) <= MAX_NAME else clean[: MAX_NAME - len(ending[:20])] + ending[:20]


_OFFICE = "application/vnd.openxmlformats-officedocument."
_MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".ofd": "application/ofd",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".webp": "image/webp",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".docx": _OFFICE + "wordprocessingml.document",
    ".xlsx": _OFFICE + "spreadsheetml.sheet",
    ".pptx": _OFFICE + "presentationml.presentation",
}
_WHEN_NAMED = {
    ".zip": "application/zip",
    ".rar": "application/vnd.rar",
    ".7z": "application/x-7z-compressed",
    ".mp4": "video/mp4",
    ".txt": "text/plain",
    ".csv": "text/csv",
}
_KNOWN = _MEDIA_TYPES | _WHEN_NAMED
_IN_ZIP = {".docx": "word/", ".xlsx": "xl/", ".pptx": "ppt/", ".ofd": "OFD.xml", ".zip": ""}
_IN_OLE = {".doc": ("WordDocument",), ".xls": ("Workbook", "Book")}


def _refuse_ending(name: str, ending: str, accept: Sequence[str]) -> None:
    wanted = [entry.strip().lower() for entry in accept if entry.strip()]
    media_type = _KNOWN.get(ending, "")
    as_type = {media_type, media_type.split("/")[0] + "/*"} if media_type else set()
    allowed = ending in wanted or as_type & set(wanted) if wanted else ending in _MEDIA_TYPES
    if not allowed or not ending:
        raise FileTypeRefused(name=name, accepted="、".join(wanted or _MEDIA_TYPES))


def _media_type(path: Path, ending: str) -> str | None:
    """The media type, if the content is what the ending says; None if it is not."""
    if ending in (".txt", ".csv"):
        return _KNOWN[ending] if any(_is_text(path, encoding) for encoding in ("utf-8", "gb18030")) else None
    with path.open("rb") as stream:
        head = stream.read(8)
        if ending in _IN_ZIP:
            return _KNOWN[ending] if head.startswith(b"PK\3\4") and _is_zip_of(path, ending) else None
        if ending in _IN_OLE:
            ole = head == bytes.fromhex("D0CF11E0A1B11AE1") and any(_holds(path, entry) for entry in _IN_OLE[ending])
            return _KNOWN[ending] if ole else None
        stream.seek(0)
        try:
            # Without the name: puremagic would let it weigh in, and it is the name that is being checked.
            candidates = puremagic.magic_stream(stream)
        except puremagic.PureError:
            return None
    for candidate in candidates:
        if candidate.extension == ending and candidate.offset >= 0:
            return _KNOWN.get(ending) or candidate.mime_type or "application/octet-stream"
    return None


def _is_zip_of(path: Path, ending: str) -> bool:
    """A zip with the entry its ending demands; a small directory only, for `zipfile` reads that into memory."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 66_000))
        tail = stream.read()
    end = tail.rfind(b"PK\5\6")
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    if end < 0 or len(tail) < end + 22 or size > _MAX_DIRECTORY or tail[max(0, end - 20) : end][:4] == b"PK\6\7":
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return False
    if ending == ".zip":
        return True
    with_macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    return not with_macros and any(name.startswith(_IN_ZIP[ending]) for name in names)


def _is_text(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                if re.search(r"[\x00-\x08\x0e-\x1f\x7f]", decoder.decode(piece)):
                    return False
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _holds(path: Path, entry: str) -> bool:
    """Whether the file has the entry of a compound file's directory: its name in UTF-16, padded with zeros."""
    needle, before = entry.encode("utf-16-le") + b"\0\0", b""
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            if needle in before + piece:
                return True
            before = piece[-len(needle) :]
    return False


def _readable_size(size: int) -> str:
    return f"{size / 1024**2:.4g} MB" if size >= 1024**2 else f"{size / 1024:.4g} KB"
