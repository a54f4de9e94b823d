"""What a file looks like, drawn by a process that can do no harm and is not waited for longer than one can bear."""

import io
import random
import tempfile
import zlib
from typing import Any, BinaryIO

import pytest
from PIL import Image

from engine.files import previewing
from engine.files.previewing import MOST_PAGES, NoPreview, Page, draw, has_preview
from engine.scenarios.sampling import SMALL_FILES

A4 = (595, 842)  # points


def pdf(*sizes: tuple[float, float], content: bytes = b"1 0 0 rg 0 0 1000 1000 re f") -> bytes:
    """A PDF with pages of these sizes in points, each with this content."""
    kids = " ".join(f"{4 + n} 0 R" for n in range(len(sizes)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(sizes)}>>".encode(),
        b"<</Length %d>>stream\n%b\nendstream" % (len(content), content),
        *(f"<</Type/Page/Parent 2 0 R/Contents 3 0 R/MediaBox[0 0 {w} {h}]>>".encode() for w, h in sizes),
    ]
    body = b"".join(b"%d 0 obj\n%b\nendobj\n" % (n, each) for n, each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + body + b"trailer<</Root 1 0 R>>\n%%EOF\n"


def picture(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB", **options: Any) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size).save(content, kind, **options)
    return content.getvalue()


def drawn(content: bytes, number: int = 1) -> tuple[Page, Image.Image]:
    with a_file(content) as file:
        page = draw(file, number)
    image = Image.open(io.BytesIO(page.jpeg))
    image.load()
    return page, image


def a_file(content: bytes) -> BinaryIO:
    """As the store opens it: another process has to read it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by who asked for it)
    file.write(content)
    file.seek(0)
    return file


def test_each_page_of_a_pdf_is_drawn() -> None:
    page, image = drawn(pdf(A4, A4, A4), 3)
    assert (page.number, page.pages, page.more) == (3, 3, False)
    assert image.format == "JPEG"
    assert image.size == (1240, 1755)
    red, green, blue = image.getpixel((100, 1700))  # type: ignore[misc]
    assert red > 200 > 50 > green >= blue - 5


@pytest.mark.parametrize("size", [(595, 842), (5, 14_000), (14_000, 5), (14_400, 14_400), (1, 1)])
def test_a_page_of_any_size_stays_within_bounds(size: tuple[float, float]) -> None:
    _, image = drawn(pdf(size))
    assert image.width <= previewing.WIDTH + 1
    assert image.height <= previewing.HEIGHT + 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_a_picture_is_drawn_anew_and_no_larger_than_needed(kind: str) -> None:
    page, image = drawn(picture((4000, 1000), kind))
    assert (page.pages, image.format, image.size) == (1, "JPEG", (1240, 310))


def test_nothing_of_the_file_but_its_looks_is_left() -> None:
    hidden = b"<script>alert(1)</script>"
    for content in (picture((50, 50)) + hidden, pdf(A4) + hidden, picture((50, 50), "JPEG", comment=hidden)):
        page, _ = drawn(content)
        assert b"script" not in page.jpeg


def test_a_picture_taken_with_the_phone_upside_down_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    assert drawn(picture((400, 200), "JPEG", exif=exif.tobytes()))[1].size == (200, 400)


def test_what_shines_through_lies_on_white() -> None:
    image = drawn(picture((10, 10), mode="RGBA"))[1]
    assert image.getpixel((5, 5)) == (255, 255, 255)


def bomb() -> bytes:
    """A picture of 30,000 by 30,000 in some kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = (30_000).to_bytes(4, "big") * 2 + b"\1\0\0\0\0"
    rows = zlib.compress(bytes(3751) * 30_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


LOOP = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n%%EOF"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.4\n",
        b"%PDF-1.4\n" + random.Random(7).randbytes(5000),
        pdf(A4)[:150],
        LOOP,
        pdf(),
        bomb(),
        picture((50, 50))[:60],
        b"GIF89a" + b"\0" * 30,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"MZ" + b"\0" * 300,
    ],
    ids=["empty", "head", "noise", "cut", "loop", "no pages", "bomb", "cut picture", "bare gif", "svg", "program"],
)
def test_what_can_not_be_drawn_is_said_in_a_sentence(content: bytes) -> None:
    with pytest.raises(NoPreview, match="请下载后查看"):
        drawn(content)


@pytest.mark.parametrize("number", [-1, 0, 2, MOST_PAGES + 1])
def test_there_is_no_page_before_the_first_or_after_the_last(number: int) -> None:
    with pytest.raises(NoPreview):
        drawn(pdf(A4), number)


def test_a_file_that_takes_for_ever_is_given_up() -> None:
    endless = pdf(A4, content=b"0 0 595 842 re W n " + b"q 1 0 0 1 0 0 cm 0 0 595 842 re f Q " * 400_000)
    with a_file(endless) as content, pytest.raises(NoPreview):
        draw(content, 1, seconds=0.05)


def test_a_long_pdf_tells_that_there_is_more() -> None:
    page, _ = drawn(pdf(*[A4] * (MOST_PAGES + 1)))
    assert (page.pages, page.more) == (MOST_PAGES, True)


def test_only_what_can_be_drawn_has_a_preview() -> None:
    assert all(map(has_preview, ["a.pdf", "a.PDF", "a.jpeg", "a.webp"]))
    assert not any(map(has_preview, ["a.docx", "a.svg", "a.pdf.zip", "pdf", "a.html"]))


def test_the_trials_own_files_can_be_looked_at() -> None:
    for content in SMALL_FILES.values():
        drawn(content)
