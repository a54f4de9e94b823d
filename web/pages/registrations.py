"""企业注册, for administrators: which enterprises ask for an account, and yes or no to each."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Conflict, Refusal
from engine.membership import deciding
from engine.people.access import Action, require
from engine.people.accounts import UsernameRefused, UsernameTaken
from engine.runtime.reasons import ReasonMissing
from web.errors import status_of
from web.language import language
from web.pages.accounts import link_to_set_password
from web.session import current_actor, runtime, settings

blueprint = Blueprint("registrations", __name__, url_prefix="/admin/registrations")


@blueprint.before_request
def _administrators_only() -> None:
    require(current_actor(), Action.ADMINISTER)


@blueprint.get("")
def listed() -> str:
    decided = request.args.get("view") == "decided"
    search = request.args.get("search", "")[:100]
    with runtime().database.read() as reading:
        page = deciding.listed(
            reading, current_actor(), decided=decided, search=search, page=request.args.get("page", 1, int)
        )
    return render_template("registrations/list.html", page=page, decided=decided, search=search)


@blueprint.get("/<registration_id>")
def show(registration_id: str) -> str:
    return _page(registration_id)


@blueprint.post("/<registration_id>/approve")
def approve(registration_id: str) -> Response | str | tuple[str, int]:
    username = request.form.get("username", "")[:60]
    try:
        approved = deciding.approve(
            runtime(),
            registration_id,
            current_actor(),
            username=username,
            mails_links=settings().mails_links,
            now=clock.now(),
        )
    except (UsernameRefused, UsernameTaken) as refusal:
        return _page(registration_id, refusal, at="username", username=username), status_of(refusal)
    except Conflict as refusal:
        return _page(registration_id, refusal), status_of(refusal)
    if settings().mails_links:
        flash(gettext("已通过注册，设置密码的链接已发往企业的邮箱。"), "success")
        return redirect(url_for("registrations.show", registration_id=registration_id))
    # The link stands in the answer to this request only, so there is nothing to redirect to.
    return render_template("registrations/link.html", approved=approved, link=link_to_set_password(approved.token))


@blueprint.post("/<registration_id>/reject")
def reject(registration_id: str) -> Response | tuple[str, int]:
    reason = request.form.get("reason", "")
    try:
        deciding.reject(runtime(), registration_id, current_actor(), reason=reason, now=clock.now())
    except ReasonMissing as refusal:
        return _page(registration_id, refusal, at="reason", reason=reason), status_of(refusal)
    except Conflict as refusal:
        return _page(registration_id, refusal), status_of(refusal)
    flash(gettext("已退回注册申请，理由会用邮件告知企业。"), "success")
    return redirect(url_for("registrations.show", registration_id=registration_id))


def _page(
    registration_id: str, refusal: Refusal | None = None, *, at: str = "top", username: str = "", reason: str = ""
) -> str:
    """`at` is the field a refusal is about."""
    with runtime().database.read() as reading:
        found = deciding.dossier(reading, current_actor(), registration_id)
    return render_template(
        "registrations/registration.html",
        dossier=found,
        errors={at: refusal.to(language())} if refusal else {},
        username=username or found.registration.username,
        reason=reason,
        sends_mail=settings().mail is not None,
        mails_links=settings().mails_links,
    )
