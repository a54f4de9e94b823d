"""运维: the trial's clock, what failed and waits for a retry, and who has an account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Broken
from engine.people.access import Action, may, require
from engine.people.directory import directory
from engine.people.tables import Role
from engine.runtime import incidents, trial
from engine.runtime.timers import next_due
from engine.runtime.trial import StepRefused
from web.language import language, when
from web.session import current_actor, now, runtime

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

STEPS = (1, 3, 5)  # working days: one, and the limits of the process


@blueprint.get("")
def overview() -> str:
    return _overview()


@blueprint.post("/clock")
def move_clock() -> Response | tuple[str, int]:
    try:
        days = request.form.get("working_days", 0, int)
        moved = trial.advance(runtime(), working_days=days, actor=current_actor(), real_now=clock.now())
    except StepRefused as refusal:
        return _overview(clock_refusal=refusal.to(language())), 422
    flash(gettext("流程时间现在是%(moment)s。", moment=when(moved)), "success")
    return redirect(url_for("admin.overview"))


@blueprint.post("/incidents/<incident_id>/retry")
def retry(incident_id: str) -> Response | tuple[str, int]:
    try:
        incidents.retry(runtime(), incident_id, current_actor(), now())
    except Broken:
        refusal = gettext("重试仍未成功，已另记一条故障；请先消除故障原因。")
        return _overview(retry_refusal=refusal), 500
    flash(gettext("故障已处理。"), "success")
    return redirect(url_for("admin.overview"))


@blueprint.get("/accounts")
def accounts() -> str:
    search = request.args.get("search", "")[:100]
    with runtime().database.read() as reading:
        entries, total = directory(reading, current_actor(), search=search)
    return render_template("admin/accounts.html", entries=entries, total=total, search=search, roles=role_names())


def _overview(*, clock_refusal: str | None = None, retry_refusal: str | None = None) -> str:
    require(current_actor(), Action.ADMINISTER)
    with runtime().database.read() as reading:
        return render_template(
            "admin/overview.html",
            incidents=incidents.open_incidents(reading),
            next_due=next_due(reading),
            moves_clock=runtime().trial and may(current_actor(), Action.MOVE_TRIAL_CLOCK),
            steps=STEPS,
            actions=_actions(),
            clock_refusal=clock_refusal,
            retry_refusal=retry_refusal,
        )


def _actions() -> dict[str, str]:
    return {
        "start": gettext("发起申请"),
        "complete": gettext("办理任务"),
        "message": gettext("提交投诉等消息"),
        "timer": gettext("时限届满"),
        "retry": gettext("重试"),
        "outbox": gettext("发送通知"),
    }


def role_names() -> dict[Role, str]:
    return {
        Role.ENTERPRISE: gettext("企业"),
        Role.AUTHORITY: gettext("主管部门"),
        Role.SUPPORT: gettext("技术支持单位"),
        Role.PROVINCE: gettext("省级监督"),
        Role.ANALYST: gettext("流程分析员"),
        Role.ADMIN: gettext("平台管理员"),
    }
