"""A gateway that chooses always finds a way: every flow but the default has a condition.

会选择的网关总能找到一条路：除默认连线外，每条连线都有条件。

Without a default and with no condition true, an instance would stop there with an error. Flows out of an activity may
have conditions too; behind an event, a parallel or an event-based gateway the engine would ignore them.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import ACTIVITIES, Facts, Problem, error, tag, warning


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.nodes:
        if tag(node) in {"exclusiveGateway", "inclusiveGateway"}:
            yield from _gateway(facts, node)
        elif tag(node) in ACTIVITIES:
            yield from _activity(facts, node)
        else:
            yield from _others(facts, node)


def _gateway(facts: Facts, gateway: etree._Element) -> Iterable[Problem]:
    flows = facts.outgoing(gateway)
    default = gateway.get("default")
    yield from _default_leaves(gateway, flows)
    yield from _default_is_free(facts, gateway)
    if default is None and (len(flows) > 1 or any(facts.condition(flow) for flow in flows)):
        yield error(
            gateway,
            "{it}没有默认连线：各条件都不成立时会卡住，请把其中一条连线设为默认。",
            "{it} has no default flow: where no condition holds it would get stuck. Make one of its flows the default.",
        )
    for flow in flows:
        if (default is None or flow.get("id") != default) and len(flows) > 1 and not facts.condition(flow):
            yield error(
                flow,
                "{it}没有条件，请填写条件，或把它设为网关的默认连线。",
                "{it} has no condition; write one, or make it the gateway's default flow.",
            )


def _activity(facts: Facts, activity: etree._Element) -> Iterable[Problem]:
    flows = facts.outgoing(activity)
    default = activity.get("default")
    yield from _default_leaves(activity, flows)
    yield from _default_is_free(facts, activity)
    conditional = [flow for flow in flows if facts.condition(flow)]
    if conditional and len(conditional) == len(flows):
        yield error(
            activity,
            "从{it}连出的线都带条件：都不成立时会断在这里，请把其中一条设为默认，或加一条不带条件的线。",
            "Every flow out of {it} has a condition: where none holds it would end there. Make one the default, or "
            "add one without a condition.",
        )
    elif default is not None and not conditional:
        yield error(
            activity,
            "{it}设了默认连线，但没有带条件的线；请删除默认，或给别的线写上条件。",
            "{it} has a default flow, but no flow with a condition; remove the default, or write conditions.",
        )


def _others(facts: Facts, node: etree._Element) -> Iterable[Problem]:
    for flow in facts.outgoing(node):
        if facts.condition(flow):
            yield error(
                flow,
                "{it}上的条件不会被执行：只有排他网关、包容网关和任务连出的线可以带条件，请加一个排他网关。",
                "The condition on {it} would be ignored: only flows out of an exclusive or inclusive gateway or of an "
                "activity have one; add a gateway.",
            )
    if node.get("default") is not None:
        yield error(
            node,
            "{it}不能有默认连线，请在它后面加一个排他网关。",
            "{it} can't have a default flow; put an exclusive gateway after it.",
        )


def _default_leaves(node: etree._Element, flows: list[etree._Element]) -> Iterable[Problem]:
    default = node.get("default")
    if default is not None and default not in {flow.get("id") for flow in flows}:
        yield error(
            node,
            "{it}的默认连线“{default}”不是从它连出的，请重新指定默认连线。",
            "The default flow “{default}” of {it} does not leave it; choose the default flow again.",
            default=default,
        )


def _default_is_free(facts: Facts, node: etree._Element) -> Iterable[Problem]:
    for flow in facts.outgoing(node):
        if flow.get("id") == node.get("default") and facts.condition(flow):
            yield warning(
                flow,
                "{it}是默认连线，它的条件不起作用，建议删除条件。",
                "{it} is the default flow, so its condition has no effect; better remove it.",
            )
