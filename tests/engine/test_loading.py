"""The library reads a diagram where it can be stopped: one that hangs or brings down its process is a finding."""

import os

import pytest

from engine.definitions import lint as gate
from engine.definitions import loading
from engine.definitions.findings import Severity
from engine.definitions.lint import lint
from tests.engine.rules.builder import GOOD, HANDLERS, process


def nested(depth: int, content: str) -> str:
    """Sub-processes inside each other, the innermost with a task that holds `content`."""
    inside = f'<bpmn:userTask id="t">{content}</bpmn:userTask>'
    start, end, task = "s", "e", "t"
    for level in range(depth):
        body = _between(f"{start}{level}", task, f"{end}{level}")
        inside = f'<bpmn:subProcess id="sub{level}">{inside}{body}</bpmn:subProcess>'
        task = f"sub{level}"
    return f"{inside}{_between('s', task, 'e')}"


def _between(start: str, task: str, end: str) -> str:
    return (
        f'<bpmn:startEvent id="{start}" /><bpmn:endEvent id="{end}" />'
        f'<bpmn:sequenceFlow id="{start}-{task}" sourceRef="{start}" targetRef="{task}" />'
        f'<bpmn:sequenceFlow id="{task}-{end}" sourceRef="{task}" targetRef="{end}" />'
    )


ENDLESS = process(
    '<bpmn:dataObject id="d" /><bpmn:dataObjectReference id="r" dataObjectRef="d" />'
    + nested(
        2,
        '<bpmn:dataInputAssociation id="in"><bpmn:sourceRef>r</bpmn:sourceRef></bpmn:dataInputAssociation>',
    ),
    "",
).encode()


def test_a_sound_diagram_is_loaded_by_another_process() -> None:
    assert loading.problem_of(GOOD.encode()) is None
    assert loading._reader is not None
    assert loading._reader.process.pid != os.getpid()


def test_what_makes_the_library_loop_is_ended_and_the_next_diagram_read(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loading.problem_of(GOOD.encode()) is None  # so that what is waited for below is the diagram alone
    monkeypatch.setattr(loading, "SECONDS", 0.5)
    problem = loading.problem_of(ENDLESS)
    assert problem is not None
    assert "已中止" in problem.zh
    monkeypatch.undo()
    assert loading.problem_of(GOOD.encode()) is None


def test_the_gate_reports_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "RULES", {})
    monkeypatch.setattr(loading, "SECONDS", 0.5)
    (finding,) = lint(ENDLESS, {}, HANDLERS)
    assert (finding.rule, finding.severity) == ("engine_loads_it", Severity.ERROR)


def test_a_rule_refuses_it_before_that() -> None:
    assert "only_supported_elements" in {finding.rule for finding in lint(ENDLESS, {}, HANDLERS)}


def test_a_process_that_has_ended_meanwhile_is_replaced() -> None:
    assert loading.problem_of(GOOD.encode()) is None
    assert loading._reader is not None
    loading._reader.process.kill()
    loading._reader.process.wait()
    assert loading.problem_of(GOOD.encode()) is None


def test_one_that_ends_over_a_diagram_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    loading.close()
    monkeypatch.setattr(loading, "_READ", "import sys; sys.exit(1)")
    problem = loading.problem_of(GOOD.encode())
    assert problem is not None
    assert "系统管理员" in problem.zh


def test_it_ends_by_itself_when_nobody_asks_any_more() -> None:
    assert loading.problem_of(GOOD.encode()) is None
    reader = loading._reader
    assert reader is not None
    reader.line.close()
    assert reader.process.wait(20) == 0
    assert loading.problem_of(GOOD.encode()) is None


def test_a_fork_leaves_its_parents_reader_alone() -> None:
    assert loading.problem_of(GOOD.encode()) is None
    mine = loading._reader
    child = os.fork()
    if child == 0:
        os._exit(0 if loading._reader is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert loading.problem_of(GOOD.encode()) is None
    assert loading._reader is mine
