"""The example diagrams of the rules: `diagrams/<rule>/valid-….bpmn` and `invalid-….bpmn`, to be opened in any editor.

An invalid one says in the text annotation `Wrong` which element is blamed and why, as in `Flow_4: a flow into nowhere`;
`file: …` where the finding names no element. They are bound to the forms of `diagrams/forms`, and to those of a folder
`forms` beside them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from engine.definitions.deployment import read_forms
from engine.definitions.diagrams import BPMN
from tests.engine.rules.builder import DIAGRAMS, FORMS


@dataclass(frozen=True)
class Example:
    """A diagram of one rule; `blamed` is the element that the rule names, None for the file as a whole."""

    rule: str
    path: Path
    what: str
    blamed: str | None = None

    @property
    def diagram(self) -> bytes:
        return self.path.read_bytes()

    @property
    def forms(self) -> dict[str, Any]:
        return {**FORMS, **read_forms(self.path.parent)}

    @property
    def name(self) -> str:
        return f"{self.rule}: {self.what}"


def _valid(path: Path) -> Example:
    return Example(path.parent.name, path, path.stem.removeprefix("valid-").replace("-", " "))


def _invalid(path: Path) -> Example:
    texts = etree.parse(path).findall(f".//{{{BPMN}}}textAnnotation[@id='Wrong']/{{{BPMN}}}text")
    assert len(texts) == 1, f"{path} must say what is wrong in a text annotation with the id “Wrong”"
    blamed, _, what = (texts[0].text or "").partition(": ")
    return Example(path.parent.name, path, what, None if blamed == "file" else blamed)


VALID = [_valid(path) for path in sorted(DIAGRAMS.glob("*/valid-*.bpmn"))]
INVALID = [_invalid(path) for path in sorted(DIAGRAMS.glob("*/invalid-*.bpmn"))]
