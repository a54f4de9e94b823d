"""The diagram is of a size that people can read and the engine can run quickly.

流程图的大小是人能读、系统能很快运行的。

The engine looks ahead through parallel gateways; several wide ones in a row multiply (three-way, eight in a row:
more than 40,000 tasks and seconds for every step).
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, children, error, tag

MOST_STEPS = 400
MOST_WAYS = 250


def check(facts: Facts) -> Iterable[Problem]:
    if len(facts.nodes) > MOST_STEPS:
        yield error(
            facts.process,
            "{it}有 {count} 个节点，最多 {most} 个；请拆成几个流程。",
            "{it} has {count} steps, at most {most} can be run; split it into several processes.",
            count=len(facts.nodes),
            most=MOST_STEPS,
        )
        return
    for scope in facts.scopes:
        ways: dict[etree._Element, int] = {}
        for node in _in_order(facts, scope):
            before = [ways[source] for flow in facts.incoming(node) if (source := _source(facts, flow)) in ways]
            adds_up = tag(node) in {"parallelGateway", "inclusiveGateway"}
            ways[node] = max(1, sum(before) if adds_up else max(before, default=1))
            if ways[node] > MOST_WAYS:
                yield error(
                    node,
                    "走到{it}的并行路径超过 {most} 条，系统会非常慢；请减少连续的并行网关。",
                    "More than {most} parallel ways lead to {it}, which would be very slow; "
                    "use fewer parallel gateways in a row.",
                    most=MOST_WAYS,
                )
                break


def _source(facts: Facts, flow: etree._Element) -> etree._Element | None:
    return facts.by_id.get(flow.get("sourceRef", ""))


def _in_order(facts: Facts, scope: etree._Element) -> list[etree._Element]:
    """The nodes reachable from the start, each after those that lead to it (loops aside)."""
    order: list[etree._Element] = []
    seen = set(children(scope, "startEvent"))
    stack = [(start, iter(facts.targets(start))) for start in seen]
    while stack:
        node, rest = stack[-1]
        following = next((target for target in rest if target not in seen), None)
        if following is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(facts.targets(following) + facts.boundary_events(following))))
    return order[::-1]
