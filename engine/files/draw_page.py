"""Draws one page of a PDF, or a picture: a program of its own, for the file may have been made to break what reads it.

    python draw_page.py NUMBER MAX_WIDTH MAX_HEIGHT < file > page.jpeg

Says on standard error, in a line, how many pages there are. It writes no files and knows nothing of this system.
"""

import io
import resource
import sys
from typing import Any

MEMORY = 1024**3  # bytes
SECONDS = 10  # of computing
MOST_PIXELS = 100_000_000  # of a picture as it comes, about 300 MB


def main(number: int, max_width: int, max_height: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    content = sys.stdin.buffer.read()
    draw = _page if content.startswith(b"%PDF") else _picture
    image, pages = draw(content, number, max_width, max_height)
    print(pages, file=sys.stderr)  # noqa: T201  (whoever called reads it)
    jpeg = io.BytesIO()
    image.convert("RGB").save(jpeg, "JPEG", quality=85)
    sys.stdout.buffer.write(jpeg.getvalue())


def _page(content: bytes, number: int, max_width: int, max_height: int) -> tuple[Any, int]:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    document.init_forms()  # what was filled in is drawn too
    page = document[number - 1]
    width, height = page.get_size()
    return page.render(scale=min(max_width / width, max_height / height)).to_pil(), len(document)


def _picture(content: bytes, _number: int, max_width: int, max_height: int) -> tuple[Any, int]:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # twice of it is refused
    image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "GIF", "BMP", "WEBP"))
    image.draft("RGB", (max_width, max_height))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((max_width, max_height))
    on_white = Image.new("RGBA", upright.size, "white")
    on_white.alpha_composite(upright.convert("RGBA"))
    return on_white, 1


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]))
