"""Logging in through the organisation's OpenID provider: there and back, once more to prove it, and out."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from engine import clock
from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import NotFound, Refusal
from engine.people import links, sessions, throttling
from engine.people.links import NoAccount
from engine.people.tables import Proof
from engine.people.throttling import Rate, TooOften
from web import half_way
from web.errors import status_and_headers
from web.language import language
from web.session import public, runtime, safe_next, settings, signed_in, token
from web.signon import Answer, Provider, ProviderAway, SignOnRefused

blueprint = Blueprint("signon", __name__, url_prefix="/signon")

FROM_ONE_ADDRESS = Rate(burst=60, every=timedelta(seconds=1))  # an office behind one address, in the morning
_LASTS = 10 * 60  # seconds between leaving and coming back


@blueprint.get("")
@public
def begin() -> Response:
    """`again`: somebody who is logged in proves to be who they are."""
    provider, then = provider_in_use(), safe_next(request.args.get("next"), "")
    actor = signed_in() if "again" in request.args else None
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    moment = clock.now()
    try:
        address = provider.address(state=state, nonce=nonce, verifier=verifier, again=actor is not None, now=moment)
    except ProviderAway as refusal:
        return _refused(refusal, then, again=actor is not None)
    kept = {"state": state, "nonce": nonce, "verifier": verifier, "then": then, "since": moment.timestamp()}
    cookie["signon"] = kept | {"again": actor.account_id if actor else ""}
    return redirect(address)


@blueprint.get("/back")
@public
def back() -> Response:
    """What was kept on leaving is worth one return, whatever comes of it."""
    provider, kept, moment = provider_in_use(), cookie.pop("signon", None), clock.now()
    then, again = (kept["then"], kept["again"]) if kept else ("", "")
    try:
        with runtime().database.write() as writing:
            throttling.take(
                writing, FROM_ONE_ADDRESS, "sign on from", throttling.source(request.remote_addr or ""), now=moment
            )
        if not kept or not _is_answer_to(kept, provider):
            raise SignOnRefused()
        answer = provider.answer(
            request.args.get("code", ""),
            nonce=kept["nonce"],
            verifier=kept["verifier"],
            proven_since=datetime.fromtimestamp(float(kept["since"]), UTC) if again else None,
            now=moment,
        )
        if again:
            return _proven(answer, again, then, moment)
        placed = frozenset(provider.configured.roles.values())
        actor = links.identify(runtime().database, answer.person, placed=placed, now=moment)
    except SignOnRefused as refusal:
        with runtime().database.write() as writing:
            links.refused(writing, None, now=moment)
        return _refused(refusal, then, again=bool(again))
    except (ProviderAway, NoAccount, TooOften) as refusal:
        return _refused(refusal, then, again=bool(again))
    return half_way.go_on(actor, then, by=_by(answer), signon_sid=answer.sid)


@blueprint.get("/out")
@public
def out() -> Response:
    """After logging out here: at the provider too, where it offers that."""
    provider = provider_in_use()
    try:
        address = provider.way_out(settings().public_url + url_for("session.log_in"), clock.now())
    except ProviderAway as refusal:
        return _refused(refusal, "", again=False)
    return redirect(address or url_for("session.log_in"))


def _proven(answer: Answer, account_id: str, then: str, moment: datetime) -> Response:
    """The same person, still logged in here: proven once more."""
    actor, person = signed_in(), answer.person
    with runtime().database.write() as writing:
        same = links.is_person_of(writing, account_id, person.issuer, person.subject)
        if actor is None or actor.account_id != account_id or not same:
            raise SignOnRefused()
        sessions.proven(writing, token(), _by(answer), moment)
        record(writing, SystemEventKind.PROVEN_AGAIN, at=moment, actor_id=account_id)
    return redirect(then or url_for("account.overview"))


def _by(answer: Answer) -> Proof:
    return Proof.SIGN_ON_AND_CODE if answer.two_factors else Proof.SIGN_ON


def _is_answer_to(kept: dict[str, str | float], provider: Provider) -> bool:
    """Does what came back belong to what was asked from this browser? (`iss`: RFC 9207)"""
    same = hmac.compare_digest(str(kept["state"]).encode(), request.args.get("state", "").encode())
    recent = clock.now().timestamp() - float(kept["since"]) <= _LASTS
    return same and recent and request.args.get("iss", provider.configured.issuer) == provider.configured.issuer


def provider_in_use() -> Provider:
    """Raises NotFound where none is configured."""
    found: Provider | None = current_app.extensions["signon"]
    if found is None:
        raise NotFound()
    return found


def _refused(refusal: Refusal, then: str, *, again: bool) -> Response:
    """On the log-in page; whoever was to prove it once more is back where they can."""
    if again and signed_in():
        flash(refusal.to(language()), "refusal")
        return redirect(url_for("proof.ask", next=then or None))
    page = render_template(
        "session/login.html", next=then, username="", refusal=None, signon_refusal=refusal.to(language())
    )
    return make_response(page, *status_and_headers(refusal))
