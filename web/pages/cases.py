"""案件处置: every case, where it stands, and one form per lever of its operators."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.errors import Invalid, NotFound
from engine.levers import interventions
from engine.levers.correcting import Compound, NoSuchVariable, correct_variable
from engine.levers.deadlines import change_deadline
from engine.levers.moving import TargetRefused, move
from engine.privacy.holding import hold, lift
from engine.privacy.retention import keeping
from engine.reading.case_desk import case_desk
from engine.reading.case_desk import cases as all_cases
from engine.runtime.reasons import BasisTooLong, ReasonMissing, checked
from web.language import language
from web.moments import end_of
from web.once import key_sent
from web.session import current_actor, now, runtime

blueprint = Blueprint("cases", __name__, url_prefix="/admin/cases")

# Which field of a lever's form a refusal is about; any other is about the value beside the reason.
_AT = MappingProxyType(
    {ReasonMissing: "reason", BasisTooLong: "basis", NoSuchVariable: "variable", Compound: "variable"}
)
_VALUES = MappingProxyType({"move": "to", "deadline": "ends", "correct": "value"})


@blueprint.get("")
def listed() -> str:
    search = request.args.get("search", "")[:100]
    with runtime().database.read() as reading:
        actor, number = current_actor(), request.args.get("page", 1, int)
        page = all_cases(reading, runtime().definitions, actor, now(), search=search, page=number)
    return render_template("admin/cases.html", page=page, search=search)


@blueprint.get("/<instance_id>")
def show(instance_id: str) -> str:
    return _page(instance_id)


@blueprint.post("/<instance_id>/<lever>")
def pull(instance_id: str, lever: str) -> Response | tuple[str, int] | str:
    if lever not in _LEVERS:
        raise NotFound()
    try:
        if lever == "cancel" and "confirmed" not in request.form:
            return _confirm(instance_id)
        _LEVERS[lever](instance_id, request.form.get("reason", ""))
    except Invalid as refusal:
        at = _AT.get(type(refusal), _VALUES.get(lever, "reason"))
        return _page(instance_id, lever=lever, at=at, refusal=refusal.to(language())), 422
    flash(_done()[lever], "success")
    return redirect(url_for("cases.show", instance_id=instance_id))


def _suspend(instance_id: str, reason: str) -> None:
    interventions.suspend(runtime(), instance_id, reason, current_actor(), now(), once=key_sent())


def _resume(instance_id: str, reason: str) -> None:
    interventions.resume(runtime(), instance_id, reason, current_actor(), now(), once=key_sent())


def _cancel(instance_id: str, reason: str) -> None:
    interventions.cancel(runtime(), instance_id, reason, current_actor(), now(), once=key_sent())


def _move(instance_id: str, reason: str) -> None:
    """`to` is the token's id and the element's, so that one list offers them all."""
    token_id, _, to = request.form.get("to", "").partition(" ")
    if not to:
        raise TargetRefused(to="", why=gettext("请选择要转到的步骤。"))
    move(runtime(), instance_id, token_id, to, reason, current_actor(), now(), once=key_sent())


def _deadline(instance_id: str, reason: str) -> None:
    timer_id, basis = request.form.get("timer", ""), request.form.get("basis", "")
    ends = end_of(request.form.get("ends", ""))
    change_deadline(
        runtime(), instance_id, timer_id, ends, reason, current_actor(), now(), basis=basis, once=key_sent()
    )


def _correct(instance_id: str, reason: str) -> None:
    variable, value = request.form.get("variable", ""), request.form.get("value", "")
    correct_variable(
        runtime(), instance_id, variable, value, reason, current_actor(), now(), written=True, once=key_sent()
    )


def _hold(instance_id: str, reason: str) -> None:
    hold(runtime(), instance_id, reason, current_actor(), now())


def _lift(instance_id: str, reason: str) -> None:
    lift(runtime(), instance_id, reason, current_actor(), now())


_LEVERS: Mapping[str, Callable[[str, str], None]] = MappingProxyType(
    {
        "suspend": _suspend,
        "resume": _resume,
        "cancel": _cancel,
        "move": _move,
        "deadline": _deadline,
        "correct": _correct,
        "hold": _hold,
        "lift": _lift,
    }
)


def _done() -> dict[str, str]:
    return {
        "suspend": gettext("已暂停办理，双方已收到通知。"),
        "resume": gettext("已恢复办理，双方已收到通知。"),
        "cancel": gettext("申请已终止，双方已收到通知。"),
        "move": gettext("已转移，双方已收到通知。"),
        "deadline": gettext("期限已更改，双方已收到通知。"),
        "correct": gettext("办理数据已更正。"),
        "hold": gettext("已设为保留，内容不按保存期限删除。"),
        "lift": gettext("已解除保留，重新按保存期限计算。"),
    }


def _confirm(instance_id: str) -> str:
    """Asks once more: what is cancelled stays so. Raises ReasonMissing before that."""
    reason = checked(request.form.get("reason", ""))
    with runtime().database.read() as reading:
        desk = case_desk(reading, runtime().definitions, instance_id, current_actor(), now())
    return render_template("admin/confirm_cancel.html", desk=desk, reason=reason)


def _page(instance_id: str, *, lever: str = "", at: str = "", refusal: str = "") -> str:
    with runtime().database.read() as reading:
        desk = case_desk(reading, runtime().definitions, instance_id, current_actor(), now())
        kept_for = keeping(reading, runtime().definitions, desk.line.id, current_actor())
    return render_template(
        "admin/case.html", desk=desk, kept_for=kept_for, lever=lever, at=at, refusal=refusal, sent=request.form
    )
