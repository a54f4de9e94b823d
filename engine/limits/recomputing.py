"""A newer calendar moves the limits that run: rows only, in batches, each limit once, by whoever comes first.

A row says what its limit is and under which version it was counted, so no instance is restored, and what is left to do
is simply what is older than the newest version. A batch is one transaction under the locks of its instances; a process
that dies in the middle leaves a batch undone, and two processes pass by what the other has in hand.

A date that was told to people is never made earlier here: the earlier end waits in the row for an official
(`engine.limits.shortening`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from engine.calendar import versions
from engine.calendar.book import Book
from engine.calendar.tables import CalendarVersion
from engine.definitions import limits
from engine.definitions.diagrams import Diagram
from engine.definitions.limits import Due
from engine.limits.time_left import ends_at
from engine.people.tables import Organisation
from engine.runtime import history
from engine.runtime.rows import locked_rows
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EventKind, Instance, Party, Task, TaskState, Timer, TimerState
from engine.runtime.wording import covers, name_of_limit
from engine.telling.telling import Letter, tell_each
from engine.text import Text

BATCH = 250  # instances per transaction: what somebody can wait for who wants one of them


class Change(StrEnum):
    """What a newer calendar means for a limit that runs."""

    LONGER = "longer"
    SHORTER = "shorter"  # waits for an official
    CONFIRMED = "confirmed"  # the same end, no longer provisional
    PROVISIONAL = "provisional"  # the same end, no longer certain


def change(timer: Timer, old: Book, new: Book) -> tuple[Change | None, Due]:
    """What a newer calendar means for a limit, and when it ends under it. None where it means nothing for it: also
    where the end was earlier all along, and an official has kept the later date."""
    before, after = limits.due(timer.limit, old), limits.due(timer.limit, new)
    if before == after and timer.provisional == after.provisional:
        return None, after
    if after.at < timer.due_at:
        return Change.SHORTER, after
    if after.at > timer.due_at:
        return Change.LONGER, after
    if timer.provisional != after.provisional:
        return Change.PROVISIONAL if after.provisional else Change.CONFIRMED, after
    return None, after


def recompute_due(runtime: Runtime, now: datetime, limit: int = BATCH) -> int:
    """One batch: bring the limits of so many instances to the newest version; returns how many limits. 0: nothing is
    left, or all of it is in somebody else's hands. Raises Unavailable."""
    with runtime.database.read() as session:
        ids = session.scalars(
            select(Timer.instance_id).where(_behind()).distinct().order_by(Timer.instance_id).limit(limit)
        ).all()
    if not ids:  # as at most ticks, which need no write lock to learn it
        return 0
    with runtime.database.write() as session, session.no_autoflush:
        instances = {each.id: each for each in session.scalars(locked_rows(Instance.id.in_(ids), skip_locked=True))}
        session.expunge_all()  # their histories grow; `_write` stores that for all of them at once
        timers = session.scalars(
            select(Timer).where(_behind(), Timer.instance_id.in_(instances)).order_by(Timer.instance_id, Timer.id)
        ).all()
        book = versions.newest(session)
        moves = [
            move
            for timer in timers
            if (move := _moved(timer, instances[timer.instance_id], versions.at(session, timer.calendar_version), book))
        ]
        if moves:
            _write(runtime, session, moves, now)
        return len(timers)


def recompute_all(runtime: Runtime, now: datetime) -> int:
    """Batch after batch until nothing is left; returns how many limits were brought to the newest version."""
    total = 0
    while done := recompute_due(runtime, now):
        total += done
    return total


def left_to_do(session: Session) -> int:
    """How many limits have not been brought to the newest version yet."""
    return session.scalar(select(func.count()).select_from(Timer).where(_behind())) or 0


def _behind() -> ColumnElement[bool]:
    newest = select(func.coalesce(func.max(CalendarVersion.number), 0)).scalar_subquery()
    return and_(Timer.state == TimerState.WAITING, Timer.calendar_version < newest)


@dataclass(frozen=True, slots=True)
class _Move:
    timer: Timer
    instance: Instance
    change: Change
    before: datetime  # what its row said
    end: datetime  # in the newest calendar


def _moved(timer: Timer, instance: Instance, old: Book, new: Book) -> _Move | None:
    """Bring one row to the newest version; None where there is nothing to tell."""
    what, due = change(timer, old, new)
    timer.calendar_version = new.version
    before, waits = timer.due_at, timer.shortened_to
    if what is Change.SHORTER:
        timer.shortened_to, timer.provisional = due.at, due.provisional
        timer.fires_at = max(before, due.fires_at)
        return None if waits == due.at else _Move(timer, instance, what, before, due.at)
    if what is None and due.at != before:
        return None  # an official has kept the later date, and nothing new was learnt
    timer.due_at, timer.fires_at, timer.provisional, timer.shortened_to = due.at, due.fires_at, due.provisional, None
    return None if what is None else _Move(timer, instance, what, before, due.at)


