"""The OpenID provider says that somebody has logged out there: OpenID Connect Back-Channel Logout 1.0.

What it says is signed, and no browser says it: there is no token of a form to check.
"""

from flask import Blueprint, request

from engine import clock
from engine.people import links
from web.pages.signon import provider_in_use
from web.session import public, runtime
from web.signon import ProviderAway, SignOnRefused

blueprint = Blueprint("signoff", __name__, url_prefix="/signon")
blueprint.record_once(lambda state: state.app.extensions["csrf"].exempt(blueprint))


@blueprint.post("/off")
@public
def sign_off() -> tuple[str, int, dict[str, str]]:
    """400 where what it says isn't right, 503 where its keys can't be had."""
    provider, moment = provider_in_use(), clock.now()
    try:
        subject, sid = provider.signed_off(request.form.get("logout_token", ""), moment)
        with runtime().database.write() as writing:
            links.sign_off(writing, provider.configured.issuer, subject, sid, now=moment)
    except (SignOnRefused, ProviderAway) as refusal:
        return "", 400 if isinstance(refusal, SignOnRefused) else 503, {"Cache-Control": "no-store"}
    return "", 200, {"Cache-Control": "no-store"}
