"""An earlier end that a newer calendar gives a limit waits until an official of the case's authority has decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, select
from sqlalchemy.orm import Session

from engine.definitions.tables import DefinitionVersion
from engine.errors import Conflict, NotFound
from engine.limits.recomputing import follow, tell_parties
from engine.limits.time_left import ends_at
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.runtime import history
from engine.runtime.rows import locked_rows
from engine.runtime.runtime import Definitions, Runtime
from engine.runtime.tables import EventKind, Instance, Party, Task, TaskState, Timer, TimerState
from engine.runtime.wording import name_of_limit, title
from engine.text import Text


class NothingToConfirm(Conflict):
    sentence = Text(
        "这项期限的提前已经处理过，或期限已经结束；请刷新页面。",
        "Whether this limit ends earlier was decided already, or it has ended. Refresh the page.",
    )


@dataclass(frozen=True, slots=True)
class Shortening:
    """A limit whose earlier end waits for the reader's decision."""

    timer_id: str
    instance_id: str
    number: str | None
    title: Text
    step: Text
    due_at: datetime  # what was told
    shortened_to: datetime


def waiting(session: Session, definitions: Definitions, actor: Actor, instance_id: str = "") -> Sequence[Shortening]:
    """Those of the actor's authority, or of one of its cases, the earliest first. One statement. Raises NotAllowed."""
    access.require(actor, Action.CONFIRM_SHORTENING)
    rows = session.execute(
        (_own(actor).where(Timer.instance_id == instance_id) if instance_id else _own(actor))
        .add_columns(Instance.number, Instance.subject, Instance.version_id)
        .add_columns(DefinitionVersion.name, DefinitionVersion.name_en)
        .join(Instance, Instance.id == Timer.instance_id)
        .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
        .order_by(Timer.shortened_to, Timer.id)
    )
    return [
        Shortening(
            timer_id=timer.id,
            instance_id=timer.instance_id,
            number=number,
            title=title(subject, process, process_en),
            step=name_of_limit(definitions.get(session, version_id).diagram, timer.element_id),
            due_at=timer.due_at,
            shortened_to=timer.shortened_to,
        )
        for timer, number, subject, version_id, process, process_en in rows
    ]


def confirm(runtime: Runtime, timer_id: str, actor: Actor, now: datetime, *, accept: bool) -> None:
    """Let a limit end earlier, or keep the end that was told. Rows only: the clock fires what is due by then.

    Raises NotAllowed, NotFound for a case that is not the actor's authority's, NothingToConfirm.
    """
    access.require(actor, Action.CONFIRM_SHORTENING)
    with runtime.database.write() as session, session.no_autoflush:
        theirs = select(Timer.instance_id).join(Party, Party.instance_id == Timer.instance_id)
        instance_id = session.scalar(theirs.where(Timer.id == timer_id, _authority_of(actor)))
        instance = session.scalar(locked_rows(Instance.id == instance_id)) if instance_id else None
        if instance is None:
            raise NotFound()
        timer = session.scalar(_own(actor).where(Timer.id == timer_id))
        if timer is None or timer.shortened_to is None:
            raise NothingToConfirm()
        told, earlier, timer.shortened_to = timer.due_at, timer.shortened_to, None
        diagram = runtime.definitions.get(session, instance.version_id).diagram
        facts = {"timer_id": timer.id, "due_at": told.isoformat(), "instead_of": earlier.isoformat()}
        kind, text = EventKind.LIMIT_KEPT, _KEPT
        if accept:
            timer.due_at, timer.fires_at = earlier, max(earlier, timer.fires_at) if timer.provisional else earlier
            running = session.scalars(
                select(Timer).where(Timer.instance_id == instance.id, Timer.state == TimerState.WAITING)
            ).all()
            tasks = select(Task).where(Task.instance_id == instance.id, Task.state == TaskState.OPEN)
            for task in session.scalars(tasks):
                follow(task, running, {timer.id: told}, diagram)
            facts = {"timer_id": timer.id, "before": told.isoformat(), "due_at": earlier.isoformat()}
            kind, text = EventKind.LIMIT_SHORTENED, _SHORTENED
        history.append(session, instance, kind, at=now, element_id=timer.element_id, actor_id=actor.account_id, **facts)
        step = name_of_limit(diagram, timer.element_id)
        said = text.filled(step=step, told=ends_at(told), earlier=ends_at(earlier))
        tell_parties(session, [(instance, timer.element_id, said)], now)


_SHORTENED = Text(
    "主管部门已确认：“{step}”的截止时间由 {told} 提前至 {earlier}。",
    "The authority has confirmed that the limit “{step}” ends at {earlier} instead of {told}.",
)
_KEPT = Text(
    "主管部门决定保留“{step}”的截止时间 {told}。", "The authority keeps the end of the limit “{step}” at {told}."
)


def _authority_of(actor: Actor) -> ColumnElement[bool]:
    return and_(Party.role == Role.AUTHORITY, access.own_organisation(actor, Party.organisation_id))


def _own(actor: Actor) -> Select[Timer]:
    return (
        select(Timer)
        .join(Party, Party.instance_id == Timer.instance_id)
        .where(Timer.state == TimerState.WAITING, Timer.shortened_to.is_not(None), _authority_of(actor))
    )
