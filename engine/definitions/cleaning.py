"""One answer at a time: from whatever was sent to the shape its field keeps, or what is wrong with it.

Nothing that is sent makes this raise: values come from browsers, from scenario files and from anyone who can post.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any

from engine.definitions.checks import CHECKS
from engine.definitions.fields import LIST, MAX_FILES, MAX_ITEMS, Field
from engine.text import Text

_REQUIRED = {
    "select": Text("请选择“{label}”。", "Choose an answer to “{label}”."),
    "radio": Text("请选择“{label}”。", "Choose an answer to “{label}”."),
    "checklist": Text("请至少选择一项“{label}”。", "Choose at least one answer to “{label}”."),
    "checkbox": Text("请勾选“{label}”。", "Tick “{label}”."),
    "filepicker": Text("请上传“{label}”。", "Upload “{label}”."),
    "datetime": Text("请填写“{label}”的日期。", "Give the date for “{label}”."),
    LIST: Text("请至少填写一项“{label}”。", "Fill in at least one item of “{label}”."),
}
_FILL_IN = Text("请填写“{label}”。", "Fill in “{label}”.")
_NOT_TEXT = Text("“{label}”应为文字。", "“{label}” must be text.")
_NOT_OFFERED = Text("“{label}”只能从所列选项中选择。", "“{label}” must be one of the answers offered.")
_NOT_NUMBER = Text("“{label}”应为数字，如 30。", "“{label}” must be a number, such as 30.")
_NOT_DATE = Text(
    "“{label}”应为真实日期，格式如 2026-09-30。", "“{label}” must be a real date, written like 2026-09-30."
)
_NOT_YES_NO = Text("“{label}”只能勾选或不勾选。", "“{label}” can only be ticked or not.")
_NOT_FILE = Text(
    "“{label}”的附件无法识别，请重新上传。", "The file for “{label}” can't be recognised; upload it again."
)
_NOT_LIST = Text(
    "“{label}”应为列表，请刷新页面后重新填写。", "“{label}” must be a list. Refresh the page and try again."
)

_HASH = re.compile(r"[0-9a-f]{64}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST = 100_000  # characters that are looked at before an answer is called too long


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The value to keep (None: no answer), or errors by path below the field ("" is the field itself)."""

    value: Any = None
    errors: Mapping[str, Text] = dataclass_field(default_factory=dict)


def clean(field: Field, value: Any) -> Cleaned:
    """What a field makes of one answer. Whether an answer is required is not asked here, but inside lists."""
    if value is None:
        return Cleaned()
    if field.type == LIST:
        return _list(field, value)
    found = _CLEANERS[field.type](field, value)
    if isinstance(found, Text):
        return Cleaned(errors={"": found.filled(label=field.label)})
    return Cleaned(found)


def missing(field: Field) -> Text:
    """The sentence for a required field without an answer."""
    if field.type == LIST and field.min_items > 1:
        return Text("“{label}”至少需要 {count} 项。", "“{label}” needs at least {count} items.").filled(
            label=field.label, count=field.min_items
        )
    return _REQUIRED.get(field.type, _FILL_IN).filled(label=field.label)


def unanswered(field: Field, value: Any) -> bool:
    """Whether a cleaned value leaves a required question open; a required box must be ticked."""
    return value is None or (field.type == "checkbox" and value is False)


