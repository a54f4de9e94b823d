"""Messages the diagrams let people send, each under its own menu (我的投诉)."""

from collections.abc import Mapping, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine.definitions.fields import Form
from engine.errors import FormRefused, InstanceClosed, NothingWaits
from engine.reading.casefile import case_file
from engine.reading.message_box import message_box, message_form, message_forms
from engine.runtime.instances import send_message
from engine.text import Text
from web import limits
from web.formdata import Answers, is_editing, read_answers, refused_with
from web.language import language, t
from web.once import key_sent
from web.receiving import takes_files
from web.session import current_actor, now, runtime

blueprint = Blueprint("messages", __name__)


@blueprint.get("/mine/<message>")
def box(message: str) -> str:
    with runtime().database.read() as reading:
        found = message_box(reading, runtime().definitions, message, current_actor(), now())
    return render_template("messages/box.html", box=found)


@blueprint.get("/instances/<instance_id>/messages/<message>")
def show(instance_id: str, message: str) -> str | tuple[str, int]:
    try:
        return _page(instance_id, message, {}, {})
    except NothingWaits as refusal:
        return _not_now(instance_id, message, refusal)


def _forms(instance_id: str, message: str) -> Sequence[Form]:
    with runtime().database.read() as reading:
        return message_forms(reading, runtime().definitions, instance_id, message, current_actor())[1]


@blueprint.post("/instances/<instance_id>/messages/<message>")
@takes_files(_forms)
def send(instance_id: str, message: str) -> Response | str | tuple[str, int]:
    with runtime().database.read() as reading:  # whether it is welcome: a repeat comes when it no longer is
        menu, forms = message_forms(reading, runtime().definitions, instance_id, message, current_actor())
    answers, lost = read_answers(forms, request.form, request.files)
    try:
        if is_editing(request.form):
            return _page(instance_id, message, answers, lost)
        try:
            if lost:
                raise refused_with(lost, forms, answers, {})
            limits.count("message", limits.MESSAGES)
            send_message(runtime(), instance_id, message, answers, current_actor(), now(), once=key_sent())
        except FormRefused as refusal:
            return _page(instance_id, message, answers, refusal.errors), 422
    except (NothingWaits, InstanceClosed) as refusal:
        return _not_now(instance_id, message, refusal)
    flash(gettext("已提交：%(step)s", step=t(menu)), "success")
    return redirect(url_for("instances.show", instance_id=instance_id))


def _page(instance_id: str, message: str, answers: Answers, errors: Mapping[str, Text]) -> str:
    """The form, as far as it is filled in. Raises NothingWaits."""
    with runtime().database.read() as reading:
        form = message_form(reading, runtime().definitions, instance_id, message, current_actor(), now())
    return render_template("messages/message.html", message=form, answers=answers, errors=errors)


def _not_now(instance_id: str, message: str, refusal: NothingWaits | InstanceClosed) -> tuple[str, int]:
    """The diagram does not wait for this message; the page says where the application stands instead."""
    with runtime().database.read() as reading:
        case = case_file(reading, runtime().definitions, instance_id, current_actor(), now())
    return render_template("messages/not_now.html", case=case, message=message, sentence=refusal.to(language())), 409
