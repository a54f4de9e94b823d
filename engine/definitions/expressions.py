"""The language of conditions and parameters in diagrams and forms: closed, small, without side effects.

    basic.city == '440100' and not defined(review.result)
    '延期：' + review.reason if len(review.problems) > 0 else ''

A text is parsed with `ast`, every node must be on a whitelist, and a small interpreter walks what is left. Nothing
is compiled or run: a dot looks up a key of a dictionary and never an attribute of a Python object, and only functions
given by name can be called. Length, depth, numbers and results are bounded, so an expression always ends soon.

Why not `simpleeval`: it calls methods of values (`'a'.join`, `x.format`) unless each is trimmed away, and it tells
what an expression reads only by evaluating it; here a diagram is checked, variables and all, before it is deployed.
"""

import ast
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from engine.definitions.expression_syntax import ExpressionRefused, Parsed, parse, shortened, steps_of
from engine.definitions.expression_values import FUNCTIONS, Wrong, arithmetic, as_number, compare
from engine.errors import Invalid
from engine.text import Text

__all__ = [
    "BUILT_IN",
    "ExpressionFailed",
    "ExpressionRefused",
    "Parsed",
    "VariableMissing",
    "called",
    "check",
    "evaluate",
    "parse",
]

BUILT_IN = frozenset({"defined", *FUNCTIONS})


class ExpressionFailed(Invalid):
    """A good expression met data it can't work with."""

    sentence = Text("表达式“{expression}”无法计算：{reason}", "The expression “{expression}” failed: {reason}")

    def __init__(self, expression: object, reason: Text) -> None:
        self.reason = reason
        super().__init__(expression=shortened(expression), reason=reason)


class VariableMissing(ExpressionFailed):
    """`variable` is the first part of the path that is not there, such as `review.result`."""

    def __init__(self, expression: object, variable: str) -> None:
        self.variable = variable
        reason = Text(
            f"没有变量 {variable}。请核对名称，或先用 defined({variable}) 判断。",
            f"there is no variable {variable}. Check the name, or test it first with defined({variable}).",
        )
        super().__init__(expression, reason)


def check(text: str, functions: Collection[str] | None = None) -> frozenset[str]:
    """The dotted variable paths the expression reads, those inside `defined(…)` included: {"basic.city"}.

    `functions` are the names that may be called beside the built-in ones; None lets any name pass.
    Raises ExpressionRefused, whose message says what to write instead.
    """
    parsed = parse(text)
    for name in sorted(parsed.functions - BUILT_IN - set(functions or ())) if functions is not None else ():
        known = ", ".join(sorted(BUILT_IN | set(functions or ())))
        raise ExpressionRefused(
            text, Text(f"没有函数 {name}。可用的函数：{known}。", f"there is no function {name}. Known: {known}.")
        )
    return parsed.paths | parsed.tested


def called(text: str) -> frozenset[str]:
    """The names of the functions the expression calls. Raises ExpressionRefused."""
    return parse(text).functions


def evaluate(text: str, data: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] | None = None) -> Any:
    """The value of the expression over `data`. A built-in function always means the same: `functions` can't replace it.

    Numbers compare with numbers, texts with texts; anything may be compared with None by == and !=.
    Raises ExpressionRefused, ExpressionFailed (VariableMissing for a missing variable), or what a function refuses.
    """
    parsed = parse(text)
    return _Evaluation(parsed.text, data, {**(functions or {}), **FUNCTIONS}).value(parsed.body)


class _Evaluation:
    """Walks a checked tree over one set of data."""

    def __init__(self, text: str, data: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> None:
        self.text = text
        self.data = data
        self.functions = functions

    def value(self, node: ast.expr) -> Any:
        try:
            return self._value(node)
        except Wrong as wrong:
            raise ExpressionFailed(self.text, wrong.reason) from None
        except RecursionError:  # comparing data that is nested beyond all reason
            raise ExpressionFailed(self.text, Text("数据嵌套太深。", "the data is nested too deeply.")) from None

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self._variable(steps_of(node) or [])
            case ast.Compare(left=first, ops=operators, comparators=others):
                return self._comparison(first, operators, others)
            case ast.BoolOp(op=op, values=values):
                return self._either(values) if isinstance(op, ast.Or) else self._all(values)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._value(operand)
            case ast.UnaryOp(op=op, operand=operand):
                number = as_number(self._value(operand))
                return -number if isinstance(op, ast.USub) else number
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._value(body if self._value(test) else orelse)
            case ast.BinOp(left=left, op=op, right=right):
                return arithmetic(op, self._value(left), self._value(right))
            case ast.List(elts=items):
                return [self._value(item) for item in items]
            case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
                return self._call(name, args, keywords)
        raise AssertionError(f"passed the check, but is not known: {node!r}")

    def _either(self, values: Sequence[ast.expr]) -> Any:
        result: Any = None
        for value in values:
            result = self._value(value)
            if result:
                break
        return result

    def _all(self, values: Sequence[ast.expr]) -> Any:
        result: Any = None
        for value in values:
            result = self._value(value)
            if not result:
                break
        return result

    def _comparison(self, first: ast.expr, operators: Sequence[ast.cmpop], others: Sequence[ast.expr]) -> bool:
        left = self._value(first)
        for op, other in zip(operators, others, strict=True):
            right = self._value(other)
            if not compare(op, left, right):
                return False
            left = right
        return True

    def _variable(self, steps: Sequence[str | int]) -> Any:
        value: Any = self.data
        for count, step in enumerate(steps, start=1):
            in_group = isinstance(step, str) and isinstance(value, Mapping) and step in value
            in_list = isinstance(step, int) and isinstance(value, list) and -len(value) <= step < len(value)
            if not (in_group or in_list):
                raise VariableMissing(self.text, _dotted(steps[:count]))
            value = value[step]
        return value

    def _call(self, name: str, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> Any:
        if name == "defined":
            try:
                self._variable(steps_of(args[0]) or [])
            except VariableMissing:
                return False
            return True
        function = self.functions.get(name)
        if function is None:
            raise Wrong(f"此处没有函数 {name}。", f"there is no function {name} here.")
        values = [self._value(arg) for arg in args]
        named = {str(keyword.arg): self._value(keyword.value) for keyword in keywords}
        try:
            return function(*values, **named)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise ExpressionFailed(
                self.text,
                Text(f"{name}() 的参数不对，请核对个数和类型（{error}）", f"{name}() can't take these values: {error}"),
            ) from error


def _dotted(steps: Sequence[str | int]) -> str:
    first, *rest = steps
    return str(first) + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
