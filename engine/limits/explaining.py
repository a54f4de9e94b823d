"""Why this date? A limit's days one by one, what counted and what not, and which notice says so."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, defer

from engine.calendar import counting, versions
from engine.calendar.counting import Deadline
from engine.definitions import limits
from engine.definitions.tables import DefinitionVersion
from engine.errors import NotFound
from engine.people import access
from engine.people.accounts import Actor
from engine.runtime.runtime import Definitions
from engine.runtime.tables import Instance, Party, Task, Timer, TimerState
from engine.runtime.wording import covers, name_of_limit, title
from engine.text import Text


@dataclass(frozen=True, slots=True)
class Explanation:
    """So many working days from a moment, counted under a version of the calendar."""

    start: datetime
    days: int
    region: str
    side: str  # of the process; empty: a day ends at 24:00
    version: int
    deadline: Deadline
    fires_at: datetime  # over in any case; later than the end only where that is provisional


@dataclass(frozen=True, slots=True)
class LimitExplained:
    """A limit on a task. `due_at` is the end that was told; `counted` gives none for durations and dates."""

    instance_id: str
    number: str | None
    title: Text
    task: Text
    timer_id: str
    element_id: str
    step: Text
    state: TimerState
    due_at: datetime
    provisional: bool
    shortened_to: datetime | None  # an earlier end that waits for an official
    counted: Explanation | None


def explain(
    session: Session, *, start: datetime, days: int, region: str = "", side: str = "", version: int | None = None
) -> Explanation:
    """Count so many working days from a moment, under a version of the calendar or the newest.

    Raises DaysRefused, MomentRefused.
    """
    book = versions.newest(session) if version is None else versions.at(session, version)
    counted = counting.deadline(start, days, book.calendar(region), book.day_ends(side))
    limit = {"working_days": days, "since": start.isoformat(), "region": region, "side": side}
    return Explanation(start, days, region, side, book.version, counted, limits.due(limit, book).fires_at)


def of_task(session: Session, definitions: Definitions, task_id: str, actor: Actor) -> tuple[LimitExplained, ...]:
    """The limits on a task or on a sub-process around it, those that run first. Raises NotFound for a task that the
    actor may not see."""
    party = {"party_instance_id": Party.instance_id, "party_organisation_id": Party.organisation_id}
    own = access.works_on_task(actor, Task.organisation_id, Task.role)
    found = session.execute(
        select(Task, Instance, DefinitionVersion.name, DefinitionVersion.name_en)
        .join(Instance, Instance.id == Task.instance_id)
        .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
        .where(Task.id == task_id, or_(own, access.sees_instance(actor, Task.instance_id, **party)))
        .options(defer(Instance.state))
    ).first()
    if found is None:
        raise NotFound()
    task, instance, process, process_en = found
    diagram = definitions.get(session, instance.version_id).diagram
    called = title(instance.subject, process, process_en)
    # A limit of an earlier round had ended when the task was opened.
    rows = session.scalars(
        select(Timer)
        .where(Timer.instance_id == task.instance_id)
        .where(or_(Timer.ended_at.is_(None), Timer.ended_at >= task.opened_at))
        .order_by(Timer.ended_at.is_not(None), Timer.due_at, Timer.id)
    ).all()
    return tuple(
        _explained(session, timer, task, instance.number, called, name_of_limit(diagram, timer.element_id))
        for timer in rows
        if covers(diagram, timer.element_id, task.element_id)
    )


def _explained(
    session: Session, timer: Timer, task: Task, number: str | None, called: Text, step: Text
) -> LimitExplained:
    limit, counted = timer.limit, None
    if "working_days" in limit:
        counted = explain(
            session,
            start=datetime.fromisoformat(limit["since"]),
            days=limit["working_days"],
            region=limit.get("region", ""),
            side=limit.get("side", ""),
            version=timer.calendar_version,
        )
    return LimitExplained(
        instance_id=timer.instance_id,
        number=number,
        title=called,
        task=Text(task.name, task.name_en),
        timer_id=timer.id,
        element_id=timer.element_id,
        step=step,
        state=TimerState(timer.state),
        due_at=timer.due_at,
        provisional=timer.provisional,
        shortened_to=timer.shortened_to,
        counted=counted,
    )
