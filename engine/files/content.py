"""What a file is: by its content, which has to be what its name says."""

import codecs
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import puremagic

from engine.files.refusals import FileTypeRefused
from engine.files.store import CHUNK

_MAX_DIRECTORY = 512 * 1024  # bytes of a zip's central directory: about 10,000 entries

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


def refuse_ending(name: str, ending: str, accept: Sequence[str]) -> None:
    wanted = [entry.strip().lower() for entry in accept if entry.strip()]
    media_type = _KNOWN.get(ending, "")
    as_type = {media_type, media_type.split("/")[0] + "/*"} if media_type else set()
    allowed = ending in wanted or as_type & set(wanted) if wanted else ending in _MEDIA_TYPES
    if not allowed or not ending:
        raise FileTypeRefused(name=name, accepted="、".join(wanted or _MEDIA_TYPES))


def media_type_of(path: Path, ending: str) -> str | None:
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
            while piece := stream.read(CHUNK):
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
        while piece := stream.read(CHUNK):
            if needle in before + piece:
                return True
            before = piece[-len(needle) :]
    return False
