"""Every case as an operator sees it: where it stands and what may be done about it, but nothing that was filled in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.levers import moving
from engine.levers.moving import Token
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Organisation, Role
from engine.reading.applications import InstanceLine, instance_lines, instance_rows, reason_of
from engine.runtime import state
from engine.runtime.paging import PAGE_SIZE, Page, paged
from engine.runtime.runtime import Definitions
from engine.runtime.tables import UNENDED, Event, EventKind, Instance, Party, Timer
from engine.runtime.wording import element_name
from engine.text import Text


@dataclass(frozen=True, slots=True)
class CaseLine:
    line: InstanceLine
    authority: Text | None  # of the city applied to, once it takes part


@dataclass(frozen=True, slots=True)
class RunningLimit:
    """A limit that runs, or stands still since `paused_at`."""

    timer_id: str
    element_id: str
    name: Text
    due_at: datetime
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseDesk:
    line: InstanceLine
    authority: Text | None
    version_id: str
    tokens: tuple[Token, ...]
    limits: tuple[RunningLimit, ...]  # the first to end first
    done: tuple[str, ...]  # element ids it has been through, and is not at
    why: str | None  # the reason for which it is suspended, or was ended early


def cases(
    session: Session, definitions: Definitions, actor: Actor, now: datetime, *, search: str = "", page: int = 1
) -> Page[CaseLine]:
    """All instances, newest first; `search` looks in ids, numbers, subjects and applicants. Raises NotAllowed."""
    access.require(actor, Action.INTERVENE)
    query = instance_rows()
    if words := search.strip():
        columns = (Instance.number, Instance.subject, Organisation.name)
        named = (column.icontains(words, autoescape=True) for column in columns)
        query = query.where(or_(Instance.id == words, *named))
    rows = paged(session, query.order_by(Instance.started_at.desc(), Instance.id), page, PAGE_SIZE)
    authorities = _authorities(session, [row.id for row in rows.items])
    lines = instance_lines(session, definitions, rows.items, actor, now)
    found = tuple(CaseLine(line, authorities.get(line.id)) for line in lines)
    return Page(found, rows.number, rows.size, rows.total)


def case_desk(session: Session, definitions: Definitions, case: str, actor: Actor, now: datetime) -> CaseDesk:
    """One instance, by id or number. Raises NotAllowed, NotFound."""
    access.require(actor, Action.INTERVENE)
    row = session.execute(instance_rows().where(or_(Instance.id == case, Instance.number == case))).one_or_none()
    if row is None:
        raise NotFound()
    compiled = definitions.get(session, row.version_id)
    (line,) = instance_lines(session, definitions, [row], actor, now)
    workflow = state.load(session.get_one(Instance, row.id).state, compiled)
    tokens = tuple(moving.tokens(compiled.diagram, workflow))
    limits = select(Timer).where(Timer.instance_id == row.id, Timer.state.in_(UNENDED)).order_by(Timer.due_at, Timer.id)
    gone = (EventKind.PASSED, EventKind.TASK_COMPLETED, EventKind.SERVICE_DONE, EventKind.TIMER_FIRED)
    been = select(Event.element_id).where(Event.instance_id == row.id, Event.kind.in_(gone)).distinct()
    return CaseDesk(
        line=line,
        authority=_authorities(session, [row.id]).get(row.id),
        version_id=row.version_id,
        tokens=tokens,
        limits=tuple(
            RunningLimit(t.id, t.element_id, element_name(compiled.diagram, t.element_id), t.due_at, t.paused_at)
            for t in session.scalars(limits)
        ),
        done=tuple(sorted(set(filter(None, session.scalars(been))) - {token.element.id for token in tokens})),
        why=reason_of(session, line),
    )


def _authorities(session: Session, instance_ids: Sequence[str]) -> dict[str, Text]:
    query = (
        select(Party.instance_id, Organisation.name, Organisation.name_en)
        .join(Organisation, Organisation.id == Party.organisation_id)
        .where(Party.instance_id.in_(instance_ids), Party.role == Role.AUTHORITY)
    )
    return {instance_id: Text(name, name_en) for instance_id, name, name_en in session.execute(query)}
