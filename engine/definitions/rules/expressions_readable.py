"""Every expression of the diagram can be read: conditions, parameters, organisations, numbers and the subject.

流程图里的每个表达式（条件、参数、办理单位、编号、主题）都看得懂。
"""

from collections.abc import Iterable

from engine.definitions import expressions
from engine.definitions.rules.facts import FUNCTIONS, Facts, Problem, error


def check(facts: Facts) -> Iterable[Problem]:
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
