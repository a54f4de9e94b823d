"""A timer says how long or until when, number and unit, in a form that the engine can count: no repeating timers.

定时写清多久或到何时，有数字也有单位，不循环。

`working_days(3)`, an ISO 8601 duration such as `P3D`, a date, or an expression that yields one of these.
"""

import ast
from collections.abc import Iterable

from engine.definitions import expressions, limits
from engine.definitions.fields import Field
from engine.definitions.rules.facts import (
    DURATION,
    EVENTS,
    FUNCTIONS,
    REPEATS,
    Facts,
    Problem,
    children,
    error,
    own_text,
    tag,
)
from engine.text import Text

_NO_UNIT = Text(
    "只有数字，没有单位；请写成 working_days(…)（工作日）或 P3D 这样的时长。",
    "a number without a unit; write working_days(…) for working days, or a duration such as P3D.",
)
_NO_LIMIT = Text(
    "它得不出时长或日期；请写成 working_days(3)、P3D、日期，或得出其中一种的表达式。",
    "it yields neither a duration nor a date; write working_days(3), P3D, a date, or what yields one of these.",
)
_DAYS_UNCLEAR = Text(
    "working_days 要一个 1 到 250 的整数或数字项，如 working_days(3)，可以再写 since=开始的日期。",
    "working_days takes a whole number from 1 to 250 or a number's field, as in working_days(3), and perhaps since= "
    "a date.",
)
_OTHER_UNITS = Text(
    "时长只能用周、天、小时、分钟、秒的整数，如 P2W、P3D、PT4H；月和年长短不一，请换算成天。",
    "a duration has whole weeks, days, hours, minutes and seconds, as in P2W, P3D or PT4H; months and years vary.",
)


def check(facts: Facts) -> Iterable[Problem]:
    for event in facts.of_type(*EVENTS):
        for definition in children(event, "timerEventDefinition"):
            times = children(definition, "timeDate", "timeDuration", "timeCycle")
            texts = [own_text(time) for time in times]
            if any(tag(time) == "timeCycle" or REPEATS.match(own_text(time)) for time in times):
                yield error(
                    event,
                    "{it}是循环定时（timeCycle 或 R3/…），本系统不支持；请改为时长，需要重复时用连线绕回来。",
                    "{it} repeats (timeCycle or R3/…), which is unsupported. Give a duration; draw a loop to repeat.",
                )
            elif len(texts) != 1 or not texts[0]:
                yield error(
                    event,
                    "{it}没有写清时限，请填写一项，例如 working_days(3)。",
                    "{it} needs exactly one limit, such as working_days(3).",
                )
            elif problem := limits.text_problem(texts[0], FUNCTIONS) or _unclear(facts, texts[0]):
                yield error(
                    event,
                    "{it}的时限“{text}”不正确：{problem}",
                    "The limit “{text}” of {it} is wrong: {problem}",
                    text=texts[0],
                    problem=problem,
                )


def _unclear(facts: Facts, text: str) -> Text | None:
    """Why a text that can be read gives no limit, as far as it can be told without an application."""
    if limits.is_literal(text):
        return None
    if DURATION.fullmatch(text.strip("'\" ")):
        return _OTHER_UNITS
    return _of(facts, expressions.parse(text).body)


def _of(facts: Facts, node: ast.expr) -> Text | None:
    match node:
        case ast.IfExp(body=one, orelse=other):
            return _of(facts, one) or _of(facts, other)
        case ast.Constant(value=str(text)):
            return None if limits.is_literal(text) else _NO_LIMIT
        case ast.Constant(value=bool() | None):
            return _NO_LIMIT
        case ast.Constant() | ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return _NO_UNIT
        case ast.BinOp(left=ast.Call(func=ast.Name(id="working_days")) as days, op=ast.Add() | ast.Sub()):
            return _of(facts, days)  # so many days before or after the end of another limit
        case ast.BinOp(op=ast.Add()) | ast.BoolOp():
            return None  # 'P' + str(basic.days) + 'D' yields one
        case ast.BinOp():
            return _NO_UNIT
        case ast.Compare() | ast.List() | ast.UnaryOp():
            return _NO_LIMIT
        case ast.Call(func=ast.Name(id="working_days"), args=args, keywords=words):
            return None if _counts_days(facts, args, words) else _DAYS_UNCLEAR
        case ast.Call(func=ast.Name(id="len" | "abs" | "round" | "int")):
            return _NO_UNIT
        case ast.Name() | ast.Attribute():
            return _NO_UNIT if _is_number(facts, ast.unparse(node)) else None
    return None


def _counts_days(facts: Facts, args: list[ast.expr], words: list[ast.keyword]) -> bool:
    if not 1 <= len(args) + len(words) <= 2 or len(args) > 2 or not {word.arg for word in words} <= {"n", "since"}:
        return False
    days = args[0] if args else next((word.value for word in words if word.arg == "n"), None)
    if isinstance(days, ast.Constant):
        return type(days.value) is int and days.value >= 0
    if isinstance(days, ast.Name | ast.Attribute) and (field := _field(facts, ast.unparse(days))):
        return field.type == "number"
    return days is not None and not isinstance(days, ast.UnaryOp | ast.List | ast.Compare)


def _is_number(facts: Facts, path: str) -> bool:
    field = _field(facts, path)
    return field is not None and field.type == "number"


def _field(facts: Facts, path: str) -> Field | None:
    form, _, key = path.partition(".")
    return facts.forms[form].field(key) if form in facts.forms else None
