"""Messages people send to their instances, such as a complaint: where one is welcome now, and what was sent before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.diagrams import Message
from engine.definitions.fields import Form
from engine.definitions.specs import Compiled
from engine.errors import NotFound, NothingWaits
from engine.people import access
from engine.people.accounts import Actor
from engine.people.tables import Account
from engine.reading.applications import InstanceLine, instance_lines, instance_rows
from engine.reading.menus import message_menus
from engine.runtime.runtime import Definitions
from engine.runtime.sight import seen_by
from engine.runtime.tables import Answer, Instance, Subscription
from engine.runtime.token_data import token_data
from engine.text import Text


@dataclass(frozen=True, slots=True)
class SentMessage:
    line: InstanceLine
    at: datetime
    by: str  # a colleague's name


@dataclass(frozen=True, slots=True)
class MessageBox:
    """Everything about one kind of message for one organisation."""

    name: str
    menu: Text
    welcome: tuple[InstanceLine, ...]  # instances that wait for it now
    sent: tuple[SentMessage, ...]  # newest first


@dataclass(frozen=True, slots=True)
class MessageForm:
    """A message about to be sent to one instance."""

    name: str
    menu: Text
    line: InstanceLine
    forms: tuple[Form, ...]
    data: Mapping[str, Any]  # what the forms' conditions look at


def message_box(session: Session, definitions: Definitions, message: str, actor: Actor, now: datetime) -> MessageBox:
    """Raises NotFound where no definition in force lets the actor's role send such a message."""
    menus = {menu.name: menu.menu for menu in message_menus(session, definitions, actor.role)}
    if message not in menus:
        raise NotFound()
    welcome = session.execute(
        instance_rows()
        .where(seen_by(actor))
        .where(
            Instance.id.in_(
                select(Subscription.instance_id)
                .where(access.works_on_task(actor, Subscription.organisation_id, Subscription.role))
                .where(Subscription.message == message)
            )
        )
        .order_by(Instance.started_at.desc(), Instance.id)
    ).all()
    sent = session.execute(
        instance_rows()
        .join(Answer, Answer.instance_id == Instance.id)
        .join(Account, Account.id == Answer.by)
        .add_columns(Answer.at.label("sent_at"), Account.name.label("sent_by"))
        .where(seen_by(actor))
        .where(Answer.message == message, access.own_organisation(actor, Account.organisation_id))
        .order_by(Answer.at.desc(), Answer.id)
    ).all()
    lines = {line.id: line for line in instance_lines(session, definitions, [*welcome, *sent], actor, now)}
    return MessageBox(
        name=message,
        menu=menus[message],
        welcome=tuple(lines[row.id] for row in welcome),
        sent=tuple(SentMessage(lines[row.id], row.sent_at, row.sent_by) for row in sent),
    )


def message_form(
    session: Session, definitions: Definitions, instance_id: str, message: str, actor: Actor, now: datetime
) -> MessageForm:
    """The form of a message the instance waits for.

    Raises NotFound where the instance or the message is not the actor's to know of, NothingWaits where the diagram
    is not at a place that takes it.
    """
    row = session.execute(instance_rows().where(Instance.id == instance_id).where(seen_by(actor))).one_or_none()
    if row is None:
        raise NotFound()
    compiled = definitions.get(session, row.version_id)
    found = _sendable(compiled, message, actor)
    waiting = session.scalar(
        select(Subscription.id)
        .where(access.works_on_task(actor, Subscription.organisation_id, Subscription.role))
        .where(Subscription.instance_id == instance_id, Subscription.message == message)
        .limit(1)
    )
    if waiting is None:
        raise NothingWaits(message=found.menu)
    (line,) = instance_lines(session, definitions, [row], actor, now)
    forms = tuple(compiled.forms[name] for name in found.forms)
    data = token_data(session, compiled, instance_id, waiting)
    return MessageForm(message, found.menu, line, forms, data)


def message_forms(
    session: Session, definitions: Definitions, instance_id: str, message: str, actor: Actor
) -> tuple[Text, tuple[Form, ...]]:
    """What a message is called and asks for, whether or not the instance waits for it just now; raises NotFound."""
    version_id = session.scalar(select(Instance.version_id).where(Instance.id == instance_id, seen_by(actor)))
    if version_id is None:
        raise NotFound()
    compiled = definitions.get(session, version_id)
    found = _sendable(compiled, message, actor)
    return found.menu, tuple(compiled.forms[name] for name in found.forms)


def _sendable(compiled: Compiled, message: str, actor: Actor) -> Message:
    found = compiled.diagram.messages.get(message)
    if found is None or found.lane is None or found.lane.role != actor.role:
        raise NotFound()
    return found
