"""Forms, fields and results bear names that expressions can read and that nothing else uses.

表单、字段和结果变量的名称是表达式能读的，也没有被别的东西占用。

The engine can't load an instance again whose data has a key `typename`, and one name for two things would let
one overwrite the other.
"""

import re
from collections.abc import Iterable
from keyword import iskeyword

from engine.definitions import limits
from engine.definitions.expressions import BUILT_IN
from engine.definitions.fields import Field
from engine.definitions.repeating import COUNTER, COUNTERS
from engine.definitions.rules.facts import FUNCTIONS, Facts, Problem, error, wf

RESERVED = (
    frozenset({"typename", "starter", "submitted_at", COUNTER, *COUNTERS}) | BUILT_IN | FUNCTIONS | limits.FUNCTIONS
)
_NAME = re.compile(r"[^\W\d_]\w*")


def check(facts: Facts) -> Iterable[Problem]:
    for node in facts.of_type("serviceTask", "endEvent"):
        result = wf(node, "result")
        if result is not None and not usable(result):
            yield error(
                node,
                "{it}的结果变量“{name}”不能用：名称由字母开头，只含字母、数字和下划线，且不能是系统保留的名称。",
                "{it} has the result variable “{name}”, which can't be used: a name starts with a letter, has only "
                "letters, digits and underscores, and is not one the engine keeps for itself.",
                name=result,
            )
        elif result in facts.forms:
            yield error(
                node,
                "{it}的结果变量“{name}”与表单同名，会互相覆盖；请改名。",
                "{it} has the result variable “{name}”, which is also a form's name; rename it.",
                name=result,
            )
    for name, form in facts.forms.items():
        if not usable(name):
            yield error(
                None,
                "表单名“{name}”不能用：名称由字母开头，只含字母、数字和下划线，且不能是系统保留的名称。",
                "The form name “{name}” can't be used: a name starts with a letter, has only letters, digits and "
                "underscores, and is not one the engine keeps for itself.",
                name=name,
            )
        for key in _keys(form.questions):
            if key in {"typename", "submitted_at"}:
                yield error(
                    None,
                    "表单“{name}”的字段“{key}”用了系统保留的名称，请改名。",
                    "The field “{key}” of the form “{name}” bears a name that the engine keeps for itself; rename it.",
                    name=name,
                    key=key,
                )


def usable(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not iskeyword(name) and name not in RESERVED


def _keys(fields: Iterable[Field]) -> Iterable[str]:
    for field in fields:
        yield field.key
        yield from _keys(field.fields)
