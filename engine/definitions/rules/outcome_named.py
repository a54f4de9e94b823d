"""An end event that closes the case says what has come out (its outcome), and one that ends a side branch does not.

让办件结束的结束事件写明办理结果；只结束旁支的结束事件不写。

The first end event with an outcome decides the case at once, while the main branch may still be going.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, children, error, tag, warning, wf


def check(facts: Facts) -> Iterable[Problem]:
    ends = facts.of_type("endEvent")
    if ends and not any(wf(end, "outcome") for end in ends):
        yield error(
            facts.process,
            "{it}的结束事件都没有写办理结果（outcome），请至少在一个结束事件上填写，例如“联调成功”。",
            "No end event of {it} names an outcome; write one on at least one of them, such as “connected”.",
        )
        return
    starts = children(facts.process, "startEvent")
    alone = _reached(facts, starts, splits=False)
    # A side branch that throws a signal may end the main one before it decides.
    deciding = _reached(facts, [*starts, *_throwing_signals(facts)], splits=True)
    for end in ends:
        terminates = bool(children(end, "terminateEventDefinition"))
        if wf(end, "outcome") is None and (end in alone or (terminates and end.getparent() is facts.process)):
            yield warning(
                end,
                "办件可能在{it}结束而没有办理结果；请填写办理结果（outcome）。",
                "A case can be over at {it} without an outcome; write its outcome.",
            )
        elif wf(end, "outcome") is None or terminates or end.getparent() is not facts.process:
            continue
        elif end not in deciding:
            yield warning(
                end,
                "{it}只结束旁支，却写了办理结果：办件会在主流程还在进行时就算有了结果；请删除它的办理结果。",
                "{it} only ends a side branch, but its outcome would decide the case while the main branch goes on; "
                "remove its outcome.",
            )


def _throwing_signals(facts: Facts) -> list[etree._Element]:
    return [event for event in facts.of_type("intermediateThrowEvent") if children(event, "signalEventDefinition")]


def _reached(facts: Facts, seeds: list[etree._Element], *, splits: bool) -> set[etree._Element]:
    """Nodes of the process that follow; without `splits` only where no other branch goes on beside."""
    found, waiting = set(seeds), list(seeds)
    while waiting:
        node = waiting.pop()
        onward = facts.targets(node)
        if not splits and len(onward) > 1 and tag(node) not in {"exclusiveGateway", "eventBasedGateway"}:
            onward = []
        onward = onward + [event for event in facts.boundary_events(node) if _takes_over(event, splits)]
        new = [target for target in onward if target not in found]
        found |= set(new)
        waiting += new
    return found


def _takes_over(event: etree._Element, splits: bool) -> bool:
    """Does the case go on from this boundary event instead of its activity? A signal comes from another branch."""
    return event.get("cancelActivity", "true") == "true" and (splits or not children(event, "signalEventDefinition"))
