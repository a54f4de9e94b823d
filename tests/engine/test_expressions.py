"""The expression language: what it can say, and what it answers to what it can't."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.expressions import (
    ExpressionFailed,
    ExpressionRefused,
    VariableMissing,
    called,
    check,
    evaluate,
    parse,
)
from engine.errors import Conflict, Invalid

DATA = {
    "basic": {"city": "440100", "company": "广州某某科技", "devices": 12, "note": None, "models": ["A1", "B2"]},
    "review": {"result": "returned", "problems": [{"field": "basic.city"}, {"field": "materials.license"}]},
    "企业": {"名称": "甲公司"},
    "agreed": True,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("basic.city == '440100'", True),
        ("basic['city'] != '440100'", False),
        ("basic.company + ' ' + basic.city", "广州某某科技 440100"),
        ("企业.名称", "甲公司"),
        ("review.problems[0].field", "basic.city"),
        ("review.problems[-1]['field']", "materials.license"),
        ("len(review.problems) >= 2 and agreed", True),
        ("basic.city in ['440100', '440300']", True),
        ("basic.city not in ['440300']", True),
        ("'某某' in basic.company", True),
        ("'甲' if basic.devices > 10 else '乙'", "甲"),
        ("basic.note == None", True),
        ("basic.city == None", False),
        ("basic.note != None and len(basic.note) > 0", False),
        ("1 < basic.devices <= 12", True),
        ("(basic.devices * 2 - 4) / 5 % 3", 1.0),
        ("-basic.devices + +1", -11),
        ("not agreed", False),
        ("basic.models + ['C3']", ["A1", "B2", "C3"]),
        ("max(1, basic.devices, 3) - min([4, 2])", 10),
        ("abs(-3) + round(2.6) + int(' 7 ')", 13),
        ("round(10 / 3, 2)", 3.33),
        ("str(basic.devices) + '台'", "12台"),
        ("int(3.9)", 3),
        ("date('2026-09-18T23:30:00+00:00')", "2026-09-19"),
        ("date('2026-09-18') < date('2026-09-22')", True),
        ("defined(review)", True),
        ("defined(review.result)", True),
        ("defined(basic.note)", True),
        ("defined(review.opinion)", False),
        ("defined(basic.city.x)", False),
        ("defined(review.problems[5])", False),
        ("defined(test.done) and test.done", False),
        ("  basic.city ==\n   '440100'\n   and agreed ", True),
    ],
)
def test_an_expression_yields(text: str, value: object) -> None:
    assert evaluate(text, DATA) == value


def test_and_or_stop_as_soon_as_the_answer_is_known() -> None:
    assert evaluate("agreed or missing.thing", DATA) is True
    assert evaluate("not agreed and missing.thing", DATA) is False
    with pytest.raises(VariableMissing):
        evaluate("agreed and missing.thing", DATA)


def test_only_the_chosen_branch_is_evaluated() -> None:
    assert evaluate("1 if agreed else missing", DATA) == 1


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("test.done", "test"),
        ("review.opinion", "review.opinion"),
        ("basic.city.name", "basic.city.name"),
        ("basic.note.length", "basic.note.length"),
        ("review.problems[7].field", "review.problems[7]"),
        ("basic.models.append", "basic.models.append"),
    ],
)
def test_a_missing_variable_is_named(text: str, variable: str) -> None:
    with pytest.raises(VariableMissing) as failure:
        evaluate(text, DATA)
    assert failure.value.variable == variable
    assert variable in failure.value.to("zh")
    assert variable in failure.value.to("en")


@pytest.mark.parametrize(
    "text",
    [
        "basic.devices < '3'",
        "basic.devices == '12'",
        "agreed == 'true'",
        "agreed == 1",
        "basic.note < 3",
        "basic.models < basic.models",
        "1 in basic.city",
        "'a' in basic",
        "basic.devices + '台'",
        "basic.city * 3",
        "basic.models * 3",
        "agreed + 1",
        "basic.devices / 0",
        "basic.devices % 0",
        "'%s' % basic.city",
        "-basic.city",
        "len(basic.devices)",
        "min([])",
        "min(1, 'a')",
        "int('十二')",
        "int('1_000')",
        "str(basic)",
        "round(1.5, 2000000)",
        "date('next week')",
        "abs('a')",
        "1000000000000000000 * 1000000000000000000",
    ],
)
def test_values_that_do_not_fit_make_the_expression_fail(text: str) -> None:
    with pytest.raises(ExpressionFailed) as failure:
        evaluate(text, DATA)
    assert failure.value.to("zh").startswith("表达式“")
    assert failure.value.to("en") != failure.value.to("zh")


def test_results_of_adding_are_bounded() -> None:
    long = {"t": "字" * 15_000, "l": [0] * 15_000}
    for text in ("t + t", "l + l"):
        with pytest.raises(ExpressionFailed):
            evaluate(text, long)


def test_a_number_that_is_not_one_is_refused() -> None:
    with pytest.raises(ExpressionFailed):
        evaluate("x + 1", {"x": float("nan")})


def test_functions_come_from_the_caller_with_values_and_keywords() -> None:
    def working_days(n: int, since: str | None = None) -> str:
        return f"{n} since {since}"

    assert (
        evaluate("working_days(3, since=key.at)", {"key": {"at": "x"}}, {"working_days": working_days}) == "3 since x"
    )


def test_a_function_that_is_not_there_is_named() -> None:
    with pytest.raises(ExpressionFailed, match="nap"):
        evaluate("nap()", {})


def test_a_function_given_the_wrong_values_makes_the_expression_fail() -> None:
    def working_days(n: int) -> int:
        return n

    with pytest.raises(ExpressionFailed, match="working_days"):
        evaluate("working_days()", {}, {"working_days": working_days})


def test_a_refusal_of_a_function_reaches_the_caller_unchanged() -> None:
    def is_open(element: str) -> bool:
        raise Conflict

    with pytest.raises(Conflict):
        evaluate("is_open('A')", {}, {"is_open": is_open})


def test_a_built_in_function_cannot_be_replaced() -> None:
    assert evaluate("len('ab')", {}, {"len": lambda value: 99}) == 2


def test_moments_and_dates_of_functions_compare() -> None:
    functions = {"now": lambda: datetime(2026, 9, 18, tzinfo=UTC), "naive": lambda: datetime(2026, 9, 18)}  # noqa: DTZ001
    assert evaluate("now() <= now() and date(now()) == '2026-09-18'", {}, functions) is True
    with pytest.raises(ExpressionFailed):
        evaluate("now() < naive()", {}, functions)
    with pytest.raises(ExpressionFailed):
        evaluate("now() < '2026-09-18'", {}, functions)


def test_check_returns_the_paths_an_expression_reads() -> None:
    assert check("basic.city == '440100' and a['b'].c and problems[0].x or defined(review.result) and f(z)") == {
        "basic.city",
        "a.b.c",
        "problems",
        "review.result",
        "z",
    }
    assert check("1 + 2") == frozenset()


def test_paths_that_are_only_tested_are_told_apart() -> None:
    parsed = parse("defined(review.result) and basic.city == '1'")
    assert parsed.paths == {"basic.city"}
    assert parsed.tested == {"review.result"}


def test_check_knows_the_functions() -> None:
    assert called("len(a) + working_days(f(1))") == {"len", "working_days", "f"}
    assert check("working_days(3)") == frozenset()
    assert check("working_days(3)", frozenset({"working_days"})) == frozenset()
    with pytest.raises(ExpressionRefused, match=r"working_day。可用的函数：.*working_days"):
        check("working_day(3)", frozenset({"working_days"}))
    with pytest.raises(ExpressionRefused):
        check("f(1)", frozenset())


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("${basic.city}", "写成 basic.city"),
        ("#{ a == 1 }", "写成 a == 1"),
        ("{{ a }}", "写成 a"),
        ("=basic.city", "写成 basic.city"),
        ("= a == 1", "写成 a == 1"),
        ("'x' + ${a}", "不用 ${…}"),
        ("a = 1", "比较请写 =="),
        ("a === 1", "请用 == 或 !="),
        ("a && b", "请用 and"),
        ("a || b", "请用 or"),
        ("!a", "请用 not"),
        ("a <> 1", "请用 !="),
        ("a ? 1 : 2", "if 条件 else"),
        ("a ＝＝ 1", "半角"),
        ("a == “1”", "半角"),
        ("len（a）", "半角"),
        ("a is None", "用 == 代替 is"),
        ("a is not None", "用 != 代替 is not"),
        ("a == true", "写成 True"),
        ("a == null", "写成 None"),
        ("a in ('x', 'y')", "方括号"),
        ("{a}", "花括号"),
        ("f'{a}'", "用 + 连接"),
        ("a // 2", "int(a / b)"),
        ("a & b", "用 and 代替 &"),
        ("a.b()", "不能调用值的方法"),
        ("len(a, b)", "参数个数不对"),
        ("defined('a')", "defined(变量名)"),
        ("defined(a, b)", "defined(变量名)"),
        ("", "是空的"),
        ("   ", "是空的"),
        ("(a", "第"),
    ],
)
def test_what_is_wrong_is_answered_with_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ExpressionRefused) as refusal:
        check(text)
    assert advice in refusal.value.to("zh")
    assert refusal.value.to("en") != refusal.value.to("zh")


def test_a_refused_expression_is_an_invalid_input() -> None:
    assert issubclass(ExpressionRefused, Invalid)
    assert issubclass(VariableMissing, Invalid)


OPERATORS = ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "+", "-", "*", "/", "%", "and", "or"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(a=JSON, b=JSON, op=st.sampled_from(OPERATORS))
def test_whatever_the_data_an_operator_answers_or_fails_in_words(a: object, b: object, op: str) -> None:
    with suppress(ExpressionFailed):
        evaluate(f"a {op} b", {"a": a, "b": b})


@given(a=JSON, name=st.sampled_from(["len", "min", "max", "abs", "round", "str", "int", "date"]))
def test_whatever_the_data_a_function_answers_or_fails_in_words(a: object, name: str) -> None:
    with suppress(ExpressionFailed):
        evaluate(f"{name}(a)", {"a": a})


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(ExpressionRefused):
        check(text)


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        ("${basic.city}", "basic.city"),
        ("#{basic.city == '440100'}", "basic.city == '440100'"),
        ("{{ basic.city }}", "basic.city"),
        ("=basic.city", "basic.city"),
        ('=review.result = "ok"', 'review.result == "ok"'),
        ("${a && !b || c != null}", "a and not b or c != None"),
        ("${a === 'x=y' && b <> true}", "a == 'x=y' and b != True"),
        ("=a and (b = 'ok')", "a and (b == 'ok')"),
        ("${a.size() > 1}", "a.size() > 1"),  # what has no like here is left to the next refusal
    ],
)
def test_a_wrapper_of_another_tool_is_refused_with_the_exact_rewrite(foreign: str, ours: str) -> None:
    with pytest.raises(ExpressionRefused) as refusal:
        check(foreign)
    assert refusal.value.to("zh").endswith(f"写成 {ours}")
    assert refusal.value.to("en").endswith(f"write {ours}")
