"""A user task that is done several times says for what, how often, and under which name the answers are kept.

多实例用户任务：写明次数或清单，以及结果放进哪个变量。
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.repeating import Repetition
from engine.definitions.rules.facts import Facts, Problem, children, error, tag
from engine.definitions.rules.names_not_reserved import usable

_LOOP = "multiInstanceLoopCharacteristics"


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.of_type("userTask"):
        for loop in children(node, _LOOP):
            yield from _check(facts, node, loop)


def _check(facts: Facts, node: etree._Element, loop: etree._Element) -> Iterable[Problem]:
    how = Repetition.of(loop)
    if len(children(loop, "loopCardinality", "loopDataInputRef")) != 1 or not how.times:
        yield error(
            node,
            "{it}设置了多实例，但没有写清次数：请填写次数（loopCardinality）或清单变量（loopDataInputRef），只填一项。",
            "{it} is done several times, but does not say how often: give a number (loopCardinality) or a variable "
            "that holds a list (loopDataInputRef), one of the two.",
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
