"""What has been filled in in an instance, as readers see it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.fields import Form
from engine.people.accounts import Actor
from engine.people.tables import Account, Organisation
from engine.runtime.tables import Answer
from engine.runtime.timeline import who
from engine.text import Text


@dataclass(frozen=True, slots=True)
class AnsweredForm:
    """One form as somebody handed it in."""

    name: str
    form: Form | None  # none: the version the instance runs on no longer has it
    data: Mapping[str, Any]
    by: Text
    at: datetime
    task_id: str | None
    message: str | None
    newest: bool  # of its form: the one that counts


def answers(session: Session, instance_id: str, forms: Mapping[str, Form], actor: Actor) -> tuple[AnsweredForm, ...]:
    """Everything that was filled in, oldest first. One statement."""
    rows = session.execute(
        select(Answer, Account.name, Organisation.id, Organisation.name, Organisation.name_en)
        .join(Account, Account.id == Answer.by)
        .join(Organisation, Organisation.id == Account.organisation_id)
        .where(Answer.instance_id == instance_id)
        .order_by(Answer.at, Answer.id)
    ).all()
    newest = {row[0].form: row[0].id for row in rows}
    return tuple(
        AnsweredForm(
            name=answer.form,
            form=forms.get(answer.form),
            data=answer.data,
            by=who(actor, organisation_id, Text(name, name_en), person),
            at=answer.at,
            task_id=answer.task_id,
            message=answer.message,
            newest=newest[answer.form] == answer.id,
        )
        for answer, person, organisation_id, name, name_en in rows
    )


def newest_by_form(answered: Iterable[AnsweredForm]) -> dict[str, Mapping[str, Any]]:
    """Form → the answers that count."""
    return {each.name: each.data for each in answered if each.newest}
