"""Diagrams that break one rule on how a case would run: rule → (what is wrong, the diagram, the element blamed)."""

from itertools import pairwise

from tests.engine.rules.builder import broken, process
from tests.engine.rules.cases_drawing import END, START, TASK, Case

XOR = '<bpmn:exclusiveGateway id="g" default="f2" />'


def step(id_: str) -> str:
    return f'<bpmn:serviceTask id="{id_}" />'


def inside(id_: str, *nodes: str, end: str = '<bpmn:endEvent id="{id}_e" />') -> str:
    """A sub-process of nodes one after the other; `nodes` are tags such as userTask."""
    ids = [f"{id_}_s", *(f"{id_}_{number}" for number in range(len(nodes))), f"{id_}_e"]
    drawn = "".join(f'<bpmn:{kind} id="{name}" />' for kind, name in zip(nodes, ids[1:], strict=False))
    flows = "".join(
        f'<bpmn:sequenceFlow id="{id_}_f{number}" sourceRef="{source}" targetRef="{target}" />'
        for number, (source, target) in enumerate(pairwise(ids))
    )
    start = f'<bpmn:startEvent id="{id_}_s" />'
    return f'<bpmn:subProcess id="{id_}">{start}{drawn}{end.format(id=id_)}{flows}</bpmn:subProcess>'


_FAILS = '<bpmn:endEvent id="{id}_e"><bpmn:errorEventDefinition /></bpmn:endEvent>'
_CAUGHT = '<bpmn:boundaryEvent id="b" attachedToRef="sub"><bpmn:errorEventDefinition /></bpmn:boundaryEvent>'

_SHAPE = (
    '<bpmndi:BPMNDiagram xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" id="D"><bpmndi:BPMNPlane id="P" '
    'bpmnElement="permit"><bpmndi:BPMNShape id="Shape_1" bpmnElement="{id}"><dc:Bounds '
    'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" x="0" y="0" width="1" height="1" /></bpmndi:BPMNShape>'
    "</bpmndi:BPMNPlane></bpmndi:BPMNDiagram></bpmn:definitions>"
)


def _drawn(id_: str) -> str:
    return broken("</bpmn:definitions>", _SHAPE.format(id=id_))


def _catch(id_: str, trigger: str) -> str:
    return f'<bpmn:intermediateCatchEvent id="{id_}"><bpmn:{trigger}EventDefinition /></bpmn:intermediateCatchEvent>'


_GATE = '<bpmn:eventBasedGateway id="g" />'
_TWO_EVENTS = f"{_GATE}{_catch('a', 'message')}{_catch('b', 'timer')}"
_CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
_MODELLER = 'xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="Camunda Cloud" '


def _extended(content: str, namespace: str) -> str:
    """Something of another engine inside a service task."""
    return broken("<bpmn:extensionElements>", f'<bpmn:extensionElements xmlns:x="{namespace}">{content}')


_AND = '<bpmn:parallelGateway id="g" />'

