"""In a trial: filling in a form with the samples that lie beside the diagrams, so that trying it out takes minutes.

A sample's button posts `_sample=form:name`; the page comes back with that form filled in, as if somebody had typed it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from flask import Flask

from engine.definitions.fields import Form
from engine.scenarios.reading import read_samples, without_label
from engine.scenarios.sampling import filled_in
from web.session import current_actor, now, runtime
from web.settings import ROOT


def offered(form: Form) -> list[tuple[str, str]]:
    """The form's sample buttons: value, and what it says. None outside a trial."""
    if not runtime().trial:
        return []
    named = _samples().get(form.name, {})
    return [(f"{form.name}:{name}", sample.get("_label", name)) for name, sample in named.items()]


def fill_in(answers: dict[str, dict[str, Any]], pressed: str) -> None:
    """Puts the sample whose button was pressed in place of what was typed into its form; outside a trial, nothing."""
    form, _, name = pressed.partition(":")
    sample = _samples().get(form, {}).get(name)
    if runtime().trial and sample is not None and form in answers:
        answers.update(filled_in(runtime(), {form: without_label(sample)}, current_actor(), now()))


def init_app(app: Flask) -> None:
    app.jinja_env.globals["form_samples"] = offered


@cache
def _samples() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Form → name → sample, of all processes in bpmn/."""
    folders = [path.parent for path in sorted((ROOT / "bpmn").glob("*/samples.yaml"))]
    return {form: named for folder in folders for form, named in read_samples(folder).answers.items()}
