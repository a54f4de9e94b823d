"""From form files (form-js schemas, version 19) to forms the engine can rely on, or the findings on what is wrong.

form-js keeps what we add in each component's `properties`, as texts that its editor can edit: `label_en` (and
`label_en.<value>` for an option), `description_en`, `text_en`, `check`, `required_if`, `visible_if`, `readonly_if`,
`options_from`, `min_items`, `max_mb`, `personal`. The form's own `properties` hold `title`, `title_en` and `rules`.
Whatever form-js knows and we do not (FEEL conditions, patterns) is a finding: it would look as if it worked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from engine.definitions import expressions
from engine.definitions.cleaning import tidy
from engine.definitions.component import FUNCTIONS
from engine.definitions.expressions import ExpressionRefused
from engine.definitions.field_files import read_fields
from engine.definitions.fields import LIST, Field, Form, Option, Rule, answer_rows
from engine.definitions.form_findings import Findings, FormFinding, key_problem
from engine.errors import Invalid
from engine.text import Text

__all__ = ["Field", "Form", "FormFinding", "FormsRefused", "Option", "Rule", "answer_rows", "parse_forms"]

_RULE_PARTS = frozenset({"expect", "field", "message", "message_en"})


class FormsRefused(Invalid):
    """Form files that can't be used; `findings` says where and why."""

    sentence = Text("表单文件有 {count} 处问题：{first}", "The form files have {count} problems. The first: {first}")

    def __init__(self, findings: tuple[FormFinding, ...]) -> None:
        self.findings = findings
        super().__init__(count=len(findings), first=findings[0].message)


def parse_forms(schemas: Mapping[str, Any]) -> dict[str, Form]:
    """Name → schema becomes name → form. Raises FormsRefused with every finding; never anything else."""
    found: list[FormFinding] = []
    forms: dict[str, Form] = {}
    for name, schema in schemas.items():
        findings = Findings(name)
        forms[name] = _form(name, schema, findings)
        found += findings.found
    for form in forms.values():
        findings = Findings(form.name)
        forms[form.name] = replace(form, fields=tuple(_with_options(field, forms, findings) for field in form.fields))
        for key, expression in _expressions(form):
            _check_paths(key, expression, forms, findings)
        found += findings.found
    if found:
        raise FormsRefused(tuple(dict.fromkeys(found)))
    return forms


def _form(name: str, schema: Any, findings: Findings) -> Form:
    if problem := key_problem(name):
        findings.add(None, "名称不可用：{problem}", "the name can't be used: {problem}", problem=problem)
    if not isinstance(schema, dict):
        findings.add(None, "内容应为 form-js 表单（JSON 对象）。", "it must be a form-js form (a JSON object).")
        return Form(name, Text(name), ())
    if schema.get("type") != "default":
        findings.add(None, "type 应为 default。", "its type must be default.")
    if schema.get("id") != name:
        findings.add(
            None, "id“{id}”与文件名不一致。", "its id “{id}” must be the name of the file.", id=schema.get("id")
        )
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    title, title_en = properties.get("title"), properties.get("title_en", "")
    if not isinstance(title, str) or not tidy(title, lines=False) or not isinstance(title_en, str):
        findings.add(
            None, "缺少标题：properties 中要有文字 title（英文为 title_en）。",
            "it has no title: properties need the text title (title_en in English).",
        )  # fmt: skip
        title, title_en = name, ""
    fields = read_fields(schema.get("components"), findings)
    return Form(
        name,
        Text(tidy(title, lines=False), tidy(title_en, lines=False)),
        fields,
        _rules(properties.get("rules", []), fields, findings),
    )


def _rules(raw: Any, fields: tuple[Field, ...], findings: Findings) -> tuple[Rule, ...]:
    if not isinstance(raw, list) or len(raw) > 100:
        findings.add(None, "rules 应为列表（最多 100 条）。", "rules must be a list of at most 100.")
        return ()
    rules = (_rule(one, {field.key for field in fields if field.key}, findings) for one in raw)
    return tuple(rule for rule in rules if rule is not None)


def _rule(raw: Any, keys: set[str], findings: Findings) -> Rule | None:
    if not isinstance(raw, dict) or not all(isinstance(part, str) for part in raw.values()) or set(raw) - _RULE_PARTS:
        findings.add(
            None, "每条规则只能有 expect、field、message、message_en，且均为文字。",
            "a rule consists of expect, field, message and message_en, all of them text.",
        )  # fmt: skip
        return None
    expect, message, message_en, field = (
        tidy(raw.get(part, ""), lines=False) for part in ("expect", "message", "message_en", "field")
    )
    if not expect or not message:
        findings.add(None, "规则缺少 expect 或 message。", "a rule lacks its expect or its message.")
        return None
    if field and field not in keys:
        findings.add(
            None,
            "规则指向不存在的字段“{key}”。",
            "a rule names the field “{key}”, which is not there.",
            key=field,
        )
        return None
    try:
        expressions.check(expect, FUNCTIONS)
    except ExpressionRefused as refused:
        findings.add(field or None, "规则：{why}", "rule: {why}", why=refused.text)
        return None
    return Rule(expect, Text(message, message_en), field or None)


def _with_options(field: Field, forms: Mapping[str, Form], findings: Findings, parent: str = "") -> Field:
    """The field with the options it takes from other forms: "form.field", labelled with both their titles."""
    at = f"{parent}{field.key}"
    if field.type == LIST:
        inner = tuple(_with_options(one, forms, findings, f"{field.key}.") for one in field.fields)
        return replace(field, fields=inner)
    options = []
    for name in field.options_from:
        if name not in forms:
            findings.add(
                at,
                "options_from 指向不存在的表单“{name}”。",
                "options_from names the form “{name}”, which is not there.",
                name=name,
            )
            continue
        for one in forms[name].questions:
            label = Text("{form}：{label}", "{form}: {label}").filled(form=forms[name].title, label=one.label)
            options.append(Option(f"{name}.{one.key}", label))
    return replace(field, options=tuple(options)) if field.options_from else field


def _expressions(form: Form) -> Iterator[tuple[str | None, str]]:
    for field in form.fields:
        for expression in (field.visible_if, field.required_if, field.readonly_if):
            if expression is not None:
                yield field.key or None, expression
    for rule in form.rules:
        yield rule.field, rule.expect


def _check_paths(key: str | None, expression: str, forms: Mapping[str, Form], findings: Findings) -> None:
    """A variable of a known form that the form does not have would make its condition never hold."""
    for path in sorted(expressions.check(expression, FUNCTIONS)):
        name, _, rest = path.partition(".")
        field = rest.partition(".")[0].partition("[")[0]
        if name in forms and field and field != "submitted_at" and forms[name].field(field) is None:
            findings.add(
                key,
                "表单“{name}”没有字段“{key}”。",
                "the form “{name}” has no field “{key}”.",
                name=name,
                key=field,
            )
