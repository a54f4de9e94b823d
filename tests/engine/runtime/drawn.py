"""Random diagrams that the deploy gate lets through, as a graph that a model can play and as BPMN for the engine."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.engine.rules.builder import HEAD, TAIL, form

Plan = tuple[Any, ...]  # ("task", events) | ("choice", …) | ("loop", …) | ("both", …) | ("sub", …) | ("tell",)
Event = tuple[str, bool, bool, bool]  # kind (timer or message), interrupting?, a task after it?, leads back?


@dataclass
class Node:
    id: str
    tag: str
    scope: str  # id of the sub-process around it, or of the process
    host: str = ""  # boundary event: the node it sits on
    interrupting: bool = True
    minutes: int = 0  # timer


@dataclass
class Graph:
    """Nodes and flows. `flows` is target by flow id; a flow out of a choice is taken if its task's answer says so."""

    nodes: dict[str, Node] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    target: dict[str, str] = field(default_factory=dict)
    chosen_by: dict[str, str] = field(default_factory=dict)  # flow → the task whose answer `yes` takes it
    default: dict[str, str] = field(default_factory=dict)  # gateway → flow

    def add(self, tag: str, scope: str, **more: Any) -> str:
        id_ = f"{tag}_{len(self.nodes)}"
        self.nodes[id_] = Node(id_, tag, scope, **more)
        return id_

    def link(self, source: str, target: str) -> str:
        id_ = f"Flow_{len(self.source)}"
        self.source[id_], self.target[id_] = source, target
        return id_

    def out(self, node: str) -> list[str]:
        return [flow for flow, source in self.source.items() if source == node]

    def into(self, node: str) -> list[str]:
        return [flow for flow, target in self.target.items() if target == node]

    def events_on(self, host: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.host == host]

    def start_of(self, scope: str) -> str:
        return next(n.id for n in self.nodes.values() if n.scope == scope and n.tag == "startEvent")


EVENTS = st.lists(
    st.tuples(st.sampled_from(("timer", "message")), st.booleans(), st.booleans(), st.booleans()), max_size=2
)
TASK = st.tuples(st.just("task"), EVENTS)


def _blocks(inner: st.SearchStrategy[Plan]) -> st.SearchStrategy[Plan]:
    sequence = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("choice"), sequence, sequence),
        st.tuples(st.just("loop"), sequence),
        st.tuples(st.just("both"), st.lists(sequence, min_size=2, max_size=3)),
        st.tuples(st.just("sub"), sequence, EVENTS),
    )


PLANS = st.lists(st.recursive(st.one_of(TASK, TASK, st.just(("tell",))), _blocks, max_leaves=7), min_size=1, max_size=3)


def graph(plan: list[Plan]) -> Graph:
    drawn = Graph()
    _level(drawn, plan, "drawn", alone=True)
    return drawn


def _level(g: Graph, plan: list[Plan], scope: str, *, alone: bool) -> None:
    start = g.add("startEvent", scope)
    last = _sequence(g, plan, scope, start, alone=alone)
    g.link(last, g.add("endEvent", scope))


def _sequence(g: Graph, plan: list[Plan], scope: str, last: str, *, alone: bool) -> str:
    for block in plan:
        last = _block(g, block, scope, last, alone=alone)
    return last


def _block(g: Graph, block: Plan, scope: str, last: str, *, alone: bool) -> str:
    """Draw one block after `last`; returns the node the next one goes after. `alone`: no parallel branch beside it
    within its level, so that an event may lead to an end of its own."""
    match block:
        case ("tell",):
            node = g.add("serviceTask", scope)
            g.link(last, node)
            return node
        case ("task", events):
            return _with_events(g, "userTask", events, scope, last, alone=alone)
        case ("sub", plan, events):
            host = _with_events(g, "subProcess", events, scope, last, alone=alone)
            inner = next(n.id for n in reversed(g.nodes.values()) if n.tag == "subProcess" and n.scope == scope)
            _level(g, plan, inner, alone=True)
            return host
        case ("choice", some, others):
            task, gateway, merge = _decision(g, scope, last), "", ""
            gateway, merge = g.add("exclusiveGateway", scope), g.add("exclusiveGateway", scope)
            g.link(task, gateway)
            for plan, is_default in ((some, False), (others, True)):
                before = set(g.source)
                end = _sequence(g, plan, scope, gateway, alone=alone)
                first = next(flow for flow in g.out(gateway) if flow not in before)
                _choose(g, gateway, first, None if is_default else task)
                g.link(end, merge)
            return merge
        case ("loop", plan):
            merge = g.add("exclusiveGateway", scope)
            g.link(last, merge)
            task = _decision(g, scope, _sequence(g, plan, scope, merge, alone=alone))
            gateway, after = g.add("exclusiveGateway", scope), g.add("exclusiveGateway", scope)
            g.link(task, gateway)
            _choose(g, gateway, g.link(gateway, merge), task)
            _choose(g, gateway, g.link(gateway, after), None)
            return after
        case ("both", branches):
            split, join = g.add("parallelGateway", scope), g.add("parallelGateway", scope)
            g.link(last, split)
            for branch in branches:
                g.link(_sequence(g, branch, scope, split, alone=False), join)
            return join
    raise ValueError(block)


