"""Every attribute of the workflow's own namespace is one that its element has, with a value that means something there.

wf: 属性和参数只能写在认识它的元素上，取值也要有意义；写错名称或取值的属性不起作用。
"""

from collections.abc import Iterable, Mapping

from lxml import etree

from engine.calendar.counting import MOST_DAYS
from engine.definitions import expressions, limits
from engine.definitions.diagrams import WF
from engine.definitions.rules.facts import FUNCTIONS, NODES, Facts, Problem, error, tag, wf
from engine.errors import Refusal

_NODE = frozenset({"name_en", "basis"})
_CALLS = frozenset({"handler", "result"})
_LEVERS = frozenset({"pausable", "extendable"})  # what officials may do to a limit
_SWITCHES = ("withdrawable", "pausable")
KNOWN: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(NODES, _NODE),
    "process": frozenset({"name_en", "subject", "region", "basis", "withdrawable", "retention"}),
    "lane": frozenset({"name_en", "role", "organisation"}),
    "sequenceFlow": frozenset({"name_en", "basis"}),
    "startEvent": _NODE | {"form"},
    "boundaryEvent": _NODE | _LEVERS,
    "userTask": _NODE | {"form", "shows", "number"},
    "serviceTask": _NODE | _CALLS,
    "endEvent": _NODE | _CALLS | {"outcome", "outcome_en"},
    "message": frozenset({"name_en", "form", "lane", "menu", "menu_en", "confidential"}),
    "subProcess": _NODE | {"called"},  # the engine's own mark on what stands for a call activity
}
_EVERYWHERE = frozenset({"name_en", "basis"})  # pools, data objects, notes: labels that only people read


def check(facts: Facts) -> Iterable[Problem]:
    prefix = f"{{{WF}}}"
    for element in facts.root.iter():
        if not tag(element):
            continue
        known = KNOWN.get(tag(element), _EVERYWHERE)
        for attribute in element.attrib:
            name = str(attribute).removeprefix(prefix)
            if str(attribute).startswith(prefix) and name not in known:
                yield error(
                    element,
                    "{it}没有“{name}”这个属性（写在别处的属性不起作用）；可用：{known}。",
                    "{it} has no attribute “{name}”, so it would do nothing there; known are {known}.",
                    name=name,
                    known=", ".join(sorted(known)),
                )
    yield from _switches(facts)
    for event in facts.of_type("boundaryEvent"):
        if any(wf(event, lever) for lever in _LEVERS):
            yield from _limit(facts, event)
    for node in facts.nodes:
        if facts.params(node) and tag(node) not in {"serviceTask", "endEvent"}:
            yield error(
                node,
                "{it}写了参数，但只有服务任务和结束事件能调用处理程序；请删除参数。",
                "{it} has parameters, but only service tasks and end events call handlers; remove them.",
            )


def _switches(facts: Facts) -> Iterable[Problem]:
    for element in [facts.process, *facts.of_type("boundaryEvent")]:
        for name in _SWITCHES:
            if (value := wf(element, name)) not in (None, "true", "false"):
                yield error(
                    element,
                    "{it}的 {name} 是“{value}”；只能写 true 或 false。",
                    "{name} of {it} is “{value}”; write true or false.",
                    name=name,
                    value=value,
                )


def _limit(facts: Facts, event: etree._Element) -> Iterable[Problem]:
    """Is there a limit, in a lane whose officials could pull the lever, and is what it may be extended by a number?"""
    timer = next((timer for timer in facts.timers if timer.element is event), None)
    if timer is None:
        yield error(
            event,
            "{it}不是定时事件，没有可以暂停或延长的期限；请删除 pausable 和 extendable。",
            "{it} is no timer and has no limit to pause or extend; remove pausable and extendable.",
        )
        return
    holder = facts.by_id.get(event.get("attachedToRef", ""), event)
    lane = facts.lane_of(holder)
    if lane is None or wf(lane, "role") != "authority":
        yield error(
            event,
            "{it}不在主管部门的泳道里，没有人能暂停或延长它的期限；请删除 pausable 和 extendable。",
            "{it} is in no lane of an authority, so nobody could pause or extend its limit; remove pausable and "
            "extendable.",
        )
    if (most := wf(event, "extendable")) is None:
        return
    if limits.is_literal(timer.text):
        yield error(
            event,
            "{it}的时限“{limit}”不按工作日计算，不能按工作日延长；请改用 working_days(…)，或删除 extendable。",
            "The limit “{limit}” of {it} isn't counted in working days, so it can't be extended by some; write "
            "working_days(…), or remove extendable.",
            limit=timer.text,
        )
    if not _is_number_of_days(most):
        yield error(
            event,
            "{it}的 extendable 是“{most}”；请写最多延长的工作日，1 到 {limit} 的整数，或由表单得出它的表达式。",
            "extendable of {it} is “{most}”; write how many working days may be added at most, a whole number from 1 "
            "to {limit}, or an expression over the forms that yields it.",
            most=most,
            limit=MOST_DAYS,
        )


def _is_number_of_days(text: str) -> bool:
    """As far as can be told without an application; what can't be read at all is another rule's."""
    try:
        parsed = expressions.parse(text)
    except expressions.ExpressionRefused:
        return True
    if parsed.paths | parsed.tested:
        return not parsed.functions & FUNCTIONS  # pages offer the lever by the answers alone
    try:
        days = expressions.evaluate(text, {})
    except Refusal:
        return False
    return type(days) is int and 1 <= days <= MOST_DAYS
