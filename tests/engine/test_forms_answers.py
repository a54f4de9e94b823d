"""One answer of each type: what is kept, and the sentence where it is not."""

import contextlib
import string
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.definitions.forms import Form, parse_forms
from engine.definitions.validation import validate
from engine.errors import FormRefused
from tests.engine.form_files import A_FILE, accepted, choices, component, every_type, form, refused


def test_a_line_of_text_is_trimmed() -> None:
    assert accepted(form(component()), {"answer": "  广州甲公司 "}) == {"answer": "广州甲公司"}


def test_a_line_of_text_stays_one_line() -> None:
    assert accepted(form(component()), {"answer": "甲\r\n乙\t丙"}) == {"answer": "甲 乙 丙"}


def test_a_text_area_keeps_its_lines() -> None:
    assert accepted(form(component("textarea")), {"answer": "甲\r\n乙"}) == {"answer": "甲\n乙"}


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\ufeff", "\ud800", "\x85"])
def test_characters_nobody_can_see_are_dropped(hidden: str) -> None:
    assert accepted(form(component()), {"answer": f"甲{hidden}乙"}) == {"answer": "甲乙"}


@pytest.mark.parametrize(("type_", "longest"), [("textfield", 200), ("textarea", 5_000)])
def test_texts_are_bounded_even_where_the_form_says_nothing(type_: str, longest: int) -> None:
    page = form(component(type_))
    assert accepted(page, {"answer": "字" * longest}) == {"answer": "字" * longest}
    assert refused(page, {"answer": "字" * (longest + 1)}) == {
        "answer": f"“答案”最多 {longest} 个字，现为 {longest + 1} 个，请精简。"
    }


def test_a_form_may_set_its_own_bounds() -> None:
    page = form(component(validate={"minLength": 2, "maxLength": 3}))
    assert accepted(page, {"answer": "三个字"}) == {"answer": "三个字"}
    assert refused(page, {"answer": "一"}) == {"answer": "“答案”至少 2 个字。"}
    assert refused(page, {"answer": "四个字了"}) == {"answer": "“答案”最多 3 个字，现为 4 个，请精简。"}


def test_a_checked_text_is_kept_as_the_check_says() -> None:
    page = form(component(properties={"check": "uscc"}))
    assert accepted(page, {"answer": "9111 0000 6000 3734 1l"}) == {"answer": "91110000600037341L"}
    assert refused(page, {"answer": "91110000600037341M"}) == {"answer": "答案第 18 位校验码不正确，请核对。"}


def test_an_empty_text_is_no_answer() -> None:
    assert accepted(form(component()), {"answer": "  \n"}) == {}
    assert refused(form(component(validate={"required": True})), {"answer": " "}) == {"answer": "请填写“答案”。"}


@pytest.mark.parametrize(
    ("sent", "kept"), [("30", 30), (" ３０ ", 30), (30, 30), (30.0, 30), ("2.50", 2.5), ("-1", -1)]
)
def test_numbers_are_read_from_what_people_type(sent: object, kept: float) -> None:
    found = accepted(form(component("number")), {"answer": sent})
    assert found == {"answer": kept}
    assert type(found["answer"]) is type(kept)


@pytest.mark.parametrize(
    "sent",
    ["三十", "1e9", "0x10", "NaN", "inf", float("nan"), float("inf"), True, [30], {"a": 1}, "1" * 40, 10**400, "3 0"],
)
def test_what_is_no_number_is_refused(sent: object) -> None:
    assert refused(form(component("number")), {"answer": sent}) == {"answer": "“答案”应为数字，如 30。"}


def test_numbers_keep_to_their_bounds() -> None:
    page = form(component("number", validate={"min": 1, "max": 365}, decimalDigits=0))
    assert accepted(page, {"answer": "1"}) == {"answer": 1}
    assert accepted(page, {"answer": "365"}) == {"answer": 365}
    for outside in ("0", "366", "-5"):
        assert refused(page, {"answer": outside}) == {"answer": "“答案”应在 1 至 365 之间。"}
    assert refused(page, {"answer": "1.5"}) == {"answer": "“答案”应为整数。"}


def test_a_number_bounded_on_one_side_says_so() -> None:
    assert refused(form(component("number", validate={"min": 0.5})), {"answer": "0"}) == {
        "answer": "“答案”不能小于 0.5。"
    }
    assert refused(form(component("number", validate={"max": 9})), {"answer": "10"}) == {"answer": "“答案”不能大于 9。"}


