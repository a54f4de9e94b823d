"""A signal that is caught is thrown somewhere in the diagram, and both events name the same signal.

被等待的信号在图里有事件发出，两端写的是同一个信号。

Signals work inside one instance. An interrupting boundary event of a sub-process doesn't stop the steps inside it in
time when the signal is thrown from inside, so that is refused.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.diagrams import BPMN
from engine.definitions.rules.facts import EVENTS, Facts, Problem, children, error, label, tag, warning

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
            (thrown if tag(event) == "intermediateThrowEvent" else caught).setdefault(name, []).append(event)
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
    for name in thrown.keys() & caught.keys():
        yield from _from_inside(facts, thrown[name], caught[name])


def _from_inside(facts: Facts, throwing: list[Event], catching: list[Event]) -> Iterable[Problem]:
    for thrower in throwing:
        for catcher in catching:
            host = facts.by_id.get(catcher.get("attachedToRef", ""))
            if host is not None and host in thrower.iterancestors() and catcher.get("cancelActivity") != "false":
                yield error(
                    thrower,
                    "{it}在子流程里面发出信号，去中断子流程自己（{catcher}），里面的下一步仍会执行；"
                    "请改从子流程的出口用排他网关分开。",
                    "{it} throws from inside a sub-process a signal that interrupts that sub-process ({catcher}); "
                    "its next step would still run. Tell the cases apart at an exclusive gateway after it.",
                    catcher=label(catcher),
                )
