"""Checks a form file may ask for by name (`check`): the value as it is kept, or the sentence on what is wrong.

Each takes a trimmed, non-empty text of at most a few thousand characters. The sentences' `{label}` is left for the
caller to fill.
"""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from engine.text import Text

Check = Callable[[str], str | Text]

USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z; a character counts its index
_USCC = re.compile(rf"[{USCC_CHARACTERS}]{{2}}[0-9]{{6}}[{USCC_CHARACTERS}]{{10}}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0[0-9]{2,3}-?[0-9]{7,8}(-[0-9]{1,6})?")
_SERVICE_NUMBER = re.compile(r"(400|800)-?[0-9]{3}-?[0-9]{4}")
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}")


def uscc_check_character(first_17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015): weights 3^i modulo 31.

    31 is prime, so one wrong character, or two neighbours swapped, always changes it. Raises ValueError for a
    character outside the code's alphabet.
    """
    total = sum(USCC_CHARACTERS.index(character) * pow(3, i, 31) for i, character in enumerate(first_17))
    return USCC_CHARACTERS[-total % 31]


def uscc(value: str) -> str | Text:
    """统一社会信用代码, kept in capitals without spaces."""
    code = re.sub(r"[\s-]", "", value).upper()
    if len(code) != 18:
        return Text(
            f"{{label}}应为 18 位，现为 {len(code)} 位，请核对。",
            f"“{{label}}” has 18 characters, not {len(code)}. Check it.",
        )
    wrong = next((character for character in code if character not in USCC_CHARACTERS), None)
    if wrong is not None and wrong in "IOSVZ":
        return Text(
            "{label}不使用字母 I、O、S、V、Z，请核对是否与数字 1、0、5、2 混淆。",
            "“{label}” never contains I, O, S, V or Z. Check for a mix-up with 1, 0, 5 or 2.",
        )
    if not _USCC.fullmatch(code):
        return Text(
            "{label}只能由数字和大写字母组成，第 3 至 8 位为数字，请核对。",
            "“{label}” consists of digits and capital letters, characters 3 to 8 being digits. Check it.",
        )
    if uscc_check_character(code[:17]) != code[17]:
        return Text(
            "{label}第 18 位校验码不正确，请核对。", "The 18th character of “{label}”, its check character, is wrong."
        )
    return code


def mobile(value: str) -> str | Text:
    """A mainland mobile number, kept as its 11 digits."""
    number = re.sub(r"[\s-]", "", value)
    number = number.removeprefix("+86") if number.startswith("+") else number
    if _MOBILE.fullmatch(number):
        return number
    return Text(
        "{label}应为 11 位中国大陆手机号码，请核对。", "“{label}” must be a mainland mobile number of 11 digits."
    )


def phone(value: str) -> str | Text:
    """A mobile number, a landline with its area code (and extension), or a 400/800 number."""
    mobile_number = mobile(value)
    if isinstance(mobile_number, str):
        return mobile_number
    number = re.sub(r"\s", "", value).replace("（", "(").replace("）", ")")
    number = re.sub(r"^\(([0-9]{3,4})\)-?", r"\1-", number)
    if _LANDLINE.fullmatch(number) or _SERVICE_NUMBER.fullmatch(number):
        return number
    return Text(
        "{label}应为手机号码，或带区号的固定电话（如 020-12345678），请核对。",
        "“{label}” must be a mobile number or a landline with its area code, such as 020-12345678.",
    )


def email(value: str) -> str | Text:
    if len(value) <= 254 and _EMAIL.fullmatch(value) and ".." not in value and not value.startswith("."):
        return value
    return Text(
        "{label}格式不正确，应如 name@example.com。", "“{label}” must be an e-mail address, such as name@example.com."
    )


def url(value: str) -> str | Text:
    """An http or https address with a host, and no user name or password in it."""
    wrong = Text(
        "{label}应为以 http:// 或 https:// 开头的完整网址，且不含空格、用户名或密码。",
        "“{label}” must be a full address starting with http:// or https://, without spaces, user name or password.",
    )
    if re.search(r"[\s\\<>\"]", value):
        return wrong
    try:
        parts = urlsplit(value)
        sound = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
        port = parts.port  # raises where it is no number up to 65535
    except ValueError:
        return wrong
    return value if sound and port != 0 else wrong


CHECKS: Mapping[str, Check] = {"uscc": uscc, "mobile": mobile, "phone": phone, "email": email, "url": url}
