"""An account's own e-mail address: giving one under 我的账号, and opening the link that was sent there."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.membership import own_address
from engine.membership.own_address import ConfirmationSpent, EmailRefused
from engine.people import accounts
from engine.people.throttling import TooOften
from web.errors import status_and_headers
from web.language import language
from web.pages.session import told_nobody
from web.proof import proof_needed
from web.session import current_actor, public, runtime, settings

blueprint = Blueprint("own_address", __name__)


@blueprint.get("/account/email")
@proof_needed
def show() -> str:
    return _page("", {})


@blueprint.post("/account/email")
@proof_needed
def change() -> Response | tuple[str, int, dict[str, str]]:
    given = request.form.get("email", "")[:254]
    try:
        address = own_address.ask(runtime(), current_actor(), given, now=clock.now())
    except (EmailRefused, TooOften) as refusal:
        return _page(given, {"email": refusal.to(language())}), *status_and_headers(refusal)
    flash(gettext("确认链接已发往 %(address)s，打开链接后生效。", address=address), "success")
    return redirect(url_for("account.overview"))


@blueprint.post("/account/email/remove")
@proof_needed
def remove() -> Response:
    own_address.remove(runtime(), current_actor(), now=clock.now())
    flash(gettext("已删除邮箱。"), "success")
    return redirect(url_for("account.overview"))


@blueprint.get("/account/email/remove")
def asked_to_remove() -> Response:
    """Where a proof of identity leads back to."""
    return redirect(url_for("own_address.show"))


@blueprint.get("/confirm-email/<token>")
@public
def confirm(token: str) -> Response:
    """Asks first: mail programs open links to look what is behind them."""
    try:
        with runtime().database.read() as reading:
            account, address = own_address.whose(reading, token, clock.now())
    except ConfirmationSpent as refusal:
        return _spent(refusal)
    return told_nobody(make_response(render_template("session/confirm_email.html", account=account, address=address)))


@blueprint.post("/confirm-email/<token>")
@public
def confirmed(token: str) -> Response:
    try:
        own_address.confirm(runtime(), token, now=clock.now())
    except ConfirmationSpent as refusal:
        return _spent(refusal)
    flash(gettext("邮箱已确认。"), "success")
    return redirect(url_for("session.log_in"))


def _spent(refusal: ConfirmationSpent) -> Response:
    return make_response(render_template("session/link_spent.html", sentence=refusal.to(language())), 422)


def _page(given: str, errors: dict[str, str]) -> str:
    with runtime().database.read() as reading:
        account, _ = accounts.account_of(reading, current_actor().account_id)
    return render_template(
        "account/email.html", given=given, email=account.email, errors=errors, mails_links=settings().mails_links
    )
