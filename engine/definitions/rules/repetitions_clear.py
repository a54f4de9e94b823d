"""A user task that is done several times says for what, how often, and under which name the answers are kept.

多实例用户任务：写明次数或清单，以及结果放进哪个变量。
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions import expressions
from engine.definitions.fields import LIST
from engine.definitions.repeating import MOST_INSTANCES, Repetition
from engine.definitions.rules.facts import FUNCTIONS, Facts, Problem, children, error, tag
from engine.definitions.rules.names_not_reserved import usable
from engine.errors import Refusal
from engine.text import Text

_COUNTABLE = frozenset({"number", "checklist", LIST})
_NO_NUMBER = Text("请写 0 到 {most} 的整数，或一个清单。", "write a whole number from 0 to {most}, or a list.")
_A_FORM = Text("它是整个表单；请写表单里的数字或清单字段。", "it is a whole form; name a number or a list of it.")
_NO_LIST = Text("这个字段既不是数字，也不是清单。", "that field is neither a number nor a list.")
_LOOP = "multiInstanceLoopCharacteristics"


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.of_type("userTask"):
        for loop in children(node, _LOOP):
            yield from _check(facts, node, loop)


def _uncountable(facts: Facts, times: str) -> Text | None:
    """Why an expression yields no number of instances, as far as it can be told without an application."""
    try:
        parsed = expressions.parse(times)
        if not parsed.paths | parsed.tested | parsed.functions & FUNCTIONS:
            value = expressions.evaluate(times, {})
            counted = type(value) is int and 0 <= value <= MOST_INSTANCES
            return None if counted or isinstance(value, list) else _NO_NUMBER.filled(most=MOST_INSTANCES)
    except Refusal:
        return None  # expressions_readable speaks of it
    form, _, key = times.strip().partition(".")
    if form not in facts.forms or times.strip() not in parsed.paths:
        return None
    if not key:
        return _A_FORM
    field = facts.forms[form].field(key)
    countable = field is None or field.type in _COUNTABLE or field.multiple
    return None if countable else _NO_LIST


def _check(facts: Facts, node: etree._Element, loop: etree._Element) -> Iterable[Problem]:
    how = Repetition.of(loop)
    if len(children(loop, "loopCardinality", "loopDataInputRef")) != 1 or not how.times:
        yield error(
            node,
            "{it}设置了多实例，但没有写清次数：请填写次数（loopCardinality）或清单变量（loopDataInputRef），只填一项。",
            "{it} is done several times, but does not say how often: give a number (loopCardinality) or a variable "
            "that holds a list (loopDataInputRef), one of the two.",
        )
    elif problem := _uncountable(facts, how.times):
        yield error(
            node,
            "{it}的多实例次数“{times}”数不出来：{why}",
            "{it} is to be done “{times}” times, which can't be counted: {why}",
            times=how.times,
            why=problem,
        )
    if loop.get("behavior", "All") != "All" or any(tag(part).endswith("BehaviorDefinition") for part in loop):
        yield error(
            node,
            "{it}的多实例设置了抛出事件的方式（behavior），本系统不支持；请删除。",
            "{it} sets which events its instances throw (behavior), which is not supported; remove it.",
        )
    if (how.results is None) != (how.result is None):
        yield error(
            node,
            "{it}要收集结果，就要同时写明收集哪个变量（outputDataItem）和放进哪个清单（loopDataOutputRef）。",
            "To collect answers {it} must name both the variable (outputDataItem) and the list (loopDataOutputRef).",
        )
    for name in (how.item, how.results):
        if name is not None and (not usable(name) or name in facts.forms):
            yield error(
                node,
                "{it}的多实例变量“{name}”不能用：名称由字母开头，只含字母、数字和下划线，不能与表单同名，也不能是系统保留的名称。",
                "{it} has the variable “{name}” for its instances, which can't be used: a name starts with a letter, "
                "has only letters, digits and underscores, is no form's, and is not one the engine keeps for itself.",
                name=name,
            )
    if how.result is not None and how.result not in facts.forms_of(node):
        yield error(
            node,
            "{it}要收集“{name}”，但它不填写这个表单；请改为它的表单名。",
            "{it} is to collect “{name}”, which is not a form it fills in; name its form.",
            name=how.result,
        )
