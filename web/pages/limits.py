"""An official's levers on the limit of a task, and a case's 时限记录 on a page to be printed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.calendar.entries import SIDES
from engine.errors import Invalid, NotFound
from engine.levers.limit_levers import extend_limit, pause_limit, resume_limit
from engine.limits.ledger import LimitLedger, clock_ledger, days_by_side
from engine.reading.casefile import case_file
from engine.reading.taskfile import task_file
from engine.runtime.reasons import BasisTooLong, ReasonMissing
from web.language import language
from web.once import key_sent
from web.session import current_actor, now, runtime

blueprint = Blueprint("limits", __name__)


@blueprint.get("/instances/<instance_id>/limits")
def record(instance_id: str) -> str:
    with runtime().database.read() as reading:
        case = case_file(reading, runtime().definitions, instance_id, current_actor(), now())
    return render_template("limits/record.html", case=case)


@blueprint.post("/tasks/<task_id>/limits/<timer_id>/<lever>")
def pull(task_id: str, timer_id: str, lever: str) -> Response | tuple[str, int]:
    if lever not in _LEVERS:
        raise NotFound()
    try:
        _LEVERS[lever](task_id, timer_id)
    except Invalid as refusal:
        at = {ReasonMissing: "reason", BasisTooLong: "basis"}.get(type(refusal), "days")
        return _again(task_id, f"{lever}-{timer_id}", at, refusal), 422
    flash(_done()[lever], "success")
    return redirect(url_for("tasks.show", task_id=task_id))


def _pause(task_id: str, timer_id: str) -> None:
    reason, basis = _said()
    pause_limit(runtime(), task_id, timer_id, reason, current_actor(), now(), basis=basis, once=key_sent())


def _resume(task_id: str, timer_id: str) -> None:
    reason, basis = _said()
    resume_limit(runtime(), task_id, timer_id, reason, current_actor(), now(), basis=basis, once=key_sent())


def _extend(task_id: str, timer_id: str) -> None:
    reason, basis = _said()
    days = request.form.get("days", 0, int)
    extend_limit(runtime(), task_id, timer_id, days, reason, current_actor(), now(), basis=basis, once=key_sent())


def _said() -> tuple[str, str]:
    return request.form.get("reason", ""), request.form.get("basis", "")


_LEVERS: Mapping[str, Callable[[str, str], None]] = MappingProxyType(
    {"pause": _pause, "resume": _resume, "extend": _extend}
)


def _done() -> dict[str, str]:
    return {
        "pause": gettext("期限已暂停计算，双方已收到通知。"),
        "resume": gettext("期限已恢复计算，双方已收到通知。"),
        "extend": gettext("期限已延长，双方已收到通知。"),
    }


def _again(task_id: str, lever: str, at: str, refusal: Invalid) -> str:
    """The task's page with what was sent and what is wrong with it."""
    with runtime().database.read() as reading:
        task = task_file(reading, runtime().definitions, task_id, current_actor(), now())
    wrong = {"lever": lever, "at": at, "sentence": refusal.to(language())}
    return render_template("tasks/task.html", task=task, answers=task.filled, errors={}, wrong=wrong, sent=request.form)


@blueprint.app_context_processor
def _for_cases() -> dict[str, object]:
    return {"limit_record": _limit_record, "days_by_side": days_by_side, "limit_sides": SIDES}


def _limit_record(instance_id: str) -> tuple[LimitLedger, ...]:
    with runtime().database.read() as reading:
        return clock_ledger(reading, runtime().definitions, instance_id, current_actor(), now())
