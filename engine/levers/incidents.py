"""What failed and was rolled back: trying it again, or putting it away with a reason. One or many at a time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import Conflict, NotFound, Refusal
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.runtime.reasons import checked
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import Incident, Instance, Timer
from engine.telling import outbox
from engine.text import Text

OPEN = Incident.resolved_at.is_(None)


class AlreadyResolved(Conflict):
    sentence = Text("所选故障已经处理过了。", "What was chosen is resolved already.")


@dataclass(frozen=True, slots=True)
class Retried:
    """How many of the incidents are resolved after trying them again, and how many failed once more."""

    succeeded: int
    failed: int


def count_open(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Incident).where(OPEN)) or 0


def retry(runtime: Runtime, incident_id: str, actor: Actor, now: datetime) -> None:
    """Bring the incident's instance up to date again; every open incident of the instance is resolved by success.
    One without an instance (its very start failed) is put away; a message that was given up is sent again.

    Raises NotFound, NotAllowed, AlreadyResolved, and Broken (which the open incident counts) where it fails once more.
    """
    access.require(actor, Action.ADMINISTER)
    with runtime.database.read() as session:
        incident = session.get(Incident, incident_id)
        if incident is None:
            raise NotFound()
        if incident.resolved_at:
            raise AlreadyResolved()
    with runtime.database.write() as session:  # whether or not it succeeds: a failure would undo its own entry
        record(
            session,
            SystemEventKind.INCIDENT_RETRIED,
            at=now,
            actor_id=actor.account_id,
            incident_id=incident_id,
            instance_id=incident.instance_id,
        )
    if incident.action == outbox.INCIDENT:  # the instance went on long ago; only the message has to be sent again
        with runtime.database.write() as session:
            outbox.send_again(session, incident_id)
            _mark(session, Incident.id == incident_id, actor, now)
        return
    if incident.instance_id is None:  # a start that failed left nothing to try again: whoever it was starts anew
        with runtime.database.write() as session:
            _mark(session, Incident.id == incident_id, actor, now)
        return
    with opened(runtime, incident.instance_id, now=now, action="retry") as run:
        refuse_suspended(run.session, run.instance)
        concerned = (Incident.instance_id == incident.instance_id) & (Incident.action != outbox.INCIDENT)
        _mark(run.session, concerned, actor, now)
        for timer in run.timers.values():
            timer.parked = False


def retry_many(runtime: Runtime, incident_ids: Iterable[str], actor: Actor, now: datetime) -> Retried:
    """Retry one after the other, each instance once; one that fails does not keep the rest from their turn.

    Raises NotAllowed. What somebody else resolved meanwhile counts as succeeded; an unknown id as failed.
    """
    access.require(actor, Action.ADMINISTER)
    succeeded = failed = 0
    broken: set[str] = set()  # instances: a second try of the same one would only fail the same way
    for incident_id in dict.fromkeys(incident_ids):
        with runtime.database.read() as session:
            incident = session.get(Incident, incident_id)
        if incident and incident.resolved_at:
            succeeded += 1
            continue
        concerns = incident.instance_id if incident and incident.action != outbox.INCIDENT else None
        try:
            if concerns in broken:
                failed += 1
                continue
            retry(runtime, incident_id, actor, now)
            succeeded += 1
        except AlreadyResolved:
            succeeded += 1
        except Refusal:
            failed += 1
            if concerns:
                broken.add(concerns)
    return Retried(succeeded, failed)


def resolve(runtime: Runtime, incident_ids: Collection[str], reason: str, actor: Actor, now: datetime) -> int:
    """Put incidents away without trying again; returns how many. The reason is kept.

    Limits that were parked by them run again: if the cause is still there, the next tick says so anew, rather than
    an instance standing still that nobody hears of. Raises NotAllowed, ReasonMissing, NotFound, AlreadyResolved.
    """
    access.require(actor, Action.ADMINISTER)
    reason = checked(reason)
    with runtime.database.write() as session:
        chosen = session.scalars(select(Incident).where(Incident.id.in_(incident_ids))).all()
        if len(chosen) < len(set(incident_ids)):
            raise NotFound()
        done = _mark(session, Incident.id.in_(incident_ids), actor, now, reason)
        if not done:
            raise AlreadyResolved()
        still_failing = select(Incident.instance_id).where(
            OPEN, Incident.instance_id.is_not(None), Incident.action != outbox.INCIDENT
        )
        session.execute(
            update(Timer)
            .where(Timer.instance_id.in_({incident.instance_id for incident in chosen if incident.instance_id}))
            .where(Timer.parked.is_(True), Timer.instance_id.not_in(still_failing))
            .values(parked=False)
        )
        for id_ in done:
            kind = SystemEventKind.INCIDENT_RESOLVED
            record(session, kind, at=now, actor_id=actor.account_id, incident_id=id_)
    return len(done)


def matching(element: str = "", cause: str = "") -> ColumnElement[bool]:
    """Incidents of one element of the diagrams (by id), and with some text in their cause or of one application."""
    found = OPEN | Incident.resolved_at.is_not(None)
    if element:
        found &= Incident.element_id == element
    if cause:
        numbered = select(Instance.id).where(or_(Instance.number == cause, Instance.id == cause))
        found &= or_(Incident.cause.icontains(cause, autoescape=True), Incident.instance_id.in_(numbered))
    return found


def open_ids(session: Session, where: ColumnElement[bool], limit: int | None = None) -> list[str]:
    """Those to retry, oldest first."""
    return list(session.scalars(select(Incident.id).where(OPEN, where).order_by(Incident.at, Incident.id).limit(limit)))


def _mark(session: Session, where: ColumnElement[bool], actor: Actor, now: datetime, reason: str = "") -> list[str]:
    """Resolve those that are open; their ids."""
    done = (
        update(Incident)
        .where(OPEN, where)
        .values(resolved_at=now, resolved_by=actor.account_id, reason=reason)
        .returning(Incident.id)
    )
    return list(session.scalars(done, execution_options={"synchronize_session": False}))
