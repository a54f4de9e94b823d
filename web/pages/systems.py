"""接入系统: credentials of a city's machines, for administrators and the account managers of its authority."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from engine import clock
from engine.errors import Invalid
from engine.people import systems
from engine.people.access import Action, may, require
from web.errors import status_of
from web.language import language
from web.proof import proof_needed
from web.session import current_actor, runtime

blueprint = Blueprint("systems", __name__, url_prefix="/systems")


@blueprint.before_request
def _managers_only() -> None:
    require(current_actor(), Action.MANAGE_SYSTEMS)


@blueprint.get("")
def listed() -> str:
    return _page()


@blueprint.post("")
@proof_needed
def issue() -> Response | tuple[str, int]:
    """The credential stands in the answer to this request only, so there is nothing to redirect to."""
    given = {name: request.form.get(name, "").strip()[:200] for name in ("name", "city")}
    try:
        with runtime().database.write() as writing:
            system, credential = systems.issue(
                writing, current_actor(), name=given["name"], city=given["city"], now=clock.now()
            )
    except Invalid as refusal:
        wrong = "city" if isinstance(refusal, systems.NoSuchCity) else "name"
        return _page(given=given, refusal=refusal.to(language()), wrong=wrong), status_of(refusal)
    page = make_response(_page(credential=credential, name=system.name))
    page.headers["Cache-Control"] = "no-store"
    return page


@blueprint.post("/<system_id>/revoke")
def revoke(system_id: str) -> AnyResponse:
    with runtime().database.write() as writing:
        system = systems.revoke(writing, current_actor(), system_id, now=clock.now())
    flash(gettext("“%(name)s”的凭证已作废。", name=system.name), "success")
    return redirect(url_for("systems.listed"))


def _page(
    *,
    given: dict[str, str] | None = None,
    refusal: str | None = None,
    wrong: str = "",
    credential: str | None = None,
    name: str = "",
) -> str:
    actor = current_actor()
    with runtime().database.read() as reading:
        entries = systems.listed(reading, actor)
    return render_template(
        "systems/list.html",
        entries=entries,
        names_city=may(actor, Action.ADMINISTER),
        given=given or {},
        refusal=refusal,
        wrong=wrong,  # the field it is about
        credential=credential,
        name=name,
    )
