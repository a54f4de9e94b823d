"""Reading what anybody may upload: whatever the bytes are, there is an answer in a sentence, and soon."""

import pytest

from engine.definitions import diagrams
from engine.definitions.diagrams import MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, DiagramUnreadable, parse_xml
from engine.definitions.findings import MOST_FINDINGS, Severity
from engine.definitions.lint import lint
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS, broken, found, process

_ROOT = '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL">'
_END = "</bpmn:definitions>"
_BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 20 if n else "x" * 5000}">' for n in range(6))
_ATTRIBUTES = " ".join(f'a{n}="1"' for n in range(800))


def _with(more: str) -> str:
    return broken("</bpmn:process>", more + "</bpmn:process>")


REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "a hundred megabytes": b"<a>" + b" " * 100_000_000,
    "binary junk": bytes(range(256)) * 100,
    "a zip": b"PK\x03\x04" + bytes(1000),
    "NUL characters": GOOD.replace("审批", "\0").encode(),
    "UTF-16 with its mark": GOOD.replace("UTF-8", "UTF-16").encode("utf-16"),
    "UTF-16 without": GOOD.replace("UTF-8", "UTF-16").encode("utf-16-be"),
    "GBK that says so": GOOD.replace("UTF-8", "GBK").encode("gbk"),
    "GBK that says UTF-8": GOOD.encode("gbk"),
    "ASCII that says it is Latin-1": f'<?xml version="1.0" encoding="latin-1"?>{_ROOT}{_END}'.encode(),
    "an encoding that there is not": f'<?xml version="1.0" encoding="klingon"?>{_ROOT}{_END}'.encode(),
    "a page of the web": b"<!DOCTYPE html><html><body>BPMN</body></html>",
    "half a file": GOOD.encode()[:2000],
    "a billion laughs": f"<!DOCTYPE a [{_BOMB}]>{_ROOT}&e5;{_END}".encode(),
    "a billion laughs in an attribute": f'<!DOCTYPE a [{_BOMB}]>{_ROOT}<bpmn:process id="&e5;"/>{_END}'.encode(),
    "a file of the server": f'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>{_ROOT}&e;{_END}'.encode(),
    "an address of the network": f'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">{_ROOT}{_END}'.encode(),
    "parameter entities": f'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]>{_ROOT}{_END}'.encode(),
    "too many elements": _with("<bpmn:textAnnotation />" * MAX_ELEMENTS).encode(),
    "too many attributes": _with(f"<bpmn:task {_ATTRIBUTES} />" * 100).encode(),
    "too many comments": _with("<!-- -->" * 70_000).encode(),
    "too deep": _with("<bpmn:subProcess>" * MAX_DEPTH + "</bpmn:subProcess>" * MAX_DEPTH).encode(),
    "deeper than the parser goes": _with("<bpmn:subProcess>" * 5_000 + "</bpmn:subProcess>" * 5_000).encode(),
    "no process": f"{_ROOT}{_END}".encode(),
    "two processes": GOOD.replace("</bpmn:definitions>", '<bpmn:process id="second" /></bpmn:definitions>').encode(),
    "two processes of one id": GOOD.replace(
        "</bpmn:definitions>", '<bpmn:process id="permit" /></bpmn:definitions>'
    ).encode(),
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_what_is_no_diagram_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(DiagramUnreadable) as refusal:
        diagrams.read(content)
    assert len(refusal.value.to("zh")) < 400
    assert "XML_PARSE_HUGE" not in refusal.value.to("en")
    (finding,) = lint(content, FORMS, HANDLERS)
    assert (finding.severity, finding.rule) == (Severity.ERROR, "diagram_readable")


def test_the_processes_that_are_one_too_many_are_named() -> None:
    with pytest.raises(DiagramUnreadable) as refusal:
        diagrams.read(REFUSED["two processes"])
    assert "permit, second" in refusal.value.to("zh")


def test_a_byte_order_mark_before_utf_8_does_no_harm() -> None:
    assert lint(b"\xef\xbb\xbf" + GOOD.encode(), FORMS, HANDLERS) == []


def test_the_largest_file_is_just_read() -> None:
    padded = GOOD.encode() + b" " * (MAX_BYTES - len(GOOD.encode()))
    assert parse_xml(padded).tag == parse_xml(GOOD.encode()).tag
    with pytest.raises(DiagramUnreadable):
        parse_xml(padded + b" ")


def test_of_a_diagram_beyond_all_size_only_that_is_said() -> None:
    (finding,) = found(_with("".join(f'<bpmn:userTask id="t{n}" />' for n in range(5_000))))
    assert (finding.rule, finding.element_id) == ("size_manageable", "permit")


def test_of_thousands_of_findings_the_first_are_told() -> None:
    many = "".join(f'<bpmn:sequenceFlow id="f{n}" sourceRef="Nobody" targetRef="Tell" />' for n in range(1_000))
    findings = found(_with(many))
    assert len(findings) == MOST_FINDINGS
    assert all(finding.severity is Severity.ERROR for finding in findings)


def test_a_name_that_fills_pages_is_cut_in_what_is_said_of_it() -> None:
    findings = found(broken('name="审批"', f'name="{"审" * 100_000}"'))
    assert findings
    assert all(len(finding.message.zh) < 400 for finding in findings)


@pytest.mark.parametrize(
    ("diagram", "element"),
    [
        (broken(' messageRef="Message_Complaint"', ' messageRef="Message_9"'), "Complained"),
        (broken('default="Flow_Again"', 'default="Flow_99"'), "Decide"),
        (broken('attachedToRef="Approval" cancelActivity', 'attachedToRef="Nobody" cancelActivity'), "Overdue"),
        (broken('sourceRef="Apply" targetRef="Approval"', 'sourceRef="Apply" targetRef="Nobody"'), "Flow_2"),
        (broken('sourceRef="Apply" targetRef="Approval"', 'sourceRef="Nobody" targetRef="Approval"'), "Flow_2"),
        (broken("<bpmn:flowNodeRef>Tell<", "<bpmn:flowNodeRef>Nobody<"), "Lane_Platform"),
        (broken('id="End_Explained"', 'id="Tell"'), "Tell"),
        (process('<bpmn:startEvent id="s" /><bpmn:userTask />', "s>t"), None),
        (broken('<bpmn:process id="permit"', "<bpmn:process"), None),
    ],
    ids=[
        "messageRef",
        "default",
        "attachedToRef",
        "targetRef",
        "sourceRef",
        "flowNodeRef",
        "one id twice",
        "no id",
        "no id of the process",
    ],
)
def test_what_refers_to_nothing_is_an_error_at_its_element(diagram: str, element: str | None) -> None:
    errors = [finding for finding in found(diagram) if finding.severity is Severity.ERROR]
    assert element in {finding.element_id for finding in errors}
    assert not [finding for finding in errors if "检查时出错" in finding.message.zh]
