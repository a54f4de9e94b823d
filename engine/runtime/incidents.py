"""What failed and was rolled back, and trying it again."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.runtime import outbox
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.tables import Incident, Timer


def open_incidents(session: Session) -> list[Incident]:
    return list(session.scalars(select(Incident).where(Incident.resolved_at.is_(None)).order_by(Incident.at.desc())))


def retry(runtime: Runtime, incident_id: str, actor: Actor, now: datetime) -> None:
    """Bring the incident's instance up to date again; every open incident of the instance is resolved by success.
    One without an instance (its very start failed) is put away; a message that was given up is sent again.

    Raises NotFound, NotAllowed, and Broken (with a new incident) where it fails once more.
    """
    access.require(actor, Action.ADMINISTER)
    with runtime.database.read() as session:
        incident = session.get(Incident, incident_id)
        if incident is None:
            raise NotFound()
    if incident.instance_id is None:  # a start that failed left nothing to try again: whoever it was starts anew
        with runtime.database.write() as session:
            session.get_one(Incident, incident_id).resolved_at = now
        return
    if incident.action == outbox.INCIDENT:  # the instance went on long ago; only the message has to be sent again
        with runtime.database.write() as session:
            outbox.send_again(session, incident_id)
            session.get_one(Incident, incident_id).resolved_at = now
        return
    with opened(runtime, incident.instance_id, now=now, action="retry") as run:
        run.session.execute(
            update(Incident)
            .where(
                Incident.instance_id == incident.instance_id,
                Incident.resolved_at.is_(None),
                Incident.action != outbox.INCIDENT,
            )
            .values(resolved_at=now)
        )
        run.session.execute(update(Timer).where(Timer.instance_id == incident.instance_id).values(parked=False))
