"""Every step can be reached from the start, and from every step an end can be reached.

从开始走得到每一步，从每一步走得到结束。

The engine would drop an unreachable step without a word, and close an instance that runs into a dead end.
"""

from collections import deque
from collections.abc import Iterable, Mapping

from lxml import etree

from engine.definitions.normalising import is_event_sub_process
from engine.definitions.rules.facts import NODES, Facts, Problem, children, error, tag

Nodes = list[etree._Element]


def check(facts: Facts) -> Iterable[Problem]:
    for scope in facts.scopes:
        nodes = children(scope, *NODES)
        starts = [node for node in nodes if tag(node) == "startEvent"]
        ends = [node for node in nodes if tag(node) == "endEvent"]
        if not ends:
            yield error(
                scope,
                "{it}没有结束事件，请在最后一步之后画一个。",
                "{it} has no end event; draw one after its last step.",
            )
        reactions = [node for node in nodes if is_event_sub_process(node)]  # which nothing leads to
        following = {node: facts.targets(node) + facts.boundary_events(node) for node in nodes}
        reached = _closure(starts + reactions, following)
        preceding: dict[etree._Element, Nodes] = {node: [] for node in nodes}
        for node, followers in following.items():
            for follower in followers:
                preceding.setdefault(follower, []).append(node)
        finishing = _closure(ends + reactions, preceding)
        for node in nodes:
            if starts and node not in reached:
                yield error(
                    node,
                    "从开始事件走不到{it}，请把它连上或删除。",
                    "{it} can't be reached from the start event; connect it or remove it.",
                )
            elif ends and node not in finishing:
                yield error(
                    node,
                    "{it}之后走不到任何结束事件，请继续连线直到结束。",
                    "No end event can be reached from {it}; lead it on to an end.",
                )


def _closure(seeds: Nodes, neighbours: Mapping[etree._Element, Nodes]) -> set[etree._Element]:
    found, waiting = set(seeds), deque(seeds)
    while waiting:
        for neighbour in neighbours.get(waiting.popleft(), []):
            if neighbour not in found:
                found.add(neighbour)
                waiting.append(neighbour)
    return found
