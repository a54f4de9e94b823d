"""忘记密码: asking for a link by e-mail. The answer says nothing about whether there is such an account."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.membership.forgotten import ask_for_link
from engine.people.throttling import TooOften
from web.errors import status_and_headers
from web.language import language
from web.session import public, runtime, settings

blueprint = Blueprint("forgotten", __name__, url_prefix="/forgotten")


@blueprint.get("")
@public
def ask() -> str:
    return _page("", {})


@blueprint.post("")
@public
def send() -> Response | tuple[str, int, dict[str, str]]:
    given = request.form.get("who", "").strip()[:254]
    if not settings().mails_links:
        return _page(given, {}), 404, {}
    if not given:
        return _page(given, {"who": gettext("请填写用户名或邮箱。")}), 422, {}
    try:
        ask_for_link(runtime(), given, address=request.remote_addr or "", now=clock.now())
    except TooOften as refusal:
        return _page(given, {"who": refusal.to(language())}), *status_and_headers(refusal)
    return redirect(url_for("forgotten.sent"))


@blueprint.get("/sent")
@public
def sent() -> str:
    return render_template("session/forgotten_sent.html")


def _page(given: str, errors: dict[str, str]) -> str:
    return render_template("session/forgotten.html", given=given, errors=errors, mails_links=settings().mails_links)
