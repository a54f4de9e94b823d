"""A signal that is caught is thrown somewhere in the diagram, and both events name the same signal.

被等待的信号在图里有事件发出，两端写的是同一个信号。

Signals work inside one instance.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.diagrams import BPMN
from engine.definitions.rules.facts import EVENTS, Facts, Problem, children, error, tag, warning

Event = etree._Element


def check(facts: Facts) -> Iterable[Problem]:
    signals = {signal.get("id"): (signal.get("name") or "").strip() for signal in facts.root.iter(f"{{{BPMN}}}signal")}
    thrown: dict[str, list[Event]] = {}
    caught: dict[str, list[Event]] = {}
    for event in facts.of_type(*EVENTS):
        for definition in children(event, "signalEventDefinition"):
            name = signals.get(definition.get("signalRef"))
            if not name:
                yield error(
                    event,
                    "{it}没有指定信号，或信号没有名称；请选择或命名。",
                    "{it} names no signal, or one without a name; choose or name it.",
                )
                continue
            (thrown if tag(event) in {"intermediateThrowEvent", "endEvent"} else caught).setdefault(name, []).append(
                event
            )
    for events in facts.side_by_side:
        for waiting in caught.values():
            for event in [event for event in events if event in waiting][1:]:
                yield error(
                    event,
                    "{it}和旁边的事件等待同一个信号，发出时只有其中一个会发生；请合并，或改用不同的信号。",
                    "{it} waits for the same signal as an event beside it, and only one of them would happen; make "
                    "them one, or use two signals.",
                )
    for name in caught.keys() - thrown.keys():
        for event in caught[name]:
            yield error(
                event,
                "{it}等待信号“{name}”，但没有任何事件发出它；请画一个信号中间抛出事件。",
                "{it} waits for the signal “{name}”, which nothing throws; draw an intermediate throw event.",
                name=name,
            )
    for name in thrown.keys() - caught.keys():
        for event in thrown[name]:
            yield warning(
                event,
                "{it}发出信号“{name}”，但没有任何事件等待它。",
                "{it} throws the signal “{name}”, for which nothing waits.",
                name=name,
            )
