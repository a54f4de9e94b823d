"""Who is asking, in which language and at what time: what every page may ask of the request."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, has_request_context, redirect, request, url_for
from flask import session as cookie
from flask.sessions import SecureCookieSessionInterface
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from engine import clock
from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import Unavailable
from engine.people import second_factor, sessions
from engine.people.accounts import Actor, actor_from
from engine.people.tables import LoginSession, Proof, Role
from engine.runtime.runtime import Runtime
from engine.runtime.trial import offset, process_now
from engine.text import Text
from web.language import language
from web.settings import Settings

__all__ = [
    "current_actor",
    "end",
    "init_app",
    "language",
    "last_proof",
    "now",
    "public",
    "runtime",
    "safe_next",
    "settings",
    "signed_in",
    "signed_on",
    "start",
    "token",
]

View = TypeVar("View", bound=Callable[..., object])


class LoginExpired(Exception):
    """Something was posted, but nobody is logged in (any more)."""


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login carries no types
    def __init__(self, token: str, actor: Actor, organisation: Text, login: LoginSession) -> None:
        self.id = token
        self.actor = actor
        self.organisation = organisation
        self.proven_at = login.proven_at
        self.proven_by = Proof(login.proven_by)
        self.signed_on = login.signon_sid is not None


class SecureWhereItCan(SecureCookieSessionInterface):
    """The cookie goes over HTTPS only once it came that way, also where the settings don't ask for it."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return super().get_cookie_secure(app) or request.is_secure


def public(view: View) -> View:
    """Marks a view that needs nobody logged in; all others do."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def signed_in() -> Actor | None:
    """Who is logged in, if anybody."""
    return current_user.actor if isinstance(current_user._get_current_object(), SignedIn) else None


def current_actor() -> Actor:
    """Who is asking. Raises LoginExpired on a public page without one."""
    actor = signed_in()
    if actor is None:
        raise LoginExpired()
    return actor


def last_proof() -> tuple[datetime, Proof]:
    """When, in real time, and how whoever is logged in has last shown to be who they are."""
    return current_user.proven_at, current_user.proven_by


def signed_on() -> bool:
    """Did whoever is logged in come through the OpenID provider?"""
    return signed_in() is not None and current_user.signed_on


def runtime() -> Runtime:
    found: Runtime = current_app.extensions["runtime"]
    return found


def settings() -> Settings:
    found: Settings = current_app.extensions["settings"]
    return found


def now() -> datetime:
    """Process time of this request: one moment for everything it does, moved ahead in a trial."""
    if not has_request_context():
        return process_now(runtime(), clock.now())
    if "process_now" not in g:
        g.process_now = process_now(runtime(), clock.now())
    moment: datetime = g.process_now
    return moment


def needs_second_factor(role: Role) -> bool:
    return role in second_factor.REQUIRED_OF and not runtime().trial


def token() -> str:
    """By what the browser that asks is logged in."""
    found: str = current_user.get_id() or ""
    return found


def start(actor: Actor, *, by: Proof = Proof.PASSWORD, signon_sid: str | None = None) -> None:
    """Log in, in real time, under a token nobody knew before. What the cookie held is dropped and the session it stood
    for ends, so that nobody can plant one on somebody else."""
    with runtime().database.write() as writing:
        sessions.end(writing, token())
        new = sessions.begin(
            writing,
            actor.account_id,
            agent=request.user_agent.string,
            address=request.remote_addr or "",
            by=by,
            signon_sid=signon_sid,
            now=clock.now(),
        )
        record(writing, SystemEventKind.LOGGED_IN, at=clock.now(), actor_id=actor.account_id)
    cookie.clear()
    cookie.permanent = True
    login_user(_load(new))


def end() -> None:
    if actor := signed_in():
        with runtime().database.write() as writing:
            sessions.end(writing, token())
            record(writing, SystemEventKind.LOGGED_OUT, at=clock.now(), actor_id=actor.account_id)
    logout_user()
    cookie.clear()


def safe_next(address: str | None, default: str = "/") -> str:
    """Where to go afterwards: only ever a path of this site."""
    if not address or not address.startswith("/") or address.startswith(("//", "/\\")):
        return default
    if any(character < " " or character == "\\" for character in address):
        return default
    parts = urlsplit(address)
    return default if parts.scheme or parts.netloc else address


def this_page() -> str:
    """Path and query of a page that can be opened again (the page a form was on, after a post)."""
    if request.method in ("GET", "HEAD"):
        return request.full_path.removesuffix("?")
    referrer = urlsplit(request.referrer or "")
    if referrer.netloc == request.host:
        return safe_next(referrer.path + (f"?{referrer.query}" if referrer.query else ""))
    return "/"


def init_app(app: Flask) -> None:
    app.session_interface = SecureWhereItCan()
    manager = LoginManager(app)
    manager.session_protection = "basic"
    manager.user_loader(_load)
    # Before the check of the form's token: somebody whose login has run out should hear that, not of a token.
    app.before_request(_require_login)
    CSRFProtect(app)
    app.after_request(_keep_private)
    app.jinja_env.globals.update(
        signed_in=signed_in,
        own_organisation=lambda: current_user.organisation,
        now=now,
        this_page=this_page,
        in_trial=lambda: runtime().trial,
    )


def _load(token: str) -> SignedIn | None:
    moment = clock.now()
    with runtime().database.read() as reading:
        found = sessions.find(reading, token, moment)
        if found is None:
            return None
        if runtime().trial:  # asked along with the account: nearly every page needs to know
            g.process_now = moment + offset(reading)
    login, account, organisation = found
    if needs_second_factor(Role(account.role)) and not login.two_factors:
        return None  # begun in a trial, or before the role asked for it
    if login.seen_at < moment - sessions.SEEN_EVERY:
        with suppress(Unavailable), runtime().database.write() as writing:  # a page is not refused for it
            sessions.seen(writing, login.id, moment)
    name = Text(organisation.name, organisation.name_en)
    return SignedIn(token, actor_from(account), name, login)


def _require_login() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions.get(request.endpoint)
    if getattr(view, "is_public", False) or not isinstance(current_user._get_current_object(), AnonymousUserMixin):
        return None
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("session.log_in", next=None if request.path == "/" else this_page()))
    raise LoginExpired()


def _keep_private(response: Response) -> Response:
    """No shared cache keeps a page. The browser may, until logging out: who comes back to a form finds it filled."""
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
