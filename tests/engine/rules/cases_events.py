"""Diagrams that break one rule on events or repeated tasks: rule → (what is wrong, the diagram, the element)."""

from tests.engine.rules.builder import TAIL, broken, process
from tests.engine.rules.cases_drawing import END, START, TASK, Case

_CODES = (
    '<bpmn:error id="Error_1" errorCode="late" /><bpmn:error id="Error_2" />'
    '<bpmn:escalation id="Escalation_1" escalationCode="late" />'
)


def _link(kind: str, id_: str, name: str = "on") -> str:
    tag = f"bpmn:intermediate{kind}Event"
    return f'<{tag} id="{id_}"><bpmn:linkEventDefinition name="{name}" /></{tag}>'


def _linked(body: str, flows: str) -> str:
    return process(START + TASK + END + body, flows)


def _thrown(definition: str, catcher: str = "") -> str:
    """start → sub-process [ start → an end that throws ] → end."""
    inside = (
        f'<bpmn:subProcess id="sub"><bpmn:startEvent id="is" /><bpmn:endEvent id="x">{definition}</bpmn:endEvent>'
        '<bpmn:sequenceFlow id="i1" sourceRef="is" targetRef="x" /></bpmn:subProcess>'
    )
    drawn = process(START + END + inside + catcher, "s>sub sub>e")
    return drawn.replace(TAIL, _CODES + TAIL)


def _reacting(start: str, flows: str = "", more: str = "") -> str:
    """start → task → end, and an event sub-process beside them."""
    reaction = (
        f'<bpmn:subProcess id="sub" triggeredByEvent="true">{start}<bpmn:endEvent id="ie" />'
        '<bpmn:sequenceFlow id="i1" sourceRef="is" targetRef="ie" /></bpmn:subProcess>'
    )
    return process(START + TASK + END + reaction + more, "s>t t>e " + flows).replace(TAIL, _CODES + TAIL)


def _repeated(loop: str) -> str:
    head = '<bpmn:userTask id="Explain" name="核实并反馈情况" wf:form="explanation"'
    return broken(
        f"{head} />",
        f"{head}><bpmn:multiInstanceLoopCharacteristics>{loop}</bpmn:multiInstanceLoopCharacteristics></bpmn:userTask>",
    )


_CARDINALITY = "<bpmn:loopCardinality>3</bpmn:loopCardinality>"

CASES: dict[str, list[Case]] = {
    "links_meet": [
        ("a link to nowhere", _linked(_link("Throw", "x"), "s>t t>x"), "x"),
        ("a link from nowhere", _linked(_link("Catch", "x"), "s>t t>e x>e"), "x"),
        (
            "a link to two places",
            _linked(_link("Throw", "x") + _link("Catch", "y") + _link("Catch", "z"), "s>t t>x y>e z>e"),
            "z",
        ),
        ("a link without a name", _linked(_link("Throw", "x", " ") + _link("Catch", "y", " "), "s>t t>x y>e"), "x"),
        ("a flow out of a link", _linked(_link("Throw", "x") + _link("Catch", "y"), "s>t t>x x>e y>e"), "x"),
        ("a flow into a link's end", _linked(_link("Throw", "x") + _link("Catch", "y"), "s>t s>y t>x y>e"), "y"),
    ],
    "codes_caught": [
        ("an error that nothing catches", _thrown('<bpmn:errorEventDefinition errorRef="Error_1" />'), "x"),
        ("an error without a code", _thrown('<bpmn:errorEventDefinition errorRef="Error_2" />'), "x"),
        ("an error of no name", _thrown("<bpmn:errorEventDefinition />"), "x"),
        (
            "an escalation caught as an error",
            _thrown(
                '<bpmn:escalationEventDefinition escalationRef="Escalation_1" />',
                '<bpmn:boundaryEvent id="b" attachedToRef="sub"><bpmn:errorEventDefinition errorRef="Error_1" />'
                "</bpmn:boundaryEvent>",
            ),
            "x",
        ),
        (
            "two events for one code",
            _thrown(
                '<bpmn:errorEventDefinition errorRef="Error_1" />',
                "".join(
                    f'<bpmn:boundaryEvent id="{id_}" attachedToRef="sub"><bpmn:errorEventDefinition '
                    'errorRef="Error_1" /></bpmn:boundaryEvent>'
                    for id_ in ("b", "c")
                ),
            ),
            "c",
        ),
    ],
    "reactions_clear": [
        ("a start without a trigger", _reacting('<bpmn:startEvent id="is" />'), "is"),
        (
            "an error that does not interrupt",
            _reacting(
                '<bpmn:startEvent id="is" isInterrupting="false"><bpmn:errorEventDefinition /></bpmn:startEvent>'
            ),
            "is",
        ),
        (
            "a condition",
            _reacting('<bpmn:startEvent id="is"><bpmn:conditionalEventDefinition /></bpmn:startEvent>'),
            "is",
        ),
        (
            "a flow into it",
            _reacting('<bpmn:startEvent id="is"><bpmn:signalEventDefinition /></bpmn:startEvent>', "t>sub"),
            "sub",
        ),
    ],
    "repetitions_clear": [
        ("neither a number nor a list", _repeated(""), "Explain"),
        (
            "answers collected under no name",
            _repeated(f'{_CARDINALITY}<bpmn:outputDataItem id="I" name="explanation" />'),
            "Explain",
        ),
        (
            "a list named like a form",
            _repeated(
                "<bpmn:loopCardinality>3</bpmn:loopCardinality><bpmn:loopDataOutputRef>basic</bpmn:loopDataOutputRef>"
                '<bpmn:outputDataItem id="I" name="explanation" />'
            ),
            "Explain",
        ),
        (
            "a form collected that is not the task's",
            _repeated(
                f"{_CARDINALITY}<bpmn:loopDataOutputRef>all</bpmn:loopDataOutputRef>"
                '<bpmn:outputDataItem id="I" name="review" />'
            ),
            "Explain",
        ),
    ],
}
