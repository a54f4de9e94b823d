"""A secret that somebody commits is found, and the sentence that says so doesn't repeat it."""

import shutil
from pathlib import Path

import pytest

from tests.leaks import EXPLAINED, ROOT, complaints, explained, found

PLANTED = {  # put together here, or they would be found in this file
    "a key of a cloud": ("engine/cloud.py", 'aws_id = "AKIA' + "Q3EGRIFH7XNDKP2V" + '"\n'),
    "a private key": ("web/key.pem", "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEow\n"),
    "a password": ("bpmn/onboarding/README.md", "pass" + 'word = "Xq7-vR2-kL9"\n'),
    "a password in an address": (
        ".env",
        "DATABASE_URL=postgresql://onboarding:" + "Xq7vR2kL9@db.internal/onboarding\n",
    ),
    "a key of the application": ("docs/notes.md", "SECRET" + '_KEY: "f3b1c7e09d5a' + '4a6e8c2d7b90e1f4a6c8"\n'),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_secret_is_found_and_not_repeated(tmp_path: Path, what: str) -> None:
    name, text = PLANTED[what]
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, "utf-8")
    told = [sentence for sentence in complaints(found(tmp_path), explained()) if sentence.startswith(name)]
    assert told
    for word in text.replace('"', " ").replace("@", " ").split():
        assert len(word) < 12 or word not in " ".join(told)


def test_what_is_explained_is_found_where_it_stands(tmp_path: Path) -> None:
    """Otherwise its explanation is to go: it would excuse whatever comes to stand there."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    known = {text: why for text, why in explained().items() if text.startswith(("smtp:", "pass")) and "_" not in text}
    assert list(complaints(found(tmp_path), known)) == []
    assert list(complaints(found(tmp_path), known | {"gone": "was one"})) == [
        f"tests/{EXPLAINED.name}: “gone” is explained and stands nowhere any more."
    ]
