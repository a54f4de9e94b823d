"""What stands in the main menu, by role. Message menus (我的投诉) come from the diagrams in force."""

from flask import Flask, request
from flask_babel import gettext
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from engine.levers.incidents import count_open
from engine.membership.deciding import count_waiting
from engine.people.access import Action, may
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.reading.inbox import count_open_tasks
from engine.reading.menus import message_menus
from engine.telling.noticeboard import count_unread
from web.language import t
from web.session import runtime, signed_in

Item = dict[str, str | bool]

MOST = 99  # what waits is counted on every page, and an organisation's tasks and notices no further than this


def navigation() -> list[Item]:
    """The items for whoever is logged in, in the shape of the service navigation component."""
    actor = signed_in()
    if actor is None:
        return []
    with runtime().database.read() as reading:
        menu = [(_counted(reading, actor, text, address), address) for text, address in _menu(reading, actor)]
    here = max((address for _, address in menu if _is_under(address)), key=len, default="")
    return [
        {"html": html, "href": address, "active": address == here, "current": request.path == address}
        for html, address in menu
    ]


def first_page() -> str:
    """Where logging in leads to: the first item of the menu."""
    actor = signed_in()
    if actor is None:
        return "/"
    with runtime().database.read() as reading:
        return next(address for _, address in _menu(reading, actor))


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(navigation=navigation)


def _menu(reading: Session, actor: Actor) -> list[tuple[str, str]]:
    inbox, notices = (gettext("待办"), "/inbox"), (gettext("通知"), "/notices")
    managed = [(gettext("账号"), "/accounts")] if may(actor, Action.MANAGE_ACCOUNTS) else []
    applications = (gettext("申请"), "/applications")
    match actor.role:
        case Role.ENTERPRISE:
            return [(gettext("我的申请"), "/applications"), inbox, *_messages(reading, actor.role), notices, *managed]
        case Role.AUTHORITY:
            return [inbox, applications, *_messages(reading, actor.role), notices, *managed]
        case Role.SUPPORT:
            return [inbox, *_messages(reading, actor.role), notices, *managed]
        case Role.PROVINCE:
            return [(gettext("预警"), "/warnings"), applications, notices, *managed]
        case Role.ANALYST:
            return [(gettext("流程定义"), "/definitions"), *managed]
        case Role.ADMIN:
            versions = [(gettext("流程定义"), "/definitions")] if may(actor, Action.SEE_VERSIONS) else []
            registrations = (gettext("企业注册"), "/admin/registrations")
            return [(gettext("运维"), "/admin"), (gettext("故障"), "/admin/incidents"), registrations, *versions]


def _messages(reading: Session, role: Role) -> list[tuple[str, str]]:
    menus = message_menus(reading, runtime().definitions, role)
    return [(t(message.menu), f"/mine/{message.name}") for message in menus]


def _counted(reading: Session, actor: Actor, text: str, address: str) -> Markup:
    """An item with how many wait behind it, where any do: the number to see, and of what to hear."""
    match address:
        case "/inbox":
            waiting, of = count_open_tasks(reading, actor, MOST + 1), gettext("项待办理")
        case "/notices":
            waiting, of = count_unread(reading, actor, MOST + 1), gettext("条未读")
        case "/admin/incidents":
            waiting, of = count_open(reading), gettext("项待处理")
        case "/admin/registrations":
            waiting, of = count_waiting(reading), gettext("项待审核")
        case _:
            waiting, of = 0, ""
    if not waiting:
        return escape(text)
    number = f"{MOST}+" if waiting > MOST else waiting
    return Markup('{} <span class="app-number">({}<span class="govuk-visually-hidden"> {}</span>)</span>').format(
        text, number, of
    )


def _is_under(address: str) -> bool:
    return request.path == address or request.path.startswith(address + "/")
