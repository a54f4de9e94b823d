"""One component of a form file → one field, with a finding for all in it that could not work."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.definitions.checks import CHECKS
from engine.definitions.cleaning import clean, tidy
from engine.definitions.component import Component, listed, path
from engine.definitions.fields import (
    CHOICES,
    LIST,
    MAX_FILE_MEGABYTES,
    MAX_ITEMS,
    MAX_LENGTH,
    STATIC,
    TYPES,
    Field,
    Option,
    Personal,
)
from engine.definitions.form_findings import Findings, key_problem
from engine.text import Text

MAX_COMPONENTS = 200
MAX_OPTIONS = 500
_LONGEST_ANSWER = 20_000  # characters a form file may allow

_ENDING = re.compile(r"\.[a-z0-9]{1,10}")

# What form-js would do by itself, and what to write here instead.
_NOT_OURS: Mapping[str, Text] = {
    "conditional": Text("visible_if", "visible_if"),
    "valuesKey": Text("values 或 options_from", "values or options_from"),
    "valuesExpression": Text("values 或 options_from", "values or options_from"),
    "disallowPassedDates": Text(
        "规则（rules），如 basic.day >= today()", "a rule (rules), such as basic.day >= today()"
    ),
}


def read_fields(components: Any, findings: Findings, parent: str | None = None) -> tuple[Field, ...]:
    """The fields of a form, or of the list called `parent`. What can't be used is left out and found."""
    if not isinstance(components, list):
        findings.add(parent, "components 应为列表。", "components must be a list.")
        return ()
    if len(components) > MAX_COMPONENTS:
        findings.add(
            parent,
            "最多 {count} 个组件，请拆成几个表单。",
            "at most {count} components; make it several forms.",
            count=MAX_COMPONENTS,
        )
        return ()
    fields = [field for component in components if (field := _field(Component(component, findings, parent)))]
    keys = [field.key for field in fields if field.key]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        findings.add(
            path(parent, key), "键重复，每个字段的键必须不同。", "the key occurs twice; each field needs its own."
        )
    return tuple(fields)


def _field(component: Component) -> Field | None:
    if component.type is None:
        component.add(
            "不支持类型“{type}”；可用的类型：{known}。",
            "the type “{type}” is not known here; known are {known}.",
            type=component.raw.get("type"),
            known=listed(TYPES),
        )
        return None
    _refuse_what_only_form_js_does(component)
    _refuse_what_lists_lack(component)
    if component.type == STATIC:
        return Field("", STATIC, component.label("text", "text_en"), visible_if=component.expression("visible_if"))
    if problem := key_problem(component.key):
        component.add("{problem}", "{problem}", problem=problem)
        return None
    options_from = tuple(component.properties.get("options_from", "").split())
    field = Field(
        key=str(component.key),
        type=component.type,
        label=component.label("dateLabel" if component.type == "datetime" else "label", "label_en"),
        description=Text(component.text("description"), component.properties.get("description_en", "")),
        required=component.flag(component.validate, "required"),
        required_if=component.expression("required_if"),
        visible_if=component.expression("visible_if"),
        readonly_if=_readonly(component),
        check=_check(component),
        options=() if options_from or component.type not in CHOICES else _options(component),
        options_from=options_from,
        impersonal=component.properties.get("personal") == "false",
    )
    return _with_default(component, _with_details(component, _with_personal(component, field)))


def _refuse_what_only_form_js_does(component: Component) -> None:
    for name, instead in _NOT_OURS.items():
        if component.raw.get(name):
            component.add(
                "{name} 在本系统中不起作用，请改用 {instead}。",
                "{name} does nothing here; use {instead}.",
                name=name,
                instead=instead,
            )
    for name in ("label", "dateLabel", "text", "description"):
        if component.text(name).startswith("="):
            component.add(
                "{name} 只能是文字，不能是 FEEL 公式。",
                "{name} must be plain text, not a FEEL expression.",
                name=name,
            )
    if component.type == "datetime" and component.raw.get("subtype") != "date":
        component.add("日期组件的 subtype 只能是 date。", "a datetime component must have the subtype date.")


def _refuse_what_lists_lack(component: Component) -> None:
    if component.parent is None:
        return
    if component.type in {LIST, "filepicker"}:
        component.add("列表内不能再有列表或文件。", "a list can't hold another list or files.")
    for name in ("visible_if", "required_if", "readonly_if"):
        if name in component.properties:
            component.add("列表内的字段不支持 {name}。", "{name} does not work inside a list.", name=name)


def _readonly(component: Component) -> str | None:
    always = component.flag(component.raw, "readonly") or component.flag(component.raw, "disabled")
    return "True" if always else component.expression("readonly_if")


def _check(component: Component) -> str | None:
    name = component.properties.get("check", "")
    kind = component.validate.get("validationType") if component.type == "textfield" else None
    if not name and kind in ("email", "phone"):  # what form-js's editor calls its own checks of these
        return str(kind)
    if kind not in (None, "", "email", "phone"):
        component.add("不支持校验类型“{kind}”。", "the validation type “{kind}” is not known here.", kind=kind)
    if name and name not in CHECKS:
        component.add(
            "没有名为“{name}”的校验；可用：{known}。",
            "there is no check “{name}”; known are {known}.",
            name=name,
            known=listed(CHECKS),
        )
        return None
    return name or None


