"""Form files: what is read from them, and what is found in those that could not work."""

import contextlib
import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.fields import YES, Option
from engine.definitions.forms import Field, FormsRefused, answer_rows, parse_forms
from engine.definitions.validation import validate
from engine.errors import FormRefused
from engine.text import Text
from tests.engine.form_files import A_FILE, choices, component, every_type, findings, form, schema


def only_field(*components: Any) -> Field:
    (field,) = form(*components).fields
    return field


def said(*components: Any, rules: Any = ()) -> list[str]:
    """The Chinese sentences of what is found in a form of these components, without its name."""
    found = findings(schema("page", *components, rules=rules))
    assert all(finding.form == "page" and finding.message.en for finding in found)
    return [finding.message.zh.removeprefix("表单“page”") for finding in found]


def test_a_field_has_its_words_in_both_languages() -> None:
    english = {"label_en": "Enterprise", "description_en": "As licensed."}
    field = only_field(component(label=" 企业名称 ", description="与营业执照一致。", properties=english))
    assert (field.label, field.description) == (
        Text("企业名称", "Enterprise"),
        Text("与营业执照一致。", "As licensed."),
    )


def test_an_option_has_its_words_in_both_languages() -> None:
    field = only_field(component("radio", values=choices("a"), properties={"label_en.a": "Choice a"}))
    assert field.options == (Option("a", Text("选项 a", "Choice a")),)


def test_a_number_may_be_bounded_in_texts_as_form_js_writes_them() -> None:
    field = only_field(component("number", validate={"min": "0.5", "max": "10"}, decimalDigits=1, defaultValue=3))
    assert (field.minimum, field.maximum, field.decimals, field.default) == (0.5, 10, 1, 3)


def test_a_file_field_knows_kinds_and_size() -> None:
    field = only_field(component("filepicker", accept=".PDF, .docx", multiple=True, properties={"max_mb": "1.5"}))
    assert (field.accept, field.max_bytes, field.multiple) == ((".pdf", ".docx"), 1_572_864, True)


def test_form_js_s_own_check_of_an_email_counts() -> None:
    assert only_field(component(validate={"validationType": "email"})).check == "email"


def test_static_text_keeps_its_place_but_takes_no_answer() -> None:
    page = form(component("text", "hint", text="一次性告知"), component())
    assert [field.label.zh for field in page.fields] == ["一次性告知", "答案"]
    assert [field.key for field in page.questions] == ["answer"]


