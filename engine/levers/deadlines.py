"""Changing when a running limit of one instance ends."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from engine.errors import Conflict, Invalid
from engine.levers.interventions import by_operator, number_of, record, tell_parties
from engine.limits import clocks
from engine.limits.time_left import ends_at
from engine.people.accounts import Actor
from engine.runtime.once import AlreadyDone
from engine.runtime.reasons import checked, checked_basis
from engine.runtime.runtime import Runtime
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import EventKind, Timer
from engine.runtime.wording import element_name
from engine.text import Text


class LimitOver(Conflict):
    sentence = Text(
        "这一期限已经结束或没有在计算，没有改动；请刷新页面查看现状。",
        "This limit has ended or does not run; nothing was changed. Refresh the page.",
    )


class PastDeadline(Invalid):
    sentence = Text("新的期限应晚于当前时间。", "The new end of the limit has to lie in the future.")


TOLD = Text(
    "申请 {number} 中“{step}”的期限改至 {until}。理由：{reason}",
    "The limit “{step}” of application {number} now ends at {until}. Reason: {reason}",
)


def change_deadline(
    runtime: Runtime,
    instance_id: str,
    timer_id: str,
    ends: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    basis: str = "",
    once: str | None = None,
) -> None:
    """Let a running limit end at another moment (exclusive, so 0:00 of the day after its last day).

    Raises NotFound, NotAllowed, ReasonMissing, BasisTooLong, InstanceClosed, Suspended, LimitOver, PastDeadline.
    """
    basis = checked_basis(basis)
    until = ends.astimezone(UTC).isoformat()
    about = ("deadline", reason, actor, now, once, timer_id, until, basis)
    with suppress(AlreadyDone), by_operator(runtime, instance_id, *about) as run:
        refuse_suspended(run.session, run.instance)
        timer: Timer | None = run.timers.get(timer_id)
        if timer is None or timer.paused_at:
            raise LimitOver()
        if ends <= run.now:
            raise PastDeadline()
        kept = {"due_at": {"before": timer.due_at.isoformat(), "after": until}}
        where: dict[str, Any] = {"element_id": timer.element_id, "basis": basis, "kept": kept}
        record(run, EventKind.DEADLINE_CHANGED, actor, reason, **where, timer_id=timer_id, due_at=until)
        clocks.set_limit(run, timer, {"at": until})
        step = element_name(run.compiled.diagram, timer.element_id)
        facts = {"number": number_of(run.instance), "step": step, "until": ends_at(ends), "reason": checked(reason)}
        tell_parties(run, TOLD.filled(**facts), timer.element_id)
