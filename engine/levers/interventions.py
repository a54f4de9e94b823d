"""What is done to an instance outside the course of its diagram: with a reason, in the history, and told to both sides.

Suspending, resuming, cancelling and withdrawing are here; `engine.levers.moving`, `deadlines` and `correcting` have
the rest. Each is one transaction, and takes a key `once` as people's commands do (see `engine.runtime.instances`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine.database import new_id
from engine.errors import Conflict, InstanceClosed
from engine.limits import clocks
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Organisation
from engine.runtime import history
from engine.runtime.history import INTERVENTION, intervention_hash, moment_in
from engine.runtime.once import AlreadyDone, CommandKind, Once
from engine.runtime.reasons import checked
from engine.runtime.rows import locked
from engine.runtime.run import Run
from engine.runtime.runtime import Runtime
from engine.runtime.store import Named, opened
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import EndedEarly, EventKind, Instance, Intervention, IssuedKey, Party, TimerState
from engine.telling.telling import tell
from engine.text import Text


class NotSuspended(Conflict):
    sentence = Text("该申请没有暂停办理。", "This application is not suspended.")


class NotWithdrawable(Conflict):
    sentence = Text("这一流程的申请不能撤回。", "Applications of this process can't be withdrawn.")


class Decided(Conflict):
    sentence = Text(
        "该申请已有办理结果“{outcome}”，不能撤回。", "This application has its outcome, “{outcome}”, and stays."
    )


TOLD = {
    EventKind.SUSPENDED: Text(
        "申请 {number} 自即日起暂停办理，时限停止计算。理由：{reason}",
        "Application {number} is suspended; its limits stand still. Reason: {reason}",
    ),
    EventKind.RESUMED: Text(
        "申请 {number} 恢复办理，时限继续计算。理由：{reason}",
        "Application {number} is resumed; its limits run on. Reason: {reason}",
    ),
    EventKind.CANCELLED: Text(
        "申请 {number} 已由管理员终止。理由：{reason}",
        "Application {number} was cancelled by an administrator. Reason: {reason}",
    ),
    EventKind.WITHDRAWN: Text(
        "申请 {number} 已由申请单位撤回。理由：{reason}",
        "Application {number} was withdrawn by the applicant. Reason: {reason}",
    ),
}


def suspend(
    runtime: Runtime, instance_id: str, reason: str, actor: Actor, now: datetime, *, once: str | None = None
) -> None:
    """Let an instance stand still: its limits pause, nobody can work on it. What is due by now happens before.

    Raises NotFound, NotAllowed, ReasonMissing, InstanceClosed, Suspended (already).
    """
    with suppress(AlreadyDone), by_operator(runtime, instance_id, "suspend", reason, actor, now, once) as run:
        refuse_suspended(run.session, run.instance)
        run.instance.suspended_at = run.now
        record(run, EventKind.SUSPENDED, actor, reason)
        for timer in list(run.timers.values()):
            if timer.state == TimerState.WAITING:
                clocks.pause(run, timer)
        _tell_of(run, EventKind.SUSPENDED, reason)


def resume(
    runtime: Runtime, instance_id: str, reason: str, actor: Actor, now: datetime, *, once: str | None = None
) -> None:
    """Let a suspended instance go on: each limit that was paused by suspending it runs on with what was left of it.

    Raises NotFound, NotAllowed, ReasonMissing, InstanceClosed, NotSuspended.
    """
    with suppress(AlreadyDone), by_operator(runtime, instance_id, "resume", reason, actor, now, once) as run:
        since, run.instance.suspended_at = run.instance.suspended_at, None
        if since is None:
            raise NotSuspended()
        record(run, EventKind.RESUMED, actor, reason)
        for timer in list(run.timers.values()):
            if timer.paused_at == since:
                clocks.resume(run, timer)
        _tell_of(run, EventKind.RESUMED, reason)


def cancel(
    runtime: Runtime, instance_id: str, reason: str, actor: Actor, now: datetime, *, once: str | None = None
) -> None:
    """Close an instance for good, wherever it stands; its test keys are revoked.

    Raises NotFound, NotAllowed, ReasonMissing, InstanceClosed.
    """
    with suppress(AlreadyDone), by_operator(runtime, instance_id, "cancel", reason, actor, now, once) as run:
        _end(run, EventKind.CANCELLED, EndedEarly.CANCELLED, reason, actor)


def withdraw(
    runtime: Runtime, instance_id: str, reason: str, actor: Actor, now: datetime, *, once: str | None = None
) -> None:
    """撤回: whoever started an instance takes it back, where its diagram allows it and nothing is decided yet.

    Raises NotFound, NotAllowed, ReasonMissing, InstanceClosed, Suspended, NotWithdrawable, Decided.
    """
    access.require(actor, Action.WITHDRAW)
    own = access.own_organisation(actor, Instance.organisation_id)
    with suppress(AlreadyDone), _opened(runtime, instance_id, "withdraw", reason, actor, now, once, own=own) as run:
        _refuse_closed(run)
        refuse_suspended(run.session, run.instance)
        if not run.compiled.diagram.withdrawable:
            raise NotWithdrawable()
        if run.instance.decided_at:
            raise Decided(outcome=run.instance.outcome)
        _end(run, EventKind.WITHDRAWN, EndedEarly.WITHDRAWN, reason, actor)


@contextmanager
def by_operator(
    runtime: Runtime,
    instance_id: str,
    lever: str,
    reason: str,
    actor: Actor,
    now: datetime,
    once: str | None,
    *about: str,
) -> Iterator[Run]:
    """An instance that has not ended, in an operator's hand. `about` is what the lever is given beside the reason.

    Raises NotAllowed, ReasonMissing, NotFound, InstanceClosed, and what `store.opened` raises.
    """
    access.require(actor, Action.INTERVENE)
    with _opened(runtime, instance_id, lever, reason, actor, now, once, *about) as run:
        _refuse_closed(run)
        yield run


def record(
    run: Run,
    kind: EventKind,
    actor: Actor,
    reason: str,
    *,
    element_id: str | None = None,
    basis: str = "",
    kept: dict[str, Any] | None = None,
    **details: Any,
) -> None:
    """The row that keeps the reason, and the entry of the history that refers to it. What is `kept` stands in the row
    alone; `details` stand in the entry, and name nobody."""
    record_in(
        run.session,
        run.instance,
        kind,
        actor,
        reason,
        at=run.now,
        element_id=element_id,
        basis=basis,
        kept=kept,
        **details,
    )


def record_in(
    session: Session,
    instance: Instance,
    kind: EventKind,
    actor: Actor,
    reason: str,
    *,
    at: datetime,
    element_id: str | None = None,
    basis: str = "",
    kept: dict[str, Any] | None = None,
    **details: Any,
) -> Intervention:
    """The same where no workflow is loaded; the caller holds the lock on the instance's row."""
    row = Intervention(
        id=new_id(),
        instance_id=instance.id,
        kind=kind,
        element_id=element_id,
        reason=checked(reason),
        basis=basis,
        details=kept or {},
        by=actor.account_id,
        at=moment_in(instance, at),
        salt=new_id(),
    )
    session.add(row)
    details[INTERVENTION] = {"id": row.id, "sha256": intervention_hash(row)}
    history.append(session, instance, kind, at=at, element_id=element_id, actor_id=actor.account_id, **details)
    return row


