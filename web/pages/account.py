"""我的账号: one's own password, and where one is logged in. On real time."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import NotFound
from engine.membership import own_address
from engine.membership.safety import of_new_password
from engine.people import accounts, links, logins, passwords, second_factor, sessions
from engine.people.access import Action, may
from engine.people.logins import OldPasswordWrong
from engine.people.passwords import PasswordRefused
from engine.people.throttling import TooOften
from web.devices import device
from web.errors import status_and_headers
from web.language import language
from web.pages.admin import role_names
from web.session import current_actor, runtime, token

blueprint = Blueprint("account", __name__, url_prefix="/account")

Refused = tuple[str, int, dict[str, str]]


@blueprint.get("")
def overview() -> str:
    actor = current_actor()
    with runtime().database.read() as reading:
        logged_in = sessions.listed(reading, actor.account_id, token(), clock.now())
        has_second_factor = second_factor.is_set_up(reading, actor.account_id)
        account, _ = accounts.account_of(reading, actor.account_id)
        unconfirmed = own_address.waiting(reading, actor.account_id, clock.now())
        codes_left = second_factor.recovery_codes_left(reading, actor.account_id)
        linked = links.linked_since(reading, actor.account_id)
    return render_template(
        "account/overview.html",
        sessions=logged_in,
        device=device,
        role=role_names()[actor.role],
        manages=actor.manages,
        email=account.email,
        unconfirmed=unconfirmed,
        manages_systems=may(actor, Action.MANAGE_SYSTEMS) and actor.manages,
        has_second_factor=has_second_factor,
        codes_left=codes_left,
        linked=linked,
    )


@blueprint.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    actor = current_actor()
    with runtime().database.write() as writing:
        if not sessions.end_one(writing, actor.account_id, session_id):
            raise NotFound()
        record(writing, SystemEventKind.SESSION_ENDED, at=clock.now(), actor_id=actor.account_id)
    flash(gettext("该设备已退出登录。"), "success")
    return redirect(url_for("account.overview"))


@blueprint.post("/sessions/end-others")
def end_other_sessions() -> Response:
    actor = current_actor()
    with runtime().database.write() as writing:
        sessions.end_all(writing, actor.account_id, but=token())
        record(writing, SystemEventKind.SESSION_ENDED, at=clock.now(), actor_id=actor.account_id)
    flash(gettext("其他设备都已退出登录。"), "success")
    return redirect(url_for("account.overview"))


@blueprint.get("/password")
def password() -> str:
    return _password_page({})


@blueprint.post("/password")
def change_password() -> Response | Refused:
    new, again = request.form.get("new", ""), request.form.get("again", "")
    if new != again:
        return _password_page({"again": gettext("两次输入的新密码不一致。")}), 422, {}
    moment = clock.now()
    try:
        logins.change_password(
            runtime().database,
            current_actor(),
            old=request.form.get("old", ""),
            new=new,
            keep=token(),
            address=request.remote_addr or "",
            tell=of_new_password(runtime(), moment),
            now=moment,
        )
    except (OldPasswordWrong, TooOften) as refusal:
        return _password_page({"old": refusal.to(language())}), *status_and_headers(refusal)
    except PasswordRefused as refusal:
        return _password_page({"new": refusal.to(language())}), *status_and_headers(refusal)
    flash(gettext("密码已修改，其他设备都已退出登录。"), "success")
    return redirect(url_for("account.overview"))


def _password_page(errors: dict[str, str]) -> str:
    """`errors` by field."""
    return render_template("account/password.html", errors=errors, lengths=passwords.LENGTHS)
