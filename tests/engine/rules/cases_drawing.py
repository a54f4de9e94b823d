"""Diagrams that break one rule on how a process is drawn: rule → (what is wrong, the diagram, the element blamed)."""

from itertools import pairwise

from tests.engine.rules.builder import GOOD, broken, process

Case = tuple[str, str, str | None]

START, TASK, END = '<bpmn:startEvent id="s" />', '<bpmn:userTask id="t" />', '<bpmn:endEvent id="e" />'
SIGNAL = '<bpmn:signal id="Signal_1" name="done" />'


def _parallel(width: int, joins: int) -> str:
    """Parallel splits of a width, one after the other."""
    nodes, flows, before = START + END, "", "s"
    for number in range(joins):
        nodes += f'<bpmn:parallelGateway id="split{number}" /><bpmn:parallelGateway id="join{number}" />'
        flows += f"{before}>split{number} "
        for branch in range(width):
            nodes += f'<bpmn:userTask id="t{number}_{branch}" />'
            flows += f"split{number}>t{number}_{branch} t{number}_{branch}>join{number} "
        before = f"join{number}"
    return process(nodes, flows + f"{before}>e")


def _chain(length: int) -> str:
    names = ["s", *(f"t{number}" for number in range(length)), "e"]
    nodes = "".join(f'<bpmn:userTask id="{name}" />' for name in names[1:-1])
    return process(START + nodes + END, " ".join(f"{a}>{b}" for a, b in pairwise(names)))


def _event(kind: str, trigger: str) -> str:
    """start → an event of a kind with a trigger → end."""
    return process(f'{START}{END}<bpmn:{kind} id="x">{trigger}</bpmn:{kind}>', "s>x x>e")


def _signalled(throw: str = "Signal_1", catch: str = "Signal_1") -> str:
    """start → split → (task with a signal boundary event | throw) → ends."""
    body = (
        f"{START}{TASK}{END}"
        '<bpmn:parallelGateway id="split" /><bpmn:endEvent id="e2" /><bpmn:endEvent id="e3" />'
        '<bpmn:boundaryEvent id="b" attachedToRef="t">'
        f'<bpmn:signalEventDefinition signalRef="{catch}" /></bpmn:boundaryEvent>'
        f'<bpmn:intermediateThrowEvent id="x"><bpmn:signalEventDefinition signalRef="{throw}" />'
        "</bpmn:intermediateThrowEvent>"
    )
    drawn = process(body, "s>split split>t split>x t>e b>e2 x>e3")
    return drawn.replace("</bpmn:definitions>", f'{SIGNAL}<bpmn:signal id="Signal_2" /></bpmn:definitions>')


_BODY = f"{START}{TASK}{END}"
_TWO = '<bpmn:signalEventDefinition signalRef="Signal_1" /><bpmn:escalationEventDefinition />'
_LOOPING = process(f'{START}<bpmn:userTask id="t"><bpmn:standardLoopCharacteristics /></bpmn:userTask>{END}', "s>t t>e")
_REPEATED_SUB = broken(
    '<bpmn:subProcess id="Approval" name="审批">',
    '<bpmn:subProcess id="Approval" name="审批"><bpmn:multiInstanceLoopCharacteristics />',
)