def parties(session: Session, instance_id: str) -> list[Organisation]:
    """Who takes part in an instance."""
    taking_part = select(Party.organisation_id).where(Party.instance_id == instance_id)
    return list(session.scalars(select(Organisation).where(Organisation.id.in_(taking_part)).order_by(Organisation.id)))


def tell_parties(run: Run, text: Text, element_id: str | None = None) -> None:
    about = element_id or run.compiled.diagram.process_id
    tell(run.session, run.instance, parties(run.session, run.instance.id), text, element_id=about, at=run.now)


def number_of(instance: Instance) -> Text:
    return Text(instance.number) if instance.number else Text("（未编号）", "(no number yet)")


@contextmanager
def _opened(
    runtime: Runtime,
    instance_id: str,
    lever: str,
    reason: str,
    actor: Actor,
    now: datetime,
    once: str | None,
    *about: str,
    own: ColumnElement[bool] | None = None,
) -> Iterator[Run]:
    """`own` is a condition without which an instance is not found; nothing of it is read before."""
    found: str | Named = instance_id
    if own is not None:
        found = locked(select(Instance.id).where(Instance.id == instance_id, own).correlate(None)), {}
    said = {"": {"reason": checked(reason)}}
    kind = CommandKind.INTERVENE
    command = None if once is None else Once(actor.account_id, once, kind, (lever, instance_id, *about), said)
    with opened(runtime, found, now=now, action=lever, once=command) as run:
        yield run


def _refuse_closed(run: Run) -> None:
    if run.instance.closed_at:
        raise InstanceClosed()


def _end(run: Run, kind: EventKind, how: EndedEarly, reason: str, actor: Actor) -> None:
    run.instance.ended_early, run.instance.suspended_at = how, None
    run.intervened = kind
    in_use = IssuedKey.revoked_at.is_(None)
    keys = run.session.scalars(select(IssuedKey).where(IssuedKey.instance_id == run.instance.id, in_use)).all()
    for key in keys:
        key.revoked_at = run.now
    record(run, kind, actor, reason, revoked=[key.id for key in keys])
    run.workflow.cancel()
    _tell_of(run, kind, reason)


def _tell_of(run: Run, kind: EventKind, reason: str) -> None:
    tell_parties(run, TOLD[kind].filled(number=number_of(run.instance), reason=checked(reason)))
