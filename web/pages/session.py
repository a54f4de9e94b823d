"""Logging in and out, choosing a language, and the way in."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from engine import clock
from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.people.accounts import Actor, WrongCredentials, authenticate
from web import session
from web.language import COOKIE, language
from web.navigation import first_page
from web.session import public, runtime, safe_next, signed_in

blueprint = Blueprint("session", __name__)

_YEAR = 365 * 24 * 3600  # seconds


@blueprint.get("/")
def home() -> Response:
    return redirect(first_page())


@blueprint.get("/login")
@public
def log_in() -> Response | str:
    if signed_in():
        return redirect(safe_next(request.args.get("next"), url_for("session.home")))
    return render_template(
        "session/login.html", next=safe_next(request.args.get("next"), ""), username="", refusal=None
    )


@blueprint.post("/login")
@public
def check_login() -> Response | tuple[str, int]:
    username, password = request.form.get("username", ""), request.form.get("password", "")
    then = safe_next(request.form.get("next"), "")
    try:
        # Verifying a password takes its time by design; a transaction that writes would make all others wait for it.
        with runtime().database.read() as reading:
            actor = authenticate(reading, username, password)
    except WrongCredentials as refusal:
        _record(SystemEventKind.LOGIN_FAILED, account_id=refusal.account_id)
        page = render_template("session/login.html", next=then, username=username, refusal=refusal.to(language()))
        return page, 422
    _record(SystemEventKind.LOGGED_IN, actor)
    session.start(actor)
    return redirect(then or url_for("session.home"))


@blueprint.post("/logout")
@public
def logout() -> Response:
    if actor := signed_in():
        _record(SystemEventKind.LOGGED_OUT, actor)
    session.end()
    response = redirect(url_for("session.log_in"))
    response.headers["Clear-Site-Data"] = '"cache"'  # the back button shows nothing to whoever sits there next
    return response


def _record(kind: SystemEventKind, actor: Actor | None = None, **details: str | None) -> None:
    """In real time, as sessions are. What a stranger typed as a user name is not kept: it may be a password."""
    with runtime().database.write() as writing:
        record(writing, kind, at=clock.now(), actor_id=actor.account_id if actor else None, **details)


@blueprint.get("/token")
@public
def token() -> dict[str, str]:
    """The form token of the present login, for a form that was opened under an earlier one."""
    return {"token": generate_csrf()}


@blueprint.post("/language")
@public
def choose_language() -> Response:
    response = make_response(redirect(safe_next(request.form.get("next"))))
    chosen = "en" if request.form.get("language") == "en" else "zh"
    response.set_cookie(COOKIE, chosen, max_age=_YEAR, samesite="Lax", httponly=True, secure=request.is_secure)
    return response
