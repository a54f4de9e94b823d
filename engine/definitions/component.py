"""One component of a form file, read value by value: every method answers something usable, and files a finding
where the file does not."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from engine.definitions import expressions
from engine.definitions.cleaning import tidy
from engine.definitions.expressions import ExpressionRefused
from engine.definitions.fields import CHOICES, LIST, STATIC, TYPES
from engine.definitions.form_findings import Findings, shown
from engine.text import Text

FUNCTIONS = frozenset({"today"})  # what a form's expressions may call beside the built-in functions

_LONGEST_TEXT = 2_000  # characters of a label or a description

_ASKED = frozenset({"label_en", "description_en", "visible_if", "required_if", "readonly_if", "personal"})
_PROPERTIES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(TYPES, _ASKED),
    **dict.fromkeys(CHOICES, _ASKED | {"options_from"}),
    "textfield": _ASKED | {"check"},
    "filepicker": _ASKED | {"max_mb"},
    LIST: _ASKED | {"min_items"},
    STATIC: frozenset({"text_en", "visible_if"}),
}
_VALIDATE: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(TYPES, frozenset({"required"})),
    "textfield": frozenset({"required", "minLength", "maxLength", "validationType"}),
    "textarea": frozenset({"required", "minLength", "maxLength"}),
    "number": frozenset({"required", "min", "max"}),
}


class Component:
    """`type` is one of TYPES, or None where the file says something else."""

    def __init__(self, raw: Any, findings: Findings, parent: str | None) -> None:
        self.raw: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        self.findings = findings
        self.parent = parent  # key of the list around it
        type_ = self.raw.get("type")
        self.type: str | None = type_ if isinstance(type_, str) and type_ in TYPES else None
        self.key = self.raw.get("path" if self.type == LIST else "key")
        name = self.key or self.raw.get("id")
        self.at = path(parent, shown(name)) if isinstance(name, str) and name else parent
        self.properties = self._properties() if self.type else {}
        self.validate = self._validate() if self.type else {}

    def add(self, zh: str, en: str, **facts: object) -> None:
        self.findings.add(self.at, zh, en, **facts)

    def _properties(self) -> Mapping[str, str]:
        raw = self.raw.get("properties", {})
        if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
            self.add("properties 应为“名称: 文字”的集合。", "properties must map names to texts.")
            return {}
        known = _PROPERTIES[self.type or STATIC]
        for name in raw:
            if name not in known and not (self.type in CHOICES and name.startswith("label_en.")):
                self.add(
                    "不认识的属性“{name}”；此类型可用：{known}。",
                    "the property “{name}” is not known; known here are {known}.",
                    name=name,
                    known=listed(known),
                )
        return {name: tidy(value, lines=True) for name, value in raw.items()}

    def _validate(self) -> Mapping[str, Any]:
        raw = self.raw.get("validate", {})
        if not isinstance(raw, dict):
            self.add("validate 应为集合。", "validate must be an object.")
            return {}
        for name in sorted(set(raw) - _VALIDATE[self.type or STATIC]):
            if raw[name] not in (None, "", False):
                self.add(
                    "不支持校验“{name}”；请改用 check 或规则（rules）。",
                    "the validation “{name}” is not known here; use check or a rule (rules).",
                    name=name,
                )
        return raw

    def text(self, name: str) -> str:
        value = self.raw.get(name, "")
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            self.add(
                "{name} 应为文字，最多 {count} 个字符。",
                "{name} must be text of at most {count} characters.",
                name=name,
                count=_LONGEST_TEXT,
            )
            return ""
        return tidy(value, lines=True)

    def label(self, name: str, english: str) -> Text:
        label = Text(self.text(name), self.properties.get(english, ""))
        if not label.zh:
            self.add(
                "缺少文字（{name}），使用者将不知道此处是什么。",
                "it has no words ({name}), so nobody can tell what it is.",
                name=name,
            )
        return label

    def flag(self, of: Mapping[str, Any], name: str) -> bool:
        value = of.get(name, False)
        if not isinstance(value, bool):
            self.add("{name} 只能是 true 或 false。", "{name} must be true or false.", name=name)
        return value is True

    def expression(self, name: str) -> str | None:
        text = self.properties.get(name, "")
        if not text:
            return None
        try:
            expressions.check(text, FUNCTIONS)
        except ExpressionRefused as refused:
            self.add("{name}：{why}", "{name}: {why}", name=name, why=refused.text)
            return None
        return text

    def whole(self, of: Mapping[str, Any], name: str, low: int, high: int, otherwise: int) -> int:
        value = of.get(name)
        if value is None or value == "":
            return otherwise
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.add(
                "{name} 应为 {low} 至 {high} 的整数。",
                "{name} must be a whole number from {low} to {high}.",
                name=name,
                low=low,
                high=high,
            )
            return otherwise
        return value

    def number(self, name: str) -> int | float | None:
        value = self.validate.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?", value.strip()):
            value = float(value) if "." in value else int(value)
        if not isinstance(value, int | float) or isinstance(value, bool) or not -1e15 < value < 1e15:
            self.add("{name} 应为数字。", "{name} must be a number.", name=name)
            return None
        return value


def path(parent: str | None, key: str) -> str:
    return f"{parent}.{key}" if parent else key


def listed(names: Iterable[str]) -> Text:
    return Text("、".join(sorted(names)), ", ".join(sorted(names)))
