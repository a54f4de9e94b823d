"""单位, for administrators: who takes part, and registering more."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.calendar.regions import CITIES
from engine.errors import Conflict, FormRefused
from engine.membership import organisations
from engine.membership.organisations import BY_CITY
from engine.people.access import Action, require
from web.errors import status_of
from web.language import language
from web.pages.admin import role_names
from web.session import current_actor, runtime

blueprint = Blueprint("organisations", __name__, url_prefix="/admin/organisations")


@blueprint.before_request
def _administrators_only() -> None:
    require(current_actor(), Action.ADMINISTER)


@blueprint.get("")
def listed() -> str:
    search = request.args.get("search", "")[:100]
    with runtime().database.read() as reading:
        page = organisations.listed(reading, current_actor(), search=search, page=request.args.get("page", 1, int))
    return render_template(
        "organisations/list.html", page=page, search=search, roles=role_names(), cities=CITIES, by_city=BY_CITY
    )


@blueprint.get("/new")
def new() -> str:
    return _new_page({}, [], {})


@blueprint.post("/new")
def create() -> Response | tuple[str, int]:
    given = {name: request.form.get(name, "").strip()[:300] for name in ("role", "name", "name_en", "code")}
    cities = request.form.getlist("cities")
    try:
        made = organisations.register(runtime().database, current_actor(), **given, cities=cities, now=clock.now())
    except FormRefused as refusal:
        errors = {field: sentence.to(language()) for field, sentence in refusal.errors.items()}
        return _new_page(given, cities, errors), status_of(refusal)
    except Conflict as refusal:
        field = "cities" if given["role"] in BY_CITY else "code"
        return _new_page(given, cities, {field: refusal.to(language())}), status_of(refusal)
    flash(gettext("已登记%(name)s，可以为它开立账号。", name=made.name), "success")
    return redirect(url_for("organisations.listed", search=made.name))


def _new_page(given: dict[str, str], chosen: list[str], errors: dict[str, str]) -> str:
    return render_template(
        "organisations/new.html", given=given, chosen=chosen, errors=errors, roles=role_names(), cities=CITIES
    )
