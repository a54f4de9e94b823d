"""The names of uploaded files, as they are shown and offered for download."""

import re
import unicodedata
from pathlib import Path

from engine.files.refusals import FileNameRefused
from engine.files.tables import MAX_NAME

_UNUSABLE = re.compile(r'[<>:"|?*]')  # in names on Windows, where a colon would also hide a second file
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)  # with any ending


def clean_name(name: str) -> str:
    """The bare name to show and to offer for download. Raises FileNameRefused when nothing of it is left.

    Without folders, control and invisible characters (a right-to-left override makes gpj.exe look like exe.jpg), and
    nothing that is no name on the computer of whoever saves it; at most 200 characters, the ending kept.
    """
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    visible = "".join(" " if c.isspace() else c for c in bare if c.isspace() or unicodedata.category(c)[0] != "C")
    clean = " ".join(visible.split()).strip(" .")
    if not clean:
        raise FileNameRefused()
    clean = _UNUSABLE.sub("_", clean)
    clean = f"_{clean}" if _DEVICE.fullmatch(clean) else clean
    ending = Path(clean).suffix
    return clean if len(clean) <= MAX_NAME else clean[: MAX_NAME - len(ending[:20])] + ending[:20]
