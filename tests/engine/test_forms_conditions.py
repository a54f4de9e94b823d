"""What is asked depends on other answers: hidden, required, read-only, and rules between answers."""

from typing import Any

import pytest

from engine.definitions.forms import Field, Form, parse_forms
from engine.definitions.validation import is_readonly, is_visible, validate
from engine.errors import FormRefused
from tests.engine.form_files import accepted, choices, component, form, refused, schema


def review() -> Form:
    return form(
        component("radio", "result", values=choices("pass", "fail"), validate={"required": True}),
        component(
            "textarea",
            "reason",
            validate={"required": True, "maxLength": 5},
            properties={"visible_if": "page.result == 'fail'"},
        ),
        component("textarea", "remark", properties={"required_if": "page.result == 'fail' or defined(before)"}),
    )


def the_field(page: Form, key: str) -> Field:
    field = page.field(key)
    assert field is not None
    return field


def test_a_hidden_field_is_neither_asked_nor_kept() -> None:
    assert accepted(review(), {"result": "pass", "reason": "far too long"}) == {"result": "pass"}


def test_a_field_that_shows_is_asked() -> None:
    assert refused(review(), {"result": "fail", "remark": "x"}) == {"reason": "请填写“答案”。"}


def test_a_field_is_hidden_while_what_it_depends_on_is_open() -> None:
    assert refused(review(), {"reason": "x"}) == {"result": "请选择“答案”。"}


def test_a_field_may_be_required_by_another_answer() -> None:
    assert refused(review(), {"result": "fail", "reason": "x"}) == {"remark": "请填写“答案”。"}
    assert accepted(review(), {"result": "pass"}) == {"result": "pass"}


def test_a_field_may_be_required_by_earlier_data() -> None:
    assert refused(review(), {"result": "pass"}, {"before": {}}) == {"remark": "请填写“答案”。"}


def test_this_pages_answers_stand_before_earlier_ones_to_the_same_form() -> None:
    earlier = {"page": {"result": "fail", "reason": "x", "remark": "x", "submitted_at": "2026-09-01T00:00:00+00:00"}}
    assert accepted(review(), {"result": "pass"}, earlier) == {"result": "pass"}


def test_when_the_form_was_last_handed_in_stays_known() -> None:
    page = form(component(properties={"required_if": "defined(page.submitted_at)"}))
    assert accepted(page, {}) == {}
    assert "answer" in refused(page, {}, {"page": {"submitted_at": "2026-09-01T00:00:00+00:00"}})
    assert accepted(page, {"submitted_at": "2026-09-01T00:00:00+00:00"}) == {}, "which only the engine can say"


def test_a_condition_does_not_see_the_answer_of_a_hidden_field() -> None:
    page = form(
        component(key="last", properties={"visible_if": "page.middle == 'x'"}, validate={"required": True}),
        component(key="middle", properties={"visible_if": "page.first == 'x'"}),
        component(key="first"),
    )
    assert accepted(page, {"middle": "x", "last": "x"}) == {}
    assert accepted(page, {"first": "x", "middle": "x", "last": "x"}) == {"first": "x", "middle": "x", "last": "x"}


def test_a_condition_that_looks_for_a_hidden_answer_finds_none() -> None:
    page = form(
        component(key="instead", properties={"visible_if": "not defined(page.detail)"}),
        component(key="detail", properties={"visible_if": "page.first == 'x'"}),
        component(key="first"),
    )
    assert accepted(page, {"instead": "i", "detail": "d"}) == {"instead": "i"}


def test_conditions_that_chase_each_other_come_to_an_end() -> None:
    page = form(
        component(key="one", properties={"visible_if": "not defined(page.two)"}),
        component(key="two", properties={"visible_if": "defined(page.one)"}),
    )
    assert set(accepted(page, {"one": "1", "two": "2"})) <= {"one", "two"}


def test_a_readonly_field_keeps_what_is_known_whatever_is_sent() -> None:
    page = form(
        component(
            "select",
            "city",
            values=choices("a", "b"),
            validate={"required": True},
            properties={"readonly_if": "defined(before)"},
        ),
        component(),
    )
    data = {"before": {}, "page": {"city": "a"}}
    assert accepted(page, {"city": "b"}, data) == {"city": "a"}
    assert accepted(page, {}, data) == {"city": "a"}
    assert accepted(page, {"city": ["junk"]}, data) == {"city": "a"}
    assert accepted(page, {"city": "b"}) == {"city": "b"}


def test_a_field_that_is_always_readonly_takes_nothing() -> None:
    assert accepted(form(component(readonly=True, validate={"required": True})), {"answer": "x"}) == {}


def test_only_the_pages_own_forms_and_fields_are_taken() -> None:
    page = form(component())
    sent: dict[str, dict[str, Any]] = {
        "page": {"answer": "x", "more": "y", "typename": "z"},
        "review": {"result": "pass"},
    }
    assert validate([page], sent, {}) == {"page": {"answer": "x"}}


