"""工作日历: what was entered, by whom; entering more, after a look at which limits it would move."""

from contextlib import closing

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.calendar import versions
from engine.calendar.book import announced_years
from engine.calendar.days import IN_LIBRARY
from engine.calendar.entries import SIDES, Closure, DayEnds, EntryRefused, Notice, Proposal, Withdrawal
from engine.calendar.regions import COUNTRY, NAMES
from engine.calendar.versions import CalendarMoved
from engine.errors import NotFound, Unavailable
from engine.limits import calendars
from engine.limits.recomputing import Change, left_to_do, recompute_all
from engine.people.access import Action, require
from engine.people.directory import names
from web.calendar_entry import KINDS, MOST_BYTES, Given, Wrong
from web.errors import status_of
from web.language import language
from web.receiving import takes_files
from web.session import current_actor, now, runtime

blueprint = Blueprint("calendar", __name__, url_prefix="/admin/calendar")

SHOWN = 100  # limits of a preview

Page = str | tuple[str, int]


@blueprint.before_request
def _administrators_only() -> None:
    require(current_actor(), Action.ADMINISTER)


@blueprint.get("")
def overview() -> str:
    with runtime().database.read() as reading:
        book = versions.newest(reading)
        return render_template(
            "calendar/overview.html",
            book=book,
            years=announced_years(book),
            in_library=IN_LIBRARY,
            kind_of=_kind_of,
            people=names(reading, {each.by for each in book.entries if each.by}),
            left=left_to_do(reading),
            regions=NAMES,
            sides=SIDES,
        )


@blueprint.get("/enter/<kind>")
def enter(kind: str) -> Page:
    return _form(kind, _given(kind, request.args))


@blueprint.post("/enter/<kind>")
@takes_files()
def preview(kind: str) -> Page | Response:
    """Typed for the first time, to be changed again, or looked at and to be published."""
    given = _given(kind, request.form)
    if kind == "file" and (file := request.files.get("file")):
        with closing(file):
            given["json"] = file.stream.read(MOST_BYTES).decode("utf-8-sig", "replace") or given["json"]
    if request.form.get("do") == "edit":
        return _form(kind, given)
    try:
        proposals = KINDS[kind].read(given)
        if request.form.get("do") == "publish":
            return _publish(kind, given, proposals)
        return _preview(kind, given, proposals)
    except EntryRefused as refusal:
        return _form(kind, given, KINDS[kind].refused(refusal).errors), 422
    except Wrong as wrong:
        return _form(kind, given, wrong.errors), 422


@blueprint.app_context_processor
def _for_administrators() -> dict[str, object]:
    return {"missing_notice": _missing_notice}


def _missing_notice() -> int | None:
    with runtime().database.read() as reading:
        return calendars.missing_notice(reading, now())


def _publish(kind: str, given: Given, proposals: tuple[Proposal, ...]) -> Page | Response:
    try:
        after = request.form.get("after", -1, int)
        version = calendars.publish(runtime(), proposals, after=after, actor=current_actor(), now=now())
    except CalendarMoved as moved:
        return _preview(kind, given, proposals, moved), status_of(moved)
    try:
        done = recompute_all(runtime(), now())
    except Unavailable:  # published it is, and the clock goes on with what is left
        flash(gettext("日历第 %(version)s 版已发布，期限稍后自动重算。", version=version), "success")
    else:
        flash(
            gettext("日历第 %(version)s 版已发布，已核对 %(done)s 项进行中的期限。", version=version, done=done),
            "success",
        )
    return redirect(url_for("calendar.overview"))


def _preview(kind: str, given: Given, proposals: tuple[Proposal, ...], moved: CalendarMoved | None = None) -> str:
    with runtime().database.read() as reading:
        shows = calendars.preview(reading, runtime().definitions, proposals, current_actor())
    return render_template(
        "calendar/preview.html",
        kind=kind,
        given=given,
        proposals=proposals,
        kind_of=_kind_of,
        shows=shows,
        counts={change: sum(move.change is change for move in shows.moves) for change in Change},
        most=SHOWN,
        moved=moved.to(language()) if moved else None,
        regions=NAMES,
        sides=SIDES,
    )


def _form(kind: str, given: Given, errors: dict[str, str] | None = None) -> str:
    with runtime().database.read() as reading:
        book = versions.newest(reading)
    withdrawn = next((each for each in book.in_force if str(each.id) == given.get("entry")), None)
    if kind == "withdrawal" and withdrawn is None and not errors:
        raise NotFound()
    return render_template(
        "calendar/enter.html",
        kind=kind,
        given=given,
        errors=errors or {},
        notices=[each for each in book.in_force if isinstance(each.what, Notice)],
        withdrawn=withdrawn,
        kind_of=_kind_of,
        regions={code: name for code, name in NAMES.items() if code != COUNTRY},
        sides=SIDES,
    )


def _given(kind: str, sent: Given) -> dict[str, str]:
    """What was typed into each of the form's fields. Raises NotFound for a form there isn't."""
    if kind not in KINDS:
        raise NotFound()
    return {name: sent.get(name, "")[:MOST_BYTES] for name in KINDS[kind].fields}


def _kind_of(what: Proposal) -> str:
    match what:
        case Notice():
            return "notice"
        case Closure():
            return "closure"
        case DayEnds():
            return "day-ends"
        case Withdrawal():
            return "withdrawal"
