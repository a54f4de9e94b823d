"""Who has proved the password, or signed on, and owes the code.

Kept in the signed cookie, for a few minutes, and worth nothing by itself."""

from datetime import timedelta

from flask import redirect, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import NotFound
from engine.people import accounts, second_factor
from engine.people.accounts import Actor
from web import session
from web.session import needs_second_factor, runtime

_LASTS = timedelta(minutes=10)


def go_on(actor: Actor, then: str) -> Response:
    """After the first proof, by password or through a provider: on to the code, or logged in."""
    with runtime().database.read() as reading:
        asks = second_factor.is_set_up(reading, actor.account_id)
    if not asks and not needs_second_factor(actor.role):
        session.start(actor)
        return redirect(then or url_for("session.home"))
    remember(actor, then)
    return redirect(url_for("session.code" if asks else "session.set_up"))


def remember(actor: Actor, then: str) -> None:
    """`then` is where to go after the code."""
    cookie.clear()
    cookie["half_way"] = {"account": actor.account_id, "since": clock.now().timestamp(), "then": then}


def who() -> Actor | None:
    kept = cookie.get("half_way")
    if not kept or clock.now().timestamp() - kept["since"] > _LASTS.total_seconds():
        return None
    with runtime().database.read() as reading:
        try:
            return accounts.actor(reading, kept["account"])
        except NotFound:
            return None


def then() -> str:
    address: str = cookie.get("half_way", {}).get("then", "")
    return address