def test_decimals_are_counted() -> None:
    page = form(component("number", decimalDigits=2))
    assert accepted(page, {"answer": "0.25"}) == {"answer": 0.25}
    assert refused(page, {"answer": "0.255"}) == {"answer": "“答案”最多 2 位小数。"}


@pytest.mark.parametrize("sent", ["2028-02-29", " 2028-02-29 ", date(2028, 2, 29)])
def test_a_date_is_kept_in_iso_form(sent: object) -> None:
    assert accepted(form(component("datetime")), {"answer": sent}) == {"answer": "2028-02-29"}


@pytest.mark.parametrize(
    "sent", ["2026-02-29", "2026-13-01", "29.02.2028", "20280229", "2028-2-9", "0026-01-01", 20280229, [], "2026-W01-1"]
)
def test_what_is_no_real_date_is_refused(sent: object) -> None:
    assert "answer" in refused(form(component("datetime")), {"answer": sent})


@pytest.mark.parametrize("type_", ["select", "radio"])
def test_only_an_offered_value_can_be_chosen(type_: str) -> None:
    page = form(component(type_, values=choices("a", "b")))
    assert accepted(page, {"answer": "b"}) == {"answer": "b"}
    assert accepted(page, {"answer": ""}) == {}
    for other in ("c", "选项 a", ["a"], True, 0, {"a": "a"}):
        assert refused(page, {"answer": other}) == {"answer": "“答案”只能从所列选项中选择。"}


def test_a_checklist_keeps_each_offered_value_once_in_the_forms_order() -> None:
    page = form(component("checklist", values=choices("a", "b", "c")))
    assert accepted(page, {"answer": ["c", "a", "c"]}) == {"answer": ["a", "c"]}
    assert accepted(page, {"answer": "b"}) == {"answer": ["b"]}
    assert accepted(page, {"answer": []}) == {}
    assert "answer" in refused(page, {"answer": ["a", "d"]})
    assert "answer" in refused(page, {"answer": [["a"]]})


def test_a_box_is_ticked_or_not() -> None:
    page = form(component("checkbox"))
    assert accepted(page, {"answer": "on"}) == {"answer": True}
    assert accepted(page, {"answer": False}) == {"answer": False}
    assert "answer" in refused(page, {"answer": "maybe"})


def test_a_required_box_must_be_ticked() -> None:
    page = form(component("checkbox", validate={"required": True}))
    assert refused(page, {"answer": False}) == {"answer": "请勾选“答案”。"}
    assert refused(page, {}) == {"answer": "请勾选“答案”。"}


def test_a_file_is_kept_with_nothing_but_its_four_facts() -> None:
    page = form(component("filepicker", accept=".pdf"))
    assert accepted(page, {"answer": {**A_FILE, "path": "/etc/passwd"}}) == {"answer": A_FILE}


@pytest.mark.parametrize(
    "change",
    [
        {"file_id": ""},
        {"file_id": "../../x"},
        {"file_id": 7},
        {"name": ""},
        {"name": "a\u202efdp.exe"},
        {"name": None},
        {"size": "1"},
        {"size": -1},
        {"size": True},
        {"sha256": "xyz"},
        {"sha256": None},
    ],
)
def test_a_file_with_impossible_facts_is_refused(change: dict[str, Any]) -> None:
    assert refused(form(component("filepicker")), {"answer": A_FILE | change}) == {
        "answer": "“答案”的附件无法识别，请重新上传。"
    }


def test_a_file_must_be_of_an_accepted_kind_and_size() -> None:
    page = form(component("filepicker", accept=".pdf, .PNG", properties={"max_mb": "0.5"}))
    assert accepted(page, {"answer": A_FILE | {"name": "A.Png"}})
    assert refused(page, {"answer": A_FILE | {"name": "a.exe"}}) == {"answer": "“答案”只接受 .pdf、.png 文件。"}
    assert refused(page, {"answer": A_FILE | {"name": "pdf"}}) == {"answer": "“答案”只接受 .pdf、.png 文件。"}
    assert refused(page, {"answer": A_FILE | {"size": 600_000}}) == {"answer": "“答案”的文件不能超过 0.5 MB。"}


