"""A file is examined where that can be stopped: one that hangs or brings down its process is a finding."""

import os
from collections.abc import Iterator

import pytest

from engine.definitions import examiner
from engine.definitions.findings import Finding, Severity
from engine.definitions.lint import lint
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS, process


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


# A gate without rules, so that the library is asked about whatever is handed in.
_NO_RULES = "from engine.definitions import examiner, lint; lint.RULES = {}; examiner.serve(lint.examine)"


def examined(diagram: bytes = GOOD.encode()) -> list[Finding]:
    return lint(diagram, FORMS, HANDLERS)


@pytest.fixture
def _no_rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    examiner.close()
    monkeypatch.setattr(examiner, "_PROGRAM", _NO_RULES)
    yield
    examiner.close()


def test_a_diagram_is_examined_by_another_process() -> None:
    assert examined() == []
    assert examiner._examiner is not None
    assert examiner._examiner.process.pid != os.getpid()


@pytest.mark.usefixtures("_no_rules")
def test_what_makes_the_library_loop_is_ended_and_the_next_diagram_read() -> None:
    (finding,) = examined(ENDLESS)
    assert (finding.rule, finding.severity) == ("examined_in_time", Severity.ERROR)
    assert "已在" in finding.message.zh
    assert examined() == []


def test_a_rule_refuses_it_before_that() -> None:
    assert "only_supported_elements" in {finding.rule for finding in examined(ENDLESS)}


def test_rules_that_would_look_for_ever_are_ended_as_well() -> None:
    """Each step reads what all the others give: the rules on variables would go round and round."""
    steps = [f"t{number}" for number in range(390)]
    params = "".join(
        f'<wf:param name="p{number}" value="{" + ".join(f"r{step}" for step in steps[number * 19 :][:19])}" />'
        for number in range(20)
    )
    drawn = "".join(
        f'<bpmn:serviceTask id="{step}" wf:handler="tell" wf:result="r{step}"><bpmn:extensionElements>{params}'
        "</bpmn:extensionElements></bpmn:serviceTask>"
        for step in steps
    )
    flows = " ".join(f"{source}>{target}" for source, target in zip(["s", *steps], [*steps, "e"], strict=True))
    (finding,) = examined(process(f'<bpmn:startEvent id="s" />{drawn}<bpmn:endEvent id="e" />', flows).encode())
    assert finding.rule == "examined_in_time"


def test_time_that_passes_while_nothing_is_computed_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on the clock of the wall would refuse sound diagrams on a busy machine."""
    examiner.close()
    waits = "import time; from engine.definitions import examiner; examiner.CPU_SECONDS = 0.02; "
    monkeypatch.setattr(examiner, "_PROGRAM", waits + "examiner.serve(time.sleep)")
    assert examiner.ask(0.1) is None
    monkeypatch.setattr(examiner, "WALL_SECONDS", 0.1)
    with pytest.raises(examiner.TookTooLong):
        examiner.ask(60)


def test_a_process_that_has_ended_meanwhile_is_replaced() -> None:
    assert examined() == []
    assert examiner._examiner is not None
    examiner._examiner.process.kill()
    examiner._examiner.process.wait()
    assert examined() == []


def test_one_that_ends_over_a_diagram_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    examiner.close()
    monkeypatch.setattr(examiner, "_PROGRAM", "import sys; sys.exit(1)")
    (finding,) = examined()
    assert (finding.rule, finding.severity) == ("examined_in_time", Severity.ERROR)
    assert "系统管理员" in finding.message.zh


def test_it_ends_by_itself_when_nobody_asks_any_more() -> None:
    assert examined() == []
    asked = examiner._examiner
    assert asked is not None
    asked.line.close()
    assert asked.process.wait(20) == 0
    assert examined() == []


def test_a_fork_leaves_its_parents_examiner_alone() -> None:
    assert examined() == []
    mine = examiner._examiner
    child = os.fork()
    if child == 0:
        os._exit(0 if examiner._examiner is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert examined() == []
    assert examiner._examiner is mine
