"""期限: why a limit ends when it does, what one would be (期限试算), and earlier ends that wait for an official."""

from collections.abc import Sequence
from datetime import date, datetime, time

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.calendar.counting import MOST_DAYS, DaysRefused, MomentRefused, shanghai_date
from engine.calendar.entries import SIDES
from engine.calendar.regions import NAMES
from engine.clock import SHANGHAI
from engine.errors import Invalid
from engine.limits import shortening
from engine.limits.explaining import Explanation, explain, of_task
from engine.limits.shortening import Shortening
from engine.people.access import Action, may, require
from engine.runtime.paging import PAGE_SIZE, Page
from web.language import language
from web.session import current_actor, now, runtime, safe_next

blueprint = Blueprint("deadlines", __name__)


@blueprint.get("/tasks/<task_id>/deadline")
def why(task_id: str) -> str:
    with runtime().database.read() as reading:
        limits = of_task(reading, runtime().definitions, task_id, current_actor())
    sees_cases = may(current_actor(), Action.SEE_INSTANCES)
    return render_template(
        "deadlines/why.html", limits=limits, task_id=task_id, sees_cases=sees_cases, regions=NAMES, sides=SIDES
    )


@blueprint.get("/deadlines")
def what_if() -> str | tuple[str, int]:
    """Its address says it all, so that it can be passed on."""
    given = {name: request.args.get(name, "").strip() for name in ("start", "days", "region", "side")}
    told: Explanation | None = None
    errors: dict[str, str] = {}
    if request.args:
        told, errors = _explained(given)
    else:
        given["start"] = shanghai_date(now()).isoformat()
    page = render_template(
        "deadlines/what_if.html", given=given, told=told, errors=errors, regions=NAMES, sides=SIDES, most=MOST_DAYS
    )
    return (page, 422) if errors else page


@blueprint.get("/deadlines/earlier")
def earlier() -> str:
    with runtime().database.read() as reading:
        found = shortening.waiting(reading, runtime().definitions, current_actor())
    last = max(1, -(-len(found) // PAGE_SIZE))
    number = min(max(1, request.args.get("page", 1, int)), last)
    items = tuple(found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE])
    return render_template("deadlines/earlier.html", page=Page(items, number, PAGE_SIZE, len(found)))


@blueprint.post("/deadlines/earlier/<timer_id>")
def decide(timer_id: str) -> Response:
    require(current_actor(), Action.CONFIRM_SHORTENING)
    accept = {"yes": True, "no": False}.get(request.form.get("accept", ""))
    if accept is None:
        raise Invalid()
    shortening.confirm(runtime(), timer_id, current_actor(), now(), accept=accept)
    flash(gettext("已确认期限提前。") if accept else gettext("已保留原期限。"), "success")
    return redirect(safe_next(request.form.get("next"), url_for("deadlines.earlier")))


@blueprint.app_context_processor
def _for_officials() -> dict[str, object]:
    return {"earlier_ends": _earlier_ends}


def _earlier_ends(instance_id: str = "") -> Sequence[Shortening]:
    """The earlier ends that wait for the reader, of one case or of all; none for whom they don't wait."""
    if not may(current_actor(), Action.CONFIRM_SHORTENING):
        return ()
    with runtime().database.read() as reading:
        return shortening.waiting(reading, runtime().definitions, current_actor(), instance_id)


def _explained(given: dict[str, str]) -> tuple[Explanation | None, dict[str, str]]:
    errors: dict[str, str] = {}
    try:
        start = date.fromisoformat(given["start"])
    except ValueError:
        errors["start"] = gettext("请填写日期，例如 2026-09-18。")
    days = int(given["days"]) if given["days"].isdecimal() and len(given["days"]) <= len(str(MOST_DAYS)) else 0
    if not 1 <= days <= MOST_DAYS:
        errors["days"] = DaysRefused(days=given["days"], most=MOST_DAYS).to(language())
    if given["region"] not in NAMES:
        errors["region"] = gettext("请选择地区。")
    if given["side"] not in SIDES and given["side"]:
        errors["side"] = gettext("请选择一方。")
    if errors:
        return None, errors
    moment = datetime.combine(start, time(), SHANGHAI)
    try:
        with runtime().database.read() as reading:
            return explain(reading, start=moment, days=days, region=given["region"], side=given["side"]), {}
    except MomentRefused as refusal:
        return None, {"start": refusal.to(language())}
