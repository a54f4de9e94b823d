"""企业注册: an enterprise without an account asks for its first one. Anybody may, so nothing of the database shows."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import FormRefused
from engine.membership.registering import FIELDS, EnterpriseRegistered, register
from engine.people.throttling import TooOften
from web.errors import status_and_headers
from web.language import language
from web.session import public, runtime, settings

blueprint = Blueprint("registration", __name__, url_prefix="/register")


@blueprint.get("")
@public
def ask() -> str:
    return _page({}, {})


@blueprint.post("")
@public
def apply() -> Response | tuple[str, int, dict[str, str]]:
    given = {field: request.form.get(field, "")[:500] for field in FIELDS}
    try:
        register(runtime().database, given, address=request.remote_addr or "", now=clock.now())
    except FormRefused as refusal:
        errors = {field: sentence.to(language()) for field, sentence in refusal.errors.items()}
        return _page(given, errors), *status_and_headers(refusal)
    except (EnterpriseRegistered, TooOften) as refusal:
        field = "code" if isinstance(refusal, EnterpriseRegistered) else "name"
        return _page(given, {field: refusal.to(language())}), *status_and_headers(refusal)
    return redirect(url_for("registration.received"))


@blueprint.get("/received")
@public
def received() -> str:
    return render_template("registration/received.html", by_mail=settings().mail is not None)


def _page(given: dict[str, str], errors: dict[str, str]) -> str:
    return render_template("registration/ask.html", given=given, errors=errors)
