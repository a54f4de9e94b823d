"""Texts that try to get out of the expression language. Every one is refused before anything is evaluated."""

from typing import Any

import pytest

from engine.definitions.expressions import ExpressionFailed, ExpressionRefused, check, evaluate

REFUSED = [
    # the way from any value to the interpreter
    "().__class__.__bases__[0].__subclasses__()",
    "''.__class__.__mro__[1].__subclasses__()",
    "a.__class__",
    "a.b.__init__.__globals__",
    "a['__class__']",
    "a['__class__']['__init__']",
    "__import__('os').system('id')",
    "__builtins__",
    "__builtins__['eval']('1')",
    "a._private",
    "_x",
    "len.__self__",
    "len.__self__.eval('1')",
    "(1).real.__class__",
    "[].__class__",
    "(lambda: 1).__globals__",
    "_()",
    "__class__",
    # methods and attributes of values
    "'a'.join(['b'])",
    "'{0.__class__}'.format(a)",
    "'{0.__class__}'.format_map(a)",
    "a.format('x')",
    "a.keys()",
    "a.pop('x')",
    "basic.city.upper()",
    "'a'.upper",
    "(a + b).c",
    "f(x).y",
    "f(x)['y']",
    "f(x)(y)",
    "a['b']('c')",
    "[1, 2][0]",
    "'abc'[0]",
    "'abc'[::-1]",
    "a[b]",
    "a[1:2]",
    "a[f(x)]",
    "a[True]",
    "a[-'x']",
    "a[1.0]",
    "(f if a else g)(1)",
    # constructs of Python
    "lambda: 1",
    "(lambda x: x)(1)",
    "[x for x in a]",
    "{x for x in a}",
    "{x: 1 for x in a}",
    "(x for x in a)",
    "len([x for x in a])",
    "f'{a.__class__}'",
    "f'{a!r:>9999999}'",
    "(a := 1)",
    "f(a := 1)",
    "f(*a)",
    "f(**a)",
    "[*a]",
    "{**a}",
    "{'a': 1}",
    "{1, 2}",
    "(1, 2)",
    "a, b",
    "await a",
    "(yield a)",
    "(yield from a)",
    "a if b",
    "import os",
    "a; b",
    "a = 1",
    "del a",
    "def f(): pass",
    "exec('1')(a)",
    "print >> a",
    "a @ b",
    "~a",
    "a << 999999",
    "a ^ b",
    "a is b",
    "...",
    "b'bytes'",
    "1j",
    "a\nb",
    "a # then\n or True",
    # size
    "2 ** 999999999",
    "9 ** 9 ** 9 ** 9",
    "1e999",
    "9" * 1_900,
    "10000000000000000000",
    "a" * 2_001,
    "'" + "x" * 5_000 + "'",
    "(" * 900 + "a" + ")" * 900,
    "[" * 60 + "]" * 60,
    "-" * 1_900 + "1",
    "not " * 400 + "a",
    "a" + ".a" * 900,
    "a" + "[0]" * 600,
    "a" + "+a" * 900,
    "f(" * 60 + "1" + ")" * 60,
    "1 if a else " * 150 + "2",
    "=" + " " * 1_900 + "a.b()",
    "${" + "!" * 1_900 + "}",
    # bytes that are not text
    "a\0b",
    "'a\0'",
    "a == '\\x00'",
    "'\\N{LATIN SMALL LETTER A}'",
    "a \\\n or b",
    "\ud800",
    "'\ud800' + ",
    "\u202ea",
    "ａ．__ｃｌａｓｓ__",
    "a.__ｃｌａｓｓ__",
    "a.ｃ()",
]


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_a_way_out_is_refused(text: str) -> None:
    with pytest.raises(ExpressionRefused) as refusal:
        check(text)
    assert len(refusal.value.to("zh")) < 400
    with pytest.raises(ExpressionRefused):
        evaluate(text, {"a": {"b": 1}, "b": 1}, {"f": len, "g": len, "exec": len})


@pytest.mark.parametrize("thing", [None, 1, 1.5, b"a", ["a"], {"a": 1}, object()])
def test_what_is_not_a_text_is_refused(thing: Any) -> None:
    with pytest.raises(ExpressionRefused):
        check(thing)
    with pytest.raises(ExpressionRefused):
        evaluate(thing, {})


@pytest.mark.parametrize(
    "text",
    [
        "'x' * 999999999",
        "[1] * 999999999",
        "['a'] * 3 * 3 * 3",
        "'%999999999d' % 1",
        "999999999999999999 * 999999999999999999",
        "round(5, -999999999)",
        "int('" + "9" * 1_900 + "')",
        "exec('1')",
        "open('/etc/passwd')",
        "getattr(a, 'b')",
        "a.keys",
        "a.items.x",
        "text.upper",
        "number.real",
        "items.sort",
    ],
)
def test_what_only_evaluation_can_see_fails_at_once(text: str) -> None:
    with pytest.raises(ExpressionFailed):
        evaluate(text, {"a": {"b": 1}, "text": "x", "number": 1, "items": [1]})


def test_a_dot_never_reaches_an_attribute_of_an_object() -> None:
    class Safe:
        key = "the key"

    with pytest.raises(ExpressionFailed):
        evaluate("safe.key", {"safe": Safe()})


def test_data_nested_beyond_reason_fails_in_words() -> None:
    deep: list[Any] = []
    for _ in range(200_000):
        deep = [deep]
    other: list[Any] = []
    for _ in range(200_000):
        other = [other]
    with pytest.raises(ExpressionFailed):
        evaluate("a == b", {"a": deep, "b": other})
