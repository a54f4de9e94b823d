"""Logging in and out, choosing a language, and the way in."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from engine import clock
from engine.membership.safety import of_new_password
from engine.people import logins, management
from engine.people.accounts import WrongCredentials
from engine.people.management import LinkSpent
from engine.people.passwords import LENGTHS, PasswordRefused
from engine.people.second_factor import CodeWrong
from engine.people.tables import Account
from engine.people.throttling import TooOften
from web import half_way, session
from web.errors import status_and_headers
from web.language import COOKIE, language
from web.navigation import first_page
from web.pages.second_factor import checked as second_factor_checked
from web.pages.second_factor import confirmed as second_factor_confirmed
from web.pages.second_factor import recovery_page, set_up_page
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
    return half_way.go_on(actor, then)


@blueprint.get("/login/code")
@public
def code() -> Response | str:
    if half_way.who() is None:
        return redirect(url_for("session.log_in"))
    return render_template("session/code.html", errors={})


@blueprint.post("/login/code")
@public
def check_code() -> Response | tuple[str, int, dict[str, str]]:
    actor = half_way.who()
    if actor is None:
        return redirect(url_for("session.log_in"))
    then = half_way.then()
    try:
        second_factor_checked(actor)
    except (CodeWrong, TooOften) as refusal:
        page = render_template("session/code.html", errors={"code": refusal.to(language())})
        return page, *status_and_headers(refusal)
    half_way.arrive(actor)
    return redirect(then or url_for("session.home"))


@blueprint.get("/login/set-up")
@public
def set_up() -> Response:
    actor = half_way.who()
    if actor is None:
        return redirect(url_for("session.log_in"))
    return set_up_page(actor, {})


@blueprint.post("/login/set-up")
@public
def confirm_set_up() -> Response:
    actor = half_way.who()
    if actor is None:
        return redirect(url_for("session.log_in"))
    then = half_way.then()
    try:
        codes = second_factor_confirmed(actor)
    except (CodeWrong, TooOften) as refusal:
        return set_up_page(actor, {"code": refusal.to(language())}, status_and_headers(refusal))
    half_way.arrive(actor)
    return recovery_page(codes, then or url_for("session.home"))


@blueprint.post("/logout")
@public
def logout() -> Response:
    signed_on = session.signed_on()
    session.end()
    response = redirect(url_for("session.log_in", signed_on=1 if signed_on else None))
    response.headers["Clear-Site-Data"] = '"cache"'  # the back button shows nothing to whoever sits there next
    return response


@blueprint.get("/set-password/<token>")
@public
def set_password(token: str) -> Response:
    try:
        with runtime().database.read() as reading:
            account, _ = management.whose_link(reading, token, clock.now())
    except LinkSpent as refusal:
        return _spent_page(refusal)
    return _password_page(account, {})


@blueprint.post("/set-password/<token>")
@public
def use_link(token: str) -> Response:
    new = request.form.get("new", "")
    try:
        with runtime().database.read() as reading:
            account, _ = management.whose_link(reading, token, clock.now())
        if new != request.form.get("again", ""):
            return _password_page(account, {"again": gettext("两次输入的新密码不一致。")})
        moment = clock.now()
        management.use_link(runtime().database, token, new, tell=of_new_password(runtime(), moment), now=moment)
    except LinkSpent as refusal:
        return _spent_page(refusal)
    except PasswordRefused as refusal:
        return _password_page(account, {"new": refusal.to(language())})
    flash(gettext("密码已设置，请登录。"), "success")
    return redirect(url_for("session.log_in"))


def _spent_page(refusal: LinkSpent) -> Response:
    return make_response(render_template("session/link_spent.html", sentence=refusal.to(language())), 422)


def _password_page(account: Account, errors: dict[str, str]) -> Response:
    """Its address is a secret: no other page hears of it, and nothing keeps it."""
    page = render_template("session/set_password.html", account=account, errors=errors, lengths=LENGTHS)
    return told_nobody(make_response(page, 422 if errors else 200))


def told_nobody(response: Response) -> Response:
    """A page whose address is a secret."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
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
