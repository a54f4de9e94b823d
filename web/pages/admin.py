"""运维: how the platform runs, the trial's clock, and who has an account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.levers.incidents import count_open
from engine.people.access import Action, may, require
from engine.people.tables import Role
from engine.runtime import trial
from engine.runtime.timers import next_due
from engine.runtime.trial import StepRefused
from web.language import language, when
from web.session import current_actor, runtime

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


def _overview(*, clock_refusal: str | None = None) -> str:
    require(current_actor(), Action.ADMINISTER)
    with runtime().database.read() as reading:
        return render_template(
            "admin/overview.html",
            incidents=count_open(reading),
            next_due=next_due(reading),
            moves_clock=runtime().trial and may(current_actor(), Action.MOVE_TRIAL_CLOCK),
            steps=STEPS,
            clock_refusal=clock_refusal,
        )


def role_names() -> dict[Role, str]:
    return {
        Role.ENTERPRISE: gettext("企业"),
        Role.AUTHORITY: gettext("主管部门"),
        Role.SUPPORT: gettext("技术支持单位"),
        Role.PROVINCE: gettext("省级监督"),
        Role.ANALYST: gettext("流程分析员"),
        Role.ADMIN: gettext("平台管理员"),
    }