def _write(runtime: Runtime, session: Session, moves: Sequence[_Move], now: datetime) -> None:
    """Tasks, history and notices of the limits that moved."""
    concerned = {move.instance.id: move.instance for move in moves}
    running: dict[str, list[Timer]] = defaultdict(list)
    waiting = select(Timer).where(Timer.instance_id.in_(concerned), Timer.state == TimerState.WAITING)
    for timer in session.scalars(waiting):
        running[timer.instance_id].append(timer)
    tasks: dict[str, list[Task]] = defaultdict(list)
    for task in session.scalars(select(Task).where(Task.instance_id.in_(concerned), Task.state == TaskState.OPEN)):
        tasks[task.instance_id].append(task)
    for instance in concerned.values():
        diagram = runtime.definitions.get(session, instance.version_id).diagram
        befores = {move.timer.id: move.before for move in moves if move.instance is instance}
        for task in tasks[instance.id]:
            follow(task, running[instance.id], befores, diagram)
    for move in moves:
        _record(session, move, now)
    _tell(runtime, session, moves, now)
    grown = ("history_length", "history_head", "history_at")
    session.connection().execute(
        update(Instance)
        .where(Instance.id == bindparam("_id"))
        .values(revision=Instance.revision + 1, **{name: bindparam(name) for name in grown}),
        [{"_id": each.id} | {name: getattr(each, name) for name in grown} for each in concerned.values()],
    )


def follow(task: Task, running: Sequence[Timer], befores: Mapping[str, datetime], diagram: Diagram) -> None:
    """Let an open task show its limit as the rows of its instance's waiting timers say it; `befores` are the ends they
    had. A task that shows another limit, such as one that has run out already, goes on showing that."""
    own = [timer for timer in running if covers(diagram, timer.element_id, task.element_id)]
    if any(task.due_at == befores.get(timer.id) for timer in own):
        first = min(own, key=lambda timer: timer.due_at)
        task.due_at, task.provisional = first.due_at, first.provisional


def _record(session: Session, move: _Move, now: datetime) -> None:
    timer = move.timer
    history.append(
        session,
        move.instance,
        EventKind.LIMIT_MAY_SHORTEN if move.change is Change.SHORTER else EventKind.LIMIT_RECOMPUTED,
        at=now,
        element_id=timer.element_id,
        timer_id=timer.id,
        before=move.before.isoformat(),
        due_at=move.end.isoformat(),
        provisional=timer.provisional,
        calendar_version=timer.calendar_version,
    )


_TOLD = {
    Change.LONGER: Text(
        "工作日历更新，“{step}”的截止时间由 {before} 改为 {after}。",
        "The calendar was updated: the limit “{step}” ends at {after} instead of {before}.",
    ),
    Change.SHORTER: Text(
        "工作日历更新，“{step}”按新日历应于 {after} 截止；已告知的 {before} 暂不变，由主管部门确认。",
        "The calendar was updated: the limit “{step}” would end at {after}. The date told, {before}, stands until the "
        "authority has confirmed it.",
    ),
}


def _tell(runtime: Runtime, session: Session, moves: Sequence[_Move], now: datetime) -> None:
    """Tell everybody who takes part of what moved; a date that is merely confirmed is no news."""
    letters = []
    for move in moves:
        if text := _TOLD.get(move.change):
            element_id = move.timer.element_id
            step = name_of_limit(runtime.definitions.get(session, move.instance.version_id).diagram, element_id)
            said = text.filled(step=step, before=ends_at(move.before), after=ends_at(move.end))
            letters.append((move.instance, element_id, said))
    tell_parties(session, letters, now)


def tell_parties(session: Session, letters: Sequence[tuple[Instance, str, Text]], now: datetime) -> None:
    """Tell everybody who takes part in an instance something about an element of it. Two statements in all."""
    parties: dict[str, set[Organisation]] = defaultdict(set)
    rows = session.execute(
        select(Party.instance_id, Organisation)
        .join(Organisation, Organisation.id == Party.organisation_id)
        .where(Party.instance_id.in_({instance.id for instance, *_ in letters}))
    )
    for instance_id, organisation in rows:
        parties[instance_id].add(organisation)
    tell_each(
        session,
        [
            Letter(instance, organisation, text, element_id, history.moment_in(instance, now))
            for instance, element_id, text in letters
            for organisation in sorted(parties[instance.id], key=lambda each: each.id)
        ],
    )
