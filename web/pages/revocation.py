"""作废测试密钥: asked for with a reason, after being told what it means."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.errors import NotFound
from engine.keys.revoking import revoke
from engine.reading.casefile import case_file
from engine.runtime.reasons import ReasonMissing
from web.language import language
from web.session import current_actor, now, runtime

blueprint = Blueprint("revocation", __name__)


@blueprint.get("/instances/<instance_id>/keys/<key_id>/revocation")
def ask(instance_id: str, key_id: str) -> str:
    return _page(instance_id, key_id)


@blueprint.post("/instances/<instance_id>/keys/<key_id>/revocation")
def act(instance_id: str, key_id: str) -> Response | tuple[str, int]:
    reason = request.form.get("reason", "")
    try:
        revoke(runtime(), key_id, reason, current_actor(), now())
    except ReasonMissing as refusal:
        return _page(instance_id, key_id, refusal=refusal.to(language()), reason=reason), 422
    flash(gettext("密钥已作废，双方已收到通知。"), "success")
    return redirect(url_for("instances.show", instance_id=instance_id))


def _page(instance_id: str, key_id: str, *, refusal: str = "", reason: str = "") -> str:
    with runtime().database.read() as reading:
        case = case_file(reading, runtime().definitions, instance_id, current_actor(), now())
    key = next((key for key in case.keys if key.id == key_id and key.may_revoke), None)
    if key is None:
        raise NotFound()
    return render_template("instances/revoke_key.html", case=case, key=key, refusal=refusal, reason=reason)
