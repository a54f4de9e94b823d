"""转交: the head of a section gives a task that a colleague has claimed to another, or back into the inbox."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Conflict, Invalid
from engine.levers.handing_over import NobodyHasIt, NoColleague, hand_over
from engine.people.access import Action, require
from engine.reading.taskfile import TaskFile, task_file
from engine.runtime.reasons import ReasonMissing
from web.language import language
from web.session import current_actor, now, runtime

blueprint = Blueprint("handing_over", __name__)


@blueprint.before_request
def _heads_only() -> None:
    require(current_actor(), Action.REASSIGN_TASKS)


@blueprint.post("/tasks/<task_id>/hand-over")
def act(task_id: str) -> Response | tuple[str, int]:
    gives, to = request.form.get("act") != "put_back", request.form.get("to", "")
    try:
        if gives and not to:
            raise NoColleague()
        hand_over(
            runtime(),
            task_id,
            request.form.get("reason", ""),
            current_actor(),
            of=request.form.get("of", ""),
            to=to if gives else None,
            now=now(),
            real_now=clock.now(),
        )
    except (ReasonMissing, NoColleague) as refusal:
        field = "to" if isinstance(refusal, NoColleague) else "reason"
        return _page(task_id, refusal, field)
    except Conflict as refusal:
        return _too_late(_task(task_id), refusal)
    flash(gettext("已转交，双方已收到通知。") if gives else gettext("已退回待办，本单位已收到通知。"), "success")
    return redirect(url_for("tasks.show", task_id=task_id))


def _page(task_id: str, refusal: Invalid, field: str) -> tuple[str, int]:
    task = _task(task_id)
    if task.held is None:
        return _too_late(task, NobodyHasIt())
    errors = {field: refusal.to(language())}
    return render_template("tasks/task.html", task=task, answers=task.filled, errors={}, held_errors=errors), 422


def _too_late(task: TaskFile, refusal: Conflict) -> tuple[str, int]:
    return render_template("tasks/too_late.html", task=task, sentence=refusal.to(language())), 409


def _task(task_id: str) -> TaskFile:
    with runtime().database.read() as reading:
        return task_file(reading, runtime().definitions, task_id, current_actor(), now())
