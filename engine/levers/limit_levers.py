"""What officials may do to the limit on a task of theirs where the diagram allows it: pause, run on, extend.

`wf:pausable` and `wf:extendable` on the timer's boundary event allow it, `wf:basis` says on what ground. Each lever is
one transaction with a reason that stays in the history and is told to both sides, and takes a key `once`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.calendar.counting import MOST_DAYS
from engine.definitions import expressions, limits
from engine.definitions.diagrams import Diagram, Element
from engine.errors import Conflict, Invalid
from engine.levers.deadlines import LimitOver
from engine.levers.interventions import number_of, record, tell_parties
from engine.limits import clocks
from engine.limits.time_left import ends_at
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.runtime.execution import open_user_tasks
from engine.runtime.instances import instance_of_task, refuse_unless_open
from engine.runtime.once import AlreadyDone, CommandKind, Once
from engine.runtime.reasons import checked, checked_basis
from engine.runtime.run import Run
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import UNENDED, EventKind, Timer
from engine.runtime.wording import covers, element_name, name_of_limit
from engine.text import Text

EXTENDED = "extended"  # in a limit: how many of its working days were added by officials


class NotOffered(Conflict):
    sentence = Text(
        "流程图没有允许对这一期限作此处理，没有改动。",
        "The diagram doesn't allow this for the limit; nothing was changed.",
    )


class ExtensionRefused(Invalid):
    sentence = Text(
        "请填写延长的工作日，1 到 {most} 之间的整数。", "Give the working days to add, a whole number from 1 to {most}."
    )


class WouldEndEarlier(Conflict):
    sentence = Text(
        "按现行日历，延长后应于 {after} 截止，不晚于已告知的 {before}，没有改动。",
        "By the calendar in force the extended limit would end at {after}, no later than the {before} that was told; "
        "nothing was changed.",
    )


@dataclass(frozen=True, slots=True)
class LimitLevers:
    """What the reader may do now to one limit on a task."""

    timer_id: str
    name: Text  # of the limit, in the diagram's words
    due_at: datetime
    paused_at: datetime | None  # it may then run on
    pausable: bool
    most: int  # working days by which it may still be extended
    basis: str  # the ground that the diagram names


_TOLD = {
    EventKind.DEADLINE_PAUSED: Text(
        "申请 {number} 中“{step}”的期限暂停计算。理由：{reason}",
        "The limit “{step}” of application {number} is paused. Reason: {reason}",
    ),
    EventKind.DEADLINE_RESUMED: Text(
        "申请 {number} 中“{step}”的期限恢复计算，至 {until} 截止。理由：{reason}",
        "The limit “{step}” of application {number} runs on and ends at {until}. Reason: {reason}",
    ),
    EventKind.DEADLINE_EXTENDED: Text(
        "申请 {number} 中“{step}”的期限延长 {days} 个工作日，至 {until} 截止。理由：{reason}",
        "The limit “{step}” of application {number} is extended by {days} working days and ends at {until}. Reason: "
        "{reason}",
    ),
}
_WITH_BASIS = Text("{reason}（依据：{basis}）", "{reason} (legal basis: {basis})")


def pause_limit(
    runtime: Runtime,
    task_id: str,
    timer_id: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    basis: str = "",
    once: str | None = None,
) -> None:
    """Stop the clock of a limit that runs; the task can still be worked on.

    Raises NotAllowed, NotFound, ReasonMissing, BasisTooLong, TaskDone, TaskCancelled, TaskClaimed, Suspended,
    LimitOver, NotOffered.
    """
    about = (Action.PAUSE_LIMIT, "pause limit", task_id, timer_id, reason, basis, actor, now, once)
    with suppress(AlreadyDone), _by_official(runtime, *about) as (run, timer):
        if not run.compiled.diagram.elements[timer.element_id].pausable:
            raise NotOffered()
        if timer.paused_at:
            raise LimitOver()
        _record(run, timer, EventKind.DEADLINE_PAUSED, actor, reason, basis)
        clocks.pause(run, timer)
        _tell(run, timer, EventKind.DEADLINE_PAUSED, reason, basis)


def resume_limit(
    runtime: Runtime,
    task_id: str,
    timer_id: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    basis: str = "",
    once: str | None = None,
) -> None:
    """Let a paused limit run on with what was left of it. Raises what `pause_limit` raises."""
    about = (Action.PAUSE_LIMIT, "resume limit", task_id, timer_id, reason, basis, actor, now, once)
    with suppress(AlreadyDone), _by_official(runtime, *about) as (run, timer):
        if not timer.paused_at:
            raise LimitOver()
        _record(run, timer, EventKind.DEADLINE_RESUMED, actor, reason, basis)
        clocks.resume(run, timer)
        _tell(run, timer, EventKind.DEADLINE_RESUMED, reason, basis)


def extend_limit(
    runtime: Runtime,
    task_id: str,
    timer_id: str,
    days: int,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    basis: str = "",
    once: str | None = None,
) -> None:
    """Add working days to a limit that runs, counted from its same start.

    Raises what `pause_limit` raises, ExtensionRefused, WouldEndEarlier, DaysRefused.
    """
    about = (Action.EXTEND_LIMIT, "extend limit", task_id, timer_id, reason, basis, actor, now, once, str(days))
    with suppress(AlreadyDone), _by_official(runtime, *about) as (run, timer):
        data = next(task.data for task in open_user_tasks(run.workflow) if task.id == UUID(task_id))
        most = _still(run.compiled.diagram.elements[timer.element_id], timer, data)
        if timer.paused_at:
            raise LimitOver()
        if not most:
            raise NotOffered()
        if type(days) is not int or not 1 <= days <= most:
            raise ExtensionRefused(most=most)
        added = {name: timer.limit.get(name, 0) + days for name in ("working_days", EXTENDED)}
        limit, before = timer.limit | added, timer.due_at
        until = limits.due(limit, run.book).at
        if until <= before:  # an earlier end by a newer calendar was not accepted, or waits for it
            raise WouldEndEarlier(after=ends_at(until), before=ends_at(before))
        kept = {"due_at": {"before": before.isoformat(), "after": until.isoformat()}}
        facts = {"days": days, "due_at": until.isoformat()}
        _record(run, timer, EventKind.DEADLINE_EXTENDED, actor, reason, basis, kept=kept, **facts)
        clocks.set_limit(run, timer, limit)
        _tell(run, timer, EventKind.DEADLINE_EXTENDED, reason, basis, days=days)


def levers(
    session: Session, diagram: Diagram, instance_id: str, step: Element, data: Mapping[str, Any], actor: Actor
) -> tuple[LimitLevers, ...]:
    """What the actor may do to the limits on an open task of theirs, whose variables are `data`. One statement; none
    where the diagram allows nothing."""
    allowed = [
        element.id
        for element in diagram.elements.values()
        if (element.pausable or element.extendable) and covers(diagram, element.id, step.id)
    ]
    if not allowed or not access.may(actor, Action.PAUSE_LIMIT):
        return ()
    running = select(Timer).where(Timer.instance_id == instance_id, Timer.state.in_(UNENDED))
    return tuple(
        LimitLevers(
            timer_id=timer.id,
            name=element_name(diagram, timer.element_id),
            due_at=timer.due_at,
            paused_at=timer.paused_at,
            pausable=diagram.elements[timer.element_id].pausable,
            most=0 if timer.paused_at else _still(diagram.elements[timer.element_id], timer, data),
            basis=diagram.elements[timer.element_id].basis,
        )
        for timer in session.scalars(running.where(Timer.element_id.in_(allowed)).order_by(Timer.due_at, Timer.id))
    )


def _still(event: Element, timer: Timer, data: Mapping[str, Any]) -> int:
    """Working days by which a limit may still be extended: none where the diagram gives no number for this instance,
    or the limit is not counted in working days."""
    if event.extendable is None or "working_days" not in timer.limit:
        return 0
    try:
        most = expressions.evaluate(event.extendable, data)
    except expressions.ExpressionFailed:  # a variable that this instance has no answer for
        return 0
    return max(0, min(most, MOST_DAYS) - timer.limit.get(EXTENDED, 0)) if type(most) is int else 0


@contextmanager
def _by_official(
    runtime: Runtime,
    action: Action,
    lever: str,
    task_id: str,
    timer_id: str,
    reason: str,
    basis: str,
    actor: Actor,
    now: datetime,
    once: str | None,
    *about: str,
) -> Iterator[tuple[Run, Timer]]:
    """The case of an open task of the official's inbox, and a limit on that task that has not ended."""
    access.require(actor, action)
    said = {"": {"reason": checked(reason), "basis": checked_basis(basis)}}
    what = (lever, task_id, timer_id, *about)
    command = None if once is None else Once(actor.account_id, once, CommandKind.INTERVENE, what, said)
    of_task = instance_of_task(task_id, actor)
    with opened(runtime, of_task, now=now, action=lever, once=command) as run:
        row = run.task(task_id)
        refuse_unless_open(runtime, run.session, row, actor)
        refuse_suspended(run.session, run.instance)
        timer = run.timers.get(timer_id)
        if timer is None or not covers(run.compiled.diagram, timer.element_id, row.element_id):
            raise LimitOver()
        yield run, timer


def _record(run: Run, timer: Timer, kind: EventKind, actor: Actor, reason: str, basis: str, **details: Any) -> None:
    where: dict[str, Any] = {"element_id": timer.element_id, "basis": checked_basis(basis), "timer_id": timer.id}
    record(run, kind, actor, reason, **where, **details)


def _tell(run: Run, timer: Timer, kind: EventKind, reason: str, basis: str, **facts: Any) -> None:
    why: Text | str = checked(reason)
    if ground := checked_basis(basis):
        why = _WITH_BASIS.filled(reason=why, basis=ground)
    step = name_of_limit(run.compiled.diagram, timer.element_id)
    facts |= {"number": number_of(run.instance), "step": step, "until": ends_at(timer.due_at), "reason": why}
    tell_parties(run, _TOLD[kind].filled(**facts), timer.element_id)
