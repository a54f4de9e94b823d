"""待办: an organisation's tasks, and working on one of them."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.definitions.fields import Form
from engine.errors import Conflict, FormRefused
from engine.people import access
from engine.people.access import Action
from engine.reading.inbox import done_tasks, open_tasks
from engine.reading.taskfile import TaskFile, asked, task_file
from engine.runtime.instances import claim, complete, release
from engine.runtime.suspension import paused
from web.formdata import is_editing, read_answers, refused_with
from web.language import language, t
from web.once import key_sent
from web.receiving import takes_files
from web.session import current_actor, now, runtime

blueprint = Blueprint("tasks", __name__)


@blueprint.get("/inbox")
def inbox() -> str:
    access.require(current_actor(), Action.WORK_ON_TASKS)
    done = request.args.get("view") == "done"
    search = request.args.get("search", "")[:100]
    with runtime().database.read() as reading:
        find = done_tasks if done else open_tasks
        page = find(reading, current_actor(), now(), search=search, after=request.args.get("after", ""))
        still = paused(reading, runtime().definitions, [] if done else [t.id for t in page.items if t.left is None])
    return render_template("tasks/inbox.html", page=page, paused=still, done=done, search=search)


@blueprint.get("/tasks/<task_id>")
def show(task_id: str) -> str:
    task = _task(task_id)
    return render_template("tasks/task.html", task=task, answers=task.filled, errors={})


def _forms(task_id: str) -> Sequence[Form]:
    with runtime().database.read() as reading:
        return asked(reading, runtime().definitions, task_id, current_actor()).forms


@blueprint.post("/tasks/<task_id>")
@takes_files(_forms)
def answer(task_id: str) -> Response | str | tuple[str, int]:
    with runtime().database.read() as reading:
        task = asked(reading, runtime().definitions, task_id, current_actor())
    if is_editing(request.form) and not task.is_open:  # a page sent again after the task was done
        return redirect(url_for("tasks.show", task_id=task_id))
    answers, lost = read_answers(task.forms, request.form, request.files)
    if is_editing(request.form):
        return render_template("tasks/task.html", task=_task(task_id), answers=answers, errors=lost)
    try:
        if lost:
            raise refused_with(lost, task.forms, answers, _task(task_id).data)
        following = complete(runtime(), task_id, answers, current_actor(), now(), once=key_sent())
    except FormRefused as refusal:
        page = render_template("tasks/task.html", task=_task(task_id), answers=answers, errors=refusal.errors)
        return page, 422
    except Conflict as refusal:
        return _too_late(task_id, refusal)
    flash(gettext("已提交：%(step)s", step=t(task.name)), "success")
    return redirect(_next_page(following, task.instance_id))


@blueprint.post("/tasks/<task_id>/claim")
def take(task_id: str) -> Response | tuple[str, int]:
    try:
        claim(runtime(), task_id, current_actor(), now())
    except Conflict as refusal:
        return _too_late(task_id, refusal)
    return redirect(url_for("tasks.show", task_id=task_id))


@blueprint.post("/tasks/<task_id>/release")
def put_back(task_id: str) -> Response | tuple[str, int]:
    try:
        release(runtime(), task_id, current_actor(), now())
    except Conflict as refusal:
        return _too_late(task_id, refusal)
    return redirect(url_for("tasks.show", task_id=task_id))


def _task(task_id: str) -> TaskFile:
    with runtime().database.read() as reading:
        return task_file(reading, runtime().definitions, task_id, current_actor(), now())


def _too_late(task_id: str, refusal: Conflict) -> tuple[str, int]:
    """Somebody or something was quicker: the page says who or what, and leads on."""
    page = render_template("tasks/too_late.html", task=_task(task_id), sentence=refusal.to(language()))
    return page, 409


def _next_page(following: str | None, instance_id: str) -> str:
    """After a completed task: the next one of the same application that is mine, else the application."""
    if following:
        return url_for("tasks.show", task_id=following)
    if access.may(current_actor(), Action.SEE_INSTANCES):
        return url_for("instances.show", instance_id=instance_id)
    return url_for("tasks.inbox")
