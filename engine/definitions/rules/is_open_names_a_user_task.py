"""`is_open('…')` in an expression names a user task of this diagram by its id.

表达式里的 is_open('…') 写的是本图一个用户任务的编号。
"""

import ast
from collections.abc import Iterable

from engine.definitions import expressions
from engine.definitions.rules.facts import Facts, Problem, error


def check(facts: Facts) -> Iterable[Problem]:
    tasks = {task.get("id") for task in facts.of_type("userTask")}
    for expression in [*facts.expressions, *facts.timers, *facts.expressions_of_forms]:
        try:
            tree = expressions.parse(expression.text).body
        except expressions.ExpressionRefused:
            continue  # expressions_readable and timers_clear speak of it
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "is_open":
                continue
            argument = call.args[0].value if len(call.args) == 1 and isinstance(call.args[0], ast.Constant) else None
            if argument not in tasks or call.keywords:
                yield error(
                    expression.element,
                    "{it}的{role}里，is_open 要写一个用户任务的编号，如 is_open('{example}')；"
                    "没有编号为“{given}”的用户任务。",
                    "In the {role} of {it}, is_open needs the id of a user task, as in is_open('{example}'); "
                    "no user task has the id “{given}”.",
                    role=expression.role,
                    example=min((str(task) for task in tasks), default="Task_1"),
                    given=argument if argument is not None else "?",
                )
