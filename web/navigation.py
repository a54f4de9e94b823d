"""What stands in the main menu, by role. Message menus (我的投诉) come from the diagrams in force."""

from flask import Flask, request
from flask_babel import gettext

from engine.people.access import Action, may
from engine.people.tables import Role
from engine.runtime.incidents import count_open
from engine.runtime.menus import message_menus
from web.language import t
from web.session import runtime, signed_in

Item = dict[str, str | bool]


def navigation() -> list[Item]:
    """The items for whoever is logged in, in the shape of the service navigation component."""
    menu = _menu()
    here = max((address for _, address in menu if _is_under(address)), key=len, default="")
    return [
        {"text": text, "href": address, "active": address == here, "current": request.path == address}
        for text, address in menu
    ]


def first_page() -> str:
    """Where logging in leads to: the first item of the menu."""
    return next((address for _, address in _menu()), "/")


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(navigation=navigation)


def _menu() -> list[tuple[str, str]]:
    actor = signed_in()
    if actor is None:
        return []
    inbox, notices = (gettext("待办"), "/inbox"), (gettext("通知"), "/notices")
    applications = (gettext("申请"), "/applications")
    match actor.role:
        case Role.ENTERPRISE:
            return [(gettext("我的申请"), "/applications"), inbox, *_messages(actor.role), notices]
        case Role.AUTHORITY:
            return [inbox, applications, *_messages(actor.role), notices]
        case Role.SUPPORT:
            return [inbox, *_messages(actor.role), notices]
        case Role.PROVINCE:
            return [(gettext("预警"), "/warnings"), applications, notices]
        case Role.ANALYST:
            return [(gettext("流程定义"), "/definitions")]
        case Role.ADMIN:
            versions = [(gettext("流程定义"), "/definitions")] if may(actor, Action.SEE_VERSIONS) else []
            return [(gettext("运维"), "/admin"), (_incidents(), "/admin/incidents"), *versions]


def _messages(role: Role) -> list[tuple[str, str]]:
    with runtime().database.read() as reading:
        menus = message_menus(reading, runtime().definitions, role)
    return [(t(message.menu), f"/mine/{message.name}") for message in menus]


def _incidents() -> str:
    """With how many wait, where any do."""
    with runtime().database.read() as reading:
        waiting = count_open(reading)
    text: str = gettext("故障 %(waiting)s", waiting=waiting) if waiting else gettext("故障")
    return text


def _is_under(address: str) -> bool:
    return request.path == address or request.path.startswith(address + "/")
