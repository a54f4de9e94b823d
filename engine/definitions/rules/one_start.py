"""The process and each of its sub-processes have exactly one start event, which waits for nothing.

流程和每个子流程各有一个不带触发条件的开始事件。

Several start events would all start at once.
"""

from collections.abc import Iterable

from engine.definitions.normalising import is_event_sub_process
from engine.definitions.rules.facts import Facts, Problem, children, error, tag


def check(facts: Facts) -> Iterable[Problem]:
    for scope in facts.scopes:
        starts = children(scope, "startEvent")
        if not starts:
            yield error(
                scope,
                "{it}没有开始事件，请在第一步之前画一个。",
                "{it} has no start event; draw one before its first step.",
            )
        for extra in starts[1:]:
            yield error(
                extra,
                "{it}是多余的：只能有一个开始事件，否则会同时启动；请用一个开始事件加网关区分情形。",
                "{it} is one too many: several would all start. Use one, and a gateway to tell cases apart.",
            )
        for start in [] if is_event_sub_process(scope) else starts:  # reactions_clear speaks of those
            if any(tag(child).endswith(("EventDefinition", "eventDefinitionRef")) for child in start):
                yield error(
                    start,
                    "{it}带有触发条件（如消息、定时），请改为普通开始事件。",
                    "{it} has a trigger such as a message or a timer; make it a plain start event.",
                )
