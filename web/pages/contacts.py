"""通知渠道: where organisations hear of their notices outside the platform, for administrators."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Conflict, Invalid
from engine.people.access import Action, require
from engine.people.tables import ContactKind, Role
from engine.telling import contacts, outbox
from web.language import language
from web.pages.admin import role_names
from web.session import current_actor, runtime, settings

blueprint = Blueprint("contacts", __name__, url_prefix="/admin/contacts")


@blueprint.before_request
def _administrators_only() -> None:
    require(current_actor(), Action.ADMINISTER)


@blueprint.get("")
def listed() -> str:
    return _page()


@blueprint.post("")
def add() -> Response | str | tuple[str, int]:
    given = {name: request.form.get(name, "").strip() for name in ("role", "key", "kind", "address")}
    if given["role"] not in set(Role) or given["kind"] not in set(ContactKind):
        return _page(given=given, refusal=gettext("请选择角色和方式。"), wrong="role"), 422
    try:
        entry, secret = contacts.add(
            runtime(),
            **given,
            private=settings().private_webhooks,
            now=clock.now(),
            by=current_actor().account_id,
        )
    except (Invalid, Conflict) as refusal:
        wrong = "key" if isinstance(refusal, contacts.NobodyThere) else "address"
        page = _page(given=given, refusal=refusal.to(language()), wrong=wrong)
        return page, 409 if isinstance(refusal, Conflict) else 422
    if secret:
        return _page(added=entry, secret=secret)  # shown in this answer only, so there is nothing to redirect to
    flash(gettext("已登记 %(address)s。", address=entry.address), "success")
    return redirect(url_for("contacts.listed"))


@blueprint.post("/<contact_id>/remove")
def remove(contact_id: str) -> Response:
    with runtime().database.write() as writing:
        entry = contacts.remove(writing, contact_id, now=clock.now(), by=current_actor().account_id)
    flash(gettext("已删除 %(address)s。", address=entry.address), "success")
    return redirect(url_for("contacts.listed"))


def _page(
    *,
    given: dict[str, str] | None = None,
    refusal: str | None = None,
    wrong: str = "",
    added: contacts.Entry | None = None,
    secret: str | None = None,
) -> str:
    with runtime().database.read() as reading:
        return render_template(
            "admin/contacts.html",
            entries=contacts.listed(reading),
            waiting=outbox.count_waiting(reading),
            sends_mail=settings().mail is not None,
            roles=role_names(),
            kinds={ContactKind.EMAIL: gettext("电子邮件"), ContactKind.WEBHOOK: gettext("网址推送（Webhook）")},
            given=given or {},
            refusal=refusal,
            wrong=wrong,  # the field it is about
            added=added,
            secret=secret,
        )
