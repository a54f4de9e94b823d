"""The deploy gate as a whole: whatever it is given, it answers with findings."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.definitions import lint as gate
from engine.definitions.findings import Severity
from engine.definitions.lint import lint
from engine.definitions.rules import RULES
from engine.definitions.rules.facts import FUNCTIONS, Facts, Problem
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS, broken, form, process


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_mangled_diagram_never_makes_it_raise(data: st.DataObject) -> None:
    text = GOOD
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(300, len(text) - 20))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "x", '"', "<", "/>", "</bpmn:process>", "&", "é"]))
            + text[at + 3 :]
        )
    assert all("检查时出错" not in finding.message.zh for finding in lint(text.encode(), FORMS, HANDLERS))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_copes_with_a_diagram_that_lacks_everything(rule: str) -> None:
    bare = process(
        "<bpmn:startEvent /><bpmn:userTask /><bpmn:serviceTask /><bpmn:exclusiveGateway default='x' /><bpmn:endEvent />"
        "<bpmn:boundaryEvent /><bpmn:subProcess /><bpmn:parallelGateway /><bpmn:sequenceFlow /><bpmn:laneSet>"
        "<bpmn:lane /></bpmn:laneSet><bpmn:intermediateThrowEvent><bpmn:signalEventDefinition />"
        "</bpmn:intermediateThrowEvent><bpmn:intermediateCatchEvent><bpmn:timerEventDefinition />"
        "<bpmn:messageEventDefinition /></bpmn:intermediateCatchEvent>",
        "a>b",
    )
    found = [finding for finding in lint(bare.encode(), {}, {}) if finding.rule == rule]
    assert all("检查时出错" not in finding.message.zh for finding in found)


def test_errors_come_first_and_nothing_is_said_twice() -> None:
    text = broken('default="Flow_Again"', 'default="Flow_Ok"').replace("working_days(3)", "soon(")
    findings = lint(text.encode(), FORMS | {"spare": form("spare", "a")}, HANDLERS)
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=list(Severity).index)
    assert {Severity.ERROR, Severity.WARNING} <= set(severities)
    assert len(set(findings)) == len(findings)


def test_a_rule_that_fails_is_an_error_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(facts: Facts) -> list[Problem]:
        raise KeyError(facts.diagram.process_id)

    monkeypatch.setattr(gate, "RULES", {"bad": bad})
    (finding,) = gate.examine(GOOD.encode(), FORMS, {})
    assert (finding.severity, finding.rule) == (Severity.ERROR, "bad")
    assert "permit" in finding.message.zh


@pytest.mark.parametrize(
    "schema", [None, [], "x", {"type": "default"}, {**form("review", "result"), "components": [{"type": "magic"}]}]
)
def test_what_is_wrong_with_a_form_is_said_beside_the_diagram(schema: Any) -> None:
    text = broken('wf:form="basic" ', 'wf:form="nothing" ')
    rules = {finding.rule for finding in lint(text.encode(), FORMS | {"review": schema}, HANDLERS)}
    assert {"forms_readable", "forms_exist"} <= rules


def test_a_form_that_cannot_be_read_is_not_called_missing() -> None:
    findings = lint(GOOD.encode(), FORMS | {"review": {"type": "default"}}, HANDLERS)
    assert {finding.rule for finding in findings} == {"forms_readable"}


def test_what_the_engine_cannot_load_is_an_error_even_if_no_rule_minds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", {})
    drawn = process('<bpmn:startEvent id="s" /><bpmn:complexGateway id="g" /><bpmn:endEvent id="e" />', "s>g g>e")
    (finding,) = gate.examine(drawn.encode(), {}, {})
    assert (finding.rule, finding.severity) == ("engine_loads_it", Severity.ERROR)


def test_the_gate_knows_the_functions_that_the_runtime_offers() -> None:
    from engine.runtime import execution

    assert execution.FUNCTIONS == FUNCTIONS


def test_the_onboarding_process_passes() -> None:
    from handlers import HANDLERS as own_handlers

    folder = Path(__file__).resolve().parents[2] / "bpmn" / "onboarding"
    forms = {path.stem: json.loads(path.read_bytes()) for path in (folder / "forms").glob("*.json")}
    findings = lint((folder / "onboarding.bpmn").read_bytes(), forms, own_handlers)
    assert [finding for finding in findings if finding.severity is not Severity.INFO] == []


def test_forms_nested_beyond_all_measure_are_a_finding_too() -> None:
    deep: Any = {}
    for _ in range(5_000):
        deep = {"components": [deep]}
    (finding,) = lint(GOOD.encode(), FORMS | {"review": deep}, HANDLERS)
    assert finding.severity is Severity.ERROR
