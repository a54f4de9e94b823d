"""Erasing what was filled in from the rows of a closed instance, so that the audit trail stays sound.

Entries name answers by id and salted hash. An entry of its own says which rows were erased and what their hashes are
since; so what was erased is told apart from what was tampered with, and can't be changed afterwards either.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.database import new_id
from engine.definitions.fields import Field, Form
from engine.definitions.masking import ERASED
from engine.definitions.specs import Compiled
from engine.runtime import history, state
from engine.runtime.history import answers_hash, intervention_hash
from engine.runtime.tables import Answer, EventKind, Instance, Intervention

REMOVED = {"_removed": True}  # in place of answers that were removed; no field can have such a key


def without_people(form: Form, answers: Mapping[str, Any]) -> dict[str, Any]:
    """One form's answers with 〔已删除〕 in the place of what is personal."""
    return _without_people(form.questions, answers)


def record_erased(
    session: Session,
    instance: Instance,
    kind: EventKind,
    rows: Iterable[Answer | Intervention],
    *,
    at: datetime,
    actor_id: str | None,
    **details: Any,
) -> None:
    """The rows have been given what is left of them; the caller holds the lock on the instance's row."""
    erased = []
    for row in rows:
        row.salt = new_id()  # the old one would let whoever guesses a telephone number find out that it was right
        sha256 = answers_hash(row) if isinstance(row, Answer) else intervention_hash(row)
        erased.append({"id": row.id, "sha256": sha256})
    history.append(session, instance, kind, at=at, actor_id=actor_id, erased=erased, **details)


def forget_state(instance: Instance, compiled: Compiled) -> None:
    """Nothing waits in a closed instance, so nothing needs what its last steps knew."""
    workflow = state.load(instance.state, compiled)
    for level in (workflow, *workflow.subprocesses.values()):
        level.data = {}
        for task in level.tasks.values():
            task.data = {}
    instance.state = state.dump(workflow)


def _without_people(fields: Iterable[Field], answers: Mapping[str, Any]) -> dict[str, Any]:
    left = dict(answers)
    for field in fields:
        value = left.get(field.key)
        if value in (None, "", []):
            continue
        if field.personal is not None:
            left[field.key] = ERASED
        elif field.fields and isinstance(value, list):
            left[field.key] = [_without_people(field.fields, item) for item in value if isinstance(item, Mapping)]
    return left
