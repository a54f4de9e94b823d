"""What the commands share: refusals as sentences with exit code 1, moments, people and answers from files."""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask import current_app

from engine import clock
from engine.clock import SHANGHAI
from engine.definitions.findings import Finding
from engine.errors import FormRefused, Invalid, Refusal
from engine.people.accounts import Actor, actor_named
from engine.reading.attachments import take_in
from engine.runtime.runtime import Runtime
from engine.runtime.trial import process_now, refuse_moved_clock
from engine.text import Language, Text
from web.settings import Settings


class AnswersUnreadable(Invalid):
    sentence = Text("无法读取填写内容 {path}：{problem}", "The answers in {path} can't be read: {problem}")


class Command(click.Command):
    """A command whose refusals end as a sentence on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            details = refusal.errors if isinstance(refusal, FormRefused) else {}
            lines = [refusal.to(language()), *(f"  {field}: {why.to(language())}" for field, why in details.items())]
            raise click.ClickException("\n".join(lines)) from refusal


def language() -> Language:
    """English for a terminal that is set to English, Chinese otherwise."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "en" if spoken.startswith("en") else "zh"


def say(text: Text) -> None:
    click.echo(text.to(language()))


def runtime() -> Runtime:
    """The engine, for a command that works with its data. Raises ClockMoved."""
    found: Runtime = current_app.extensions["runtime"]
    refuse_moved_clock(found)
    return found


def settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def now() -> datetime:
    """Process time."""
    return process_now(runtime(), clock.now())


def person(username: str) -> Actor:
    """Raises NotFound."""
    with runtime().database.read() as session:
        return actor_named(session, username)


def shown(moment: datetime | None) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if moment else "-"


def show_findings(findings: Iterable[Finding]) -> None:
    for finding in findings:
        where = f"{finding.element_id} {finding.element_name.to(language())}".strip() if finding.element_id else "-"
        click.echo(f"{finding.severity:8} {finding.rule}  {where}\n         {finding.message.to(language())}", err=True)


def read_answers(path: Path | None, actor: Actor) -> dict[str, dict[str, Any]]:
    """Answers from a JSON file, {form: {field: value}}. A value {"file": "name.pdf"} uploads the file of that name,
    relative to the JSON file, as the actor's. Raises AnswersUnreadable, FileRefused.
    """
    if path is None:
        return {}
    try:
        answers = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as problem:
        raise AnswersUnreadable(path=path, problem=problem) from problem
    if not isinstance(answers, dict) or not all(isinstance(given, dict) for given in answers.values()):
        raise AnswersUnreadable(path=path, problem='{"form": {"field": value}}')
    return {
        form: {key: _uploaded(value, path, actor) for key, value in given.items()} for form, given in answers.items()
    }


def _uploaded(value: Any, path: Path, actor: Actor) -> Any:
    if isinstance(value, list):
        return [_uploaded(inner, path, actor) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() != {"file"}:
        return {key: _uploaded(inner, path, actor) for key, inner in value.items()}
    file = path.parent / str(value["file"])
    try:
        with file.open("rb") as stream:
            return take_in(
                runtime(),
                stream=stream,
                name=file.name,
                accept=[file.suffix.lower()],
                max_bytes=settings().max_request_bytes,
                actor=actor,
                now=now(),
            ).as_answer()
    except OSError as problem:
        raise AnswersUnreadable(path=file, problem=problem.strerror) from problem