CASES: dict[str, list[Case]] = {
    "branches_meet": [
        (
            "two branches that lead to one task",
            process(f"{START}{_AND}{step('a')}{step('b')}{TASK}{END}", "s>g g>a g>b a>t b>t t>e"),
            "t",
        ),
        (
            "two branches brought together by an exclusive gateway",
            process(
                f'{START}{_AND}{step("a")}{step("b")}<bpmn:exclusiveGateway id="x" />{TASK}{END}',
                "s>g g>a g>b a>x b>x x>t t>e",
            ),
            "x",
        ),
        (
            "a branch that leads straight to the other's task",
            process(f"{START}{_AND}{step('a')}{TASK}{END}", "s>g g>a g>t a>t t>e"),
            "t",
        ),
    ],
    "calls_resolved": [
        (what, process(f'{START}<bpmn:callActivity id="x" {called}/>{END}', "s>x x>e"), "x")
        for what, called in (
            ("a process that is not deployed", 'calledElement="other" '),
            ("no process named", ""),
            ("the process itself", 'calledElement="drawn" '),
        )
    ],
    "event_gateways_wait": [
        ("a task behind it", process(f"{START}{_TWO_EVENTS}{TASK}{END}", "s>g g>a g>t a>e b>e t>e"), "t"),
        ("only one event", process(f"{START}{_TWO_EVENTS}{END}", "s>g g>a a>e"), "g"),
        (
            "an event that something else leads to",
            process(f"{START}{_TWO_EVENTS}{END}", "s>g g>a g>b a>b b>e"),
            "b",
        ),
        (
            "an event that throws",
            process(
                f'{START}{_TWO_EVENTS}<bpmn:intermediateThrowEvent id="x"><bpmn:signalEventDefinition />'
                f"</bpmn:intermediateThrowEvent>{END}",
                "s>g g>a g>x a>e x>e",
            ),
            "x",
        ),
    ],
    "gateways_branch": [
        ("an exclusive gateway in the way", process(f"{START}{XOR}{TASK}{END}", "s>g g>t t>e"), "g"),
        (
            "a parallel gateway in the way",
            process(f'{START}<bpmn:parallelGateway id="g" />{TASK}{END}', "s>g g>t t>e"),
            "g",
        ),
    ],
    "one_pool_runs": [
        (
            "a second pool with steps in it",
            broken(
                "</bpmn:definitions>",
                '<bpmn:process id="second" isExecutable="false"><bpmn:userTask id="u" /></bpmn:process>'
                "</bpmn:definitions>",
            ),
            "second",
        ),
        (
            "a message flow between two pools",
            broken(
                '<bpmn:process id="permit"',
                '<bpmn:collaboration id="C"><bpmn:participant id="Pool_1" processRef="permit" />'
                '<bpmn:participant id="Pool_2" /><bpmn:messageFlow id="Letter" sourceRef="Tell" targetRef="Pool_2" />'
                '</bpmn:collaboration><bpmn:process id="permit"',
            ),
            "Letter",
        ),
    ],
    "other_engines_left_out": [
        (
            "a task given to somebody as Camunda has it",
            broken(
                'id="Explain" name', 'id="Explain" xmlns:c="http://camunda.org/schema/1.0/bpmn" c:assignee="li" name'
            ),
            "Explain",
        ),
        (
            "a form as Flowable has it",
            broken('id="Explain" name', 'id="Explain" xmlns:f="http://flowable.org/bpmn" f:formKey="k" name'),
            "Explain",
        ),
        (
            "a script after the step",
            _extended("<x:postScript>a = 1</x:postScript>", "http://spiffworkflow.org/bpmn/schema/1.0/core"),
            "Tell",
        ),
        (
            "a listener",
            _extended(
                '<x:executionListener event="start"><x:script>x</x:script></x:executionListener>',
                _CAMUNDA,
            ),
            "Tell",
        ),
        (
            "a task given to somebody as BPMN has it",
            process(f'{START}<bpmn:userTask id="t"><bpmn:potentialOwner id="Owner" /></bpmn:userTask>{END}', "s>t t>e"),
            "Owner",
        ),
    ],
    "references_resolve": [
        (
            "a lane that lists a step which is gone",
            broken("<bpmn:flowNodeRef>Tell<", "<bpmn:flowNodeRef>Sold<"),
            "Lane_Platform",
        ),
        ("a shape of nothing", _drawn("Nothing"), "Shape_1"),
        (
            "a flow noted down at its end which is gone",
            broken(
                '<bpmn:endEvent id="End_Explained" />',
                '<bpmn:endEvent id="End_Explained"><bpmn:incoming>Flow_66</bpmn:incoming></bpmn:endEvent>',
            ),
            "End_Explained",
        ),
        (
            "a pool of a process that is not there",
            broken(
                '<bpmn:process id="permit"',
                '<bpmn:collaboration id="C"><bpmn:participant id="Pool" processRef="x" /></bpmn:collaboration>'
                '<bpmn:process id="permit"',
            ),
            "Pool",
        ),
    ],
    "loops_wait": [
        (
            "a service task that is repeated until it says it is done",
            broken('sourceRef="Tell" targetRef="End_Granted"', 'sourceRef="Tell" targetRef="Decide"'),
            "Decide",
        ),
        ("gateways that lead to each other", process(f"{START}{XOR}{END}", "s>g g>g g>e"), "g"),
        (
            "a sub-process without people, drawn in a loop",
            process(f"{START}{XOR}{END}{inside('sub', 'serviceTask')}", "s>sub sub>g g>e g>sub"),
            "g",
        ),
        (
            "an error that leads back to the sub-process that throws it",
            process(f"{START}{_CAUGHT}{END}{inside('sub', 'serviceTask', end=_FAILS)}", "s>sub sub>e b>sub"),
            "b",
        ),
    ],
}

SOUND: dict[str, list[tuple[str, str]]] = {
    "branches_meet": [
        (
            "branches joined as they were split",
            process(
                f'{START}{_AND}{step("a")}{step("b")}<bpmn:parallelGateway id="j" />{TASK}{END}',
                "s>g g>a g>b a>j b>j j>t t>e",
            ),
        ),
        (
            "branches that end by themselves",
            process(f"{START}{_AND}{step('a')}{step('b')}{END}", "s>g g>a g>b a>e b>e"),
        ),
        (
            "a choice inside one branch",
            process(
                f'{START}{_AND}<bpmn:exclusiveGateway id="x" />{step("a")}{step("b")}{step("c")}{TASK}{END}',
                "s>g g>x x>a x>b a>c b>c c>e g>t t>e",
            ),
        ),
    ],
    "event_gateways_wait": [
        ("a message or a moment", process(f"{START}{_TWO_EVENTS}{END}", "s>g g>a g>b a>e b>e")),
    ],
    "gateways_branch": [
        (
            "a split and a join",
            process(f'{START}{XOR}{TASK}{END}<bpmn:exclusiveGateway id="j" />', "s>g g>t g>j t>j j>e"),
        ),
    ],
    "one_pool_runs": [
        (
            "a second pool that is a black box",
            broken(
                '<bpmn:process id="permit"',
                '<bpmn:collaboration id="C"><bpmn:participant id="Pool_1" processRef="permit" />'
                '<bpmn:participant id="Pool_2" /></bpmn:collaboration><bpmn:process id="permit"',
            ),
        ),
    ],
    "other_engines_left_out": [
        ("what an editor notes down for itself", broken('id="Definitions_1"', f'{_MODELLER}id="Definitions_1"')),
    ],
    "references_resolve": [("a shape of a step", _drawn("Tell")), ("one with a prefix", _drawn("bpmn:Tell"))],
    "loops_wait": [
        ("a loop with a user task in it", process(f"{START}{TASK}{XOR}{END}", "s>t t>g g>e g>t")),
        (
            "a loop that waits for a moment",
            process(
                f'{START}{XOR}{step("t")}{END}<bpmn:intermediateCatchEvent id="w"><bpmn:timerEventDefinition />'
                "</bpmn:intermediateCatchEvent>",
                "s>t t>g g>e g>w w>t",
            ),
        ),
        (
            "a loop around a sub-process in which people work",
            process(f"{START}{XOR}{END}{inside('sub', 'userTask')}", "s>sub sub>g g>e g>sub"),
        ),
    ],
}
