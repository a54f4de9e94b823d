"""An exclusive gateway always finds a way: every flow but the default has a condition.

排他网关总能选出一条路：除默认连线外，每条连线都有条件。

Without a default and with no condition true, an instance would stop there with an error. Conditions count at
exclusive gateways only; elsewhere the engine would ignore them.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, error, tag, warning


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.nodes:
        if tag(node) == "exclusiveGateway":
            yield from _exclusive(facts, node)
        elif tag(node) != "inclusiveGateway":  # which is refused altogether
            yield from _others(facts, node)


def _exclusive(facts: Facts, gateway: etree._Element) -> Iterable[Problem]:
    flows = facts.outgoing(gateway)
    default = gateway.get("default")
    if default is not None and default not in {flow.get("id") for flow in flows}:
        yield error(
            gateway,
            "{it}的默认连线“{default}”不是从它连出的，请重新指定默认连线。",
            "The default flow “{default}” of {it} does not leave it; choose the default flow again.",
            default=default,
        )
    elif default is None and (len(flows) > 1 or any(facts.condition(flow) for flow in flows)):
        yield error(
            gateway,
            "{it}没有默认连线：各条件都不成立时会卡住，请把其中一条连线设为默认。",
            "{it} has no default flow: where no condition holds it would get stuck. Make one of its flows the default.",
        )
    for flow in flows:
        if flow.get("id") == default and default is not None:
            if facts.condition(flow):
                yield warning(
                    flow,
                    "{it}是默认连线，它的条件不起作用，建议删除条件。",
                    "{it} is the default flow, so its condition has no effect; better remove it.",
                )
        elif len(flows) > 1 and not facts.condition(flow):
            yield error(
                flow,
                "{it}没有条件，请填写条件，或把它设为网关的默认连线。",
                "{it} has no condition; write one, or make it the gateway's default flow.",
            )


def _others(facts: Facts, node: etree._Element) -> Iterable[Problem]:
    for flow in facts.outgoing(node):
        if facts.condition(flow):
            yield error(
                flow,
                "{it}上的条件不会被执行：只有排他网关连出的线可以带条件，请加一个排他网关。",
                "The condition on {it} would be ignored: only flows out of an exclusive gateway have one; add it.",
            )
    if node.get("default") is not None:
        yield error(
            node,
            "{it}不能有默认连线，请在它后面加一个排他网关。",
            "{it} can't have a default flow; put an exclusive gateway after it.",
        )