def tidy(text: str, *, lines: bool) -> str:
    """Trimmed, without control characters, without marks that reorder or hide text, and without lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = (" " if c in "\n\t" and not lines else c for c in text if c in "\n\t" or not _unfit(c))
    return "".join(kept).strip()


def _unfit(character: str) -> bool:
    if unicodedata.category(character) in {"Cc", "Cs"}:
        return True
    # Bidirectional overrides make a name read as another; zero-width space and byte order mark make two look alike.
    return (
        character in "\u200b\ufeff\u200e\u200f"
        or "\u202a" <= character <= "\u202e"
        or "\u2066" <= character <= "\u2069"
    )


def _text(field: Field, value: Any) -> str | Text | None:
    if not isinstance(value, str):
        return _NOT_TEXT
    text = tidy(value[:_LONGEST], lines=field.type == "textarea")
    if not text:
        return None
    if len(text) > field.max_length:
        return Text(
            f"“{{label}}”最多 {field.max_length} 个字，现为 {len(text)} 个，请精简。",
            f"“{{label}}” may have {field.max_length} characters at most, not {len(text)}.",
        )
    if len(text) < field.min_length:
        return Text(
            f"“{{label}}”至少 {field.min_length} 个字。", f"“{{label}}” needs at least {field.min_length} characters."
        )
    return CHECKS[field.check](text) if field.check else text


def _number(field: Field, value: Any) -> int | float | Text | None:
    number: Decimal
    if isinstance(value, str):
        text = unicodedata.normalize("NFKC", value[:100]).strip()  # full-width digits, as an input method types them
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            return _NOT_NUMBER
        number = Decimal(text)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = Decimal(str(value)) if abs(value) < 10**15 else Decimal("NaN")
        except (InvalidOperation, ValueError):  # ValueError: an integer too long to be written out
            return _NOT_NUMBER
        if not number.is_finite():
            return _NOT_NUMBER
    else:
        return _NOT_NUMBER
    whole = number == number.to_integral_value()
    if field.decimals is not None and number != round(number, field.decimals):
        if field.decimals == 0:
            return Text("“{label}”应为整数。", "“{label}” must be a whole number.")
        return Text(
            f"“{{label}}”最多 {field.decimals} 位小数。", f"“{{label}}” may have {field.decimals} decimals at most."
        )
    low, high = field.minimum, field.maximum
    if (low is not None and number < Decimal(str(low))) or (high is not None and number > Decimal(str(high))):
        return _range(low, high)
    return int(number) if whole else float(number)


def _range(low: float | None, high: float | None) -> Text:
    if high is None:
        return Text(f"“{{label}}”不能小于 {low}。", f"“{{label}}” must be {low} or more.")
    if low is None:
        return Text(f"“{{label}}”不能大于 {high}。", f"“{{label}}” must be {high} or less.")
    return Text(f"“{{label}}”应在 {low} 至 {high} 之间。", f"“{{label}}” must be between {low} and {high}.")


def _date(field: Field, value: Any) -> str | Text | None:
    if isinstance(value, date) and not isinstance(value, datetime):  # YAML reads an unquoted date as one
        value = value.isoformat()
    if not isinstance(value, str):
        return _NOT_DATE
    text = unicodedata.normalize("NFKC", value[:100]).strip()
    if not text:
        return None
    if not _DATE.fullmatch(text) or not "1900" <= text[:4] <= "2199":
        return _NOT_DATE
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return _NOT_DATE


def _choice(field: Field, value: Any) -> str | Text | None:
    if value == "":
        return None
    offered = isinstance(value, str) and any(option.value == value for option in field.options)
    return str(value) if offered else _NOT_OFFERED


def _choices(field: Field, value: Any) -> list[str] | Text | None:
    given = [value] if isinstance(value, str) else value  # a browser sends a single tick as a single value
    if not isinstance(given, list | tuple):
        return _NOT_OFFERED
    given = [one for one in given if one != ""]
    offered = [option.value for option in field.options]
    if any(not isinstance(one, str) or one not in offered for one in given):
        return _NOT_OFFERED
    return [one for one in offered if one in given] or None


def _box(field: Field, value: Any) -> bool | Text:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "on", "1", "yes"}:
        return True
    if isinstance(value, str) and value.strip().lower() in {"false", "off", "0", "no", ""}:
        return False
    return _NOT_YES_NO


def _files(field: Field, value: Any) -> dict[str, Any] | list[dict[str, Any]] | Text | None:
    if value in ("", [], {}):
        return None
    if not field.multiple:
        return _file(field, value)
    given = list(value) if isinstance(value, list | tuple) else [value]
    if len(given) > MAX_FILES:
        return Text(f"“{{label}}”最多上传 {MAX_FILES} 个文件。", f"“{{label}}” takes {MAX_FILES} files at most.")
    kept: dict[str, dict[str, Any]] = {}
    for one in given:
        found = _file(field, one)
        if isinstance(found, Text):
            return found
        kept[found["file_id"]] = found  # the same file twice is one file
    return list(kept.values())


def _file(field: Field, value: Any) -> dict[str, Any] | Text:
    """A reference to a stored file. That it exists and is the sender's own is the runtime's to check."""
    if not isinstance(value, Mapping):
        return _NOT_FILE
    file_id, name, size, sha256 = (value.get(key) for key in ("file_id", "name", "size", "sha256"))
    if not (isinstance(file_id, str) and 0 < len(file_id) <= 64 and file_id.isalnum() and file_id.isascii()):
        return _NOT_FILE
    if not (isinstance(name, str) and 0 < len(name) <= 255 and name == tidy(name, lines=False)):
        return _NOT_FILE
    if not (isinstance(sha256, str) and _HASH.fullmatch(sha256)):
        return _NOT_FILE
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return _NOT_FILE
    if field.accept and PurePath(name).suffix.lower() not in field.accept:
        endings = "、".join(field.accept), ", ".join(field.accept)
        return Text(f"“{{label}}”只接受 {endings[0]} 文件。", f"“{{label}}” takes {endings[1]} files only.")
    if size > field.max_bytes:
        limit = field.max_bytes / (1024 * 1024)
        return Text(
            f"“{{label}}”的文件不能超过 {limit:g} MB。", f"A file for “{{label}}” may have {limit:g} MB at most."
        )
    return {"file_id": file_id, "name": name, "size": size, "sha256": sha256}


def _list(field: Field, value: Any) -> Cleaned:
    """Items keep the order they came in; blank ones are dropped, and errors count the items as they were sent."""
    if value == "":
        return Cleaned()
    if not isinstance(value, list | tuple):
        return Cleaned(errors={"": _NOT_LIST.filled(label=field.label)})
    if len(value) > MAX_ITEMS:
        too_many = Text("“{label}”最多 {count} 项。", "“{label}” may have {count} items at most.")
        return Cleaned(errors={"": too_many.filled(label=field.label, count=MAX_ITEMS)})
    items: list[dict[str, Any]] = []
    errors: dict[str, Text] = {}
    for index, item in enumerate(value):
        if not isinstance(item, Mapping):
            errors[str(index)] = _NOT_LIST.filled(label=field.label)
            continue
        kept, wrong = _item(field.fields, item)
        errors |= {f"{index}.{path}": text for path, text in wrong.items()}
        if kept:
            items.append(kept)
    return Cleaned(items or None, errors)


def _item(fields: Sequence[Field], item: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Text]]:
    cleaned = {field.key: clean(field, item.get(field.key)) for field in fields if field.key}
    wrong = {key: found.errors[""] for key, found in cleaned.items() if found.errors}
    kept = {key: found.value for key, found in cleaned.items() if found.value is not None}
    if not wrong and not any(value is not False for value in kept.values()):
        return {}, {}
    for field in fields:
        if field.key and field.required and field.key not in wrong and unanswered(field, kept.get(field.key)):
            wrong[field.key] = missing(field)
    return kept, wrong


_CLEANERS: Mapping[str, Callable[[Field, Any], Any]] = {
    "textfield": _text,
    "textarea": _text,
    "number": _number,
    "datetime": _date,
    "select": _choice,
    "radio": _choice,
    "checklist": _choices,
    "checkbox": _box,
    "filepicker": _files,
}
