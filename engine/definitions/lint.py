"""The deploy gate's questions to a diagram and its forms, answered as findings; nothing is changed."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn import BpmnWorkflow

from engine.definitions import diagrams, examiner
from engine.definitions.findings import NOWHERE, Finding, Severity, in_order
from engine.definitions.forms import Form, FormsRefused, parse_forms
from engine.definitions.handlers import Handler, Parameters, parameters
from engine.definitions.rules import RULES, Rule
from engine.definitions.rules.facts import Facts, Problem, name_of
from engine.definitions.specs import compile_definition
from engine.errors import Refusal
from engine.text import Text

__all__ = ["Finding", "Severity", "lint"]

_RULE_FAILED = Text(
    "规则“{rule}”检查时出错（{cause}），因此不能部署；请把流程图文件发给系统管理员。",
    "The rule “{rule}” failed ({cause}), so this can't be deployed; send the file to an administrator.",
)


_TOO_LONG = Text(
    "检查这个流程图要算很久，已在 {seconds} 秒后中止，因此不能部署；请减少连线、参数或并行路径，或拆成几个流程。",
    "Checking this diagram takes very long and was stopped after {seconds} seconds, so it can't be deployed; make it "
    "simpler (fewer flows, parameters or parallel ways), or split it into several processes.",
)
_ENDED = Text(
    "检查流程图的程序意外结束（{cause}），因此不能部署；请把流程图文件发给系统管理员。",
    "The program that checks diagrams broke off ({cause}), so this can't be deployed; send the file to an "
    "administrator.",
)
_ENGINE_REFUSES = Text(
    "流程引擎无法装载这个流程图（{cause}）；请把流程图文件发给系统管理员。",
    "The engine can't load this diagram ({cause}); send the file to an administrator.",
)


def lint(diagram: bytes, schemas: Mapping[str, Any], handlers: Mapping[str, Handler]) -> list[Finding]:
    """Everything to be said about a diagram with its forms, errors first. Never raises, whatever the bytes are.

    Without an error among the findings the diagram can be deployed. Of more than MOST_FINDINGS the rest is left out.
    It is found out in a process that can be ended, so that there is an answer in two seconds.
    """
    taken = {name: parameters(handler) for name, handler in handlers.items()}
    try:
        findings: list[Finding] = examiner.ask(diagram, dict(schemas), taken)
    except examiner.TookTooLong:
        return [_about_file("examined_in_time", _TOO_LONG.filled(seconds=examiner.CPU_SECONDS))]
    except (examiner.Ended, RecursionError) as problem:
        return [_about_file("examined_in_time", _ENDED.filled(cause=repr(problem)))]
    return findings


def examine(diagram: bytes, schemas: Mapping[str, Any], handlers: Mapping[str, Parameters]) -> list[Finding]:
    """The findings of `lint`, found out here and now, however long it takes; `handlers` says what each takes."""
    findings: list[Finding] = []
    forms: dict[str, Form] = {}
    try:
        forms = parse_forms(schemas)
    except FormsRefused as refused:
        findings += [_about_file("forms_readable", finding.message) for finding in refused.findings]
        forms = _sound_forms(schemas)
    except Exception as problem:
        findings.append(_about_file("forms_readable", _RULE_FAILED.filled(rule="forms_readable", cause=repr(problem))))
    try:
        facts = Facts(diagrams.parse_xml(diagram), diagrams.read(diagram), forms, frozenset(schemas), handlers)
    except Refusal as refused:
        return in_order([_about_file("diagram_readable", refused.text), *findings])
    except Exception as problem:
        cause = _RULE_FAILED.filled(rule="diagram_readable", cause=repr(problem))
        return in_order([_about_file("diagram_readable", cause), *findings])
    for name, rule in RULES.items():
        problems = _asked(name, rule, facts)
        findings += problems
        if name == "size_manageable" and has_errors(problems):
            break  # it stands first: the others would look for a long time
    if not has_errors(findings):
        findings += _loaded(diagram)
    return in_order(findings)


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity is Severity.ERROR for finding in findings)


def _asked(name: str, rule: Rule, facts: Facts) -> list[Finding]:
    """A rule's problems as findings. A rule that fails is an error itself: it may have missed something."""
    found: list[Finding] = []
    try:
        for problem in rule(facts):
            found.append(_finding(name, problem))
    except Exception as failure:
        found.append(_about_file(name, _RULE_FAILED.filled(rule=name, cause=repr(failure))))
    return found


def _finding(rule: str, problem: Problem) -> Finding:
    element: etree._Element | None = problem.element
    if element is None:
        return Finding(problem.severity, rule, None, NOWHERE, problem.text)
    return Finding(problem.severity, rule, element.get("id"), name_of(element), problem.text)


def _about_file(rule: str, text: Text) -> Finding:
    return Finding(Severity.ERROR, rule, None, NOWHERE, text)


def _sound_forms(schemas: Mapping[str, Any]) -> dict[str, Form]:
    """Those forms that can be read, so that the diagram is judged beside them."""
    forms: dict[str, Form] = {}
    for name, schema in schemas.items():
        with suppress(Exception):  # what is wrong with the others is reported already
            forms |= parse_forms({name: schema})
    return forms


def _loaded(diagram: bytes) -> list[Finding]:
    """The last question, to the engine itself, asked only where nothing else is wrong."""
    try:
        compiled = compile_definition(diagram, {})
        BpmnWorkflow(compiled.spec, compiled.subprocess_specs)  # it looks ahead through the whole diagram
    except Refusal as refused:
        return [_about_file("engine_loads_it", refused.text)]
    except Exception as problem:
        return [_about_file("engine_loads_it", _ENGINE_REFUSES.filled(cause=repr(problem)))]
    return []
