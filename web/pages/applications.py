"""申请: the list of those one may see, and starting a new one."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.definitions.fields import Form
from engine.errors import FormRefused
from engine.people.access import Action, require
from engine.reading.applications import Standing, instances
from engine.reading.menus import StartForm, start_form, startable
from engine.runtime.instances import start
from engine.runtime.next_task import first_open_task
from web.formdata import is_editing, read_answers, refused_with
from web.once import key_sent
from web.receiving import takes_files
from web.session import current_actor, now, runtime

blueprint = Blueprint("applications", __name__)


@blueprint.get("/applications")
def listed() -> str:
    actor, search = current_actor(), request.args.get("search", "")[:100]
    require(actor, Action.SEE_INSTANCES)
    standing = request.args.get("view", Standing.ALL, Standing)
    with runtime().database.read() as reading:
        number = request.args.get("page", 1, int)
        page = instances(reading, runtime().definitions, actor, now(), standing=standing, search=search, page=number)
        processes = startable(reading, runtime().definitions, actor)
    return render_template(
        "applications/list.html", page=page, standing=standing, search=search, may_start=bool(processes)
    )


@blueprint.get("/applications/new")
def choose() -> Response | str:
    actor = current_actor()
    require(actor, Action.START_APPLICATION)
    with runtime().database.read() as reading:
        processes = startable(reading, runtime().definitions, actor)
    if len(processes) == 1:
        return redirect(url_for("applications.new", process_id=processes[0].process_id))
    return render_template("applications/choose.html", processes=processes)


@blueprint.get("/applications/new/<process_id>")
def new(process_id: str) -> str:
    return render_template("applications/new.html", process=_process(process_id), answers={}, errors={})


def _forms(process_id: str) -> Sequence[Form]:
    return _process(process_id).forms


@blueprint.post("/applications/new/<process_id>")
@takes_files(_forms)
def begin(process_id: str) -> Response | str | tuple[str, int]:
    actor, process = current_actor(), _process(process_id)
    answers, lost = read_answers(process.forms, request.form, request.files)
    if is_editing(request.form):
        return render_template("applications/new.html", process=process, answers=answers, errors=lost)
    try:
        if lost:
            raise refused_with(lost, process.forms, answers, {})
        instance_id = start(runtime(), process_id=process_id, answers=answers, actor=actor, now=now(), once=key_sent())
    except FormRefused as refusal:
        page = render_template("applications/new.html", process=process, answers=answers, errors=refusal.errors)
        return page, 422
    flash(gettext("申请已发起。"), "success")
    with runtime().database.read() as reading:
        task_id = first_open_task(reading, instance_id, actor)
    if task_id:
        return redirect(url_for("tasks.show", task_id=task_id))
    return redirect(url_for("instances.show", instance_id=instance_id))


def _process(process_id: str) -> StartForm:
    require(current_actor(), Action.START_APPLICATION)
    with runtime().database.read() as reading:
        return start_form(reading, runtime().definitions, process_id, current_actor())