def test_options_may_be_the_fields_of_other_forms() -> None:
    inner = [component("select", "field", properties={"options_from": "basic"})]
    forms = parse_forms(
        {
            "review": schema("review", component("dynamiclist", "problems", components=inner)),
            "basic": schema("basic", component(key="company", label="企业名称"), component("text", "hint")),
        }
    )
    (problems,) = forms["review"].fields
    assert problems.fields[0].options == (Option("basic.company", Text("表单 basic：企业名称", "Form basic: Answer")),)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (component("button"), "不支持类型“button”"),
        (component() | {"type": ["radio"]}, "不支持类型“[…]”"),
        ("textfield", "不支持类型“None”"),
        (component(key=""), "缺少键"),
        (component(key="企业"), "键只能由英文字母"),
        (component(key="two words"), "键只能由英文字母"),
        (component(key="_add"), "键只能由英文字母"),
        (component(key="class"), "键只能由英文字母"),
        (component(key="typename"), "此键由系统使用"),
        (component(key="submitted_at"), "此键由系统使用"),
        (component(key="file_id"), "此键由系统使用"),
        (component(label=""), "缺少文字（label）"),
        (component(label=7), "label 应为文字"),
        (component(label="=a + b"), "不能是 FEEL 公式"),
        (component(description="字" * 2001), "description 应为文字"),
        (component("datetime", subtype="time"), "subtype 只能是 date"),
        (component(validate=[]), "validate 应为集合"),
        (component(validate={"required": "yes"}), "required 只能是 true 或 false"),
        (component(validate={"pattern": "(a+)+"}), "不支持校验“pattern”"),
        (component(validate={"maxLength": 0}), "maxLength 应为 1 至 20000 的整数"),
        (component(validate={"minLength": 9, "maxLength": 8}), "minLength 应为 0 至 8 的整数"),
        (component(validate={"validationType": "custom"}), "不支持校验类型“custom”"),
        (component(conditional={"hide": "=true"}), "conditional 在本系统中不起作用，请改用 visible_if"),
        (component(properties={"check": "passport"}), "没有名为“passport”的校验"),
        (component(properties={"required_fi": "True"}), "不认识的属性“required_fi”"),
        (component(properties={"personal": "yes"}), "personal 不能是“yes”；可用：email、false、id_number、name"),
        (component("number", properties={"personal": "phone"}), "personal 为“phone”的只能是文本字段"),
        (component(properties={"visible_if": "page.a =="}), "visible_if："),
        (component(properties={"required_if": "open('x')"}), "required_if："),
        (component(properties={"readonly_if": "page.nowhere == 1"}), "表单“page”没有字段“nowhere”"),
        (component("number", validate={"min": "low"}), "min 应为数字"),
        (component("number", validate={"min": 9, "max": 1}), "min 大于 max"),
        (component("number", validate={"max": 9}, defaultValue=10), "默认值不可用：“答案”不能大于 9。"),
        (component("number", decimalDigits="two"), "decimalDigits 应为 0 至 10 的整数"),
        (component("select"), "缺少选项"),
        (component("select", values=[]), "缺少选项"),
        (component("select", values=[{"label": "甲"}]), "每个选项都要有文字 label 和 value"),
        (component("select", values=choices("a", "a")), "选项值“a”重复"),
        (component("select", values=choices(" a")), "含有空白或不可见字符"),
        (component("select", values=choices("a"), properties={"label_en.b": "B"}), "label_en.b 没有对应的选项"),
        (component("select", properties={"options_from": "nowhere"}), "options_from 指向不存在的表单“nowhere”"),
        (component("select", valuesKey="cities", values=choices("a")), "valuesKey 在本系统中不起作用"),
        (component("filepicker", accept="image/*"), "accept 应为以逗号分隔的扩展名"),
        (component("filepicker", properties={"max_mb": "big"}), "max_mb 应为大于 0"),
        (component("filepicker", properties={"max_mb": "0"}), "max_mb 应为大于 0"),
        (component("filepicker", multiple="many"), "multiple 只能是 true 或 false"),
        (component("dynamiclist"), "components 应为列表"),
        (component("dynamiclist", components=[]), "列表内没有字段"),
        (component("dynamiclist", components=[component()], properties={"min_items": "51"}), "min_items 应为 0 至 50"),
        (component("dynamiclist", components=[component("filepicker")]), "列表内不能再有列表或文件"),
        (component("dynamiclist", components=[component("dynamiclist")]), "列表内不能再有列表或文件"),
        (component("dynamiclist", components=[component(properties={"visible_if": "True"})]), "不支持 visible_if"),
        (component() | {"properties": []}, "properties 应为"),
        (component(properties={"max_mb": 20}), "properties 应为"),
    ],
)  # fmt: skip
def test_what_could_not_work_is_found(broken: Any, sentence: str) -> None:
    assert any(sentence in one for one in said(broken)), said(broken)


def test_a_finding_says_which_field_of_which_list() -> None:
    inner = component(key="problem", properties={"check": "passport"})
    (found,) = findings(schema("page", component("dynamiclist", "problems", components=[inner])))
    assert (found.form, found.field) == ("page", "problems.problem")
    assert found.message.en.startswith("Form “page”, field “problems.problem”: there is no check “passport”")


def test_a_key_can_be_used_once() -> None:
    assert said(component(), component("textarea")) == ["的字段“answer”：键重复，每个字段的键必须不同。"]


def test_the_same_key_may_stand_in_a_list_and_outside() -> None:
    assert form(component(), component("dynamiclist", "items", components=[component()])).field("answer")


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("page.answer", "每条规则只能有"),
        ({"expect": "True", "message": 7}, "每条规则只能有"),
        ({"expect": "True", "mesage": "x", "message": "x"}, "每条规则只能有"),
        ({"expect": "", "message": "x"}, "规则缺少 expect 或 message"),
        ({"expect": "True", "message": " "}, "规则缺少 expect 或 message"),
        ({"expect": "True", "message": "x", "field": "nowhere"}, "规则指向不存在的字段“nowhere”"),
        ({"expect": "__import__('os')", "message": "x"}, "规则："),
        ({"expect": "page.nowhere == 1", "message": "x"}, "没有字段“nowhere”"),
    ],
)
def test_a_rule_that_could_not_work_is_found(rule: Any, sentence: str) -> None:
    assert any(sentence in one for one in said(component(), rules=[rule]))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": "other"}, "id“other”与文件名不一致"),
        ({"type": "form"}, "type 应为 default"),
        ({"components": {}}, "components 应为列表"),
        ({"components": [component(key=f"k{n}") for n in range(201)]}, "最多 200 个组件"),
        ({"properties": None}, "缺少标题"),
        ({"properties": {"title": ""}}, "缺少标题"),
        ({"properties": {"title": "甲", "rules": {}}}, "rules 应为列表"),
    ],
)
def test_a_file_that_is_no_form_is_found(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FormsRefused) as refused:
        parse_forms({"page": {**schema("page", component()), **change}})
    assert any(sentence in finding.message.zh for finding in refused.value.findings)


