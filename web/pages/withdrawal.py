"""撤回申请: the applicant takes an application back, with a reason, after being asked once more."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.errors import NotFound
from engine.levers.interventions import withdraw
from engine.reading.casefile import case_file
from engine.runtime.reasons import ReasonMissing
from web.language import language
from web.once import key_sent
from web.session import current_actor, now, runtime

blueprint = Blueprint("withdrawal", __name__)


@blueprint.get("/instances/<instance_id>/withdrawal")
def ask(instance_id: str) -> str:
    return _page(instance_id)


@blueprint.post("/instances/<instance_id>/withdrawal")
def act(instance_id: str) -> Response | tuple[str, int]:
    reason = request.form.get("reason", "")
    try:
        withdraw(runtime(), instance_id, reason, current_actor(), now(), once=key_sent())
    except ReasonMissing as refusal:
        return _page(instance_id, refusal=refusal.to(language()), reason=reason), 422
    flash(gettext("申请已撤回，双方已收到通知。"), "success")
    return redirect(url_for("instances.show", instance_id=instance_id))


def _page(instance_id: str, *, refusal: str = "", reason: str = "") -> str:
    with runtime().database.read() as reading:
        case = case_file(reading, runtime().definitions, instance_id, current_actor(), now())
    if not case.may_withdraw:
        raise NotFound()
    return render_template("instances/withdraw.html", case=case, refusal=refusal, reason=reason)
