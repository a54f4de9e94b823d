"""What failed, as an administrator looks at it: alike failures together, the history of those that were resolved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.levers.incidents import OPEN, matching
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Account
from engine.runtime.runtime import Definitions
from engine.runtime.tables import Incident, Instance
from engine.runtime.wording import element_name
from engine.text import Text


@dataclass(frozen=True, slots=True)
class IncidentLine:
    id: str
    instance_id: str | None  # none: its start failed
    number: str | None  # of the application
    action: str
    element_id: str | None
    element: Text | None  # what the diagram calls it
    cause: str
    stack: str
    at: datetime
    last_at: datetime  # the latest time it failed the same way
    times: int
    resolved_at: datetime | None
    resolved_by: str | None  # the administrator's name
    reason: str  # empty: a retry succeeded


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents of one cause at one element."""

    cause: str
    element_id: str | None
    element: Text | None
    lines: tuple[IncidentLine, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    groups: tuple[Group, ...]  # the one with the most first
    shown: int
    total: int
    elements: tuple[tuple[str, Text | None], ...]  # those to filter by


def desk(
    session: Session,
    definitions: Definitions,
    actor: Actor,
    *,
    resolved: bool = False,
    element: str = "",
    cause: str = "",
    limit: int | None = 200,
) -> Desk:
    """The open incidents, or those resolved, newest first. Raises NotAllowed."""
    access.require(actor, Action.ADMINISTER)
    state = Incident.resolved_at.is_not(None) if resolved else OPEN
    found = matching(element, cause) & state
    rows = session.execute(
        select(Incident, Instance.number, Instance.version_id, Account.name)
        .outerjoin(Instance, Instance.id == Incident.instance_id)
        .outerjoin(Account, Account.id == Incident.resolved_by)
        .where(found)
        .order_by((Incident.resolved_at if resolved else Incident.at).desc(), Incident.id)
        .limit(limit)
    ).all()
    lines = [
        _line(incident, number, _name(session, definitions, version_id, incident.element_id), resolved_by)
        for incident, number, version_id, resolved_by in rows
    ]
    elements = session.execute(
        select(Incident.element_id, func.max(Instance.version_id))
        .outerjoin(Instance, Instance.id == Incident.instance_id)
        .where(state, Incident.element_id.is_not(None))
        .group_by(Incident.element_id)
        .order_by(Incident.element_id)
    ).all()
    return Desk(
        groups=_grouped(lines),
        shown=len(lines),
        total=session.scalar(select(func.count()).select_from(Incident).where(found)) or 0,
        elements=tuple((id_, _name(session, definitions, version_id, id_)) for id_, version_id in elements if id_),
    )


def _grouped(lines: Sequence[IncidentLine]) -> tuple[Group, ...]:
    alike: dict[tuple[str, str | None], list[IncidentLine]] = {}
    for line in lines:
        alike.setdefault((line.cause, line.element_id), []).append(line)
    groups = [Group(cause, element, same[0].element, tuple(same)) for (cause, element), same in alike.items()]
    return tuple(sorted(groups, key=lambda group: -len(group.lines)))


def _line(incident: Incident, number: str | None, element: Text | None, resolved_by: str | None) -> IncidentLine:
    return IncidentLine(
        id=incident.id,
        instance_id=incident.instance_id,
        number=number,
        action=incident.action,
        element_id=incident.element_id,
        element=element,
        cause=incident.cause,
        stack=incident.stack,
        at=incident.at,
        last_at=incident.last_at or incident.at,
        times=incident.times,
        resolved_at=incident.resolved_at,
        resolved_by=resolved_by,
        reason=incident.reason,
    )


def _name(session: Session, definitions: Definitions, version_id: str | None, element_id: str | None) -> Text | None:
    if version_id is None or element_id is None:
        return None
    return element_name(definitions.get(session, version_id).diagram, element_id)
