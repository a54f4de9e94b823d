"""What a file is: by its content, which has to be what its name says."""

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

import puremagic

from engine.files import archives
from engine.files.archives import ACTIVE
from engine.files.refusals import FileDangerous, FileTypeRefused
from engine.files.store import CHUNK

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
_ZIPPED = frozenset({".docx", ".xlsx", ".pptx", ".ofd", ".zip"})
_SHOWN_BY_BROWSERS = ("text/", "application/xml", "application/xhtml", "application/javascript", "image/svg")
_IN_OLE = {".doc": ("WordDocument",), ".xls": ("Workbook", "Book")}
_MACROS_IN_OLE = ("_VBA_PROJECT", "_VBA_PROJECT_CUR")


def refuse_ending(name: str, ending: str, accept: Sequence[str]) -> None:
    """What runs when it is opened is refused even where a form asks for it. Raises FileTypeRefused."""
    wanted = [entry.strip().lower() for entry in accept if entry.strip()]
    media_type = _KNOWN.get(ending, "")
    as_type = {media_type, media_type.split("/")[0] + "/*"} if media_type else set()
    allowed = ending in wanted or as_type & set(wanted) if wanted else ending in _MEDIA_TYPES
    if not allowed or not ending or ending in ACTIVE:
        harmless = [entry for entry in wanted or _MEDIA_TYPES if entry not in ACTIVE]
        raise FileTypeRefused(name=name, accepted="、".join(harmless))


def media_type_of(path: Path, name: str) -> str | None:
    """The media type, if the content is what the name's ending says; None if it is not. Raises FileDangerous."""
    ending = Path(name).suffix.lower()
    if ending in (".txt", ".csv"):
        return _KNOWN[ending] if any(_is_text(path, encoding) for encoding in ("utf-8", "gb18030")) else None
    with path.open("rb") as stream:
        head = stream.read(8)
        if ending in _ZIPPED:
            return _KNOWN[ending] if head.startswith(b"PK\3\4") and _is_zip(path, name, ending) else None
        if ending in _IN_OLE:
            if head != bytes.fromhex("D0CF11E0A1B11AE1") or not any(_holds(path, entry) for entry in _IN_OLE[ending]):
                return None
            if any(_holds(path, entry) for entry in _MACROS_IN_OLE):
                raise FileDangerous(name=name)
            return _KNOWN[ending]
        stream.seek(0)
        try:
            # Without the name: puremagic would let it weigh in, and it is the name that is being checked.
            candidates = puremagic.magic_stream(stream)
        except puremagic.PureError:
            return None
    for candidate in candidates:
        if candidate.extension == ending and candidate.offset >= 0:
            return _KNOWN.get(ending) or _never_shown(candidate.mime_type)
    return None


def _never_shown(media_type: str) -> str:
    """Nothing a browser would show as a page, whatever a form accepts."""
    shown = not media_type or media_type.startswith(_SHOWN_BY_BROWSERS) or media_type.endswith("+xml")
    return "application/octet-stream" if shown else media_type


def _is_zip(path: Path, name: str, ending: str) -> bool:
    """Whether it is the zip its ending says. Raises FileDangerous."""
    try:
        archives.examine(path, ending)
    except archives.Unreadable:
        return False
    except archives.Dangerous:
        raise FileDangerous(name=name) from None
    return True


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
