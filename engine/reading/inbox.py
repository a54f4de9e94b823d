"""What waits for an organisation, and what it has done: lists of tasks, straight from the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from engine.calendar import versions
from engine.calendar.book import Book
from engine.definitions.tables import DefinitionVersion
from engine.errors import NotFound
from engine.limits.time_left import TimeLeft, time_left
from engine.people import access
from engine.people.accounts import Actor
from engine.people.tables import Account
from engine.runtime.paging import PAGE_SIZE, AnyRow, AnySelect, Slice, counted, sliced
from engine.runtime.tables import Instance, Task, TaskState
from engine.runtime.wording import title
from engine.text import Text

IS_OPEN = Task.closed_at.is_(None)  # as the index of open tasks has it


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task in a list."""

    id: str
    name: Text
    state: TaskState
    instance_id: str
    number: str | None  # of the application; none until it is handed in
    title: Text
    opened_at: datetime
    left: TimeLeft | None
    claimed_by: str | None  # a colleague's name
    mine: bool  # claimed by the reader
    suspended: bool  # its application stands still
    closed_at: datetime | None
    closed_by: str | None  # a colleague's name; none: interrupted by the diagram


def open_tasks(
    session: Session, actor: Actor, now: datetime, *, search: str = "", after: str = "", size: int = PAGE_SIZE
) -> Slice[TaskLine]:
    """待办: the open tasks of the actor's organisation, the most urgent first, those without a limit last; from the
    task with the id `after` on."""
    book = versions.newest(session)
    query = _tasks(actor, search).where(IS_OPEN)
    place = _place(session, actor, after)
    order = (Task.due_at, Task.opened_at, Task.id)
    rows: list[AnyRow] = []
    # Two stretches of one index, because dialects disagree on where NULL sorts, and nothing is later than NULL.
    if place is None or place.due_at is not None:
        limited = query.where(Task.due_at.is_not(None)).order_by(*order)
        if place:
            limited = limited.where(tuple_(*order) > (place.due_at, place.opened_at, place.id))
        rows += session.execute(limited.limit(size + 1))
    if len(rows) <= size:
        unlimited = query.where(Task.due_at.is_(None)).order_by(*order)
        if place and place.due_at is None:
            unlimited = unlimited.where(tuple_(*order[1:]) > (place.opened_at, place.id))
        rows += session.execute(unlimited.limit(size + 1 - len(rows)))
    found = sliced(session, _ids(query, actor, search, IS_OPEN), rows, size, starts=place is None)
    return found.map(lambda row: _line(row, actor, now, book))


def done_tasks(
    session: Session, actor: Actor, now: datetime, *, search: str = "", after: str = "", size: int = PAGE_SIZE
) -> Slice[TaskLine]:
    """已办: what the organisation completed, and what was interrupted before it could, newest first; from the task
    with the id `after` on."""
    book = versions.newest(session)
    query = _tasks(actor, search).where(~IS_OPEN)
    place = _place(session, actor, after)
    following = query.where(tuple_(Task.closed_at, Task.id) < (place.closed_at, place.id)) if place else query
    rows = session.execute(following.order_by(Task.closed_at.desc(), Task.id.desc()).limit(size + 1)).all()
    found = sliced(session, _ids(query, actor, search, ~IS_OPEN), rows, size, starts=place is None)
    return found.map(lambda row: _line(row, actor, now, book))


def task_line(session: Session, task_id: str, actor: Actor, now: datetime) -> tuple[TaskLine, str, str, str | None]:
    """One task of the organisation, the definition version it runs on, its element and what interrupted it.

    Raises NotFound for a task that does not exist or is another organisation's.
    """
    row = session.execute(_tasks(actor, "").where(Task.id == task_id).add_columns(Instance.version_id)).one_or_none()
    if row is None:
        raise NotFound()
    *columns, version_id = row
    task: Task = columns[0]
    return _line(columns, actor, now, versions.newest(session)), version_id, task.element_id, task.cancelled_by


def count_open_tasks(session: Session, actor: Actor, most: int) -> int:
    """How many tasks wait for the actor's organisation, counting no further than `most`."""
    own = access.works_on_task(actor, Task.organisation_id, Task.role)
    return counted(session, select(Task.id).where(own, IS_OPEN), most)


def _ids(query: AnySelect, actor: Actor, search: str, which: ColumnElement[bool]) -> AnySelect:
    """What is counted of a list: without its joins, unless something of them is searched."""
    if search.strip():
        return query.with_only_columns(Task.id)
    return select(Task.id).where(access.works_on_task(actor, Task.organisation_id, Task.role), which)


def _place(session: Session, actor: Actor, task_id: str) -> Task | None:
    """The task after which a list goes on. It keeps its place when it is no longer in the list itself."""
    own = access.works_on_task(actor, Task.organisation_id, Task.role)
    return session.scalar(select(Task).where(Task.id == task_id, own)) if task_id else None


_Claimer = aliased(Account)
_Closer = aliased(Account)


def _tasks(actor: Actor, search: str) -> AnySelect:
    query = (
        select(
            Task,
            Instance.number,
            Instance.subject,
            Instance.suspended_at,
            DefinitionVersion.name,
            DefinitionVersion.name_en,
            _Claimer.name,
            _Closer.name,
        )
        .join(Instance, Instance.id == Task.instance_id)
        .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
        .outerjoin(_Claimer, _Claimer.id == Task.claimed_by)
        .outerjoin(_Closer, _Closer.id == Task.closed_by)
        .where(access.works_on_task(actor, Task.organisation_id, Task.role))
    )
    if words := search.strip():
        query = query.where(
            or_(Instance.number.icontains(words, autoescape=True), Instance.subject.icontains(words, autoescape=True))
        )
    return query


def _line(row: Sequence[Any], actor: Actor, now: datetime, book: Book) -> TaskLine:
    task, number, subject, suspended_at, process, process_en, claimer, closer = row
    return TaskLine(
        id=task.id,
        name=Text(task.name, task.name_en),
        state=TaskState(task.state),
        instance_id=task.instance_id,
        number=number,
        title=title(subject, process, process_en),
        opened_at=task.opened_at,
        left=time_left(task.due_at, task.provisional, now, book.calendar(task.region)),
        claimed_by=claimer,
        mine=task.claimed_by == actor.account_id,
        suspended=suspended_at is not None,
        closed_at=task.closed_at,
        closed_by=closer,
    )
