"""Whether a page of answers may be taken in: the only judge, asked by pages, scenarios and the command line alike."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from engine.definitions.cleaning import Cleaned, clean, missing, unanswered
from engine.definitions.expressions import VariableMissing, evaluate
from engine.definitions.fields import LIST, Field, Form, Rule
from engine.errors import FormRefused, Refusal
from engine.text import Text

Functions = Mapping[str, Callable[..., Any]]
Answers = Mapping[str, Mapping[str, Any]]

_NONE: Functions = MappingProxyType({})
_UNCLEAR = Text(
    "“{label}”的填写条件无法计算，请联系管理员检查表单。",
    "A condition of “{label}” can't be worked out. Ask an administrator to look at the form.",
)
_RULE_UNCLEAR = Text(
    "本页的填写规则无法计算，请联系管理员检查表单。",
    "A rule of this page can't be worked out. Ask an administrator to look at the form.",
)


def validate(
    forms: Sequence[Form], answers: Answers, data: Mapping[str, Any], *, functions: Functions = _NONE
) -> dict[str, dict[str, Any]]:
    """The answers of a page, cleaned, under one key per form. Raises FormRefused with all that is wrong at once.

    `answers` are the page's, `data` what the instance knows so far, `functions` what expressions may call (`today()`
    answers an ISO date). Unknown keys and hidden fields are dropped, unanswered ones are absent, and a read-only
    field keeps what `data` says.
    """
    page = _Page(forms, answers, data, functions)
    if errors := page.errors:
        raise FormRefused(errors)
    return page.values


def is_visible(field: Field, answers: Answers, data: Mapping[str, Any], *, functions: Functions = _NONE) -> bool:
    """Whether a field is asked, given the page's answers so far (`{form: {field: value}}`) and earlier data."""
    return field.visible_if is None or _holds(field.visible_if, _scope(answers, data), functions) is not False


def is_readonly(field: Field, answers: Answers, data: Mapping[str, Any], *, functions: Functions = _NONE) -> bool:
    """Whether a field only shows what `data` says, given the page's answers so far and earlier data."""
    return field.readonly_if is not None and _holds(field.readonly_if, _scope(answers, data), functions) is True


def _holds(expression: str, scope: Mapping[str, Any], functions: Functions) -> bool | None:
    """What a condition says: false while an answer it reads is missing, None when it can't be worked out at all."""
    try:
        return bool(evaluate(expression, scope, functions))
    except VariableMissing:
        return False
    except Refusal:
        return None


def _scope(answers: Answers, data: Mapping[str, Any]) -> dict[str, Any]:
    """What expressions read: earlier data, with the page's answers in place of earlier ones to the same forms.

    When a form was last handed in (`submitted_at`) stays known, so that a rule can tell an amendment from a first try.
    """
    scope = dict(data)
    for name, values in answers.items():
        scope[name] = dict(values) if isinstance(values, Mapping) else {}
        if (stamp := _get(data.get(name), "submitted_at")) is not None:
            scope[name]["submitted_at"] = stamp
    return scope


class _Page:
    """One validation: what is kept so far, and what is wrong so far, by field."""

    def __init__(self, forms: Sequence[Form], answers: Answers, data: Mapping[str, Any], functions: Functions) -> None:
        self.data = data
        self.functions = functions
        self.questions = [(form.name, field) for form in forms for field in form.questions]
        self.values: dict[str, dict[str, Any]] = {form.name: {} for form in forms}
        self.wrong: dict[tuple[str, str], dict[str, Text]] = {}  # (form, field) → path below the field → sentence
        self.settled: set[tuple[str, str]] = set()  # hidden or read-only: nobody can be asked to change these
        for name, field in self.questions:
            given = _get(_get(answers, name), field.key)
            self._keep(name, field, clean(field, given))
        self._restore_readonly()
        self._drop_hidden()
        self._demand_required()
        for form in forms:
            for rule in form.rules:
                self._apply(form.name, rule)

    @property
    def errors(self) -> dict[str, Text]:
        """In the order of the page; what concerns a whole form comes last."""
        places = [(name, field.key) for name, field in self.questions] + [(name, "") for name in self.values]
        return {
            ".".join(part for part in (*place, path) if part): text
            for place in places
            for path, text in self.wrong.get(place, {}).items()
        }

    def _keep(self, name: str, field: Field, found: Cleaned) -> None:
        if found.value is not None:
            self.values[name][field.key] = found.value
        if found.errors:
            self.wrong[name, field.key] = dict(found.errors)

    def _restore_readonly(self) -> None:
        for name, field in self.questions:
            if self._condition(name, field, field.readonly_if):
                self._settle(name, field)
                earlier = _get(_get(self.data, name), field.key)
                if earlier is not None:
                    self.values[name][field.key] = earlier

    def _drop_hidden(self) -> None:
        """Drop what is not asked; a condition doesn't see the answers of hidden fields, so this runs until it rests."""
        conditional = [(name, field) for name, field in self.questions if field.visible_if is not None]
        sent = {name: dict(values) for name, values in self.values.items()}
        hidden: set[tuple[str, str]] = set()
        for _ in range(len(conditional) + 1):
            seen = {n: {k: v for k, v in values.items() if (n, k) not in hidden} for n, values in sent.items()}
            now = {(n, f.key) for n, f in conditional if not is_visible(f, seen, self.data, functions=self.functions)}
            if now == hidden:
                break
            hidden = now
        for name, field in conditional:
            if (name, field.key) in hidden:
                self._settle(name, field)
        for name, field in conditional:
            self._condition(name, field, field.visible_if)  # says so where it can't be worked out

    def _demand_required(self) -> None:
        for name, field in self.questions:
            if (name, field.key) in self.settled or (name, field.key) in self.wrong:
                continue
            value = self.values[name].get(field.key)
            demanded = field.required or self._condition(name, field, field.required_if)
            too_few = field.min_items > len(value or ()) if field.type == LIST else False
            if too_few or (demanded and unanswered(field, value)):
                self.wrong[name, field.key] = {"": missing(field)}

    def _apply(self, name: str, rule: Rule) -> None:
        at = (name, rule.field or "")
        if at in self.settled:
            at = (name, "")  # the rule still holds, but nobody could correct it there
        if at in self.wrong:
            return
        try:
            held = evaluate(rule.expect, _scope(self.values, self.data), self.functions)
        except VariableMissing:
            return  # not answered, or answered wrongly and told so already
        except Refusal:
            self.wrong[at] = {"": _RULE_UNCLEAR}
            return
        if not held:
            self.wrong[at] = {"": rule.message}

    def _condition(self, name: str, field: Field, expression: str | None) -> bool:
        if expression is None:
            return False
        held = _holds(expression, _scope(self.values, self.data), self.functions)
        if held is None:
            self.wrong[name, field.key] = {"": _UNCLEAR.filled(label=field.label)}
        return held is True

    def _settle(self, name: str, field: Field) -> None:
        self.values[name].pop(field.key, None)
        self.wrong.pop((name, field.key), None)
        self.settled.add((name, field.key))


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None
