"""Legal holds (保留): keeping one application's content beyond its retention period, with a reason; lifting that."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.orm import Session

from engine.errors import Conflict, NotFound
from engine.levers.interventions import record_in
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.privacy.tables import LegalHold, Removal
from engine.runtime.reasons import checked
from engine.runtime.rows import locked_rows
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EventKind, Instance
from engine.text import Text


class Held(Conflict):
    sentence = Text("该申请已设为保留。", "This application is held already.")


class NotHeld(Conflict):
    sentence = Text("该申请没有设为保留。", "This application is not held.")


class ContentGone(Conflict):
    sentence = Text(
        "该申请的内容已按保存期限删除，不能再保留。",
        "The content of this application was removed at the end of its time; there is nothing left to hold.",
    )


def hold(runtime: Runtime, instance_id: str, reason: str, actor: Actor, now: datetime) -> None:
    """Whatever its period says, nothing of the instance is removed, nor erased for a person, until `lift`. Running or
    closed. Raises NotAllowed, NotFound, ReasonMissing, Held, ContentGone."""
    with _locked(runtime, instance_id, reason, actor) as (session, instance):
        if session.get(LegalHold, instance_id):
            raise Held()
        if session.get(Removal, instance_id):
            raise ContentGone()
        row = record_in(session, instance, EventKind.HELD, actor, reason, at=now)
        session.flush()
        session.add(LegalHold(instance_id=instance_id, intervention_id=row.id, since=row.at))


def lift(runtime: Runtime, instance_id: str, reason: str, actor: Actor, now: datetime) -> None:
    """Its period counts again; what is past it goes at the next round. Raises NotAllowed, NotFound, ReasonMissing,
    NotHeld."""
    with _locked(runtime, instance_id, reason, actor) as (session, instance):
        held = session.get(LegalHold, instance_id)
        if held is None:
            raise NotHeld()
        session.delete(held)
        record_in(session, instance, EventKind.HOLD_LIFTED, actor, reason, at=now)


@contextmanager
def _locked(runtime: Runtime, instance_id: str, reason: str, actor: Actor) -> Iterator[tuple[Session, Instance]]:
    """The workflow stays as it is, and so is not loaded."""
    access.require(actor, Action.INTERVENE)
    checked(reason)
    with runtime.database.write() as session:
        instance = session.scalar(locked_rows(Instance.id == instance_id))
        if instance is None:
            raise NotFound()
        yield session, instance
