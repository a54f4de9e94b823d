"""Each link event has its other end in the same process or sub-process, under the same name.

链接事件的两端在同一个流程或子流程里，名称相同。

A link is a flow that is not drawn: it may set out from several places, and arrives at one.
"""

from collections import Counter
from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, children, error


def check(facts: Facts) -> Iterable[Problem]:
    for scope in facts.scopes:
        ends = {
            kind: [
                (event, (link.get("name") or "").strip())
                for event in children(scope, kind)
                for link in children(event, "linkEventDefinition")
            ]
            for kind in ("intermediateThrowEvent", "intermediateCatchEvent")
        }
        thrown, caught = ends["intermediateThrowEvent"], ends["intermediateCatchEvent"]
        places = Counter(name for _, name in caught)
        for event, name in thrown + caught:
            if not name:
                yield error(
                    event,
                    "{it}的链接没有名称，找不到另一端；请在链接事件定义里填写名称。",
                    "The link of {it} has no name by which to find its other end; write it into the link definition.",
                )
            elif places[name] != 1:
                yield error(
                    event,
                    "{it}的链接“{name}”在同一个流程或子流程里应有且只有一个捕获端，现在有 {count} 个；请补上或合并。",
                    "The link “{name}” of {it} needs exactly one catching end in the same process or sub-process, and "
                    "there are {count}. Draw it, or make them one.",
                    name=name,
                    count=places[name],
                )
        names = {name for _, name in thrown}
        for event, name in caught:
            if name and name not in names:
                yield error(
                    event,
                    "没有任何链接通向{it}（“{name}”）；请画一个同名的链接抛出事件，或删除它。",
                    "No link leads to {it} (“{name}”); draw a throwing link event of that name, or remove this one.",
                    name=name,
                )
        for event, _ in thrown:
            if any(flow in facts.flows for flow in facts.outgoing(event)):
                yield error(
                    event,
                    "{it}跳到链接的另一端，不能再有连出的线；请删除连线。",
                    "{it} goes on at the other end of its link and can't have a flow out as well; remove the flow.",
                )
        for event, _ in caught:
            if any(flow in facts.flows for flow in facts.incoming(event)):
                yield error(
                    event,
                    "{it}由链接到达，不能再有连入的线；请删除连线，或在它后面用排他网关汇合。",
                    "{it} is reached by its link and can't have a flow in as well; remove the flow, or merge after it.",
                )
