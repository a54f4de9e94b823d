"""What may be written in an expression: parsing and the whitelist; see `engine.definitions.expressions`."""

import ast
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from engine.definitions.expression_values import FUNCTIONS, MAX_NUMBER
from engine.errors import Invalid
from engine.text import Text

MAX_TEXT = 2_000  # characters
MAX_DEPTH = 50  # nodes inside nodes


class ExpressionRefused(Invalid):
    """The text is not an expression of this language. `reason` says what to write instead."""

    sentence = Text("表达式“{expression}”不能使用：{reason}", "The expression “{expression}” can't be used: {reason}")

    def __init__(self, expression: object, reason: Text) -> None:
        self.reason = reason
        super().__init__(expression=shortened(expression), reason=reason)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A checked expression: its tree, the dotted paths it reads (`tested` only through `defined`), what it calls."""

    text: str
    body: ast.expr
    paths: frozenset[str]
    tested: frozenset[str]
    functions: frozenset[str]


def parse(text: str) -> Parsed:
    """The checked tree; cached by text. Raises ExpressionRefused."""
    if not isinstance(text, str):
        raise ExpressionRefused(text, Text("表达式必须是文字。", "an expression must be a text."))
    if len(text) > MAX_TEXT:
        limit = Text(f"最多 {MAX_TEXT} 个字符，请拆分。", f"at most {MAX_TEXT} characters; split it.")
        raise ExpressionRefused(text, limit)
    return _parse(text)


_ALLOWED: tuple[type[ast.AST], ...] = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.List, ast.Call, ast.keyword, ast.IfExp),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Load),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)
_PLAIN = Text(
    "这里只能写变量、文字、数字、比较、and / or / not、加减乘除和按名称调用的函数。",
    "only variables, texts, numbers, comparisons, and / or / not, arithmetic and functions by name may stand here.",
)
_INSTEAD: dict[type[ast.AST], Text] = {
    ast.JoinedStr: Text("请用 + 连接文字，如 'A' + str(b)。", "join texts with +, as in 'A' + str(b)."),
    ast.Is: Text("请用 == 代替 is。", "write == instead of is."),
    ast.IsNot: Text("请用 != 代替 is not。", "write != instead of is not."),
    ast.Tuple: Text("列表请用方括号，如 ['a', 'b']。", "write a list in square brackets, as in ['a', 'b']."),
    ast.Set: Text("请去掉花括号；列表请用方括号。", "drop the braces; write a list in square brackets."),
    ast.Dict: Text("请去掉花括号，直接写变量名。", "drop the braces and write the variable's name."),
    ast.Pow: Text("不支持 **，请写成乘法。", "** is not known; write a multiplication."),
    ast.FloorDiv: Text("不支持 //，请写 int(a / b)。", "// is not known; write int(a / b)."),
    ast.BitAnd: Text("请用 and 代替 &。", "write and instead of &."),
    ast.BitOr: Text("请用 or 代替 |。", "write or instead of |."),
    ast.NamedExpr: Text("不能赋值；比较请写 ==。", "nothing can be assigned; write == to compare."),
    ast.Starred: Text("不支持 * 展开参数，请逐个写出。", "* is not known here; write each value out."),
}
_NAMES = {"true": "True", "false": "False", "null": "None", "nil": "None", "undefined": "None", "none": "None"}
_SLIPS: tuple[tuple[str, Text], ...] = (
    (r"&&", Text("请用 and 代替 &&。", "write and instead of &&.")),
    (r"\|\|", Text("请用 or 代替 ||。", "write or instead of ||.")),
    (r"={3}|!==", Text("请用 == 或 !=。", "write == or !=.")),
    (r"<>", Text("请用 != 代替 <>。", "write != instead of <>.")),
    (
        r"[＝＜＞！（），：“”‘’＋－．]",
        Text("请改用半角（英文）标点。", "write the punctuation in half-width (English) form."),
    ),
    (r"![^=]", Text("请用 not 代替 !。", "write not instead of !.")),
    (r"[$#]\{", Text("不用 ${…}，直接写变量名。", "no ${…} is needed; write the variable's name.")),
    (r"\?", Text("请写“甲 if 条件 else 乙”。", "write `a if condition else b`.")),
    (r"(?<![=!<>])=(?!=)", Text("比较请写 ==，一个等号不是比较。", "write == to compare; one = is not a comparison.")),
)

_FOREIGN: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"\s+", " "),
    (r" ?&& ?", " and "),
    (r" ?\|\| ?", " or "),
    (r"={3}", "=="),
    (r"!==", "!="),
    (r"<>", "!="),
    (r"(?<![=!<>]) ?= ?(?!=)", " == "),
    (r"!(?!=)", "not "),
    (r"\b(" + "|".join(_NAMES) + r")\b", lambda found: _NAMES[found.group()]),
)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Parsed:
    if "\0" in text or "\\" in text:
        raise ExpressionRefused(text, Text("不能含反斜杠或空字符。", "it may hold no backslash and no NUL character."))
    if "#" in text and "\n" in text:  # the lines are joined below, and a comment would swallow what follows it
        raise ExpressionRefused(
            text, Text("多行表达式中不能用 #。", "# can't stand in an expression of several lines.")
        )
    source = re.sub(r"\s+", " ", text).strip() if "\n" in text else text.strip()
    if not source:
        raise ExpressionRefused(text, Text("表达式是空的，请填写。", "it is empty; write an expression."))
    _refuse_wrapper(text, source)
    try:
        body = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise ExpressionRefused(text, _slip(source, error)) from None
    return _Check(text).parsed(body)


def _refuse_wrapper(text: str, source: str) -> None:
    wrapped = re.fullmatch(r"[$#]\{([^{}]*)\}|\{\{([^{}]*)\}\}|=(?!=)(.*)", source)
    if wrapped:
        inside = shortened(_rewritten(next(group for group in wrapped.groups() if group is not None).strip()))
        reason = Text(f"去掉外面的符号，写成 {inside}", f"drop what is around it and write {inside}")
        raise ExpressionRefused(text, reason)


def _rewritten(foreign: str) -> str:
    """An expression of another tool as this language has it, where that can be told; else as it is."""
    parts = re.split(r"('[^']*'|\"[^\"]*\")", foreign)  # every second one is a text in quotes
    for position in range(0, len(parts), 2):
        for pattern, ours in _FOREIGN:
            parts[position] = re.sub(pattern, ours, parts[position])
    ours = "".join(parts).strip()
    try:
        _parse(ours)
    except ExpressionRefused:
        return foreign
    return ours


def _slip(source: str, error: Exception) -> Text:
    for pattern, advice in _SLIPS:
        if re.search(pattern, source):
            return advice
    at = error.offset if isinstance(error, SyntaxError) and error.offset else None
    if at is None:
        return Text(
            "看不懂，嵌套太深或写法有误，请简化。", "it can't be read: nested too deeply or misspelt. Simplify it."
        )
    return Text(
        f"第 {at} 个字符附近写法有误，请检查括号和引号。",
        f"it can't be read near character {at}. Check brackets and quotes.",
    )


class _Check:
    """Walks a tree once, refuses what is not of the language and collects what it reads and calls."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.paths: set[str] = set()
        self.tested: set[str] = set()
        self.functions: set[str] = set()

    def parsed(self, body: ast.expr) -> Parsed:
        self.node(body, 1)
        return Parsed(self.text, body, frozenset(self.paths), frozenset(self.tested), frozenset(self.functions))

    def refuse(self, zh: str, en: str) -> ExpressionRefused:
        return ExpressionRefused(self.text, Text(zh, en))

    def node(self, node: ast.AST, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.refuse(f"嵌套超过 {MAX_DEPTH} 层，请拆分。", f"nested deeper than {MAX_DEPTH}; split it.")
        if not isinstance(node, _ALLOWED):
            raise ExpressionRefused(self.text, _INSTEAD.get(type(node), _PLAIN))
        if isinstance(node, ast.Constant):
            self.constant(node.value)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            self.paths.add(self.path(node, depth))
        elif isinstance(node, ast.Call):
            self.call(node, depth)
        else:
            for child in ast.iter_child_nodes(node):
                self.node(child, depth + 1)

    def constant(self, value: object) -> None:
        if not (value is None or isinstance(value, str | int | float)):
            raise ExpressionRefused(self.text, _PLAIN)
        if isinstance(value, int | float) and not abs(value) <= MAX_NUMBER:
            raise self.refuse("数字太大。", "the number is too large.")

    def path(self, node: ast.expr, depth: int) -> str:
        """The dotted path of a variable; what follows a list's index is of that list and not part of the path."""
        steps = steps_of(node)
        if steps is None:
            raise self.refuse(
                "点和下标只能跟在变量名后面，下标只能是文字或整数，如 basic.city、materials['a']、items[0]。",
                "dots and subscripts may only follow a variable's name, a subscript is a text or an integer: "
                "basic.city, materials['a'], items[0].",
            )
        if depth + len(steps) > MAX_DEPTH:
            raise self.refuse(f"嵌套超过 {MAX_DEPTH} 层，请拆分。", f"nested deeper than {MAX_DEPTH}; split it.")
        dotted: list[str] = []
        for step in steps:
            if isinstance(step, int):
                break
            dotted.append(step)
        for step in steps:
            if isinstance(step, str) and step.startswith("_"):
                raise self.refuse(f"变量名不能以下划线开头：{step}", f"no name may begin with an underscore: {step}")
        if len(steps) == 1 and dotted[0] in _NAMES:
            right = _NAMES[dotted[0]]
            raise self.refuse(f"请把 {dotted[0]} 写成 {right}。", f"write {right} instead of {dotted[0]}.")
        return ".".join(dotted)

    def call(self, node: ast.Call, depth: int) -> None:
        if not isinstance(node.func, ast.Name) or node.func.id.startswith("_"):
            raise self.refuse(
                "只能按名称调用函数，如 len(a.b)；不能调用值的方法。",
                "functions are called by name only, as in len(a.b); values have no methods.",
            )
        name = node.func.id
        if any(keyword.arg is None for keyword in node.keywords):
            raise ExpressionRefused(self.text, _INSTEAD[ast.Starred])
        self.functions.add(name)
        if name == "defined":
            if len(node.args) != 1 or node.keywords or steps_of(node.args[0]) is None:
                raise self.refuse(
                    "请写成 defined(变量名)，如 defined(a.b)。", "write defined(variable), as in defined(a.b)."
                )
            self.tested.add(self.path(node.args[0], depth + 1))
            return
        for child in (*node.args, *(keyword.value for keyword in node.keywords)):
            self.node(child, depth + 1)
        if name in FUNCTIONS:
            self.arguments(name, node)

    def arguments(self, name: str, node: ast.Call) -> None:
        try:
            inspect.signature(FUNCTIONS[name]).bind(*node.args, **{str(word.arg): word.value for word in node.keywords})
        except TypeError:
            raise self.refuse(f"{name}() 的参数个数不对。", f"{name}() takes another number of values.") from None


def steps_of(node: ast.expr) -> list[str | int] | None:
    """`a.b['c'][0]` → ["a", "b", "c", 0]; None for what is not a variable."""
    steps: list[str | int] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            index = node.slice
            negative = isinstance(index, ast.UnaryOp) and isinstance(index.op, ast.USub)
            value = getattr(index.operand if isinstance(index, ast.UnaryOp) and negative else index, "value", None)
            if type(value) is int:
                steps.append(-value if negative else value)
            elif type(value) is str and not negative:
                steps.append(value)
            else:
                return None
            node = node.value
        else:
            return None
    return [node.id, *reversed(steps)]


def shortened(expression: object) -> str:
    text = str(expression) if isinstance(expression, str) else type(expression).__name__
    return text if len(text) <= 120 else text[:119] + "…"
