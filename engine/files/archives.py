"""What is inside a zip: office documents and OFD are zips too. Nothing is ever unpacked here but a few small parts."""

import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

_MAX_DIRECTORY = 512 * 1024  # bytes of a zip's central directory, which is read into memory: about 10,000 entries
_MAX_UNPACKED = 512 * 1024**2  # bytes of all entries together; a document of 20 MB has a tenth of it
_MAX_PART = 256 * 1024  # bytes that are read of a part
_HOLDS = {".docx": "word/", ".xlsx": "xl/", ".pptx": "ppt/", ".ofd": "OFD.xml"}
_ENCRYPTED = 0x1  # of an entry's flags

ARCHIVES = frozenset(
    {
        *(".zip", ".rar", ".7z", ".gz", ".tgz", ".bz2", ".xz", ".tar"),
        *(".cab", ".iso", ".img", ".arj", ".lzh"),
    }
)
# What runs, or runs something, when it is opened.
ACTIVE = frozenset(
    {
        *(".html", ".htm", ".xhtml", ".xht", ".shtml", ".mht", ".mhtml", ".svg", ".svgz"),
        *(".js", ".mjs", ".jse", ".swf", ".chm", ".php", ".jsp", ".asp"),
        *(".exe", ".dll", ".com", ".scr", ".pif", ".cpl", ".msi", ".msp", ".jar", ".apk", ".app"),
        *(".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".wsf", ".wsh", ".hta", ".lnk", ".url", ".reg", ".sh", ".py"),
        *(".docm", ".dotm", ".xlsm", ".xltm", ".xlam", ".xll", ".pptm", ".potm", ".ppam", ".ppsm", ".sldm"),
    }
)
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, OSError, RuntimeError, EOFError)


class Unreadable(Exception):
    """It is no zip, or not the one its ending promises."""


class Dangerous(Exception):
    """It holds what runs, hides something, or is made to overwhelm whoever opens it."""


def examine(path: Path, ending: str) -> None:
    """Raises Unreadable, Dangerous."""
    size = path.stat().st_size
    _refuse_large_directory(path, size)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if sum(entry.compress_size for entry in entries) > size:
                raise Dangerous  # entries that lie on top of each other: a bomb
            _refuse_entries(entries)
            if ending in _HOLDS:
                _refuse_macros(archive, entries, ending)
    except _BROKEN as problem:
        raise Unreadable from problem


def _refuse_large_directory(path: Path, size: int) -> None:
    """Before `zipfile` reads it; nor may anything follow the end, where a second file could hide."""
    with path.open("rb") as stream:
        stream.seek(max(0, size - 66_000))
        tail = stream.read()
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) < end + 22 or tail[max(0, end - 20) : end][:4] == b"PK\6\7":
        raise Unreadable
    directory, comment = (int.from_bytes(tail[end + at : end + at + n], "little") for at, n in ((12, 4), (20, 2)))
    if directory > _MAX_DIRECTORY or end + 22 + comment != len(tail):
        raise Unreadable


def _refuse_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    if sum(entry.file_size for entry in entries) > _MAX_UNPACKED:
        raise Dangerous
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        leads_out = name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name)
        if leads_out or entry.flag_bits & _ENCRYPTED or PurePosixPath(name.lower()).suffix in ACTIVE | ARCHIVES:
            raise Dangerous


def _refuse_macros(archive: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], ending: str) -> None:
    names = [entry.filename for entry in entries]
    if not any(name.startswith(_HOLDS[ending]) for name in names):
        raise Unreadable
    for name in names:
        lower = name.lower()
        if lower.endswith("vbaproject.bin") or "/macrosheets/" in lower or "/activex/" in lower:
            raise Dangerous
        # A project under another name is told of here; so is a template from elsewhere, which brings its own macros.
        if lower == "[content_types].xml" or lower.endswith(".rels"):
            with archive.open(name) as part:
                said = part.read(_MAX_PART).lower()
            remote = b"attachedtemplate" in said and b"external" in said
            if b"macroenabled" in said or b"vbaproject" in said or b"ms-office.activex" in said or remote:
                raise Dangerous
