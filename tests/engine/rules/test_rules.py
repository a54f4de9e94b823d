"""Every rule, with diagrams that break it: the element is blamed, in both languages, and nothing else is needed."""

import importlib
import re
from pathlib import Path

import pytest
from lxml import etree

from engine.definitions import rules
from engine.definitions.diagrams import executable
from engine.definitions.findings import Severity
from engine.definitions.inlining import inlined
from engine.definitions.lint import has_errors, lint
from engine.definitions.rules import RULES
from engine.definitions.rules.facts import NODES, tag
from tests.engine.rules import catalogue
from tests.engine.rules.builder import DIAGRAMS, FORMS, GOOD, HANDLERS, broken, form, found, process, said_by
from tests.engine.rules.examples import INVALID, VALID, Example


def test_the_sound_process_has_no_findings() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_described_in_both_languages_and_has_its_examples(rule: str) -> None:
    demand, chinese, *_ = (importlib.import_module(f"engine.definitions.rules.{rule}").__doc__ or "").split("\n\n")
    assert demand.strip().isascii() or "…" in demand
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert len({each.diagram for each in INVALID if each.rule == rule}) >= 2
    assert [each for each in VALID if each.rule == rule]


def test_no_example_is_left_of_a_rule_that_is_gone() -> None:
    assert {path.name for path in DIAGRAMS.iterdir() if path.is_dir()} - {"forms"} == RULES.keys()


def test_every_module_of_the_rules_is_asked() -> None:
    folder = Path(rules.__file__).parent
    helpers = {"__init__", "facts", "course"}
    assert {path.stem for path in folder.glob("*.py")} - helpers == RULES.keys()


def test_the_page_of_rules_is_up_to_date() -> None:
    assert catalogue.PAGE.read_text("utf-8") == catalogue.page(), "run: python -m tests.engine.rules.catalogue"


@pytest.mark.parametrize("example", INVALID, ids=lambda example: example.name)
def test_the_broken_diagram_is_told_so_at_its_element(example: Example) -> None:
    said = said_by(example.rule, example.diagram.decode(), example.forms)
    assert example.blamed in said
    assert example.blamed is None or example.blamed in said[example.blamed].message.zh


@pytest.mark.parametrize("example", VALID, ids=lambda example: example.name)
def test_the_sound_diagram_can_be_deployed(example: Example) -> None:
    """Where it calls a process, that is the sound one."""
    findings = lint(*inlined(example.diagram, example.forms, {"permit": (GOOD.encode(), FORMS)}), HANDLERS)
    assert [finding for finding in findings if finding.rule == example.rule] == []
    assert not has_errors(findings), findings


@pytest.mark.parametrize("example", [*VALID, *INVALID], ids=lambda example: example.name)
def test_an_editor_shows_the_whole_example(example: Example) -> None:
    root = etree.fromstring(example.diagram)
    shown = {shape.get("bpmnElement", "").removeprefix("bpmn:") for shape in root.iter("{*}BPMNShape")}
    steps = {element.get("id", "") for element in executable(root).iter() if tag(element) in NODES}
    assert {id_ for id_ in steps if " " not in id_} <= shown


@pytest.mark.parametrize(
    "text",
    [
        *("P3D", "'P3D'", "PT4H", "2026-09-30", "'2026-09-30'", "basic.city"),
        *("working_days(3, since=basic.submitted_at)", "working_days(3) - 1", "working_days(3 - 1)"),
    ],
)
def test_a_timer_may_be_working_days_a_duration_a_date_or_an_expression(text: str) -> None:
    assert found(broken("working_days(3)", text)) == []


def test_a_variable_that_is_asked_for_first_may_be_missing() -> None:
    guarded = broken("'许可：' + basic.company", "basic.remark if defined(basic.remark) else ''")
    assert found(guarded) == []


def test_a_variable_that_only_some_ways_fill_in_is_a_hint() -> None:
    on_one_way = broken(
        '<bpmn:userTask id="Explain" name="核实并反馈情况" wf:form="explanation" />',
        '<bpmn:userTask id="Explain" name="核实并反馈情况" wf:form="explanation" wf:number="review.result" />',
    )
    (finding,) = found(on_one_way)
    assert (finding.rule, finding.element_id, finding.severity) == ("variables_known", "Explain", Severity.INFO)


def test_a_condition_in_a_form_that_reads_nothing_is_refused() -> None:
    forms = FORMS | {"review": form("review", "result")}
    forms["review"]["components"][0]["properties"] = {"visible_if": "audit.result == 'ok'"}
    assert "Review" in said_by("variables_known", GOOD, forms)


def test_an_id_that_modelers_drop_is_a_warning() -> None:
    (finding,) = found(GOOD.replace('"Explain"', '"说明"').replace(">Explain<", ">说明<"))
    assert (finding.rule, finding.element_id, finding.severity) == ("ids_unique", "说明", Severity.WARNING)


def test_a_form_that_nothing_uses_is_a_warning() -> None:
    (finding,) = found(GOOD, FORMS | {"spare": form("spare", "a")})
    assert finding.severity is Severity.WARNING
    assert "spare" in finding.message.zh


def test_a_form_called_like_a_function_is_refused() -> None:
    said = said_by(
        "names_not_reserved", GOOD.replace('"review"', '"today"'), {**FORMS, "today": form("today", "result")}
    )
    assert None in said


def test_a_form_shown_must_be_filled_in_somewhere() -> None:
    said = said_by("forms_exist", broken('wf:shows="basic"', 'wf:shows="spare"'), FORMS | {"spare": form("spare", "a")})
    assert "Review" in said


def test_parallel_branches_that_all_arrive_are_fine() -> None:
    drawn = process(
        '<bpmn:startEvent id="s" /><bpmn:parallelGateway id="g" /><bpmn:parallelGateway id="j" />'
        '<bpmn:endEvent id="e" />'
        '<bpmn:userTask id="t" /><bpmn:userTask id="u" /><bpmn:exclusiveGateway id="m" />'
        '<bpmn:boundaryEvent id="b" attachedToRef="u" />',
        "s>g g>t g>u t>j u>m b>m m>j j>e",
    )
    assert said_by("joins_fill", drawn) == {}


def test_a_join_that_can_never_fill_is_an_error_and_one_that_sometimes_does_a_warning() -> None:
    severities = {
        each.what: said_by("joins_fill", each.diagram.decode())["j"].severity
        for each in INVALID
        if each.rule == "joins_fill"
    }
    assert severities == {
        "an exclusive split joined by a parallel gateway": Severity.ERROR,
        "a branch that a timer leads to its own end": Severity.WARNING,
    }
