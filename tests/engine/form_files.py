"""Small form files for the tests to break."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.definitions.forms import Form, FormFinding, FormsRefused, parse_forms
from engine.definitions.validation import validate
from engine.errors import FormRefused

A_FILE = {"file_id": "a1b2", "name": "执照.pdf", "size": 1024, "sha256": "ab" * 32}


def component(type_: str = "textfield", key: str = "answer", **more: Any) -> dict[str, Any]:
    """A component with a label; `properties` may be given and gets its English label added."""
    name = {"dynamiclist": "path", "text": "id"}.get(type_, "key")
    words = {"text": "text", "datetime": "dateLabel"}.get(type_, "label")
    base: dict[str, Any] = {"type": type_, name: key, words: "答案"}
    if type_ == "datetime":
        base["subtype"] = "date"
    english = {"text_en" if type_ == "text" else "label_en": "Answer"}
    return {**base, **more, "properties": {**english, **more.get("properties", {})}}


def choices(*values: str) -> list[dict[str, str]]:
    return [{"value": value, "label": f"选项 {value}"} for value in values]


def schema(name: str, *components: Any, rules: Any = (), **more: Any) -> dict[str, Any]:
    properties = {"title": f"表单 {name}", "title_en": f"Form {name}", "rules": list(rules)}
    return {"type": "default", "id": name, "components": list(components), "properties": properties, **more}


def every_type() -> dict[str, Any]:
    """A form with a field of every type, with conditions and a rule."""
    return schema(
        "page",
        component("text", "hint"),
        component("textfield", "line", validate={"minLength": 1, "maxLength": 90}),
        component("textfield", "code", properties={"check": "uscc", "personal": "true"}),
        component("textarea", "area", description="说明", properties={"description_en": "Hint"}),
        component("number", "number", validate={"min": 1, "max": 9}, decimalDigits=1, defaultValue=3),
        component("datetime", "day"),
        component("select", "select", properties={"options_from": "page"}),
        component("radio", "radio", values=choices("a", "b"), validate={"required": True}),
        component("checklist", "checklist", values=choices("a", "b"), properties={"label_en.a": "A"}),
        component("checkbox", "box", properties={"visible_if": "page.radio == 'a' and page.number > 2"}),
        component("filepicker", "file", accept=".pdf", properties={"required_if": "len(page.line) > 3"}),
        component("filepicker", "files", multiple=True, properties={"max_mb": "2"}),
        component("dynamiclist", "items", components=[component(key="inner"), component("number", "count")]),
        rules=[{"expect": "page.number < 5 or page.day > today()", "message": "规则", "message_en": "Rule"}],
    )


def form(*components: Any, name: str = "page", rules: Any = ()) -> Form:
    return parse_forms({name: schema(name, *components, rules=rules)})[name]


def findings(*schemas: dict[str, Any]) -> tuple[FormFinding, ...]:
    """What is found in form files that must be refused."""
    with pytest.raises(FormsRefused) as refused:
        parse_forms({one["id"]: one for one in schemas})
    return refused.value.findings


def accepted(page: Form, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The cleaned answers of a page of one form."""
    return validate([page], {page.name: answers}, data or {}, functions={"today": lambda: "2026-09-18"})[page.name]


def refused(page: Form, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The Chinese sentences, by path without the form's name, of a page that must be refused."""
    with pytest.raises(FormRefused) as wrong:
        validate([page], {page.name: answers}, data or {}, functions={"today": lambda: "2026-09-18"})
    return {path.removeprefix(f"{page.name}."): text.zh for path, text in wrong.value.errors.items()}
