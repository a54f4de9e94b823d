"""故障: what failed and waits for an administrator, alike failures together; retrying or resolving one or many."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.errors import Broken
from engine.levers import incidents
from engine.people.access import Action, require
from engine.reading.incident_desk import desk
from engine.runtime.reasons import ReasonMissing
from web.language import language
from web.session import current_actor, now, runtime

blueprint = Blueprint("incidents", __name__, url_prefix="/admin/incidents")

AT_ONCE = 200  # retried by one request: more would keep the browser waiting for minutes

Page = Response | tuple[str, int]


@blueprint.get("")
def listed() -> str:
    return _page()


@blueprint.post("")
def act() -> Page:
    require(current_actor(), Action.ADMINISTER)
    match request.form.get("act"):
        case "retry_all":
            element, cause = _filter()
            with runtime().database.read() as reading:
                ids = incidents.open_ids(reading, incidents.matching(element, cause), AT_ONCE)
            return _retry(ids)
        case "resolve":
            return _resolve(request.form.getlist("incident"), request.form.get("reason", ""))
    return _retry(request.form.getlist("incident"))


@blueprint.post("/<incident_id>/retry")
def retry(incident_id: str) -> Page:
    try:
        incidents.retry(runtime(), incident_id, current_actor(), now())
    except Broken:
        return _page(refusal=gettext("重试仍未成功；请先消除故障原因。")), 409
    flash(gettext("故障已处理。"), "success")
    return _back()


def _retry(ids: list[str]) -> Page:
    if not ids:
        return _page(refusal=gettext("请先选择故障。")), 422
    told = incidents.retry_many(runtime(), ids, current_actor(), now())
    if told.failed:
        sentence = gettext(
            "重试成功 %(succeeded)s 条，仍未成功 %(failed)s 条；请先消除故障原因。",
            succeeded=told.succeeded,
            failed=told.failed,
        )
        return _page(refusal=sentence), 409
    flash(gettext("重试成功 %(succeeded)s 条。", succeeded=told.succeeded), "success")
    return _back()


def _resolve(ids: list[str], reason: str) -> Page:
    if not ids:
        return _page(refusal=gettext("请先选择故障。"), reason=reason), 422
    try:
        resolved = incidents.resolve(runtime(), ids, reason, current_actor(), now())
    except ReasonMissing as refusal:
        return _page(refusal=refusal.to(language()), at="reason", reason=reason), 422
    flash(gettext("已标记为处理完毕：%(resolved)s 条。", resolved=resolved), "success")
    return _back()


def _back() -> Response:
    element, cause = _filter()
    return redirect(url_for("incidents.listed", element=element or None, cause=cause or None))


def _filter() -> tuple[str, str]:
    return request.values.get("element", "")[:200], request.values.get("cause", "")[:100]


def _page(*, refusal: str | None = None, at: str = "incidents", reason: str = "") -> str:
    resolved = request.args.get("view") == "resolved"
    element, cause = _filter()
    with runtime().database.read() as reading:
        found = desk(reading, runtime().definitions, current_actor(), resolved=resolved, element=element, cause=cause)
    return render_template(
        "admin/incidents.html",
        desk=found,
        resolved=resolved,
        element=element,
        cause=cause,
        chosen=request.form.getlist("incident"),
        actions=_actions(),
        refusal=refusal,
        at=at,
        reason=reason,
    )


def _actions() -> dict[str, str]:
    return {
        "start": gettext("发起申请"),
        "complete": gettext("办理任务"),
        "message": gettext("提交投诉等消息"),
        "timer": gettext("时限届满"),
        "retry": gettext("重试"),
        "outbox": gettext("发送通知"),
        "repair": gettext("核对数据"),
        "scan": gettext("病毒扫描"),
    }
