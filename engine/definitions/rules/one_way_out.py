"""Only a gateway splits: tasks, sub-processes and events have one flow out, and gateways have flows to split.

只有网关可以分支：任务、子流程和事件只有一条连出的线。
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import GATEWAYS, Facts, Problem, error, tag


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.nodes:
        flows = len(facts.outgoing(node))
        if flows > 1 and tag(node) not in GATEWAYS:
            yield error(
                node,
                "{it}连出了 {count} 条线，请在它后面加一个网关：二选一用排他网关，同时进行用并行网关。",
                "{count} flows leave {it}; put a gateway after it: exclusive to choose one, parallel to do all.",
                count=flows,
            )
