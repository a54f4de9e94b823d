"""确认是您本人: the password, and the code where there is a second factor, of somebody who is logged in already."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import clock
from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.people import links, logins, sessions
from engine.people.logins import PasswordWrong
from engine.people.second_factor import CodeWrong
from engine.people.tables import Proof
from engine.people.throttling import TooOften
from web.errors import status_and_headers
from web.language import language
from web.pages.second_factor import checked as code_checked
from web.proof import asks_for_code, lacks_the_code_only
from web.session import current_actor, runtime, safe_next, token

blueprint = Blueprint("proof", __name__, url_prefix="/proof")


@blueprint.get("")
def ask() -> str:
    return _page({})


@blueprint.post("")
def check() -> Response | tuple[str, int, dict[str, str]]:
    actor, with_code, moment = current_actor(), asks_for_code(), clock.now()
    signed_on = lacks_the_code_only()
    field = "password"
    try:
        if not signed_on:
            password = request.form.get("password", "")
            logins.prove_again(runtime().database, actor, password, address=request.remote_addr or "", now=moment)
        field = "code"
        if with_code:
            code_checked(actor)
    except (PasswordWrong, CodeWrong, TooOften) as refusal:
        return _page({field: refusal.to(language())}), *status_and_headers(refusal)
    with runtime().database.write() as writing:
        by = Proof.SIGN_ON_AND_CODE if signed_on else Proof.CODE if with_code else Proof.PASSWORD
        sessions.proven(writing, token(), by, moment)
        record(writing, SystemEventKind.PROVEN_AGAIN, at=moment, actor_id=actor.account_id)
    return redirect(_then())


def _then() -> str:
    return safe_next(request.args.get("next"), url_for("account.overview"))


def _page(errors: dict[str, str]) -> str:
    with runtime().database.read() as reading:
        linked = links.linked_since(reading, current_actor().account_id)
    return render_template(
        "session/proof.html",
        errors=errors,
        with_password=not lacks_the_code_only(),
        with_code=asks_for_code(),
        linked=linked,
        then=_then(),
    )
