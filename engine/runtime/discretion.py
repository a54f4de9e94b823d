"""What an operator is told of a failure: the error, without the people it is about."""

from collections.abc import Collection
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.fields import Personal
from engine.definitions.masking import personal_values, without_personal
from engine.errors import Refusal
from engine.runtime.runtime import Definitions
from engine.runtime.tables import Answer, Instance


def discreet(session: Session, definitions: Definitions, instance_ids: Collection[str], *texts: str) -> list[str]:
    """The texts with the personal data of these instances masked, and with whatever looks like some."""
    known: set[tuple[Personal, str]] = set()
    filled_in = select(Instance.version_id, Answer.form, Answer.data).join(Answer, Answer.instance_id == Instance.id)
    for version_id, name, data in session.execute(filled_in.where(Instance.id.in_(instance_ids))):
        with suppress(Refusal):  # a version that can't be read may be the very failure
            if form := definitions.get(session, version_id).forms.get(name):
                known.update(personal_values(form, data))
    return [without_personal(text, known) for text in texts]
