"""What a form file says, once it has been read and found sound: forms, their fields, and how answers read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.text import Text

STATIC = "text"
LIST = "dynamiclist"
CHOICES = frozenset({"select", "radio", "checklist"})
TYPES = frozenset({"textfield", "textarea", "number", "datetime", "checkbox", "filepicker", LIST, STATIC}) | CHOICES

MAX_LENGTH = {"textfield": 200, "textarea": 5_000}  # characters, where the form file says nothing else
MAX_FILE_MEGABYTES = 20
MAX_FILES = 20  # in one answer of a field that takes several
MAX_ITEMS = 50  # of a list

_NOTHING = Text("")


class Personal(StrEnum):
    """What an answer tells of a person, and so how much of it is left where it is masked; see `engine.masking`."""

    NAME = "name"  # 姓名
    PHONE = "phone"  # 手机号码或固定电话
    EMAIL = "email"  # 电子邮箱
    ID_NUMBER = "id_number"  # 身份证件号码
    OTHER = "other"  # anything else, such as an address: nothing of it is left


YES, NO = Text("是", "Yes"), Text("否", "No")


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form; what does not apply to its type is empty.

    Static text is a field too, so that pages show it in its place: type "text", no key, the words in `label`.
    """

    key: str
    type: str
    label: Text
    description: Text = _NOTHING
    required: bool = False
    required_if: str | None = None
    visible_if: str | None = None
    readonly_if: str | None = None
    check: str | None = None
    options: tuple[Option, ...] = ()
    options_from: tuple[str, ...] = ()  # names of the forms whose fields are the options
    accept: tuple[str, ...] = ()  # endings of file names, lower case with their dot; empty: any the store takes
    max_bytes: int = MAX_FILE_MEGABYTES * 1024 * 1024
    multiple: bool = False  # several files
    minimum: int | float | None = None
    maximum: int | float | None = None
    decimals: int | None = None  # digits after the point; None: any
    min_length: int = 0  # characters
    max_length: int = MAX_LENGTH["textfield"]  # characters
    fields: tuple["Field", ...] = ()  # of each item of a list
    min_items: int = 0
    personal: Personal | None = None  # 个人信息
    impersonal: bool = False  # the form says so itself: a hotline is a telephone number, and nobody's own
    default: Any = None  # what an empty page is prefilled with; an answer that was not given stays not given

    def option(self, value: object) -> Text:
        """The label of an offered value; a value no longer offered stands for itself."""
        return next((option.label for option in self.options if option.value == value), Text(str(value)))


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold between answers; `field` is the key of the field that is told otherwise (None: the page)."""

    expect: str
    message: Text
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    name: str
    title: Text
    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()

    def field(self, key: str) -> Field | None:
        return next((field for field in self.questions if field.key == key), None)

    @property
    def questions(self) -> tuple[Field, ...]:
        """The fields that take an answer."""
        return tuple(field for field in self.fields if field.type != STATIC)


def answer_rows(form: Form, data: Mapping[str, Any]) -> list[tuple[Field, Any]]:
    """The answers of one form as a page reads them out, in the form's order; unanswered questions are left out.

    `data` holds the answers under the form's name. Values: a Text for a chosen option and for yes or no, a list of
    Texts for several, the file's dictionary (or a list of them), for a list one such list of rows per item, and
    otherwise the answer itself.
    """
    answers = data.get(form.name)
    return _rows(form.questions, answers) if isinstance(answers, Mapping) else []


def _rows(fields: Sequence[Field], answers: Mapping[str, Any]) -> list[tuple[Field, Any]]:
    given = ((field, answers.get(field.key)) for field in fields)
    return [(field, _shown(field, value)) for field, value in given if value not in (None, "", [])]


def _shown(field: Field, value: Any) -> Any:
    if field.type == "checkbox" and isinstance(value, bool):
        return YES if value else NO
    if field.type == "checklist" and isinstance(value, list):
        return [field.option(one) for one in value]
    if field.type in CHOICES:
        return field.option(value)
    if field.type == LIST and isinstance(value, list):
        return [_rows(field.fields, item) for item in value if isinstance(item, Mapping)]
    return value
