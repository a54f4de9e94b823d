"""Accounts of others: an administrator's for all organisations, a manager's (账号管理员) for the own one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from engine import clock
from engine.errors import Conflict, NotFound
from engine.levers.leaving import OwnAccount, deactivate
from engine.people import links, management, second_factor, sessions
from engine.people.access import HAVE_HEADS, Action, may, require
from engine.people.accounts import PersonNameRefused, UsernameRefused, UsernameTaken, organisation_for
from engine.people.directory import directory
from engine.people.tables import Role
from web.errors import status_of
from web.language import language
from web.pages.admin import role_names
from web.session import current_actor, now, runtime, settings, token

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")


@blueprint.before_request
def _managers_only() -> None:
    require(current_actor(), Action.MANAGE_ACCOUNTS)


@blueprint.get("")
def listed() -> str:
    search = request.args.get("search", "")[:100]
    with runtime().database.read() as reading:
        entries, total = directory(reading, current_actor(), search=search)
    return render_template("accounts/list.html", entries=entries, total=total, search=search, roles=role_names())


@blueprint.get("/new")
def new() -> str:
    return _new_page({name: request.args.get(name, "")[:60] for name in ("role", "key")}, {})


@blueprint.post("/new")
def create() -> str | tuple[str, int]:
    given = {name: request.form.get(name, "").strip()[:100] for name in ("username", "name", "role", "key")}
    actor = current_actor()
    if not given["name"]:
        return _new_page(given, {"name": gettext("请填写姓名。")}), 422
    try:
        with runtime().database.write() as writing:
            organisation = None
            if may(actor, Action.ADMINISTER):
                organisation = organisation_for(writing, given["role"], given["key"])
                if organisation is None:
                    return _new_page(given, {"key": gettext("没有登记这个代码的单位。")}), 422
            account, link = management.add_account(
                writing,
                actor,
                organisation=organisation,
                username=given["username"],
                name=given["name"],
                now=clock.now(),
            )
    except PersonNameRefused as refusal:
        return _new_page(given, {"name": refusal.to(language())}), status_of(refusal)
    except (UsernameRefused, UsernameTaken) as refusal:
        return _new_page(given, {"username": refusal.to(language())}), status_of(refusal)
    return _link_page(account.id, link)


@blueprint.get("/<account_id>")
def show(account_id: str) -> str:
    return _page(account_id)


@blueprint.post("/<account_id>/link")
def issue_link(account_id: str) -> str:
    """The link stands in the answer to this request only, so there is nothing to redirect to."""
    actor = current_actor()
    with runtime().database.write() as writing:
        account, _ = management.managed(writing, actor, account_id)
        if not account.active:
            raise NotFound()
        link = management.issue_link(writing, account, by=actor.account_id, now=clock.now())
    return _link_page(account_id, link)


@blueprint.post("/<account_id>/deactivate")
def stop(account_id: str) -> Response | tuple[str, int]:
    try:
        put_back = deactivate(runtime(), account_id, current_actor(), now=now(), real_now=clock.now())
    except OwnAccount as refusal:
        return _page(account_id, refusal), status_of(refusal)
    flash(gettext("账号已停用，已退出登录；退回待办 %(count)s 件。", count=put_back), "success")
    return redirect(url_for("accounts.show", account_id=account_id))


@blueprint.post("/<account_id>/activate")
def resume(account_id: str) -> Response:
    with runtime().database.write() as writing:
        management.reactivate(writing, current_actor(), account_id, now=clock.now())
    flash(gettext("账号已启用。"), "success")
    return redirect(url_for("accounts.show", account_id=account_id))


@blueprint.post("/<account_id>/remove-second-factor")
def remove_second_factor(account_id: str) -> Response:
    actor = current_actor()
    with runtime().database.write() as writing:
        management.managed(writing, actor, account_id)
        sessions.end_all(writing, account_id, but=token())
        second_factor.remove(writing, account_id, by=actor.account_id, now=clock.now())
    flash(gettext("两步验证已解除，本人登录后可重新设置。"), "success")
    return redirect(url_for("accounts.show", account_id=account_id))


@blueprint.post("/<account_id>/unlink")
def unlink(account_id: str) -> Response:
    with runtime().database.write() as writing:
        links.unlink(writing, current_actor(), account_id, now=clock.now())
    flash(gettext("已解除与统一身份认证的关联，由此登录的设备已退出。"), "success")
    return redirect(url_for("accounts.show", account_id=account_id))


@blueprint.post("/<account_id>/manager")
def set_manager(account_id: str) -> Response:
    manages = request.form.get("manages") == "1"
    with runtime().database.write() as writing:
        management.set_manager(writing, current_actor(), account_id, manages, now=clock.now())
    flash(gettext("已设为本单位账号管理员。") if manages else gettext("不再是本单位账号管理员。"), "success")
    return redirect(url_for("accounts.show", account_id=account_id))


@blueprint.post("/<account_id>/head")
def set_head(account_id: str) -> Response:
    heads = request.form.get("heads") == "1"
    with runtime().database.write() as writing:
        management.set_head(writing, current_actor(), account_id, heads, now=clock.now())
    flash(gettext("已设为科长。") if heads else gettext("不再是科长。"), "success")
    return redirect(url_for("accounts.show", account_id=account_id))


def _page(account_id: str, refusal: Conflict | None = None) -> str:
    with runtime().database.read() as reading:
        account, organisation = management.managed(reading, current_actor(), account_id)
        has_second_factor = second_factor.is_set_up(reading, account_id)
        linked = links.linked_since(reading, account_id)
    return render_template(
        "accounts/account.html",
        account=account,
        organisation=organisation,
        role=role_names()[Role(account.role)],
        has_heads=account.role in HAVE_HEADS,
        sets_managers=may(current_actor(), Action.ADMINISTER),
        has_second_factor=has_second_factor,
        linked=linked,
        refusal=refusal.to(language()) if refusal else None,
    )


def _new_page(given: dict[str, str], errors: dict[str, str]) -> str:
    return render_template(
        "accounts/new.html",
        given=given,
        errors=errors,
        roles=role_names() if may(current_actor(), Action.ADMINISTER) else None,
    )


def _link_page(account_id: str, token: str) -> str:
    with runtime().database.read() as reading:
        account, _ = management.managed(reading, current_actor(), account_id)
    return render_template("accounts/link.html", account=account, link=link_to_set_password(token))


def link_to_set_password(token: str) -> str:
    site = settings().public_url or request.url_root.rstrip("/")
    return site + url_for("session.set_password", token=token)
