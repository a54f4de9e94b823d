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
from engine.people.tables import Proof
from web import session
from web.session import needs_second_factor, runtime

_LASTS = timedelta(minutes=10)


def go_on(actor: Actor, then: str, *, by: Proof = Proof.PASSWORD, signon_sid: str | None = None) -> Response:
    """After the first proof, by password or through a provider: on to the code, or logged in."""
    with runtime().database.read() as reading:
        asks = second_factor.is_set_up(reading, actor.account_id)
    if by.two_factors or (not asks and not needs_second_factor(actor.role)):
        session.start(actor, by=by, signon_sid=signon_sid)
        return redirect(then or url_for("session.home"))
    _remember(actor, then, signon_sid)
    return redirect(url_for("session.code" if asks else "session.set_up"))


def _remember(actor: Actor, then: str, signon_sid: str | None) -> None:
    """`then` is where to go after the code."""
    cookie.clear()
    kept = {"account": actor.account_id, "since": clock.now().timestamp(), "then": then, "signon_sid": signon_sid}
    cookie["half_way"] = kept


def arrive(actor: Actor) -> None:
    """Log in who has given the code."""
    signon_sid: str | None = cookie.get("half_way", {}).get("signon_sid")
    by = Proof.CODE if signon_sid is None else Proof.SIGN_ON_AND_CODE
    session.start(actor, by=by, signon_sid=signon_sid)


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
