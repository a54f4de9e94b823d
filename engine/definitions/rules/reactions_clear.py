"""An event sub-process begins with one event that says what it reacts to, and no flow leads to it or from it.

事件子流程由一个事件触发，不用连线。
"""

from collections.abc import Iterable

from engine.definitions.normalising import interrupts, is_event_sub_process
from engine.definitions.rules.facts import Facts, Problem, children, error, tag

_TRIGGERS = frozenset(f"{kind}EventDefinition" for kind in ("message", "timer", "signal", "error", "escalation"))


def check(facts: Facts) -> Iterable[Problem]:
    for scope in facts.of_type("subProcess"):
        if not is_event_sub_process(scope):
            continue
        if facts.incoming(scope) or facts.outgoing(scope) or facts.boundary_events(scope):
            yield error(
                scope,
                "{it}是事件子流程，由它的开始事件触发，不能连线，也不能有边界事件；请删除这些连线和事件。",
                "{it} is an event sub-process: its start event sets it off. Remove its flows and boundary events.",
            )
        for start in children(scope, "startEvent"):
            triggers = [tag(child) for child in start if tag(child).endswith(("EventDefinition", "eventDefinitionRef"))]
            if len(triggers) != 1 or triggers[0] not in _TRIGGERS:
                yield error(
                    start,
                    "{it}要写明事件子流程由什么触发：消息、定时、信号、错误或升级，任选一种。",
                    "{it} must say what sets its event sub-process off: one message, timer, signal, error or "
                    "escalation.",
                )
            elif triggers[0] == "errorEventDefinition" and not interrupts(start):
                yield error(
                    start,
                    "{it}等待错误，而错误总是中断所在的流程；请设为中断。",
                    "{it} waits for an error, and an error always interrupts; make it interrupting.",
                )
