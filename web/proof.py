"""Asking once more who sits there, before something is shown or done that a browser left open must not give away.

A view is marked with `proof_needed`, or calls `require_proof` when it knows that it matters. Where the last proof of
identity in this session is too old, the person is asked for it and then continues at the same address. On real time.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, redirect, request, url_for
from werkzeug.wrappers import Response

from engine import clock
from engine.people import second_factor
from engine.people.tables import Proof
from web.session import current_actor, last_proof, runtime

RECENT = timedelta(minutes=10)

P = ParamSpec("P")
R = TypeVar("R")


class ProofNeeded(Exception):
    """The last proof is too old. A page asks for another and leads back."""


def proof_needed(view: Callable[P, R]) -> Callable[P, R]:
    """Marks a view that is shown and done after a recent proof only. Its address must be one that can be opened."""

    @wraps(view)
    def asks_first(*arguments: P.args, **named: P.kwargs) -> R:
        require_proof()
        return view(*arguments, **named)

    return asks_first


def require_proof() -> None:
    """Raises ProofNeeded where whoever is logged in has not proven it lately, or without the code though the account
    has a second factor."""
    at, by = last_proof()
    if at < clock.now() - RECENT or (not by.two_factors and asks_for_code()):
        raise ProofNeeded()


def lacks_the_code_only() -> bool:
    """Has whoever is logged in just proven it at the OpenID provider, and owes the code?"""
    at, by = last_proof()
    return at >= clock.now() - RECENT and by is Proof.SIGN_ON and asks_for_code()


def asks_for_code() -> bool:
    with runtime().database.read() as reading:
        return second_factor.is_set_up(reading, current_actor().account_id)


def init_app(app: Flask) -> None:
    app.register_error_handler(ProofNeeded, _ask)


def _ask(_needed: ProofNeeded) -> Response:
    then = request.full_path.removesuffix("?") if request.method == "GET" else request.path
    return redirect(url_for("proof.ask", next=then), 303)
