"""A gateway splits or joins: it has several flows in or several flows out.

网关用来分开或汇合：至少有两条连入或两条连出的线。

One with a single flow in and a single flow out does nothing; it is what is left when a branch was deleted.
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import GATEWAYS, Facts, Problem, warning


def check(facts: Facts) -> Iterable[Problem]:
    for gateway in facts.of_type(*GATEWAYS):
        if len(facts.incoming(gateway)) == 1 and len(facts.outgoing(gateway)) == 1:
            yield warning(
                gateway,
                "{it}只有一条连入和一条连出的线，不起作用；请补上缺少的分支，或删除网关。",
                "{it} has one flow in and one flow out and does nothing; add the missing branch or remove it.",
            )