@pytest.mark.parametrize("name", ["基本信息", "two words", "starter", "typename", "class"])
def test_a_form_needs_a_usable_name(name: str) -> None:
    assert any("名称不可用" in finding.message.zh for finding in findings(schema(name, component())))


def test_every_problem_is_told_at_once() -> None:
    found = findings(schema("one", component(key="")), schema("two", component("button"), component(label="")))
    assert [finding.form for finding in found] == ["one", "two", "two"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=5), json_values, min_size=1, max_size=3))
def test_no_json_makes_reading_fail_with_anything_but_findings(schemas: dict[str, Any]) -> None:
    with pytest.raises(FormsRefused) as refused:
        parse_forms(schemas)
    for finding in refused.value.findings:
        json.dumps([finding.message.zh, finding.message.en], ensure_ascii=False).encode()


STRANGE: list[Any] = [
    *("textfield", "select", "dynamiclist", "number", "filepicker", "date", ".pdf", "answer", "page", "number"),
    *(
        "True",
        "page.line == 'x'",
        "page.number > today()",
        "((",
        "defined(page)",
        "\ud800",
        "len(1)",
        "1e400",
        "9" * 400,
    ),
    *([], {}, [{}], [[]], None, True, 0, -1, 2.5, 10**30, float("inf")),
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or index) inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in inside for place in [(value, key), *places(inner)]]


@given(st.data(), json_values)
def test_a_form_with_strange_values_in_it_is_refused_or_judges_any_answers(data: st.DataObject, sent: Any) -> None:
    strange = every_type()
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(strange)))
        container[key] = deepcopy(data.draw(st.sampled_from(STRANGE) | json_values))
    try:
        page = parse_forms({"page": strange})["page"]
    except FormsRefused as refused:
        "".join(finding.message.zh + finding.message.en for finding in refused.findings).encode()
        return
    for answers in ({}, sent, {field.key: sent for field in page.questions}, {"radio": "a", "number": "3"}):
        with contextlib.suppress(FormRefused):
            answer_rows(page, validate([page], {"page": answers}, {}))


def test_answers_read_out_with_the_labels_of_their_options() -> None:
    inner = [
        component("select", "field", label="材料", values=choices("a")),
        component("textarea", "problem", label="问题"),
    ]
    page = form(
        component("text", "hint"),
        component(key="company"),
        component(key="skipped"),
        component("radio", "kind", values=choices("a", "b")),
        component("checklist", "kinds", values=choices("a", "b")),
        component("checkbox", "agreed"),
        component("filepicker", "licence"),
        component("dynamiclist", "problems", components=inner),
    )
    answers = {
        "company": "甲公司",
        "kind": "b",
        "kinds": ["a", "z"],
        "agreed": True,
        "licence": A_FILE,
        "problems": [{"field": "a", "problem": "缺章"}, {"problem": "模糊"}],
        "submitted_at": "2026-09-18T00:00:00+00:00",
    }
    rows = {field.key: value for field, value in answer_rows(page, {"page": answers})}
    assert rows.pop("problems") == [
        [
            (the_one, Text("选项 a")) if the_one.key == "field" else (the_one, "缺章")
            for the_one in page.fields[-1].fields
        ],
        [(page.fields[-1].fields[1], "模糊")],
    ]
    assert rows == {
        "company": "甲公司",
        "kind": Text("选项 b"),
        "kinds": [Text("选项 a"), Text("z")],
        "agreed": YES,
        "licence": A_FILE,
    }


def test_a_form_nobody_has_answered_reads_out_as_nothing() -> None:
    assert answer_rows(form(component()), {}) == []
