"""Breaking the sound process in one place, drawing small ones, and asking the gate about them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.definitions.deployment import read_forms
from engine.definitions.findings import Finding
from engine.definitions.lint import lint

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:wf="urn:x-realname:workflow:1" '
    'id="Definitions_1" targetNamespace="urn:test">\n'
)
TAIL = "</bpmn:definitions>\n"

DIAGRAMS = Path(__file__).parent / "diagrams"
FORMS = read_forms(DIAGRAMS)
GOOD = (DIAGRAMS / "sound.bpmn").read_text("utf-8")  # a bit of everything, and nothing wrong


def form(
    name: str, *required: str, optional: tuple[str, ...] = (), checks: Mapping[str, dict[str, str]] | None = None
) -> dict[str, Any]:
    """A form of text fields; `checks` has the properties of some, by key."""
    made: dict[str, Any] = {
        "type": "default",
        "id": name,
        "schemaVersion": 19,
        "properties": {"title": name},
        "components": [
            {"type": "textfield", "id": f"{name}_{key}", "key": key, "label": key, "validate": {"required": True}}
            for key in required
        ]
        + [{"type": "textfield", "id": f"{name}_{key}", "key": key, "label": key} for key in optional],
    }
    for component in made["components"]:
        component["properties"] = (checks or {}).get(component["key"], {})
    return made


def tell(call: object, *, text: str, text_en: str = "") -> None:
    """A handler with a required and an optional parameter."""


HANDLERS = {"tell": tell}


def broken(old: str, new: str, diagram: str = GOOD) -> str:
    """The sound process with one passage replaced, which must be in it exactly once."""
    assert diagram.count(old) == 1, f"{diagram.count(old)} times in the diagram: {old}"
    return diagram.replace(old, new)


def found(diagram: str, forms: Mapping[str, Any] = FORMS) -> list[Finding]:
    return lint(diagram.encode(), forms, HANDLERS)


def process(body: str, flows: str) -> str:
    """A whole process from nodes and flows such as "start>a a>b": for what is about the drawing alone."""
    drawn = "".join(
        f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}" />'
        for number, (source, target) in enumerate(flow.split(">") for flow in flows.split())
    )
    return f'{HEAD}<bpmn:process id="drawn" isExecutable="true">{body}{drawn}</bpmn:process>{TAIL}'


def said_by(rule: str, diagram: str, forms: Mapping[str, Any] = FORMS) -> dict[str | None, Finding]:
    """What one rule says, by element; every sentence is there in both languages and filled in."""
    findings = [finding for finding in found(diagram, forms) if finding.rule == rule]
    for finding in findings:
        for sentence in (finding.message.zh, finding.message.en):
            assert sentence.strip(), finding
            assert "{" not in sentence, finding
        assert "检查时出错" not in finding.message.zh, finding
    return {finding.element_id: finding for finding in findings}
