"""Behind an event-based gateway stand at least two events that wait, each reached from that gateway alone.

事件网关后面至少有两个等待的事件，每个事件只从这个网关连入。

The gateway takes the way of whichever happens first (BPMN 2.0, 10.6.6); anything else behind it would not wait.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, children, error, label, tag

_WAITED_FOR = ("timerEventDefinition", "messageEventDefinition", "signalEventDefinition")


def check(facts: Facts) -> Iterable[Problem]:
    for gateway in facts.of_type("eventBasedGateway"):
        if gateway.get("instantiate") in {"true", "1"} or gateway.get("eventGatewayType") == "Parallel":
            yield error(
                gateway,
                "{it}设置了 instantiate 或并行类型，本系统不支持；请删除这些设置。",
                "{it} sets instantiate or the parallel type, which is not supported; remove that.",
            )
        if len(facts.outgoing(gateway)) < 2:
            yield error(
                gateway,
                "{it}后面要有至少两个事件可选；只等一件事时请直接画中间捕获事件。",
                "{it} needs at least two events to choose from; to wait for one thing draw that event alone.",
            )
        for target in facts.targets(gateway):
            if not _waits(target):
                yield error(
                    target,
                    "{it}不能放在{gateway}后面：那里只能是定时、消息或信号中间捕获事件。",
                    "{it} can't follow {gateway}: only events that wait for a moment, a message or a signal can.",
                    gateway=label(gateway),
                )
            elif len(facts.incoming(target)) > 1:
                yield error(
                    target,
                    "{it}在{gateway}后面，不能再有别的连入的线；请给别的路径另画一个事件。",
                    "{it} follows {gateway}, so no other flow may lead to it; draw an event of its own for that flow.",
                    gateway=label(gateway),
                )


def _waits(node: etree._Element) -> bool:
    return tag(node) == "intermediateCatchEvent" and bool(children(node, *_WAITED_FOR))
