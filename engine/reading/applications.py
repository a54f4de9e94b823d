"""Lists of instances a person may see, with what each waits for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from engine.calendar import versions
from engine.definitions.tables import DefinitionVersion
from engine.limits.time_left import TimeLeft, time_left
from engine.people.accounts import Actor
from engine.people.tables import Organisation
from engine.runtime.paging import PAGE_SIZE, AnySelect, Page, paged
from engine.runtime.runtime import Definitions
from engine.runtime.sight import seen_by
from engine.runtime.suspension import paused
from engine.runtime.tables import EndedEarly, EventKind, Instance, Intervention, Task, TaskState
from engine.runtime.wording import outcome, title
from engine.text import Text


class Standing(StrEnum):
    """By what a list of applications can be narrowed down."""

    ALL = "all"
    OPEN = "open"  # 办理中
    CLOSED = "closed"  # 已办结


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step an instance waits for, and whose it is."""

    id: str  # of its task
    element_id: str
    name: Text
    organisation: Text
    left: TimeLeft | None
    paused: bool  # its limit stands still
    task_id: str | None  # only where the reader may open it


@dataclass(frozen=True, slots=True)
class InstanceLine:
    """One application in a list."""

    id: str
    number: str | None  # none until it is handed in
    title: Text
    process: Text
    organisation: Text  # who applied
    started_at: datetime
    outcome: Text | None
    closed_at: datetime | None
    suspended_at: datetime | None
    ended_early: EndedEarly | None
    waiting: tuple[OpenStep, ...]  # the most urgent first


def instances(
    session: Session,
    definitions: Definitions,
    actor: Actor,
    now: datetime,
    *,
    standing: Standing = Standing.ALL,
    search: str = "",
    page: int = 1,
    size: int = PAGE_SIZE,
) -> Page[InstanceLine]:
    """The instances the actor may see, newest first; `search` looks in numbers, subjects and applicants.

    Three statements, whatever the size of the page.
    """
    query = instance_rows().where(seen_by(actor))
    if standing is Standing.OPEN:
        query = query.where(Instance.closed_at.is_(None))
    elif standing is Standing.CLOSED:
        query = query.where(Instance.closed_at.is_not(None))
    if words := search.strip():
        columns = (Instance.number, Instance.subject, Organisation.name)
        query = query.where(or_(*(column.icontains(words, autoescape=True) for column in columns)))
    rows = paged(session, query.order_by(Instance.started_at.desc(), Instance.id), page, size)
    lines = instance_lines(session, definitions, rows.items, actor, now)
    return Page(lines, rows.number, rows.size, rows.total)


def instance_rows() -> AnySelect:
    """What `instance_lines` wants to be given: the instance without its state, and who applied."""
    return (
        select(
            Instance.id,
            Instance.version_id,
            Instance.number,
            Instance.subject,
            Instance.started_at,
            Instance.outcome,
            Instance.closed_at,
            Instance.suspended_at,
            Instance.ended_early,
            Instance.decided_at,
            Instance.organisation_id,
            DefinitionVersion.name.label("process"),
            DefinitionVersion.name_en.label("process_en"),
            Organisation.name,
            Organisation.name_en,
        )
        .join_from(Instance, Organisation)
        .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
    )


def instance_lines(
    session: Session, definitions: Definitions, rows: Sequence[Any], actor: Actor, now: datetime
) -> tuple[InstanceLine, ...]:
    """Rows of `instance_rows` with what each instance waits for. One statement, two where a step shows no limit."""
    waiting = open_steps(session, definitions, [row.id for row in rows], actor, now)
    return tuple(
        InstanceLine(
            id=row.id,
            number=row.number,
            title=title(row.subject, row.process, row.process_en),
            process=Text(row.process, row.process_en),
            organisation=Text(row.name, row.name_en),
            started_at=row.started_at,
            outcome=outcome(definitions.get(session, row.version_id).diagram, row.outcome) if row.outcome else None,
            closed_at=row.closed_at,
            suspended_at=row.suspended_at,
            ended_early=EndedEarly(row.ended_early) if row.ended_early else None,
            waiting=waiting.get(row.id, ()),
        )
        for row in rows
    )


def reason_of(session: Session, line: InstanceLine) -> str | None:
    """Why an instance is suspended, or was ended early; one statement where it is or was."""
    if line.suspended_at is None and line.ended_early is None:
        return None
    kind = line.ended_early.value if line.ended_early else EventKind.SUSPENDED
    query = select(Intervention.reason).where(Intervention.instance_id == line.id, Intervention.kind == kind)
    return session.scalar(query.order_by(Intervention.at.desc()).limit(1))


def open_steps(
    session: Session, definitions: Definitions, instance_ids: Sequence[str], actor: Actor, now: datetime
) -> dict[str, tuple[OpenStep, ...]]:
    """By instance: the user tasks it waits for, the most urgent first."""
    steps: dict[str, list[OpenStep]] = defaultdict(list)
    if not instance_ids:
        return {}
    query = (
        select(Task, Organisation.name, Organisation.name_en)
        .join(Organisation, Organisation.id == Task.organisation_id)
        .where(Task.instance_id.in_(instance_ids), Task.state == TaskState.OPEN)
        .order_by(Task.due_at.is_(None), Task.due_at, Task.opened_at, Task.id)
    )
    book = versions.newest(session)
    found = session.execute(query).all()
    still = paused(session, definitions, [task.id for task, *_ in found if task.due_at is None])
    for task, name, name_en in found:
        own = task.organisation_id == actor.organisation_id and task.role == actor.role
        steps[task.instance_id].append(
            OpenStep(
                id=task.id,
                element_id=task.element_id,
                name=Text(task.name, task.name_en),
                organisation=Text(name, name_en),
                left=time_left(task.due_at, task.provisional, now, book.calendar(task.region)),
                paused=task.id in still,
                task_id=task.id if own else None,
            )
        )
    return {instance_id: tuple(those) for instance_id, those in steps.items()}
