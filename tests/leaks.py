"""Passwords, keys and tokens in what is committed: `python -m tests.leaks`, part of `make check`.

detect-secrets looks; `leaks.toml` beside this says of every text that it takes for a secret why it is none. What is
found beyond that fails, and so does what is explained there and stands nowhere any more.
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

ROOT = Path(__file__).resolve().parent.parent
EXPLAINED = Path(__file__).with_name("leaks.toml")
PLACES = (".ci", "bpmn", "docs", "engine", "handlers", "tests", "web")  # and the files beside them
UNREAD = (
    "tests/leaks.toml",
    "requirements",  # hashes, some thousands
    "web/static/dist/",  # built from web/assets and from packages that its lock file names
    "web/assets/node_modules/",  # nobody commits it
    "tests/engine/rules/diagrams/",  # hundreds of copies of one diagram
)

_PARTS = 8  # of the files, each looked through by a process of its own

Found = set[tuple[str, int, str, str]]  # file, line, kind of secret, the text itself


def committed(root: Path) -> list[str]:
    """What is, or may soon be, by its path below the root."""
    beside = [path for path in root.iterdir() if path.is_file()]
    below = [path for place in PLACES for path in (root / place).rglob("*") if path.is_file()]
    names = (path.relative_to(root).as_posix() for path in beside + below)
    return sorted(name for name in names if not name.startswith(UNREAD) and "__pycache__" not in name)


def found(root: Path) -> Found:
    names = committed(root)
    with ProcessPoolExecutor() as pool:
        return set().union(*pool.map(partial(_found_in, root), [names[n::_PARTS] for n in range(_PARTS)]))


def _found_in(root: Path, names: Iterable[str]) -> Found:
    with default_settings():
        return {
            (name, one.line_number, one.type, one.secret_value or "")
            for name in names
            for one in scan_file(str(root / name))
        }


def explained() -> dict[str, str]:
    """Text → why it is no secret."""
    return dict(tomllib.loads(EXPLAINED.read_text("utf-8")))


def complaints(seen: Found, known: Mapping[str, str]) -> Iterable[str]:
    """Sentences; none of them tells a secret."""
    for file, line, kind, text in sorted(seen):
        if not known.get(text):
            yield (
                f"{file}, line {line}: {kind}. Take it out, and replace it wherever it is in use; "
                f"if it is none, say why in tests/{EXPLAINED.name}."
            )
    for text in sorted(known.keys() - {text for *_, text in seen}):
        yield f"tests/{EXPLAINED.name}: “{text}” is explained and stands nowhere any more."


def main() -> int:
    wrong = list(complaints(found(ROOT), explained()))
    sys.stderr.writelines(f"{sentence}\n" for sentence in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
