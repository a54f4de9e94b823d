"""删除个人信息: an administrator looks at what erasing a person would do, says why, and confirms with the user name."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Conflict
from engine.privacy.erasure import erase, preview
from engine.runtime.reasons import ReasonMissing, checked
from web.errors import status_of
from web.language import language
from web.proof import proof_needed
from web.session import current_actor, now, runtime

blueprint = Blueprint("erasure", __name__, url_prefix="/accounts")


@blueprint.get("/<account_id>/erase")
@proof_needed
def ask(account_id: str) -> str:
    return _page(account_id, {})


@blueprint.post("/<account_id>/erase")
@proof_needed
def act(account_id: str) -> Response | tuple[str, int]:
    reason, typed = request.form.get("reason", ""), request.form.get("confirmed_username", "").strip()
    with runtime().database.read() as reading:
        foreseen = preview(reading, runtime().definitions, account_id, current_actor())
    errors = {}
    try:
        checked(reason)
    except ReasonMissing as refusal:
        errors["reason"] = refusal.to(language())
    if typed != foreseen.username:
        errors["confirmed_username"] = gettext("请输入这个账号的用户名，以确认删除。")
    if errors:
        return _page(account_id, errors), 422
    try:
        erase(runtime(), account_id, reason, current_actor(), now=now(), real_now=clock.now())
    except Conflict as refusal:  # the page says so too: something began meanwhile
        return _page(account_id, {}), status_of(refusal)
    flash(gettext("个人信息已删除。"), "success")
    return redirect(url_for("accounts.listed"))


def _page(account_id: str, errors: dict[str, str]) -> str:
    with runtime().database.read() as reading:
        foreseen = preview(reading, runtime().definitions, account_id, current_actor())
    refusal = foreseen.refusal.to(language()) if foreseen.refusal else ""
    return render_template("accounts/erase.html", preview=foreseen, refusal=refusal, errors=errors, sent=request.form)
