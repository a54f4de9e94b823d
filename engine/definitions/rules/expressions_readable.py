"""Every expression of the diagram can be read: conditions, parameters, organisations, numbers and the subject.

流程图里的每个表达式（条件、参数、办理单位、编号、主题）都看得懂。
"""

from collections.abc import Iterable

from engine.definitions import expressions
from engine.definitions.rules.facts import FUNCTIONS, NODES, Facts, Problem, error, tag

_NAMED = NODES | {"sequenceFlow"}


def check(facts: Facts) -> Iterable[Problem]:
    for element in facts.process.iter():
        if tag(element) and (language := (element.get("language") or "").strip()):
            near = next((each for each in [element, *element.iterancestors()] if tag(each) in _NAMED), facts.process)
            yield error(
                near,
                "{it}的表达式注明用“{language}”书写，而本系统只用自己的表达式语言；请核对写法并删除 language 属性。",
                "An expression of {it} says it is written in “{language}”, but there is one language only here; check "
                "what it says, and remove the attribute language.",
                language=language,
            )
    for expression in facts.expressions:
        try:
            expressions.check(expression.text, FUNCTIONS)
        except expressions.ExpressionRefused as refused:
            yield error(
                expression.element,
                "{it}的{role}有误。{problem}",
                "The {role} of {it} is wrong. {problem}",
                role=expression.role,
                problem=refused.text,
            )
