"""Telling organisations something about an instance: in their inbox, and at their contacts outside the platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine.database import new_id
from engine.people.tables import Organisation
from engine.runtime.tables import Instance
from engine.telling import outbox
from engine.telling.tables import Notice, Severity
from engine.text import Text


def tell(
    session: Session,
    instance: Instance,
    organisations: Sequence[Organisation],
    text: Text,
    *,
    element_id: str,
    at: datetime,
    severity: Severity = Severity.INFO,
) -> None:
    """One notice to each organisation, and a message of it to each of its contacts. `element_id` is what it is about:
    a step of the diagram, or the process itself."""
    tell_each(
        session, [Letter(instance, organisation, text, element_id, at) for organisation in organisations], severity
    )


@dataclass(frozen=True, slots=True)
class Letter:
    """What one organisation is told about one instance."""

    instance: Instance
    organisation: Organisation
    text: Text
    element_id: str
    at: datetime


def tell_each(session: Session, letters: Sequence[Letter], severity: Severity = Severity.INFO) -> None:
    """A notice for each, of any number of instances, and a message of it to each contact. One statement."""
    notices = [
        (
            Notice(
                id=new_id(),
                organisation_id=letter.organisation.id,
                instance_id=letter.instance.id,
                element_id=letter.element_id,
                severity=severity,
                text=letter.text.zh,
                text_en=letter.text.en,
                at=letter.at,
            ),
            letter.instance,
            letter.organisation,
        )
        for letter in letters
    ]
    session.add_all(notice for notice, *_ in notices)
    outbox.enqueue(session, notices)
