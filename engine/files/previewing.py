"""Looking at an upload without opening it: a PDF's pages and pictures, drawn anew as plain JPEG.

Browsers don't show PDFs in the sandbox that strangers' files belong in, and what is drawn anew holds nothing but what
can be seen. It is drawn by a process that may be killed, within bounds of memory, time, pixels and pages.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path, PurePath
from threading import BoundedSemaphore
from typing import BinaryIO

from engine.errors import Invalid, Unavailable
from engine.text import Text

PREVIEWED = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"})
MOST_PAGES = 200
WIDTH, HEIGHT = 1240, 2480  # pixels at the most: a page of A4 at 150 to the inch, or one of twice its height
SECONDS = 15.0
_AT_ONCE = BoundedSemaphore(2)  # in this process; each may take a gigabyte at the worst
_PROGRAM = Path(__file__).with_name("draw_page.py")


class NoPreview(Invalid):
    sentence = Text(
        "这份文件无法预览（可能已加密、已损坏或过于复杂），请下载后查看。",
        "There is no preview of this file: it may be encrypted, damaged or too complex. Download it.",
    )


class PreviewBusy(Unavailable):
    sentence = Text("正在预览的人较多，请稍后再试。", "Many previews are being made. Try again in a while.")


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    pages: int  # that can be looked at
    more: bool  # than that there are
    jpeg: bytes


def has_preview(name: str) -> bool:
    return PurePath(name).suffix.lower() in PREVIEWED


def draw(content: BinaryIO, number: int, *, seconds: float = SECONDS) -> Page:
    """One page, counted from 1; of a picture there is one. Raises NoPreview, PreviewBusy."""
    if not 1 <= number <= MOST_PAGES:
        raise NoPreview()
    if not _AT_ONCE.acquire(timeout=seconds):
        raise PreviewBusy()
    try:
        done = subprocess.run(  # noqa: S603  (our own program; what strangers sent goes to its input only)
            [sys.executable, "-I", str(_PROGRAM), str(number), str(WIDTH), str(HEIGHT)],
            stdin=content,
            capture_output=True,
            timeout=seconds,
            env={},
            check=True,
        )
        pages = int(done.stderr.split()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        raise NoPreview() from None
    finally:
        _AT_ONCE.release()
    return Page(number, min(pages, MOST_PAGES), pages > MOST_PAGES, done.stdout)
