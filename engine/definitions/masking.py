"""Masking (脱敏): what is left of personal data wherever it is not needed in clear. The one place that does it.

In clear it stands on the pages of those who work on the application. Lists, notices, e-mails, webhooks, registers, log
lines and incidents get what these functions leave: enough to tell one from another, too little to ring somebody up.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from engine.definitions.fields import Field, Form, Personal

HIDDEN = "***"
ERASED = "〔已删除〕"  # stands where personal data was erased; there is nothing left to mask

# A city code and a date look like the beginning of an ID number, so an application's number must not match: whoever
# applies was born before 2020. No letter or digit on either side, for ids and hashes are full of digits.
_ALONE = r"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Za-z])"
_BORN = r"(?:19[0-9]{2}|20[01][0-9])(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_ID_NUMBER = re.compile(_ALONE.format(pattern=rf"[1-9][0-9]{{5}}{_BORN}[0-9]{{3}}[0-9Xx]"))
_MOBILE = re.compile(_ALONE.format(pattern=r"1[3-9][0-9]{9}"))
_LANDLINE = re.compile(_ALONE.format(pattern=r"0[0-9]{2,3}-[0-9]{7,8}"))
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_SHORTEST_NAME = 2  # characters: a single one stands in too many other words to be looked for


def masked(kind: Personal, value: object) -> str:
    """张* · 138****0000 · 020-****5678 · a***@example.cn · 440***********123X · ***"""
    if value == ERASED:
        return ERASED
    text = str(value).strip()
    match kind:
        case Personal.NAME if text:
            return text[0] + "*" * max(1, min(len(text) - 1, 2))
        case Personal.PHONE if len(text) >= 8:
            return text[: 4 if "-" in text[:5] else 3] + "****" + text[-4:]
        case Personal.EMAIL if "@" in text:
            return text[0] + "***@" + text.rpartition("@")[2]
        case Personal.ID_NUMBER if len(text) >= 15:
            return text[:3] + "*" * (len(text) - 7) + text[-4:]
    return HIDDEN


def masked_answers(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """One form's answers with what is personal in them masked; the rest as it is."""
    return _masked(form.questions, answers)


def masked_data(forms: Mapping[str, Form], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The variables of an instance, as what leaves the instance may use them: subjects, notices, registers."""
    marked = {name: form for name, form in forms.items() if name in data and _holds_personal(form.questions)}
    told = {
        name: _masked(form.questions, data[name]) for name, form in marked.items() if isinstance(data[name], Mapping)
    }
    return {**data, **told} if told else data


def personal_values(form: Form, answers: Mapping[str, Any]) -> Iterator[tuple[Personal, str]]:
    """Every personal answer that is a text, with its kind."""
    yield from _personal(form.questions, answers)


def without_personal(text: str, known: Collection[tuple[Personal, str]] = ()) -> str:
    """A text somebody else wrote (an error, a log line) with what is known to be personal masked, and whatever looks
    like a mobile number, a landline, an e-mail address or an ID number."""
    for kind, value in sorted(known, key=lambda each: -len(each[1])):
        if len(value) >= _SHORTEST_NAME:
            text = text.replace(value, masked(kind, value))
    text = _EMAIL.sub(lambda found: masked(Personal.EMAIL, found[0]), text)
    text = _ID_NUMBER.sub(lambda found: masked(Personal.ID_NUMBER, found[0]), text)
    for number in (_MOBILE, _LANDLINE):
        text = number.sub(lambda found: masked(Personal.PHONE, found[0]), text)
    return text


def _masked(fields: Collection[Field], answers: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(answers)
    for field in fields:
        value = shown.get(field.key)
        if value in (None, "", []):
            continue
        if field.personal is not None:
            shown[field.key] = masked(field.personal, value)
        elif field.fields and isinstance(value, list):
            shown[field.key] = [_masked(field.fields, item) for item in value if isinstance(item, Mapping)]
    return shown


def _personal(fields: Collection[Field], answers: Mapping[str, Any]) -> Iterator[tuple[Personal, str]]:
    for field in fields:
        value = answers.get(field.key)
        if field.personal is not None and isinstance(value, str) and value:
            yield field.personal, value
        elif field.fields and isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping):
                    yield from _personal(field.fields, item)


def _holds_personal(fields: Collection[Field]) -> bool:
    return any(field.personal is not None or _holds_personal(field.fields) for field in fields)
