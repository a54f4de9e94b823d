"""Codes, numbers and addresses: what is taken, how it is kept, and that slips are caught."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.definitions import checks
from engine.definitions.checks import USCC_CHARACTERS, uscc_check_character
from engine.text import Text

characters = st.sampled_from(USCC_CHARACTERS)
digits = st.sampled_from("0123456789")
codes = st.builds(
    lambda head, region, tail: head + region + tail + uscc_check_character(head + region + tail),
    st.text(characters, min_size=2, max_size=2),
    st.text(digits, min_size=6, max_size=6),
    st.text(characters, min_size=9, max_size=9),
)


@pytest.mark.parametrize(
    "code",
    ["91110000600037341L", "91440300708461136T", "914403001922038216", "91330100799655058B", "12100000400010275N"],
)
def test_codes_of_real_organisations_are_taken(code: str) -> None:
    assert checks.uscc(code) == code


@given(codes)
def test_a_code_with_the_right_check_character_is_taken(code: str) -> None:
    assert checks.uscc(code) == code


@given(codes, st.integers(0, 17), characters)
def test_one_wrong_character_is_always_caught(code: str, place: int, other: str) -> None:
    assume(other != code[place])
    assert isinstance(checks.uscc(code[:place] + other + code[place + 1 :]), Text)


@given(codes, st.integers(0, 16))
def test_two_swapped_neighbours_are_always_caught(code: str, place: int) -> None:
    assume(code[place] != code[place + 1])
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert isinstance(checks.uscc(swapped), Text)


@given(codes)
def test_a_code_typed_in_small_letters_and_groups_is_kept_in_capitals(code: str) -> None:
    assert checks.uscc(f"{code[:8]} {code[8:17]}-{code[17]}".lower()) == code


def test_the_sentence_says_which_character_is_wrong() -> None:
    wrong = checks.uscc("91110000600037341M")
    assert isinstance(wrong, Text)
    assert wrong.zh == "{label}第 18 位校验码不正确，请核对。"


def test_the_sentence_counts_the_characters() -> None:
    wrong = checks.uscc("9111000060003734")
    assert isinstance(wrong, Text)
    assert "现为 16 位" in wrong.zh


def test_letters_that_no_code_contains_are_named() -> None:
    wrong = checks.uscc("9111000060003734IL")
    assert isinstance(wrong, Text)
    assert "I、O、S、V、Z" in wrong.zh


@pytest.mark.parametrize(
    "code", ["9111000060003734！L", "911100006000ⅣⅣⅣⅣL1", "９１110000600037341L", "9144030A708461136T"]
)
def test_strange_characters_are_refused(code: str) -> None:
    assert isinstance(checks.uscc(code), Text)


@pytest.mark.parametrize("typed", ["13800138000", "138 0013 8000", "138-0013-8000", "+86 13800138000"])
def test_a_mobile_number_is_kept_as_its_digits(typed: str) -> None:
    assert checks.mobile(typed) == "13800138000"


@pytest.mark.parametrize(
    "typed", ["1380013800", "138001380000", "12800138000", "02012345678", "１3800138000", "8613800138000"]
)
def test_what_is_no_mobile_number_is_refused(typed: str) -> None:
    assert isinstance(checks.mobile(typed), Text)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("13800138000", "13800138000"),
        ("020-12345678", "020-12345678"),
        ("(020) 12345678", "020-12345678"),
        ("（0755）1234567", "0755-1234567"),
        ("0755-12345678-123", "0755-12345678-123"),
        ("400-800-1234", "400-800-1234"),
    ],
)
def test_a_telephone_is_a_mobile_a_landline_or_a_service_number(typed: str, kept: str) -> None:
    assert checks.phone(typed) == kept


@pytest.mark.parametrize("typed", ["12345678", "110", "020-1234", "abc", "0200-12345678-1234567"])
def test_what_is_no_telephone_is_refused(typed: str) -> None:
    assert isinstance(checks.phone(typed), Text)


@pytest.mark.parametrize("typed", ["a@b.cn", "li.lei+test@mail.example.com.cn"])
def test_an_email_address_is_taken(typed: str) -> None:
    assert checks.email(typed) == typed


@pytest.mark.parametrize(
    "typed", ["a@b", "a b@c.cn", "a@@b.cn", "a@b..cn", ".a@b.cn", "a@-b.cn", "@b.cn", "李@b.cn", "a@b.cn\n"]
)
def test_what_is_no_email_address_is_refused(typed: str) -> None:
    assert isinstance(checks.email(typed), Text)


@pytest.mark.parametrize("typed", ["http://10.0.0.1:8080/api", "https://实名制.example.cn/接口?a=1", "http://[::1]/"])
def test_a_web_address_is_taken(typed: str) -> None:
    assert checks.url(typed) == typed


@pytest.mark.parametrize(
    "typed",
    [
        "ftp://a.cn",
        "javascript:alert(1)",
        "a.cn/api",
        "http://",
        "http://user:secret@a.cn",
        "http://a.cn/a b",
        "http://a.cn:99999/",
        "http://[::1/",
        'http://a.cn/"><script>',
    ],
)
def test_what_is_no_plain_web_address_is_refused(typed: str) -> None:
    assert isinstance(checks.url(typed), Text)


@given(st.sampled_from(sorted(checks.CHECKS)), st.text(min_size=1, max_size=300))
def test_no_text_makes_a_check_fail(name: str, text: str) -> None:
    assert isinstance(checks.CHECKS[name](text), str | Text)


@pytest.mark.parametrize("name", sorted(checks.CHECKS))
def test_every_check_says_what_is_wrong_in_both_languages_and_names_the_field(name: str) -> None:
    wrong = checks.CHECKS[name]("？")
    assert isinstance(wrong, Text)
    said = wrong.filled(label=Text("字段", "the field"))
    assert "字段" in said.zh
    assert "the field" in said.en