CASES: dict[str, list[Case]] = {
    "schema_valid": [
        ("an attribute that BPMN does not know", broken('id="Explain" name', 'id="Explain" nmae="x" name'), "Explain"),
        ("an element that BPMN does not know", process('<bpmn:step id="step" />' + _BODY, "s>t t>e"), "step"),
        ("another file format altogether", broken(' targetNamespace="urn:test"', ""), "Definitions_1"),
    ],
    "ids_unique": [
        ("a sequence flow without an id", broken('<bpmn:sequenceFlow id="Flow_4" ', "<bpmn:sequenceFlow "), None),
        ("one id for two elements", broken('id="End_Explained"', 'id="End_Granted"'), "End_Granted"),
        ("an id that the engine uses itself", GOOD.replace("Begin", "Start"), "Start"),
        (
            "an id that the engine makes for itself",
            GOOD.replace("End_Explained", "Approval.BoundaryEventSplit"),
            "Approval.BoundaryEventSplit",
        ),
        ("an id with a space", GOOD.replace("Tell", "Te ll"), "Te ll"),
    ],
    "flows_connect": [
        (
            "a flow into nowhere",
            broken('sourceRef="Tell" targetRef="End_Granted"', 'sourceRef="Tell" targetRef="X"'),
            "Flow_4",
        ),
        ("a flow from nowhere", broken('sourceRef="Apply"', 'sourceRef="Nobody"'), "Flow_2"),
        (
            "a flow into a sub-process",
            broken('sourceRef="Apply" targetRef="Approval"', 'sourceRef="Apply" targetRef="Review"'),
            "Flow_2",
        ),
        ("a flow into the start", process(_BODY, "s>t t>s t>e"), "f1"),
        ("a flow out of an end", process(_BODY, "s>t t>e e>t"), "f2"),
    ],
    "only_supported_elements": [
        *(
            (name, process(f'{START}<bpmn:{name} id="x" />{END}', "s>x x>e"), "x")
            for name in (
                *("task", "manualTask", "scriptTask", "businessRuleTask", "sendTask", "receiveTask"),
                *("transaction", "adHocSubProcess", "complexGateway"),
            )
        ),
        *(
            (name, _event("intermediateThrowEvent", f"<bpmn:{name} />"), "x")
            for name in (
                "compensateEventDefinition",
                "errorEventDefinition",
                "messageEventDefinition",
                "timerEventDefinition",
            )
        ),
        ("a conditional event", _event("intermediateCatchEvent", "<bpmn:conditionalEventDefinition />"), "x"),
        ("an event that waits for nothing", _event("intermediateCatchEvent", ""), "x"),
        (
            "an event that waits for two things",
            _event("intermediateCatchEvent", "<bpmn:timerEventDefinition /><bpmn:messageEventDefinition />"),
            "x",
        ),
        (
            "an end that sends a message",
            broken(
                '<bpmn:endEvent id="End_Explained" />',
                '<bpmn:endEvent id="End_Explained"><bpmn:messageEventDefinition /></bpmn:endEvent>',
            ),
            "End_Explained",
        ),
        ("an event that throws two things", _event("intermediateThrowEvent", _TWO), "x"),
        ("a multi-instance sub-process", _REPEATED_SUB, "Approval"),
        ("a task that loops", _LOOPING, "t"),
        ("a compensation task", broken('id="Explain" name', 'id="Explain" isForCompensation="true" name'), "Explain"),
        ("tokens counted", broken('id="Explain" name', 'id="Explain" startQuantity="2" name'), "Explain"),
        (
            "data objects",
            process(f'{START}<bpmn:userTask id="t"><bpmn:property id="p" /></bpmn:userTask>{END}', "s>t t>e"),
            "t",
        ),
    ],
    "one_start": [
        ("no start", process(f"{TASK}{END}", "t>e"), "drawn"),
        ("two starts", process(f'{START}<bpmn:startEvent id="s2" />{TASK}{END}', "s>t s2>t t>e"), "s2"),
        (
            "a start by timer",
            process(f'<bpmn:startEvent id="s"><bpmn:timerEventDefinition /></bpmn:startEvent>{TASK}{END}', "s>t t>e"),
            "s",
        ),
        ("a sub-process without a start", broken('<bpmn:startEvent id="Approval_Begin" />', ""), "Approval"),
    ],
    "everything_reachable": [
        ("a task that nothing leads to", process(f'{_BODY}<bpmn:userTask id="u" />', "s>t t>e u>e"), "u"),
        (
            "a task that leads nowhere",
            process(f'{_BODY}<bpmn:exclusiveGateway id="g" /><bpmn:userTask id="u" />', "s>g g>t g>u t>e"),
            "u",
        ),
        (
            "a ring without a way out",
            process(
                f'{_BODY}<bpmn:exclusiveGateway id="g" /><bpmn:userTask id="u" /><bpmn:userTask id="v" />',
                "s>g g>t g>u u>v v>u t>e",
            ),
            "v",
        ),
        ("no end at all", process(START + TASK, "s>t"), "drawn"),
        ("a sub-process without an end", broken('<bpmn:endEvent id="Approval_End" />', ""), "Approval"),
    ],
    "gateways_decide": [
        ("no default", broken(' default="Flow_Again"', ""), "Decide"),
        ("a default that is no flow of the gateway", broken('default="Flow_Again"', 'default="Flow_1"'), "Decide"),
        ("a flow without a condition", broken("review.result == 'ok'", ""), "Flow_Ok"),
        ("a condition on the default", broken('default="Flow_Again"', 'default="Flow_Ok"'), "Flow_Ok"),
        (
            "only a condition leads on from a task",
            broken(
                'sourceRef="Apply" targetRef="Approval" />',
                'sourceRef="Apply" targetRef="Approval">'
                "<bpmn:conditionExpression>True</bpmn:conditionExpression></bpmn:sequenceFlow>",
            ),
            "Apply",
        ),
        (
            "a condition after an event",
            broken(
                'sourceRef="Begin" targetRef="Apply" />',
                'sourceRef="Begin" targetRef="Apply">'
                "<bpmn:conditionExpression>True</bpmn:conditionExpression></bpmn:sequenceFlow>",
            ),
            "Flow_1",
        ),
        (
            "an inclusive gateway without a default",
            broken('exclusiveGateway id="Decide" name="结论" default="Flow_Again"', 'inclusiveGateway id="Decide"'),
            "Decide",
        ),
        (
            "a default where nothing is chosen",
            broken('id="Apply" name', 'id="Apply" default="Flow_2" name'),
            "Apply",
        ),
    ],
    "joins_fill": [
        (
            "an exclusive split joined by a parallel gateway",
            process(
                f'{_BODY}<bpmn:exclusiveGateway id="g" /><bpmn:parallelGateway id="j" /><bpmn:userTask id="u" />',
                "s>g g>t g>u t>j u>j j>e",
            ),
            "j",
        ),
        (
            "a branch that a timer leads to its own end",
            process(
                f'{_BODY}<bpmn:parallelGateway id="g" /><bpmn:parallelGateway id="j" /><bpmn:userTask id="u" />'
                '<bpmn:boundaryEvent id="b" attachedToRef="u" /><bpmn:endEvent id="e2" />',
                "s>g g>t g>u t>j u>j b>e2 j>e",
            ),
            "j",
        ),
    ],
    "size_manageable": [
        ("too many steps", _chain(450), "drawn"),
        ("wide parallel gateways in a row", _parallel(3, 8), "join5"),
        ("one very wide parallel gateway", _parallel(260, 1), "join0"),
    ],
    "boundary_events_lead_on": [
        (
            "attached to nothing",
            broken(' attachedToRef="Approval" cancelActivity="false"', ' attachedToRef="X"'),
            "Overdue",
        ),
        (
            "attached to what never waits",
            broken('name="投诉" attachedToRef="Approval"', 'name="投诉" attachedToRef="Tell"'),
            "Complained",
        ),
        (
            "no flow out",
            broken('<bpmn:sequenceFlow id="Flow_5" sourceRef="Overdue" targetRef="Explain" />', ""),
            "Overdue",
        ),
        ("interrupting written as 0", broken('cancelActivity="false"', 'cancelActivity="0"'), "Overdue"),
    ],
    "signals_meet": [
        ("a signal that nothing throws", _signalled(throw="Signal_2"), "b"),
        ("an event without a signal", _signalled(catch="Signal_9"), "b"),
        ("a signal for which nothing waits", _signalled(catch="Signal_9"), "x"),
    ],
}
