"""两步验证: setting up the codes of an authenticator app, and giving them up."""

import segno
from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Conflict
from engine.people import second_factor
from engine.people.accounts import Actor
from engine.people.second_factor import CodeWrong
from engine.people.throttling import TooOften
from engine.text import Text
from web.errors import status_and_headers
from web.language import language
from web.proof import proof_needed
from web.session import current_actor, needs_second_factor, runtime

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")


class SetUpAlready(Conflict):
    sentence = Text("两步验证已经启用。", "The second factor is set up already.")


@blueprint.get("")
@proof_needed
def set_up() -> Response:
    return set_up_page(current_actor(), {})


@blueprint.post("")
@proof_needed
def confirm() -> Response:
    try:
        codes = confirmed(current_actor())
    except (CodeWrong, TooOften) as refusal:
        return set_up_page(current_actor(), {"code": refusal.to(language())}, status_and_headers(refusal))
    return recovery_page(codes, url_for("account.overview"))


@blueprint.get("/remove")
@proof_needed
def remove() -> str:
    """The proof has asked for a code already, and one is worth something once."""
    return render_template("account/remove_second_factor.html", required=needs_second_factor(current_actor().role))


@blueprint.post("/remove")
@proof_needed
def confirm_removal() -> Response:
    actor = current_actor()
    with runtime().database.write() as writing:
        second_factor.remove(writing, actor.account_id, by=actor.account_id, now=clock.now())
    if needs_second_factor(actor.role):
        return redirect(url_for("second_factor.set_up"))
    flash(gettext("两步验证已停用。"), "success")
    return redirect(url_for("account.overview"))


def checked(actor: Actor) -> None:
    """The code that was sent is right, and spent. Raises CodeWrong, TooOften."""
    second_factor.check(
        runtime().database,
        runtime().keyring,
        actor.account_id,
        request.form.get("code", ""),
        address=request.remote_addr or "",
        now=clock.now(),
    )


def confirmed(actor: Actor) -> list[str]:
    """The recovery codes. Raises CodeWrong, TooOften."""
    return second_factor.confirm(
        runtime().database,
        runtime().keyring,
        actor.account_id,
        request.form.get("code", ""),
        address=request.remote_addr or "",
        now=clock.now(),
    )


def set_up_page(actor: Actor, errors: dict[str, str], answer: tuple[int, dict[str, str]] = (200, {})) -> Response:
    """Raises SetUpAlready: a secret in use is never shown again."""
    with runtime().database.write() as writing:
        if second_factor.is_set_up(writing, actor.account_id):
            raise SetUpAlready()
        secret = second_factor.prepare(writing, runtime().keyring, actor.account_id)
    picture = segno.make(second_factor.address_of(secret, actor.username), error="m", micro=False)
    page = render_template(
        "session/set_up.html",
        errors=errors,
        required=needs_second_factor(actor.role),
        picture=picture.svg_data_uri(scale=5, light="white"),
        secret=" ".join(secret[place : place + 4] for place in range(0, len(secret), 4)),
    )
    return _kept_by_nobody(make_response(page, *answer))


def recovery_page(codes: list[str], then: str) -> Response:
    """Shown in the answer to one request only."""
    return _kept_by_nobody(make_response(render_template("session/recovery.html", codes=codes, then=then)))


def _kept_by_nobody(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
