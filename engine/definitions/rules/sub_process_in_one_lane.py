"""All steps of a sub-process work in the lane in which the sub-process itself is drawn.

子流程里的所有步骤都在子流程所在的泳道办理。

The engine gives every step inside the sub-process's own lane, whatever the drawing says. The steps of a process that
is called keep the lanes of their own diagram.
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, children, error, label, wf


def check(facts: Facts) -> Iterable[Problem]:
    for scope in facts.scopes[1:]:
        if children(scope, "laneSet") and wf(scope, "called") is None:
            yield error(
                scope,
                "{it}里面画了泳道，子流程只能整个放在一个泳道里；请去掉里面的泳道。",
                "{it} has lanes of its own; a sub-process stands in one lane as a whole. Remove the inner lanes.",
            )
    for node in facts.nodes:
        lane = facts.listed_in.get(node.get("id", ""))
        if lane is not None and lane is not facts.lane_of(node):
            yield error(
                node,
                "{it}画在{lane}，但它在子流程里，会由子流程所在泳道的单位办理；请移出子流程或改泳道。",
                "{it} is drawn in {lane}, but inside a sub-process it goes to the sub-process's lane. "
                "Move it out of the sub-process or into that lane.",
                lane=label(lane),
            )
