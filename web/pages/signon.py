"""Logging in through the organisation's OpenID provider: there, and back."""

import hmac
import secrets

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask import session as cookie
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import NotFound, Refusal
from engine.people import links
from engine.people.links import NoAccount
from web import half_way
from web.errors import status_and_headers
from web.language import language
from web.session import public, runtime, safe_next
from web.signon import Provider, ProviderAway, SignOnRefused

blueprint = Blueprint("signon", __name__, url_prefix="/signon")

_LASTS = 10 * 60  # seconds between leaving and coming back


@blueprint.get("")
@public
def begin() -> Response:
    provider, then = _provider(), safe_next(request.args.get("next"), "")
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    try:
        address = provider.address(state=state, nonce=nonce, verifier=verifier, now=clock.now())
    except ProviderAway as refusal:
        return _refused(refusal, then)
    since = clock.now().timestamp()
    cookie["signon"] = {"state": state, "nonce": nonce, "verifier": verifier, "then": then, "since": since}
    return redirect(address)


@blueprint.get("/back")
@public
def back() -> Response:
    """What was kept on leaving is worth one return, whatever comes of it."""
    provider, kept, moment = _provider(), cookie.pop("signon", None), clock.now()
    then = kept["then"] if kept else ""
    try:
        if not kept or not _is_answer_to(kept, provider):
            raise SignOnRefused()
        person = provider.person(
            request.args.get("code", ""), nonce=kept["nonce"], verifier=kept["verifier"], now=moment
        )
        actor = links.identify(runtime().database, person.issuer, person.subject, person.username, now=moment)
    except SignOnRefused as refusal:
        with runtime().database.write() as writing:
            links.refused(writing, None, now=moment)
        return _refused(refusal, then)
    except (ProviderAway, NoAccount) as refusal:
        return _refused(refusal, then)
    return half_way.go_on(actor, then)


def _is_answer_to(kept: dict[str, str | float], provider: Provider) -> bool:
    """Does what came back belong to what was asked from this browser? (`iss`: RFC 9207)"""
    same = hmac.compare_digest(str(kept["state"]).encode(), request.args.get("state", "").encode())
    recent = clock.now().timestamp() - float(kept["since"]) <= _LASTS
    return same and recent and request.args.get("iss", provider.configured.issuer) == provider.configured.issuer


def _provider() -> Provider:
    found: Provider | None = current_app.extensions["signon"]
    if found is None:
        raise NotFound()
    return found


def _refused(refusal: Refusal, then: str) -> Response:
    page = render_template(
        "session/login.html", next=then, username="", refusal=None, signon_refusal=refusal.to(language())
    )
    return make_response(page, *status_and_headers(refusal))
