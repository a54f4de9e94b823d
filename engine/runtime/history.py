"""Adding to an instance's history, which is its stream of the audit trail. The only maker of `events`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.audit.chain import entry_hash, link, moment
from engine.runtime.rows import in_hand
from engine.runtime.tables import Answer, Event, EventKind, Instance, Intervention

INTERVENTION = "intervention"  # in an entry's details: id and hash of the row it refers to


def append(
    session: Session,
    instance: Instance,
    kind: EventKind,
    *,
    at: datetime,
    element_id: str | None = None,
    actor_id: str | None = None,
    **details: Any,
) -> None:
    """One more line, linked to the one before; the caller holds the lock on the instance's row. It is written with the
    rows of the instances in hand, where the transaction has some."""
    at = instance.history_at = moment_in(instance, at)
    instance.history_length += 1
    instance.history_head = entry_hash(
        instance.history_head,
        stream=instance.id,
        sequence=instance.history_length,
        at=at,
        kind=kind,
        element_id=element_id,
        actor_id=actor_id,
        details=details,
    )
    entry = {
        "instance_id": instance.id,
        "sequence": instance.history_length,
        "at": at,
        "kind": kind,
        "element_id": element_id,
        "actor_id": actor_id,
        "details": details,
        "hash": instance.history_head,
    }
    if rows := in_hand(session):
        rows.append(Event, entry)
    else:
        session.add(Event(**entry))


def moment_in(instance: Instance, now: datetime) -> datetime:
    """`now`, or the moment of the instance's last event if that is later: history never goes backwards.

    Whoever waited for the lock asked for the time before somebody else did something, and no two clocks agree.
    """
    return max(now, instance.history_at or now)


def referred_to(answers: Iterable[Answer]) -> list[dict[str, str]]:
    """Answers as an entry names them: what they say stays out of the audit trail, but can't change unnoticed."""
    return [{"id": answer.id, "sha256": answers_hash(answer)} for answer in answers]


def answers_hash(answer: Answer) -> str:
    """Salted, so that it tells nothing about answers that are erased together with their salt."""
    return link(
        answer.salt,
        answer.id,
        answer.instance_id,
        answer.task_id,
        answer.message,
        answer.form,
        answer.data,
        answer.by,
        moment(answer.at),
    )


def intervention_hash(row: Intervention) -> str:
    """Salted, as an answer's."""
    said = (row.kind, row.element_id, row.reason, row.basis, row.details)
    return link(row.salt, row.id, row.instance_id, *said, row.by, moment(row.at))
