"""The history of an instance as sentences, in both languages, for one reader."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.diagrams import Diagram
from engine.people.accounts import Actor
from engine.people.tables import Account, Organisation
from engine.runtime.applications import outcome
from engine.runtime.tables import Event, EventKind
from engine.text import Text

SENTENCES = MappingProxyType(
    {
        EventKind.STARTED: Text("{who}发起申请", "{who} started the application"),
        EventKind.TASK_OPENED: Text("“{step}”交由{who}办理", "“{step}” was passed to {who}"),
        EventKind.TASK_CLAIMED: Text("{who}签收“{step}”", "{who} claimed “{step}”"),
        EventKind.TASK_RELEASED: Text("{who}退回“{step}”，由同事签收", "{who} put “{step}” back for colleagues"),
        EventKind.TASK_COMPLETED: Text("{who}办结“{step}”", "{who} completed “{step}”"),
        EventKind.TASK_CANCELLED: Text("“{step}”因“{cause}”中止", "“{step}” was interrupted by “{cause}”"),
        EventKind.TIMER_FIRED: Text("期限届满：{step}", "A time limit ran out: {step}"),
        EventKind.MESSAGE_RECEIVED: Text("{who}提交“{message}”", "{who} filed “{message}”"),
        EventKind.SERVICE_DONE: Text("平台自动办理“{step}”", "The platform carried out “{step}”"),
        EventKind.KEY_REVEALED: Text("{who}查看了测试密钥", "{who} had the test key shown"),
        EventKind.OUTCOME: Text("办理结果：{outcome}", "Outcome: {outcome}"),
        EventKind.CLOSED: Text("流程结束", "The process ended"),
    }
)

# What the token went through, as opposed to what was merely offered or taken back.
_PASSED = frozenset(
    {
        EventKind.PASSED,
        EventKind.TASK_COMPLETED,
        EventKind.TIMER_FIRED,
        EventKind.MESSAGE_RECEIVED,
        EventKind.SERVICE_DONE,
        EventKind.OUTCOME,
    }
)

PLATFORM = Text("平台", "The platform")


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: datetime
    kind: EventKind
    sentence: Text


@dataclass(frozen=True, slots=True)
class History:
    entries: tuple[TimelineEntry, ...]  # oldest first
    passed: frozenset[str]  # ids of the elements the instance has been through, for the drawing


def who(actor: Actor, organisation_id: str, organisation: Text, person: str | None) -> Text:
    """How the reader sees somebody: the own side by name, another organisation only as an organisation."""
    if person is None or organisation_id != actor.organisation_id:
        return organisation
    return Text("{organisation}（{person}）", "{organisation} ({person})").filled(
        organisation=organisation, person=person
    )


def history(
    session: Session, instance_id: str, diagram: Diagram, actor: Actor, task_organisations: Mapping[str, Text]
) -> History:
    """Everything that happened; `task_organisations` says by task id whose inbox it went to. One statement."""
    rows = session.execute(
        select(Event, Account.name, Organisation.id, Organisation.name, Organisation.name_en)
        .outerjoin(Account, Account.id == Event.actor_id)
        .outerjoin(Organisation, Organisation.id == Account.organisation_id)
        .where(Event.instance_id == instance_id)
        .order_by(Event.sequence)
    )
    entries, passed = [], set()
    for event, person, organisation_id, name, name_en in rows:
        kind, details = EventKind(event.kind), event.details
        if kind in _PASSED and event.element_id:
            passed.add(event.element_id)
        if kind not in SENTENCES:
            continue
        if kind is EventKind.TASK_OPENED:
            subject = task_organisations.get(details.get("task_id", ""), PLATFORM)
        elif organisation_id is None:
            subject = PLATFORM
        else:
            subject = who(actor, organisation_id, Text(name, name_en), person)
        message = diagram.messages.get(details.get("message", ""))
        step = element_name(diagram, event.element_id)
        sentence = SENTENCES[kind].filled(
            who=subject,
            step=step,
            cause=element_name(diagram, details.get("by")),
            message=message.menu if message else step,
            outcome=outcome(diagram, details.get("outcome")) or step,
        )
        entries.append(TimelineEntry(event.at, kind, sentence))
    return History(tuple(entries), frozenset(passed))


def element_name(diagram: Diagram, element_id: str | None) -> Text:
    """An element's name; an unnamed one has its id, and what is not in this version stays as it is written."""
    element = diagram.elements.get(element_id) if element_id else None
    if element is None or not element.name.zh:
        return Text(element_id or "")
    return element.name