def test_answers_to_another_form_cannot_stand_in_for_earlier_data() -> None:
    page = form(component(properties={"required_if": "not defined(paid)"}))
    with pytest.raises(FormRefused):
        validate([page], {"page": {}, "paid": {"yes": True}}, {})


def test_two_forms_on_one_page_see_each_other() -> None:
    forms = parse_forms(
        {
            "basic": schema("basic", component(key="city")),
            "more": schema(
                "more",
                component(key="why", validate={"required": True}, properties={"visible_if": "basic.city == 'b'"}),
            ),
        }
    )
    pages = list(forms.values())
    assert validate(pages, {"basic": {"city": "a"}}, {}) == {"basic": {"city": "a"}, "more": {}}
    with pytest.raises(FormRefused) as wrong:
        validate(pages, {"basic": {"city": "b"}}, {})
    assert list(wrong.value.errors) == ["more.why"]


DIFFER = {"expect": "page.a != page.b", "field": "b", "message": "不能相同。", "message_en": "They must differ."}


def with_rule(**change: Any) -> Form:
    return form(component(key="a"), component(key="b", validate={"maxLength": 3}), rules=[{**DIFFER, **change}])


def test_a_rule_tells_the_field_it_names() -> None:
    assert refused(with_rule(), {"a": "x", "b": "x"}) == {"b": "不能相同。"}
    assert accepted(with_rule(), {"a": "x", "b": "y"}) == {"a": "x", "b": "y"}


def test_a_rule_without_a_field_tells_the_form() -> None:
    assert refused(with_rule(field=""), {"a": "x", "b": "x"}) == {"page": "不能相同。"}


def test_a_rule_waits_until_its_answers_are_there() -> None:
    assert accepted(with_rule(), {"a": "x"}) == {"a": "x"}
    assert list(refused(with_rule(), {"a": "xxxx", "b": "xxxx"})) == ["b"], "told once, not twice"


def test_a_field_is_told_one_thing_at_a_time() -> None:
    page = with_rule(expect="page.a == 'y'")
    assert refused(page, {"a": "x", "b": "xxxx"}) == {"b": "“答案”最多 3 个字，现为 4 个，请精简。"}
    assert refused(page, {"a": "x", "b": "x"}) == {"b": "不能相同。"}


@pytest.mark.parametrize("condition", [{"readonly_if": "True"}, {"visible_if": "page.a == 'y'"}])
def test_a_rule_about_a_field_nobody_can_change_tells_the_form(condition: dict[str, str]) -> None:
    rule = {**DIFFER, "expect": "page.a == 'y'"}
    page = form(component(key="a"), component(key="b", properties=condition), rules=[rule])
    assert refused(page, {"a": "x", "b": "x"}, {"page": {"b": "x"}}) == {"page": "不能相同。"}


def test_an_answer_that_was_taken_back_is_not_seen_any_more() -> None:
    earlier = {"page": {"a": "x", "b": "x"}}
    assert accepted(with_rule(), {"a": "x", "b": ""}, earlier) == {"a": "x"}
    assert refused(with_rule(), {"a": "x", "b": "x"}, earlier) == {"b": "不能相同。"}


def test_a_rule_sees_todays_date() -> None:
    page = form(
        component("datetime", "day"), rules=[{"expect": "page.day <= today()", "field": "day", "message": "太晚。"}]
    )
    assert accepted(page, {"day": "2026-09-18"}) == {"day": "2026-09-18"}
    assert refused(page, {"day": "2026-09-19"}) == {"day": "太晚。"}


def test_a_rule_that_cannot_be_worked_out_lets_nothing_through() -> None:
    assert refused(with_rule(expect="page.a > 3"), {"a": "x"}) == {
        "b": "本页的填写规则无法计算，请联系管理员检查表单。"
    }


@pytest.mark.parametrize("condition", ["visible_if", "required_if", "readonly_if"])
def test_a_condition_that_cannot_be_worked_out_lets_nothing_through(condition: str) -> None:
    page = form(component(key="a"), component(key="b", properties={condition: "page.a > 3"}))
    assert refused(page, {"a": "x", "b": "y"}) == {"b": "“答案”的填写条件无法计算，请联系管理员检查表单。"}


def test_pages_are_told_what_to_show() -> None:
    reason = the_field(review(), "reason")
    assert is_visible(reason, {"page": {"result": "fail"}}, {})
    assert not is_visible(reason, {"page": {"result": "pass"}}, {})
    assert not is_visible(reason, {}, {})
    assert is_visible(reason, {}, {"page": {"result": "fail"}}), "as answered last time"


def test_pages_are_told_what_only_shows() -> None:
    city = the_field(form(component(key="city", properties={"readonly_if": "defined(before)"})), "city")
    assert not is_readonly(city, {}, {})
    assert is_readonly(city, {}, {"before": {}})
