"""Small diagrams in a few words, for the conformance tests.

    diagram(start(), task("a"), end(), flows=["s > a", "a > e"])

Every user task `a` has a form `a` with the field `answer`; every service task notes that it ran. A flow is written
`g > a`, `g > b if a.answer == 'yes'`, or `g > c else` for the default.
"""

from typing import Any

from lxml import etree

from engine.definitions.diagrams import BPMN, FLOW_NODES, WF
from tests.engine.rules.builder import HEAD, TAIL, form

_OUTSIDE = (
    '<bpmn:signal id="Signal_go" name="go" /><bpmn:signal id="Signal_stop" name="stop" />'
    '<bpmn:error id="Error_lost" errorCode="lost" /><bpmn:error id="Error_torn" errorCode="torn" />'
    '<bpmn:escalation id="Escalation_late" escalationCode="late" />'
    '<bpmn:escalation id="Escalation_odd" escalationCode="odd" />'
)


def node(kind: str, id_: str, inside: str = "", **attributes: str) -> str:
    written = "".join(
        f' {name.replace("_", ":", 1) if name.startswith("wf_") else name}="{value}"'
        for name, value in attributes.items()
    )
    return f'<bpmn:{kind} id="{id_}" name="{id_}"{written}>{inside}</bpmn:{kind}>'


def start(id_: str = "s", trigger: str = "", **attributes: str) -> str:
    return node("startEvent", id_, trigger, **attributes)


def end(id_: str = "e", trigger: str = "") -> str:
    return node("endEvent", id_, trigger, wf_outcome=id_)


def task(id_: str, loop: str = "", **attributes: str) -> str:
    return node("userTask", id_, loop, wf_form=id_, **attributes)


def service(id_: str) -> str:
    return node("serviceTask", id_, wf_handler="note")


def gateway(kind: str, id_: str, **attributes: str) -> str:
    return node(f"{kind}Gateway", id_, **attributes)


def sub(id_: str, *nodes: str, flows: list[str], reacts: bool = False) -> str:
    reacting = {"triggeredByEvent": "true"} if reacts else {}
    return node("subProcess", id_, _contents(nodes, flows), **reacting)


def catch(id_: str, trigger: str) -> str:
    return node("intermediateCatchEvent", id_, trigger)


def throw(id_: str, trigger: str = "") -> str:
    return node("intermediateThrowEvent", id_, trigger)


def boundary(id_: str, on: str, trigger: str, *, interrupts: bool = True) -> str:
    return node("boundaryEvent", id_, trigger, attachedToRef=on, cancelActivity=str(interrupts).lower())


def timer(limit: str = "PT1H") -> str:
    text = f'<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">{limit}</bpmn:timeDuration>'
    return f"<bpmn:timerEventDefinition>{text}</bpmn:timerEventDefinition>"


def message(name: str = "m") -> str:
    return f'<bpmn:messageEventDefinition messageRef="Message_{name}" />'


def signal(name: str = "go") -> str:
    return f'<bpmn:signalEventDefinition signalRef="Signal_{name}" />'


def error(code: str = "lost") -> str:
    return f'<bpmn:errorEventDefinition errorRef="Error_{code}" />' if code else "<bpmn:errorEventDefinition />"


def escalation(code: str = "late") -> str:
    reference = f' escalationRef="Escalation_{code}"' if code else ""
    return f"<bpmn:escalationEventDefinition{reference} />"


def link(name: str = "on") -> str:
    return f'<bpmn:linkEventDefinition name="{name}" />'


def several(
    times: str = "",
    *,
    of: str = "",
    item: str = "",
    results: str = "",
    result: str = "",
    until: str = "",
    one_by_one: bool = False,
) -> str:
    """What makes a task one that is done several times."""
    parts = (
        (times, f"<bpmn:loopCardinality>{times}</bpmn:loopCardinality>"),
        (of, f"<bpmn:loopDataInputRef>{of}</bpmn:loopDataInputRef>"),
        (results, f"<bpmn:loopDataOutputRef>{results}</bpmn:loopDataOutputRef>"),
        (item, f'<bpmn:inputDataItem id="{item}_in" name="{item}" />'),
        (result, f'<bpmn:outputDataItem id="{result}_out" name="{result}" />'),
        (until, f"<bpmn:completionCondition>{until}</bpmn:completionCondition>"),
    )
    inside = "".join(xml for given, xml in parts if given)
    tag = "bpmn:multiInstanceLoopCharacteristics"
    return f'<{tag} isSequential="{str(one_by_one).lower()}">{inside}</{tag}>'


def call(id_: str, process_id: str) -> str:
    return node("callActivity", id_, calledElement=process_id)


def diagram(*nodes: str, flows: list[str], process_id: str = "drawn") -> bytes:
    """A whole process, all of it in the enterprise's lane, with the messages it waits for."""
    contents = _contents(nodes, flows)
    top = etree.fromstring(f"{HEAD}{contents}{TAIL}".encode())
    tags = {f"{{{BPMN}}}{name}" for name in FLOW_NODES}
    lane = "".join(f"<bpmn:flowNodeRef>{child.get('id')}</bpmn:flowNodeRef>" for child in top if child.tag in tags)
    names = {str(e.get("messageRef"))[8:] for e in top.iter(f"{{{BPMN}}}messageEventDefinition")}
    messages = "".join(
        f'<bpmn:message id="Message_{name}" name="{name}" wf:form="sent" wf:lane="Lane" />' for name in sorted(names)
    )
    return (
        f'{HEAD}<bpmn:process id="{process_id}" isExecutable="true"><bpmn:laneSet id="Lanes">'
        '<bpmn:lane id="Lane" name="企业" wf:role="enterprise" wf:organisation="starter.organisation">'
        f"{lane}</bpmn:lane></bpmn:laneSet>{contents}"
        f"</bpmn:process>{_OUTSIDE}{messages}{TAIL}"
    ).encode()


def forms_of(xml: bytes) -> dict[str, Any]:
    """A form for each user task and start event that asks for one, and one for the messages."""
    names = [node.get(f"{{{WF}}}form") for kind in ("userTask", "startEvent") for node in _all(xml, kind)]
    return {name: form(name, "answer") for name in names if name} | {"sent": form("sent", "what")}


def _all(xml: bytes, kind: str) -> list[etree._Element]:
    return list(etree.fromstring(xml).iter(f"{{{BPMN}}}{kind}"))


def _contents(nodes: tuple[str, ...], flows: list[str]) -> str:
    body = "".join(nodes)
    for flow in flows:
        if flow.endswith(" else"):
            source, target = flow.removesuffix(" else").split(" > ")
            body = body.replace(f' id="{source}" ', f' id="{source}" default="{source}_{target}" ', 1)
    return body + "".join(map(_flow, flows))


def _flow(flow: str) -> str:
    ends, _, condition = flow.removesuffix(" else").partition(" if ")
    source, target = ends.split(" > ")
    written = f'<bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}</bpmn:conditionExpression>'
    return (
        f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">'
        f"{written if condition else ''}</bpmn:sequenceFlow>"
    )
