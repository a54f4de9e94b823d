"""通知 and 预警: what the platform told an organisation; the province reads the 预警 of every city."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine.people.access import Action, may, require
from engine.telling.noticeboard import authorities_with_warnings, mark_all_read, mark_read, notices, warnings
from web.session import current_actor, now, runtime, safe_next

blueprint = Blueprint("notices", __name__)


@blueprint.get("/notices")
def listed() -> str:
    actor, unread = current_actor(), request.args.get("view") == "unread"
    require(actor, Action.SEE_NOTICES)
    with runtime().database.read() as reading:
        page = notices(reading, actor, unread_only=unread, page=request.args.get("page", 1, int))
    return render_template("notices/notices.html", page=page, unread=unread, sees_cases=_sees_cases())


@blueprint.get("/warnings")
def warned() -> str:
    actor, authority = current_actor(), request.args.get("authority", "")
    require(actor, Action.SEE_NOTICES)
    with runtime().database.read() as reading:
        authorities = authorities_with_warnings(reading, actor) if may(actor, Action.SEE_ALL_WARNINGS) else ()
        page = warnings(reading, actor, authority_id=authority or None, page=request.args.get("page", 1, int))
    return render_template(
        "notices/warnings.html", page=page, authorities=authorities, authority=authority, sees_cases=_sees_cases()
    )


@blueprint.post("/notices/<notice_id>/read")
def read(notice_id: str) -> Response:
    with runtime().database.write() as writing:
        mark_read(writing, notice_id, current_actor(), now())
    return redirect(safe_next(request.form.get("next"), url_for("notices.listed")))


@blueprint.post("/notices/read")
def read_all() -> Response:
    require(current_actor(), Action.SEE_NOTICES)
    with runtime().database.write() as writing:
        mark_all_read(writing, current_actor(), now())
    return redirect(url_for("notices.listed"))


def _sees_cases() -> bool:
    return may(current_actor(), Action.SEE_INSTANCES)
