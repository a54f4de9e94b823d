"""Sorting what an analyst hands in, and packing a version so that it comes back the same."""

import io
import json
import zipfile
from typing import Any

import pytest

from engine.definitions.uploads import MAX_BYTES, Package, UploadRefused, completed, packed, unpack
from tests.engine.rules.builder import FORMS, GOOD, form

DIAGRAM = GOOD.encode()


def _json(schema: Any) -> bytes:
    return json.dumps(schema).encode()


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_diagram_and_forms_are_told_apart_by_their_endings() -> None:
    package = unpack([("My process.BPMN", DIAGRAM), ("review.json", b"\xef\xbb\xbf" + _json(FORMS["review"]))])
    assert package == Package(DIAGRAM, {"review": FORMS["review"]})


def test_a_zip_may_have_folders_and_other_files_beside() -> None:
    files = {
        "permit/permit.bpmn": DIAGRAM,
        "permit/forms/review.json": _json(FORMS["review"]),
        "permit/README.md": b"hello",
        "__MACOSX/permit/._permit.bpmn": b"junk",
        "permit/.hidden.json": b"junk",
    }
    assert unpack([("permit.zip", _zip(files))]) == Package(DIAGRAM, {"review": FORMS["review"]})


def test_a_name_that_leads_elsewhere_is_only_a_name_or_passed_over() -> None:
    """Nothing is unpacked into a folder, and what is packed again bears no more than the last part."""
    up = "../../../etc/review.json"
    package = unpack([("a.zip", _zip({up: b"{}", "/etc/x.bpmn": DIAGRAM, "C:\\etc\\..\\basic.json": b"{}"}))])
    assert package.diagram == DIAGRAM
    assert list(package.forms) == ["basic"]


def test_a_packed_version_comes_back_the_same() -> None:
    archive = packed("permit", DIAGRAM, FORMS)
    assert unpack([("permit.zip", archive)]) == Package(DIAGRAM, FORMS)
    assert archive == packed("permit", DIAGRAM, FORMS)


def test_what_was_not_uploaded_is_taken_over() -> None:
    new = form("review", "result", "reason")
    assert completed(Package(None, {"review": new}), DIAGRAM, FORMS) == (DIAGRAM, {**FORMS, "review": new})
    changed = GOOD.replace("working_days(3)", "P3D").encode()
    assert completed(Package(changed, {}), DIAGRAM, FORMS) == (changed, FORMS)


def test_a_form_that_nothing_refers_to_any_more_is_left_behind() -> None:
    without = GOOD.replace(' wf:form="scenario"', "").encode()
    assert "scenario" not in completed(Package(without, {}), DIAGRAM, FORMS)[1]


def test_a_form_that_another_takes_its_options_from_is_kept() -> None:
    review = form("review", "result")
    review["components"][0]["properties"] = {"options_from": "materials"}
    forms = {**FORMS, "materials": form("materials", "licence")}
    assert "materials" in completed(Package(None, {"review": review}), DIAGRAM, forms)[1]


def test_without_any_diagram_there_is_nothing_to_check() -> None:
    with pytest.raises(UploadRefused):
        completed(Package(None, FORMS), None, {})


def _lying_zip() -> bytes:
    """An archive whose directory says that a file of 20 MB has 10 bytes."""
    content = bytearray(_zip({"a.bpmn": b" " * 20_000_000}))
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    return bytes(content)


def _locked_zip() -> bytes:
    content = bytearray(_zip({"a.bpmn": DIAGRAM}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    "files",
    [
        [],
        [("notes.txt", b"hello")],
        [("a.bpmn", DIAGRAM), ("b.bpmn", DIAGRAM)],
        [("a/review.json", b"{}"), ("b/review.json", b"{}")],
        [("review.json", b"\xff\xfe")],
        [("review.json", "{“a”: 1}".encode())],
        [("review.json", b'{"a": Infinity}')],
        [("review.json", b"[" * 200_000)],
        [("a.bpmn", b" " * (MAX_BYTES + 1))],
        [("a.zip", b"")],
        [("a.zip", _zip({"a.bpmn": DIAGRAM})[:200])],
        [("a.zip", _zip({"a.bpmn": b" " * 50_000_000}))],
        [("a.zip", _zip({f"{number}.json": b"{}" for number in range(400)}))],
        [("a.zip", _lying_zip())],
        [("a.zip", _locked_zip())],
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(UploadRefused) as refused:
        unpack(files)
    assert refused.value.to("zh").startswith("上传的文件无法使用：")
    assert refused.value.to("en").startswith("The files can't be used: ")
