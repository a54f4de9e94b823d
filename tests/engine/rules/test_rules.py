"""Every rule, with diagrams that break it: the element is blamed, in both languages, and nothing else is needed."""

import importlib
import re
from pathlib import Path

import pytest

from engine.definitions import rules
from engine.definitions.findings import Severity
from engine.definitions.rules import RULES
from tests.engine.rules import cases_privacy, cases_running, catalogue
from tests.engine.rules.builder import FORMS, GOOD, broken, form, found, process, said_by
from tests.engine.rules.catalogue import CASES

SOUND = {**cases_running.SOUND, **cases_privacy.SOUND}


def test_the_sound_process_has_no_findings() -> None:
    assert found(GOOD) == []


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_described_in_both_languages_and_broken_at_least_twice(rule: str) -> None:
    demand, chinese, *_ = (importlib.import_module(f"engine.definitions.rules.{rule}").__doc__ or "").split("\n\n")
    assert demand.strip().isascii() or "…" in demand
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert len({diagram for _, diagram, _ in CASES[rule]}) >= 2


def test_no_cases_are_left_of_a_rule_that_is_gone() -> None:
    assert CASES.keys() | SOUND.keys() == RULES.keys()


def test_every_module_of_the_rules_is_asked() -> None:
    folder = Path(rules.__file__).parent
    helpers = {"__init__", "facts", "course"}
    assert {path.stem for path in folder.glob("*.py")} - helpers == RULES.keys()


def test_the_page_of_rules_is_up_to_date() -> None:
    assert catalogue.PAGE.read_text("utf-8") == catalogue.page(), "run: python -m tests.engine.rules.catalogue"


@pytest.mark.parametrize(
    ("rule", "diagram", "element"),
    [
        pytest.param(rule, diagram, element, id=f"{rule}: {what}")
        for rule, cases in CASES.items()
        for what, diagram, element in cases
    ],
)
def test_the_broken_diagram_is_told_so_at_its_element(rule: str, diagram: str, element: str | None) -> None:
    said = said_by(rule, diagram)
    assert element in said
    if element is not None and not element.startswith(("f", "s", "t")):
        assert element in said[element].message.zh


@pytest.mark.parametrize(
    ("rule", "diagram"),
    [pytest.param(rule, diagram, id=f"{rule}: {what}") for rule, cases in SOUND.items() for what, diagram in cases],
)
def test_the_sound_diagram_is_left_alone(rule: str, diagram: str) -> None:
    assert said_by(rule, diagram) == {}


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
    severities = [said_by("joins_fill", diagram)["j"].severity for _, diagram, _ in CASES["joins_fill"]]
    assert severities == [Severity.ERROR, Severity.WARNING]
