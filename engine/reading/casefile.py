"""One instance, as a person who may see it reads it. No workflow is loaded: everything stands in rows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.tables import DefinitionVersion
from engine.errors import NotFound
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Organisation
from engine.reading.answered import AnsweredForm, answers
from engine.reading.applications import InstanceLine, instance_lines, instance_rows, reason_of
from engine.reading.timeline import TimelineEntry, history
from engine.runtime.runtime import Definitions
from engine.runtime.sight import seen_by
from engine.runtime.tables import Instance, IssuedKey, Subscription, Task
from engine.text import Text


@dataclass(frozen=True, slots=True)
class KeyCard:
    """A test key without the key: `hint` is its last characters."""

    id: str
    hint: str
    endpoint: str
    issued_at: datetime
    expires_at: datetime
    expired: bool
    revealed_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None  # to the minute, and a minute late
    own: bool  # issued to the reader's organisation
    may_reveal: bool  # by the reader, now
    may_revoke: bool


@dataclass(frozen=True, slots=True)
class WelcomeMessage:
    """A message the diagram waits for just now, and the reader may send."""

    name: str
    menu: Text


@dataclass(frozen=True, slots=True)
class CaseFile:
    line: InstanceLine
    version_id: str
    version_number: int
    active: tuple[str, ...]  # element ids the instance stands at
    done: tuple[str, ...]  # element ids it has been through, and is not at
    timeline: tuple[TimelineEntry, ...]  # oldest first
    answers: tuple[AnsweredForm, ...]  # oldest first
    keys: tuple[KeyCard, ...]  # newest first
    messages: tuple[WelcomeMessage, ...]
    why: str | None  # the reason for which it is suspended, or was ended early
    may_withdraw: bool  # by the reader, now


def case_file(session: Session, definitions: Definitions, instance_id: str, actor: Actor, now: datetime) -> CaseFile:
    """Everything the reader may know of an instance; raises NotFound. Eight statements, however long its history."""
    row = session.execute(instance_rows().where(Instance.id == instance_id).where(seen_by(actor))).one_or_none()
    if row is None:
        raise NotFound()
    compiled = definitions.get(session, row.version_id)
    (line,) = instance_lines(session, definitions, [row], actor, now)
    past = history(session, instance_id, compiled.diagram, actor, _task_organisations(session, instance_id))
    drawn = compiled.diagram.drawn
    active = tuple(dict.fromkeys(drawn(step.element_id) for step in line.waiting))
    version_number = session.scalar(select(DefinitionVersion.number).where(DefinitionVersion.id == row.version_id))
    return CaseFile(
        line=line,
        version_id=row.version_id,
        version_number=version_number or 0,
        active=active,
        done=tuple(sorted(set(map(drawn, past.passed)) - set(active))),
        timeline=past.entries,
        answers=answers(session, instance_id, compiled, actor),
        keys=_keys(session, instance_id, actor, now),
        messages=welcome_messages(session, definitions, instance_id, row.version_id, actor),
        why=reason_of(session, line),
        may_withdraw=(
            access.may(actor, Action.WITHDRAW)
            and compiled.diagram.withdrawable
            and row.organisation_id == actor.organisation_id
            and row.decided_at is row.closed_at is row.suspended_at is None
        ),
    )


def drawing(session: Session, instance_id: str, actor: Actor) -> bytes:
    """The diagram file an instance runs on, for whoever may see the instance; raises NotFound."""
    found = session.scalar(
        select(DefinitionVersion.diagram)
        .join(Instance, Instance.version_id == DefinitionVersion.id)
        .where(Instance.id == instance_id)
        .where(seen_by(actor))
    )
    if found is None:
        raise NotFound()
    return found


def welcome_messages(
    session: Session, definitions: Definitions, instance_id: str, version_id: str, actor: Actor
) -> tuple[WelcomeMessage, ...]:
    """What the reader may send to this instance now, in the order of the diagram."""
    waiting = set(
        session.scalars(
            select(Subscription.message)
            .where(access.works_on_task(actor, Subscription.organisation_id, Subscription.role))
            .where(Subscription.instance_id == instance_id)
        )
    )
    messages = definitions.get(session, version_id).diagram.messages
    return tuple(WelcomeMessage(name, message.menu) for name, message in messages.items() if name in waiting)


def _task_organisations(session: Session, instance_id: str) -> dict[str, Text]:
    rows = session.execute(
        select(Task.id, Organisation.name, Organisation.name_en)
        .join(Organisation, Organisation.id == Task.organisation_id)
        .where(Task.instance_id == instance_id)
    )
    return {task_id: Text(name, name_en) for task_id, name, name_en in rows}


def _keys(session: Session, instance_id: str, actor: Actor, now: datetime) -> tuple[KeyCard, ...]:
    rows = session.scalars(
        select(IssuedKey).where(IssuedKey.instance_id == instance_id).order_by(IssuedKey.issued_at.desc(), IssuedKey.id)
    )
    return tuple(
        KeyCard(
            id=key.id,
            hint=key.hint,
            endpoint=key.endpoint,
            issued_at=key.issued_at,
            expires_at=key.expires_at,
            expired=key.expires_at <= now,
            revealed_at=key.revealed_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            own=key.organisation_id == actor.organisation_id,
            may_reveal=(
                access.may(actor, Action.SEE_KEYS)
                and key.organisation_id == actor.organisation_id
                and key.revealed_at is None
                and key.revoked_at is None
                and key.expires_at > now
            ),
            may_revoke=access.may(actor, Action.REVOKE_KEYS) and key.revoked_at is None and key.expires_at > now,
        )
        for key in rows
    )
