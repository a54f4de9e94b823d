"""Which other answer on the page a condition depends on, where it is simple enough to be told in words.

Conditions are the engine's to evaluate. A page only needs to know those of the shape `form.field == 'a'`,
`form.field in ['a', 'b']` or `form.box`: its script hides and shows the question as the other answer changes, and
without a script the condition stands beside the question in words.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext

from engine.definitions.expressions import check
from engine.definitions.fields import Field, Form
from web.language import t

TICKED = "true"  # the value of a ticked box


@dataclass(frozen=True, slots=True)
class Condition:
    """The question of this name must be answered with one of these values."""

    form: Form
    field: Field
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.form.name}.{self.field.key}"

    def words(self, *, demanded: bool = False) -> str:
        """For readers: when the question is asked, or, if `demanded`, when it must be answered."""
        question = t(self.field.label)
        if self.field.type == "checkbox":
            asked = gettext("勾选“%(question)s”时填写", question=question)
            must = gettext("勾选“%(question)s”时必填", question=question)
        else:
            choices = gettext("或").join(f"“{t(self.field.option(value))}”" for value in self.values)
            asked = gettext("“%(question)s”为%(choices)s时填写", question=question, choices=choices)
            must = gettext("“%(question)s”为%(choices)s时必填", question=question, choices=choices)
        return str(must if demanded else asked)


def on_page(expression: str, forms: Iterable[Form]) -> bool:
    """Whether a condition reads an answer that is given on this page."""
    names = {form.name for form in forms}
    return any(path.partition(".")[0] in names for path in check(expression))


def simple(expression: str, forms: Iterable[Form]) -> Condition | None:
    """The condition, where it has one of the simple shapes and is about a question of these forms."""
    node = ast.parse(expression.strip(), mode="eval").body
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        asked, values = node.left, _values(node.ops[0], node.comparators[0])
    else:
        asked, values = node, (TICKED,)
    if not values or not isinstance(asked, ast.Attribute) or not isinstance(asked.value, ast.Name):
        return None
    form = next((form for form in forms if form.name == asked.value.id), None)
    field = form.field(asked.attr) if form else None
    if form is None or field is None or (field.type == "checkbox") != (values == (TICKED,)):
        return None
    return Condition(form, field, values) if field.type in ("select", "radio", "checkbox") else None


def _values(operator: ast.cmpop, operand: ast.expr) -> tuple[str, ...]:
    given = operand.elts if isinstance(operator, ast.In) and isinstance(operand, ast.List) else [operand]
    if not isinstance(operator, ast.Eq | ast.In) or (isinstance(operator, ast.In) and given == [operand]):
        return ()
    constants = [TICKED if each.value is True else each.value for each in given if isinstance(each, ast.Constant)]
    texts = tuple(value for value in constants if isinstance(value, str))
    return texts if len(texts) == len(given) else ()
