"""Retention (保存期限): what was filled in goes when its time is over, the skeleton of the application stays.

The period is the diagram's (`wf:retention`), counted from when an instance was closed. What goes: answers, files,
reasons of interventions, the words of notices and their messages, what lists call it. What stays: number, parties,
dates, outcome, the register of connections, and the audit trail, which says what went. A legal hold (保留) exempts one
instance until it is lifted.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine import files
from engine.definitions.masking import ERASED
from engine.definitions.retention import Retention, read
from engine.definitions.specs import Compiled
from engine.definitions.tables import DefinitionVersion
from engine.errors import NotFound, Refusal
from engine.files import StoredFile
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.privacy.tables import LegalHold, Removal
from engine.runtime.erasing import REMOVED, forget_state, record_erased
from engine.runtime.runtime import Definitions, Runtime
from engine.runtime.tables import Answer, EventKind, Incident, Instance, Intervention
from engine.runtime.wording import title
from engine.telling.tables import Notice, OutboxMessage
from engine.text import Text

log = logging.getLogger(__name__)

GONE = Text("内容已按保存期限删除。", "The content was removed at the end of its retention period.")


@dataclass(frozen=True, slots=True)
class Kept:
    """A closed application whose content is still there, and until when."""

    id: str
    number: str | None
    title: Text
    closed_at: datetime
    ends: datetime  # exclusive
    held: str | None  # why it is kept beyond that


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long the content of one application is kept."""

    ends: datetime | None  # exclusive; none: it isn't closed, or its diagram states no period
    stated: bool  # does its diagram state a period?
    held: str | None  # why it is kept beyond that
    removed_at: datetime | None


def remove_due(runtime: Runtime, now: datetime, *, real_now: datetime, limit: int = 200) -> int:
    """Remove the content of instances that are past their time, each in a transaction of its own, at most `limit` of
    them; returns how many. One that fails is logged and does not keep the rest. `now` is process time."""
    with runtime.database.read() as session:
        due = [id_ for id_, _ in _past(session, runtime.definitions, now, limit)]
    removed = 0
    for instance_id in due:
        try:
            removed += _remove(runtime, instance_id, now, real_now)
        except Exception:
            log.exception("the content of instance %s could not be removed", instance_id)
    return removed


def upcoming(session: Session, definitions: Definitions, actor: Actor, limit: int = 200) -> list[Kept]:
    """What would go next, the first to go first, held ones among it. Raises NotAllowed."""
    access.require(actor, Action.INTERVENE)
    found: list[Kept] = []
    for version_id, period in _periods(session, definitions):
        rows = session.execute(
            select(Instance.id, Instance.number, Instance.subject, Instance.closed_at, Intervention.reason)
            .add_columns(DefinitionVersion.name, DefinitionVersion.name_en)
            .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
            .outerjoin(Removal, Removal.instance_id == Instance.id)
            .outerjoin(LegalHold, LegalHold.instance_id == Instance.id)
            .outerjoin(Intervention, Intervention.id == LegalHold.intervention_id)
            .where(Instance.version_id == version_id, Instance.closed_at.is_not(None), Removal.instance_id.is_(None))
            .order_by(Instance.closed_at, Instance.id)
            .limit(limit)
        )
        found += [
            Kept(id_, number, title(subject, name, name_en), closed_at, period.ends(closed_at), reason)
            for id_, number, subject, closed_at, reason, name, name_en in rows
            if closed_at is not None
        ]
    return sorted(found, key=lambda kept: (kept.ends, kept.id))[:limit]


def keeping(session: Session, definitions: Definitions, instance_id: str, actor: Actor) -> Keeping:
    """Raises NotAllowed, NotFound."""
    access.require(actor, Action.INTERVENE)
    row = session.execute(
        select(Instance.version_id, Instance.closed_at, Intervention.reason, Removal.at)
        .outerjoin(LegalHold, LegalHold.instance_id == Instance.id)
        .outerjoin(Intervention, Intervention.id == LegalHold.intervention_id)
        .outerjoin(Removal, Removal.instance_id == Instance.id)
        .where(Instance.id == instance_id)
    ).one_or_none()
    if row is None:
        raise NotFound()
    version_id, closed_at, held, removed_at = row
    period = period_of(definitions.get(session, version_id))
    ends = period.ends(closed_at) if period and closed_at else None
    return Keeping(ends, period is not None, held, removed_at)


def _past(session: Session, definitions: Definitions, now: datetime, limit: int) -> Iterator[tuple[str, datetime]]:
    left = limit
    for version_id, period in _periods(session, definitions):
        if left <= 0:
            return
        rows = session.execute(
            select(Instance.id, Instance.closed_at)
            .outerjoin(Removal, Removal.instance_id == Instance.id)
            .outerjoin(LegalHold, LegalHold.instance_id == Instance.id)
            .where(Instance.version_id == version_id, Instance.closed_at < period.closed_before(now))
            .where(Removal.instance_id.is_(None), LegalHold.instance_id.is_(None))
            .order_by(Instance.closed_at, Instance.id)
            .limit(left)
        )
        for id_, closed_at in rows:
            if closed_at is not None and period.ends(closed_at) <= now:
                left -= 1
                yield id_, closed_at


def _periods(session: Session, definitions: Definitions) -> Iterator[tuple[str, Retention]]:
    """Every version that states how long its applications are kept; one that can't be read any more says nothing."""
    for version_id in session.scalars(select(DefinitionVersion.id).order_by(DefinitionVersion.id)).all():
        try:
            period = period_of(definitions.get(session, version_id))
        except Refusal:
            log.warning("version %s can't be read, so nothing of its applications is removed", version_id)
            continue
        if period is not None:
            yield version_id, period


def period_of(compiled: Compiled) -> Retention | None:
    return read(compiled.diagram.retention) if compiled.diagram.retention else None


def _remove(runtime: Runtime, instance_id: str, now: datetime, real_now: datetime) -> bool:
    """False where somebody else was quicker, or has had it held meanwhile."""
    with runtime.database.write() as session:
        instance = session.scalar(select(Instance).where(Instance.id == instance_id).with_for_update(skip_locked=True))
        if instance is None or any(session.get(table, instance_id) for table in (Removal, LegalHold)):
            return False
        answers = session.scalars(select(Answer).where(Answer.instance_id == instance_id)).all()
        interventions = session.scalars(select(Intervention).where(Intervention.instance_id == instance_id)).all()
        for answer in answers:
            answer.data = dict(REMOVED)
        for intervention in interventions:
            intervention.reason, intervention.basis, intervention.details = ERASED, "", {}
        rows: list[Answer | Intervention] = [*answers, *interventions]
        record_erased(session, instance, EventKind.CONTENT_REMOVED, rows, at=now, actor_id=None)
        forget_state(instance, runtime.definitions.get(session, instance.version_id))
        instance.subject = ""
        _forget_what_was_told(session, instance_id)
        attached = session.scalars(select(StoredFile.id).where(StoredFile.instance_id == instance_id)).all()
        files.forget(session, runtime.files, attached, real_now)
        session.add(Removal(instance_id=instance_id, at=now))
    return True


def _forget_what_was_told(session: Session, instance_id: str) -> None:
    notices = select(Notice.id).where(Notice.instance_id == instance_id)
    session.execute(delete(OutboxMessage).where(OutboxMessage.notice_id.in_(notices)))
    session.execute(update(Notice).where(Notice.instance_id == instance_id).values(text=GONE.zh, text_en=GONE.en))
    session.execute(update(Incident).where(Incident.instance_id == instance_id).values(cause=ERASED, stack=""))
