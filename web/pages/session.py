"""Logging in and out, choosing a language, and the way in."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from engine import clock
from engine.people import logins
from engine.people.accounts import WrongCredentials
from engine.people.throttling import TooOften
from web import session
from web.errors import status_and_headers
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
def check_login() -> Response | tuple[str, int, dict[str, str]]:
    username, password = request.form.get("username", ""), request.form.get("password", "")
    then = safe_next(request.form.get("next"), "")
    try:
        actor = logins.prove(runtime().database, username, password, address=request.remote_addr or "", now=clock.now())
    except (WrongCredentials, TooOften) as refusal:
        page = render_template("session/login.html", next=then, username=username, refusal=refusal.to(language()))
        return page, *status_and_headers(refusal)
    session.start(actor)
    return redirect(then or url_for("session.home"))


@blueprint.post("/logout")
@public
def logout() -> Response:
    session.end()
    response = redirect(url_for("session.log_in"))
    response.headers["Clear-Site-Data"] = '"cache"'  # the back button shows nothing to whoever sits there next
    return response


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
