"""Taking in what somebody filled in: validated, its files theirs, kept for ever as rows."""

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine import files
from engine.database import new_id
from engine.definitions.validation import validate
from engine.errors import FormRefused
from engine.files import StoredFile
from engine.people.accounts import Actor
from engine.runtime.tables import Answer
from engine.text import Text

if TYPE_CHECKING:
    from engine.runtime.run import Run

_NOT_YOURS = Text("找不到该附件，请重新上传。", "This file can't be found; upload it again.")


def accept(
    run: "Run",
    form_names: tuple[str, ...],
    answers: Mapping[str, Mapping[str, Any]],
    data: Mapping[str, Any],
    actor: Actor,
    *,
    task_id: str | None = None,
    message: str | None = None,
) -> tuple[dict[str, dict[str, Any]], list[Answer]]:
    """The answers as they enter the instance's data, one key per form, and the rows that keep them.

    Raises FormRefused; nothing is kept then.
    """
    forms = [run.compiled.forms[name] for name in form_names]
    stated = _with_stored_facts(run, answers, actor)
    given = validate(forms, stated, data, functions=run.workflow.script_engine.functions)
    if used := {value["file_id"] for _, value in _file_values(given, "")}:
        files.attach(run.session, sorted(used), run.instance.id)
    rows = []
    for form, values in given.items():
        values["submitted_at"] = run.now.isoformat()
        said = {
            "id": new_id(),
            "instance_id": run.instance.id,
            "task_id": task_id,
            "message": message,
            "form": form,
            "data": values,
            "by": actor.account_id,
            "at": run.now,
            "salt": new_id(),
        }
        rows.append(run.rows.add(Answer, said))
    return given, rows


def _with_stored_facts(
    run: "Run", answers: Mapping[str, Mapping[str, Any]], actor: Actor
) -> Mapping[str, Mapping[str, Any]]:
    """The answers with each file's name, size and hash as our row has them, so that the form's rules judge the file
    and not what the sender says of it. Raises FormRefused for a file that is neither a draft of the sender's
    organisation nor one it has handed in here before."""
    stated = copy.deepcopy(dict(answers))
    found = list(_file_values(stated, ""))
    if not found:
        return stated
    rows = {
        row.id: row
        for row in run.session.scalars(
            select(StoredFile).where(StoredFile.id.in_({str(value["file_id"]) for _, value in found}))
        )
        if row.organisation_id == actor.organisation_id and row.instance_id in (None, run.instance.id)
    }
    if strangers := {path: _NOT_YOURS for path, value in found if value["file_id"] not in rows}:
        raise FormRefused(strangers)
    for _, value in found:
        value.update(rows[value["file_id"]].as_answer())
    return stated


def _file_values(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every file among the answers, with the path of its field."""
    if isinstance(value, dict):
        if "file_id" in value:
            yield path, value
            return
        for key, inner in value.items():
            yield from _file_values(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _file_values(inner, f"{path}.{index}")
