"""Who has proved the password and owes the code: in the signed cookie, for a few minutes, worth nothing by itself."""

from datetime import timedelta

from flask import session as cookie

from engine import clock
from engine.errors import NotFound
from engine.people import accounts
from engine.people.accounts import Actor
from web.session import runtime

_LASTS = timedelta(minutes=10)


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
