"""Branches that run at the same time meet at a parallel or inclusive gateway, or each ends by itself.

同时进行的分支用并行网关或包容网关汇合，或者各自结束。

Where they meet at anything else it is done once for each of them (BPMN 2.0, 13.3.1), which few who draw it mean.
"""

from collections.abc import Iterable
from itertools import combinations

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, label, tag, warning

Nodes = set[etree._Element]

_JOINS = frozenset({"parallelGateway", "inclusiveGateway"})


def check(facts: Facts) -> Iterable[Problem]:
    told: Nodes = set()
    for split in facts.of_type(*_JOINS):
        branches = [_branch(facts, split, first) for first in facts.targets(split)]
        for one, other in combinations(branches, 2):
            for node in sorted((one & other) - told, key=facts.nodes.index):
                if tag(node) != "endEvent" and _is_where_they_meet(facts, node, split, one, other):
                    told.add(node)
                    yield warning(
                        node,
                        "从{split}同时进行的分支在{it}碰到一起，它会为每条分支各做一次；"
                        "只做一次请在它前面用并行网关汇合。",
                        "Branches that {split} starts together meet at {it}, which would be done once for each. "
                        "For it to be done once, join them with a parallel gateway before it.",
                        split=label(split),
                    )


def _branch(facts: Facts, split: etree._Element, first: etree._Element) -> Nodes:
    """What a branch goes through before it is joined with others."""
    found: Nodes = set()
    waiting = [first]
    while waiting:
        node = waiting.pop()
        if node not in found and node is not split and not (tag(node) in _JOINS and len(facts.incoming(node)) > 1):
            found.add(node)
            waiting += facts.targets(node) + facts.boundary_events(node)
    return found


def _is_where_they_meet(facts: Facts, node: etree._Element, split: etree._Element, one: Nodes, other: Nodes) -> bool:
    sources = [facts.by_id.get(flow.get("sourceRef", "")) for flow in facts.incoming(node)]
    from_one = [source for source in sources if source is split or (source in one and source not in other)]
    from_other = [source for source in sources if source is split or (source in other and source not in one)]
    return len({id(source) for source in from_one + from_other}) > 1 and bool(from_one) and bool(from_other)
