"""Every loop has a step that waits: for a person, a message or a moment.

每个循环里至少有一步要等待：等人办理、等消息或等时间。

A loop of automatic steps alone goes round without end: nothing new can come in between but what handlers say, and a
handler that is asked again at once is no clock. The engine stops such a loop after some hundred steps, in the middle
of an application, with an incident.
"""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from lxml import etree

from engine.definitions.rules.facts import SUB_PROCESSES, Facts, Problem, children, error, label, tag
from engine.text import Text

Point = tuple[etree._Element, bool]  # a node as it is entered (False), or a sub-process as it is done (True)

_WAITING = frozenset({"userTask", "receiveTask", "eventBasedGateway", "callActivity"})
_THROWN = ("errorEventDefinition", "escalationEventDefinition")  # caught at once by a boundary event around
_NAMED = 6  # of a long loop so many steps are named


def check(facts: Facts) -> Iterable[Problem]:
    following = {point: targets for node in facts.nodes for point, targets in _moves(facts, node)}
    while cycle := _cycle(following):
        nodes = sorted({node for node, _ in cycle}, key=facts.nodes.index)
        steps = [label(node) for node in nodes[:_NAMED]] + ([Text("……", "…")] if len(nodes) > _NAMED else [])
        yield error(
            nodes[0],
            "从{it}开始的循环全是自动步骤，没有一步等待，会不停地转（{steps}）；"
            "请在循环里放一个用户任务，或一个定时、消息中间捕获事件。",
            "The loop from {it} has automatic steps only and would go round without end ({steps}). "
            "Put a user task into it, or an intermediate event that waits for a message or a moment.",
            steps=Text("、".join(step.zh for step in steps), ", ".join(step.en for step in steps)),
        )
        following = {
            point: [target for target in targets if target[0] not in nodes]
            for point, targets in following.items()
            if point[0] not in nodes
        }


def _moves(facts: Facts, node: etree._Element) -> Iterable[tuple[Point, list[Point]]]:
    """Where a node leads to at once; nowhere if it waits."""
    onward = [(target, False) for target in facts.targets(node)]
    if tag(node) in SUB_PROCESSES:
        yield (node, False), [(start, False) for start in children(node, "startEvent") if not _triggers(start)]
        yield (node, True), onward
    elif not _waits(node):
        around = node.getparent()
        if tag(node) == "endEvent" and around is not None and tag(around) in SUB_PROCESSES:
            onward.append((around, True))
        yield (node, False), onward + [(event, False) for event in _catching(facts, node)]


def _waits(node: etree._Element) -> bool:
    triggers = _triggers(node)
    if tag(node) in {"boundaryEvent", "startEvent"}:
        return bool(triggers) and not triggers <= set(_THROWN)
    return tag(node) in _WAITING or (tag(node) == "intermediateCatchEvent" and triggers != {"linkEventDefinition"})


def _triggers(event: etree._Element) -> set[str]:
    return {tag(child) for child in event if tag(child).endswith("EventDefinition")}


def _catching(facts: Facts, thrower: etree._Element) -> list[etree._Element]:
    """Boundary events around that what is thrown here may reach."""
    thrown = _triggers(thrower) & set(_THROWN) if tag(thrower) in {"endEvent", "intermediateThrowEvent"} else set()
    return [
        event
        for scope in thrower.iterancestors()
        for event in facts.boundary_events(scope)
        if thrown & _triggers(event)
    ]


def _cycle(following: Mapping[Point, list[Point]]) -> list[Point]:
    try:
        TopologicalSorter(following).prepare()
    except CycleError as problem:
        found: list[Point] = problem.args[1]
        return found
    return []