def test_several_files_are_kept_once_each() -> None:
    page = form(component("filepicker", multiple=True))
    other = A_FILE | {"file_id": "c3"}
    assert accepted(page, {"answer": [A_FILE, other, A_FILE]}) == {"answer": [A_FILE, other]}
    assert accepted(page, {"answer": A_FILE}) == {"answer": [A_FILE]}
    too_many = [A_FILE | {"file_id": f"f{n}"} for n in range(21)]
    assert refused(page, {"answer": too_many}) == {"answer": "“答案”最多上传 20 个文件。"}


def a_list(**properties: str) -> Form:
    inner = [
        component("select", "field", values=choices("a", "b"), validate={"required": True}),
        component("textarea", "problem", validate={"required": True}),
    ]
    return form(component("dynamiclist", "problems", components=inner, properties=properties))


def test_a_list_keeps_its_items_and_drops_blank_ones() -> None:
    sent = [{"field": "", "problem": " "}, {"field": "a", "problem": "缺章", "more": "x"}, {}]
    assert accepted(a_list(), {"problems": sent}) == {"problems": [{"field": "a", "problem": "缺章"}]}


def test_errors_in_a_list_count_the_items_as_they_were_sent() -> None:
    sent = [{}, {"field": "a"}, {"field": "z", "problem": "缺章"}]
    assert refused(a_list(), {"problems": sent}) == {
        "problems.1.problem": "请填写“答案”。",
        "problems.2.field": "“答案”只能从所列选项中选择。",
    }


def test_a_list_may_ask_for_a_number_of_items() -> None:
    assert refused(a_list(min_items="1"), {"problems": [{}]}) == {"problems": "请至少填写一项“答案”。"}
    assert refused(a_list(min_items="2"), {"problems": [{"field": "a", "problem": "缺章"}]}) == {
        "problems": "“答案”至少需要 2 项。"
    }


def test_a_list_is_bounded() -> None:
    item = {"field": "a", "problem": "缺章"}
    assert len(accepted(a_list(), {"problems": [item] * 50})["problems"]) == 50
    assert refused(a_list(), {"problems": [item] * 51}) == {"problems": "“答案”最多 50 项。"}


@pytest.mark.parametrize("sent", ["a", 7, {"0": {}}, True])
def test_what_is_no_list_is_refused(sent: object) -> None:
    assert refused(a_list(), {"problems": sent}) == {"problems": "“答案”应为列表，请刷新页面后重新填写。"}


def test_everything_wrong_is_told_at_once_in_the_order_of_the_page() -> None:
    page = form(
        component(key="first", validate={"required": True}),
        component("number", "second"),
        component("radio", "third", values=choices("a")),
    )
    assert list(refused(page, {"second": "x", "third": "b"})) == ["first", "second", "third"]


def test_the_sentences_are_in_both_languages() -> None:
    with pytest.raises(FormRefused) as wrong:
        validate([form(component(validate={"required": True}))], {}, {})
    assert wrong.value.errors["page.answer"].to("en") == "Fill in “Answer”."


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(string.ascii_letters) | st.sampled_from(sorted(A_FILE)), inner, max_size=4)
    ),
    max_leaves=8,
)
EVERY_TYPE = parse_forms({"page": every_type()})["page"]
PLAUSIBLE = [
    *("a", "b", "3", 7, "2026-09-01", "甲", "abcde", True, "91110000600037341L"),
    A_FILE,
    [A_FILE],
    [{"inner": "x"}],
]
TODAY = {"today": lambda: "2026-09-18"}


@given(st.dictionaries(st.sampled_from([f.key for f in EVERY_TYPE.questions]), anything | st.sampled_from(PLAUSIBLE)))
def test_what_was_kept_is_kept_as_it_is_when_it_is_sent_again(sent: dict[str, Any]) -> None:
    try:
        kept = validate([EVERY_TYPE], {"page": sent}, {}, functions=TODAY)
    except FormRefused as wrong:
        sentences = [sentence for text in wrong.errors.values() for sentence in (text.zh, text.en)]
        if not sentences or not all(sentences):
            raise AssertionError("refused without a sentence in each language") from wrong
    else:
        assert validate([EVERY_TYPE], kept, {}, functions=TODAY) == kept


@given(anything)
def test_no_page_of_answers_raises_anything_but_a_refusal(sent: Any) -> None:
    for answers in (sent, {"page": sent}):
        with contextlib.suppress(FormRefused):
            validate([EVERY_TYPE], answers, {}, functions=TODAY)
