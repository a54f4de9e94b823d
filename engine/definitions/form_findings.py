"""What is wrong with a form file, in sentences an analyst can act on."""

import keyword
import re
from dataclasses import dataclass

from engine.definitions.cleaning import tidy
from engine.text import Text

# The engine writes `submitted_at` beside the answers and `starter` beside the forms, the workflow library marks its
# own data with `typename`, and a dictionary with `file_id` is taken for a file wherever answers are searched for files.
RESERVED_KEYS = frozenset({"typename", "submitted_at", "file_id", "starter"})

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


@dataclass(frozen=True, slots=True)
class FormFinding:
    """One thing wrong with a form file. `field` is the key (in a list "list.key"); None: the form itself."""

    form: str
    field: str | None
    message: Text


class Findings:
    """What was found so far in one form; each sentence says where."""

    def __init__(self, form: str) -> None:
        self.form = shown(form)
        self.found: list[FormFinding] = []

    def add(self, field: str | None, zh: str, en: str, **facts: object) -> None:
        at = Text(f"表单“{self.form}”", f"Form “{self.form}”")
        if field is not None:
            at = Text(f"{at.zh}的字段“{field}”", f"{at.en}, field “{field}”")
        said = Text(zh, en).filled(
            **{name: fact if isinstance(fact, Text) else shown(fact) for name, fact in facts.items()}
        )
        self.found.append(FormFinding(self.form, field, Text(f"{at.zh}：{said.zh}", f"{at.en}: {said.en}")))


def shown(value: object) -> str:
    """A value of any kind as a sentence may quote it: short, and free of what can't be printed."""
    if isinstance(value, list | dict):
        return "[…]" if isinstance(value, list) else "{…}"
    if isinstance(value, int) and abs(value) > 10**20:
        return "…"
    text = tidy(str(value)[:200], lines=False)
    return text if len(text) <= 60 else f"{text[:60]}…"


def key_problem(key: object) -> Text | None:
    """Why a form or field can't be called this; None if it can."""
    if not isinstance(key, str) or not key:
        return Text("缺少键（key）。", "the key is missing.")
    if not _KEY.fullmatch(key) or keyword.iskeyword(key):
        return Text(
            "键只能由英文字母、数字和下划线组成，以字母开头，最多 64 个字符，且不能是 and、if 等保留词。",
            "a key consists of letters a–z, digits and underscores, starts with a letter, has 64 characters at most "
            "and is no reserved word such as and, if.",
        )
    if key in RESERVED_KEYS:
        return Text("此键由系统使用，请改用其他名称。", "this key is used by the system itself; choose another.")
    return None
