"""What the operators and built-in functions of expressions do with values; see `engine.definitions.expressions`."""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from engine.clock import SHANGHAI
from engine.text import Text

MAX_NUMBER = 10**18
MAX_RESULT = 20_000  # characters of a text or items of a list that `+` makes


class Wrong(Exception):
    """Why a value can't be used; becomes an ExpressionFailed that names the expression."""

    def __init__(self, zh: str, en: str) -> None:
        self.reason = Text(zh, en)
        super().__init__(zh)


def _kind(value: object) -> Text:
    for types, name in _KINDS:
        if isinstance(value, types):
            return name
    return Text(type(value).__name__, type(value).__name__)


_KINDS: tuple[tuple[type | tuple[type, ...], Text], ...] = (
    (type(None), Text("空值", "nothing")),
    (bool, Text("是/否", "yes/no")),  # before int: in Python a bool is one
    ((int, float), Text("数字", "a number")),
    (str, Text("文字", "a text")),
    (list, Text("列表", "a list")),
    (Mapping, Text("一组字段", "a group of fields")),
    (datetime, Text("时刻", "a moment")),  # before date: in Python a datetime is one
    (date, Text("日期", "a date")),
)
_ORDERED = (bool, int, float, str, date)
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def compare(op: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(op, ast.In | ast.NotIn):
        if not (isinstance(right, list) or (isinstance(right, str) and isinstance(left, str))):
            raise Wrong(
                "in 的右边应是列表（或两边都是文字）。", "to the right of `in` stands a list, or a text on both sides."
            )
        return (left in right) == isinstance(op, ast.In)
    same = _kind(left) == _kind(right)
    if isinstance(op, ast.Eq | ast.NotEq):
        same = same or left is None or right is None
    else:
        same = same and isinstance(left, _ORDERED)
    if not same:
        left_kind, right_kind = _kind(left), _kind(right)
        raise Wrong(
            f"不能比较{left_kind.zh}和{right_kind.zh}，请用 int() 或 str() 转换，或先判断 != None。",
            f"{left_kind.en} and {right_kind.en} can't be compared; convert one, or test != None first.",
        )
    try:
        return bool(_COMPARE[type(op)](left, right))
    except TypeError:
        raise Wrong(
            "不能比较带时区和不带时区的时刻。", "a moment with a zone and one without can't be compared."
        ) from None


def as_number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        kind = _kind(value)
        raise Wrong(f"这里需要数字，得到的是{kind.zh}。", f"a number is needed here, not {kind.en}.")
    if not abs(value) <= MAX_NUMBER:  # also true of not-a-number
        raise Wrong("数字太大。", "the number is too large.")
    return value


_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}


def arithmetic(op: ast.operator, left: Any, right: Any) -> Any:
    for joined in (str, list):
        if isinstance(op, ast.Add) and isinstance(left, joined) and isinstance(right, joined):
            if len(left) + len(right) > MAX_RESULT:
                raise Wrong(f"结果超过 {MAX_RESULT} 个字符。", f"the result is longer than {MAX_RESULT} characters.")
            return operator.add(left, right)
    if isinstance(op, ast.Add) and (isinstance(left, str) or isinstance(right, str)):
        raise Wrong(
            "文字只能与文字相加，数字请用 str() 转换。", "+ joins a text with a text; convert a number with str()."
        )
    first, second = as_number(left), as_number(right)
    if isinstance(op, ast.Div | ast.Mod) and second == 0:
        raise Wrong("除数为零。", "division by zero.")
    return as_number(_ARITHMETIC[type(op)](first, second))


def _len(value: Any) -> int:
    if not isinstance(value, str | list | Mapping):
        raise Wrong(f"len() 不能用于{_kind(value).zh}。", f"len() can't take {_kind(value).en}.")
    return len(value)


def _extreme(pick: Callable[[Any], Any], values: tuple[Any, ...]) -> Any:
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
    if not items:
        raise Wrong("列表是空的，没有最大或最小值。", "the list is empty: it has no minimum or maximum.")
    for item in items:
        compare(ast.Lt(), items[0], item)
    return pick(items)


def _round(number: Any, digits: Any = 0) -> int | float:
    if type(digits) is not int or not 0 <= digits <= 10:
        raise Wrong("round() 的小数位数应为 0 到 10。", "round() takes 0 to 10 decimal places.")
    return round(as_number(number), digits) if digits else round(as_number(number))


def _str(value: Any) -> str:
    if isinstance(value, str):
        return value
    return str(as_number(value))


def _int(value: Any) -> int:
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
            raise Wrong(f"“{value[:40]}”不是整数。", f"“{value[:40]}” is not a whole number.")
        return int(value)
    return int(as_number(value))


def _date(value: Any) -> str:
    """A date or moment, as a text or not, → "YYYY-MM-DD", in Shanghai; such texts compare in order of time."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        moment = None
    if isinstance(moment, datetime):
        return (moment.astimezone(SHANGHAI) if moment.tzinfo else moment).date().isoformat()
    if isinstance(moment, date):
        return moment.isoformat()
    raise Wrong("date() 需要日期，如 2026-09-18。", "date() takes a date such as 2026-09-18.")


FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "len": _len,
        "min": lambda *values: _extreme(min, values),
        "max": lambda *values: _extreme(max, values),
        "abs": lambda number: abs(as_number(number)),
        "round": _round,
        "str": _str,
        "int": _int,
        "date": _date,
    }
)