def _decision(g: Graph, scope: str, last: str) -> str:
    task = g.add("userTask", scope)
    g.link(last, task)
    return task


def _choose(g: Graph, gateway: str, flow: str, task: str | None) -> None:
    if task is None:
        g.default[gateway] = flow
    else:
        g.chosen_by[flow] = task


def _with_events(g: Graph, tag: str, events: list[Event], scope: str, last: str, *, alone: bool) -> str:
    host = g.add(tag, scope)
    g.link(last, host)
    after = host
    for kind, interrupting, task_follows, leads_back in events:
        event = g.add("boundaryEvent", scope, host=host, interrupting=interrupting)
        if kind == "timer":
            g.nodes[event].minutes = 60 + len(g.nodes) ** 2 * 7 + len(g.nodes)  # no two fall due together
        last_aside = _decision(g, scope, event) if task_follows else event
        if interrupting and (leads_back or not alone):
            if after == host:
                after = g.add("exclusiveGateway", scope)
                g.link(host, after)
            g.link(last_aside, after)
        else:
            g.link(last_aside, g.add("endEvent", scope))
    return after


def bpmn(g: Graph) -> bytes:
    """The graph as a diagram: every node in the enterprise's lane, every user task with a form of its own."""
    lane = "".join(f"<bpmn:flowNodeRef>{n.id}</bpmn:flowNodeRef>" for n in g.nodes.values() if n.scope == "drawn")
    messages = "".join(
        f'<bpmn:message id="Message_{n.id}" name="{n.id}" wf:form="sent" wf:lane="Lane"/>'
        for n in g.nodes.values()
        if n.tag == "boundaryEvent" and not n.minutes
    )
    return (
        HEAD
        + '<bpmn:process id="drawn" isExecutable="true"><bpmn:laneSet id="Lanes"><bpmn:lane id="Lane" name="企业" '
        + f'wf:role="enterprise" wf:organisation="starter.organisation">{lane}</bpmn:lane></bpmn:laneSet>'
        + _contents(g, "drawn")
        + "</bpmn:process>"
        + messages
        + TAIL
    ).encode()


def forms(g: Graph) -> dict[str, Any]:
    return {n.id: form(n.id, "answer") for n in g.nodes.values() if n.tag == "userTask"} | {
        "sent": form("sent", "what")
    }


def _contents(g: Graph, scope: str) -> str:
    nodes = "".join(_node(g, node) for node in g.nodes.values() if node.scope == scope)
    return nodes + "".join(_flow(g, flow) for flow, source in g.source.items() if g.nodes[source].scope == scope)


def _node(g: Graph, node: Node) -> str:
    head = f'<bpmn:{node.tag} id="{node.id}" name="{node.id}"'
    if node.tag == "userTask":
        return f'{head} wf:form="{node.id}"/>'
    if node.tag == "serviceTask":
        return f'{head} wf:handler="nothing"/>'
    if node.tag == "endEvent":
        return f'{head} wf:outcome="{node.id}"/>'
    if node.tag == "subProcess":
        return f"{head}>{_contents(g, node.id)}</bpmn:subProcess>"
    if node.id in g.default:
        return f'{head} default="{g.default[node.id]}"/>'
    if node.tag != "boundaryEvent":
        return f"{head}/>"
    trigger = (
        '<bpmn:timerEventDefinition><bpmn:timeDuration xsi:type="bpmn:tFormalExpression">'
        f"PT{node.minutes}M</bpmn:timeDuration></bpmn:timerEventDefinition>"
        if node.minutes
        else f'<bpmn:messageEventDefinition messageRef="Message_{node.id}"/>'
    )
    return (
        f'{head} attachedToRef="{node.host}" cancelActivity="{str(node.interrupting).lower()}">'
        f"{trigger}</bpmn:boundaryEvent>"
    )


def _flow(g: Graph, flow: str) -> str:
    head = f'<bpmn:sequenceFlow id="{flow}" sourceRef="{g.source[flow]}" targetRef="{g.target[flow]}"'
    if task := g.chosen_by.get(flow):
        condition = f"{task}.answer == 'yes'"
        return (
            f'{head}><bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">{condition}'
            "</bpmn:conditionExpression></bpmn:sequenceFlow>"
        )
    return f"{head}/>"
