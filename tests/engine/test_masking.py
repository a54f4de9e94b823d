"""What is left of personal data where it is masked, and what is recognised in texts that somebody else wrote."""

import pytest

from engine.definitions.fields import Personal, answer_rows
from engine.definitions.masking import masked, masked_answers, masked_data, without_personal
from tests.engine.form_files import component, form


@pytest.mark.parametrize(
    ("kind", "value", "left"),
    [
        (Personal.NAME, "李四", "李*"),
        (Personal.NAME, "欧阳修远", "欧**"),
        (Personal.PHONE, "13800138000", "138****8000"),
        (Personal.PHONE, "020-83125678", "020-****5678"),
        (Personal.PHONE, "12345", "***"),
        (Personal.EMAIL, "a.li@example.cn", "a***@example.cn"),
        (Personal.ID_NUMBER, "44010619900307123X", "440***********123X"),
        (Personal.OTHER, "天河区体育东路 1 号", "***"),
        (Personal.OTHER, 7, "***"),
    ],
)
def test_enough_is_left_to_tell_one_from_another_and_no_more(kind: Personal, value: object, left: str) -> None:
    assert masked(kind, value) == left


def test_only_what_a_form_marks_is_masked_also_in_lists_and_where_it_is_no_text() -> None:
    inner = component("textfield", "who", properties={"personal": "name"})
    people = component("dynamiclist", "people", components=[inner, component(key="task")])
    married = component("checkbox", "married", properties={"personal": "true"})
    page = form(people, married, component(key="city"))
    answers = {"people": [{"who": "李四", "task": "测试"}], "married": False, "city": "440100"}
    told = masked_answers(page, answers)
    assert told == {"people": [{"who": "李*", "task": "测试"}], "married": "***", "city": "440100"}
    assert ("married", "***") in [(field.key, value) for field, value in answer_rows(page, {"page": told})]
    assert answers["married"] is False, "what was handed in stays as it is"
    assert masked_data({"page": page}, {"page": answers, "key": {"id": "1"}}) == {"page": told, "key": {"id": "1"}}


def test_what_looks_like_personal_data_is_found_in_any_text() -> None:
    line = "ValueError: 13800138000 / 020-83125678 / a.li@example.cn / 44010619900307123X"
    assert without_personal(line) == "ValueError: 138****8000 / 020-****5678 / a***@example.cn / 440***********123X"
    known = [(Personal.NAME, "李晓彤"), (Personal.NAME, "李")]
    assert without_personal("李晓彤没有回电，李工已处理", known) == "李**没有回电，李工已处理"


@pytest.mark.parametrize(
    "text",
    [
        "440100-20260918-0001",  # an application's number
        "5f0c13800138000a7d",  # part of a hash
        "2026-09-18T10:00:00.138001380001+00:00",
        "440100202609180001",
    ],
)
def test_numbers_that_are_nobodys_stay(text: str) -> None:
    assert without_personal(text) == text
