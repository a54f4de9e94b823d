"""What a page of forms shows: each question with its answer so far, what is wrong with it and when it is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask_babel import gettext

from engine.definitions.fields import LIST, STATIC, Field, Form, answer_rows
from engine.definitions.validation import is_readonly, is_visible
from engine.text import Text
from web import conditions
from web.conditions import Condition
from web.language import t

Answers = Mapping[str, Mapping[str, Any]]
Params = dict[str, Any]  # of a component's macro


@dataclass(frozen=True, slots=True)
class Question:
    """One field in its place. `path` is its name and id in the page."""

    path: str
    field: Field
    value: Any
    error: str
    hints: str
    optional: bool
    readonly: bool
    show_if: Condition | None = None
    condition: str = ""  # in words, for readers without JavaScript
    items: tuple[tuple["Question", ...], ...] = ()  # of a list

    @property
    def label(self) -> str:
        return t(self.field.label) + (gettext("（选填）") if self.optional else "")

    @property
    def hint(self) -> Params | None:
        return {"text": self.hints} if self.hints else None

    @property
    def wrong(self) -> Params | None:
        return {"text": self.error, "visuallyHiddenText": gettext("错误")} if self.error else None

    @property
    def offered(self) -> list[Params]:
        return [{"value": option.value, "text": t(option.label)} for option in self.field.options]

    @property
    def asking(self) -> Params:
        """What the components for one input have in common."""
        label = {"text": self.label, "classes": "govuk-label--s"}
        return {"id": self.path, "name": self.path, "label": label, "hint": self.hint, "errorMessage": self.wrong}

    @property
    def choosing(self) -> Params:
        """What the components for several inputs under one legend have in common."""
        legend = {"text": self.label, "classes": "govuk-fieldset__legend--s"}
        return {
            "idPrefix": self.path,
            "name": self.path,
            "fieldset": {"legend": legend},
            "hint": self.hint,
            "errorMessage": self.wrong,
            "items": self.offered,
        }

    @property
    def shown(self) -> Any:
        """The answer as it is read out, where it can't be changed."""
        rows = answer_rows(Form("page", Text(""), (self.field,)), {"page": {self.field.key: self.value}})
        return rows[0][1] if rows else None

    @property
    def files(self) -> list[Mapping[str, Any]]:
        """The files uploaded so far, of a field that takes one or several."""
        given = self.value if isinstance(self.value, list) else [self.value]
        return [one for one in given if isinstance(one, Mapping) and "file_id" in one]


def questions(
    form: Form, forms: Sequence[Form], answers: Answers, errors: Mapping[str, Text], data: Mapping[str, Any]
) -> list[Question]:
    """The questions of one of the page's forms that are, or by another answer on the page may come to be, asked."""
    page = _PageView(forms, answers, errors, data)
    return [page.question(form, field) for field in form.fields if page.may_be_asked(field)]


def error_links(forms: Sequence[Form], errors: Mapping[str, Text]) -> list[dict[str, str]]:
    """What is wrong, in the order of the page, each with a link to its place."""
    order = [form.name for form in forms]
    keys = {form.name: [field.key for field in form.fields] for form in forms}

    def place(path: str) -> tuple[int, int, list[tuple[int, str]]]:
        name, _, rest = path.partition(".")
        key, *below = rest.split(".")
        fields = keys.get(name, [])
        form_place = order.index(name) if name in order else len(order)
        return form_place, fields.index(key) if key in fields else -1, [_natural(step) for step in below]

    return [{"text": t(errors[path]), "href": f"#{path}"} for path in sorted(errors, key=place)]


def read_out(form: Form, data: Mapping[str, Any]) -> list[tuple[Field, Any]]:
    """The rows of `render_answers`; `data` holds the form's answers under its name, or is those answers."""
    return answer_rows(form, data if form.name in data else {form.name: data})


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(form_questions=questions, error_links=error_links, answer_rows=read_out)
    app.jinja_env.tests["text"] = lambda value: isinstance(value, Text)


class _PageView:
    def __init__(
        self, forms: Sequence[Form], answers: Answers, errors: Mapping[str, Text], data: Mapping[str, Any]
    ) -> None:
        self.forms = forms
        self.answers = answers
        self.errors = errors
        self.data = data

    def may_be_asked(self, field: Field) -> bool:
        if field.visible_if is not None and not conditions.on_page(field.visible_if, self.forms):
            return is_visible(field, self.answers, self.data)
        return True

    def question(self, form: Form, field: Field) -> Question:
        path = f"{form.name}.{field.key}"
        readonly = is_readonly(field, self.answers, self.data)
        if readonly:
            value = self.data.get(form.name, {}).get(field.key)
        else:
            value = self.answers[form.name].get(field.key) if form.name in self.answers else field.default
        return self._question(field, path, value, readonly=readonly)

    def _question(self, field: Field, path: str, value: Any, *, readonly: bool = False) -> Question:
        show_if, condition = self._condition(field)
        hints = [t(field.description)] if t(field.description) else []
        if needed := field.required_if and conditions.simple(field.required_if, self.forms):
            hints.append(needed.words(demanded=True))
        return Question(
            path=path,
            field=field,
            value=value,
            error=t(self.errors.get(path)),
            hints=" ".join(hints),
            optional=not (field.required or field.required_if or field.min_items or field.type == STATIC),
            readonly=readonly,
            show_if=show_if,
            condition=condition,
            items=self._items(field, path, value) if field.type == LIST else (),
        )

    def _condition(self, field: Field) -> tuple[Condition | None, str]:
        if field.visible_if is None or not conditions.on_page(field.visible_if, self.forms):
            return None, ""
        if found := conditions.simple(field.visible_if, self.forms):
            return found, "" if field.type == STATIC else found.words()
        return None, gettext("视其他答案而定，不适用时可不填写")

    def _items(self, field: Field, path: str, value: Any) -> tuple[tuple[Question, ...], ...]:
        given = [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
        if not given and (field.required or field.min_items):
            given = [{}]
        return tuple(
            tuple(self._question(sub, f"{path}.{number}.{sub.key}", item.get(sub.key)) for sub in field.fields)
            for number, item in enumerate(given)
        )


def _natural(step: str) -> tuple[int, str]:
    return (int(step), "") if step.isdecimal() else (-1, step)
