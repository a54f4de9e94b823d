"""What a role can begin: processes to start, and messages the diagrams let it send (我的投诉)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.fields import Form
from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.errors import NotFound
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Role
from engine.reading.casefile import WelcomeMessage
from engine.runtime.runtime import Definitions
from engine.text import Text


@dataclass(frozen=True, slots=True)
class StartForm:
    """A process in force that the reader may start, and what has to be filled in to do so."""

    process_id: str
    name: Text
    version_id: str
    forms: tuple[Form, ...]


def startable(session: Session, definitions: Definitions, actor: Actor) -> tuple[StartForm, ...]:
    """Processes in force whose start event stands in a lane of the actor's role, by name."""
    if not access.may(actor, Action.START_APPLICATION):
        return ()
    found = []
    for version_id, name, name_en in _in_force(session):
        compiled = definitions.get(session, version_id)
        start = compiled.diagram.start
        if start.lane is not None and start.lane.role == actor.role:
            forms = tuple(compiled.forms[form] for form in start.forms)
            found.append(StartForm(compiled.diagram.process_id, Text(name, name_en), version_id, forms))
    return tuple(found)


def start_form(session: Session, definitions: Definitions, process_id: str, actor: Actor) -> StartForm:
    """Raises NotFound where the actor can't start such a process."""
    for form in startable(session, definitions, actor):
        if form.process_id == process_id:
            return form
    raise NotFound()


def message_menus(session: Session, definitions: Definitions, role: Role) -> tuple[WelcomeMessage, ...]:
    """The messages that people of a role may ever send, as the definitions in force name them."""
    menus: dict[str, Text] = {}
    for version_id, _, _ in _in_force(session):
        for message in definitions.get(session, version_id).diagram.messages.values():
            if message.lane is not None and message.lane.role == role:
                menus.setdefault(message.name, message.menu)
    return tuple(WelcomeMessage(name, menu) for name, menu in menus.items())


def _in_force(session: Session) -> list[tuple[str, str, str]]:
    query = (
        select(DefinitionVersion.id, DefinitionVersion.name, DefinitionVersion.name_en)
        .join(DefinitionInForce, DefinitionInForce.version_id == DefinitionVersion.id)
        .order_by(DefinitionVersion.name, DefinitionVersion.process_id)
    )
    return [(id_, name, name_en) for id_, name, name_en in session.execute(query)]