_KIND_OF_CHECK = {"mobile": Personal.PHONE, "phone": Personal.PHONE, "email": Personal.EMAIL}
_IN_TEXT = frozenset({"textfield", "textarea"})


def _with_personal(component: Component, field: Field) -> Field:
    """Whose answer is personal data: "true" goes by the field's check, and without one nothing of it is shown."""
    said = component.properties.get("personal", "")
    if said in {"", "false"}:
        return field
    if field.type == LIST:
        component.add(
            "列表本身不能标为个人信息，请标在列表内的字段上。",
            "a list itself can't be marked as personal; mark the fields in it.",
        )
        return field
    if said == "true":
        return replace(field, personal=_KIND_OF_CHECK.get(field.check or "", Personal.OTHER))
    kinds = {kind.value for kind in Personal} - {Personal.OTHER.value}
    if said not in kinds:
        component.add(
            "personal 不能是“{said}”；可用：{known}。",
            "personal can't be “{said}”; known are {known}.",
            said=said,
            known=listed(kinds | {"true", "false"}),
        )
        return field
    if field.type not in _IN_TEXT:
        component.add(
            "personal 为“{said}”的只能是文本字段；其他类型请写 true。",
            "only a text can be personal as “{said}”; write true for other types.",
            said=said,
        )
        return field
    return replace(field, personal=Personal(said))


def _options(component: Component) -> tuple[Option, ...]:
    raw = component.raw.get("values")
    if not isinstance(raw, list) or not raw or len(raw) > MAX_OPTIONS:
        component.add(
            "缺少选项：请填写 values，或用 options_from 指定表单。",
            "it has no options: fill in values, or name forms in options_from.",
        )
        return ()
    options = []
    for one in raw:
        label, value = (one.get("label"), one.get("value")) if isinstance(one, dict) else (None, None)
        if (
            not isinstance(label, str)
            or not isinstance(value, str)
            or not tidy(label, lines=False)
            or not 0 < len(value) <= 200
        ):
            component.add(
                "每个选项都要有文字 label 和 value（最多 200 个字符）。",
                "each option needs a label and a value (at most 200 characters), both text.",
            )
        elif value != tidy(value, lines=False):
            component.add(
                "选项值“{value}”含有空白或不可见字符。",
                "the option value “{value}” holds blanks or invisible characters.",
                value=value,
            )
        else:
            options.append(
                Option(value, Text(tidy(label, lines=False), component.properties.get(f"label_en.{value}", "")))
            )
    values = [option.value for option in options]
    for value in sorted({value for value in values if values.count(value) > 1}):
        component.add("选项值“{value}”重复。", "the option value “{value}” occurs twice.", value=value)
    for name in component.properties:
        if name.startswith("label_en.") and name.removeprefix("label_en.") not in values:
            component.add("{name} 没有对应的选项。", "{name} belongs to no option.", name=name)
    return tuple(options)


def _with_details(component: Component, field: Field) -> Field:
    """What only this type has."""
    if field.type in MAX_LENGTH:
        longest = component.whole(component.validate, "maxLength", 1, _LONGEST_ANSWER, MAX_LENGTH[field.type])
        return replace(
            field, max_length=longest, min_length=component.whole(component.validate, "minLength", 0, longest, 0)
        )
    if field.type == "number":
        low, high = component.number("min"), component.number("max")
        if low is not None and high is not None and low > high:
            component.add("min 大于 max。", "min is greater than max.")
        digits = component.whole(component.raw, "decimalDigits", 0, 10, -1)
        return replace(field, minimum=low, maximum=high, decimals=None if digits < 0 else digits)
    if field.type == "filepicker":
        return replace(
            field,
            accept=_accept(component),
            max_bytes=_max_bytes(component),
            multiple=component.flag(component.raw, "multiple"),
        )
    if field.type == LIST and component.parent is None:
        fields = read_fields(component.raw.get("components"), component.findings, field.key)
        if not any(inner.key for inner in fields):
            component.add("列表内没有字段。", "the list holds no field.")
        return replace(
            field, fields=fields, min_items=component.whole(component.properties, "min_items", 0, MAX_ITEMS, 0)
        )
    return field


def _with_default(component: Component, field: Field) -> Field:
    default = component.raw.get("defaultValue")
    if default is None or default == "" or field.type in {LIST, "filepicker"} or field.options_from:
        return field
    cleaned = clean(field, default)
    if cleaned.errors:
        component.add(
            "默认值不可用：{why}", "the default can't be used: {why}", why=next(iter(cleaned.errors.values()))
        )
    return replace(field, default=cleaned.value)


def _accept(component: Component) -> tuple[str, ...]:
    endings = tuple(one.strip().lower() for one in component.text("accept").split(",") if one.strip())
    if not all(_ENDING.fullmatch(ending) for ending in endings):
        component.add(
            "accept 应为以逗号分隔的扩展名，如 .pdf,.png。",
            "accept lists endings with commas between, such as .pdf,.png.",
        )
        return ()
    return endings


def _max_bytes(component: Component) -> int:
    text = component.properties.get("max_mb", "")
    if not text:
        return MAX_FILE_MEGABYTES * 1024 * 1024
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not 0 < float(text) <= 1024:
        component.add(
            "max_mb 应为大于 0、不超过 1024 的数字（MB）。",
            "max_mb must be a number of megabytes above 0, up to 1024.",
        )
        return MAX_FILE_MEGABYTES * 1024 * 1024
    return int(float(text) * 1024 * 1024)
