"""A new version of the calendar: what it would move, and publishing it.

Publishing writes the version only. The limits that run are moved afterwards, in batches (`engine.limits.recomputing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.audit.chain import GENESIS, link
from engine.audit.system import locked_head, record
from engine.audit.tables import SYSTEM, SystemEventKind
from engine.calendar import versions
from engine.calendar.book import announced_years
from engine.calendar.counting import shanghai_date
from engine.calendar.entries import Proposal
from engine.calendar.examining import examine
from engine.calendar.tables import CalendarEntry
from engine.definitions.tables import DefinitionVersion
from engine.limits.recomputing import Change, change
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Organisation
from engine.runtime.runtime import Definitions, Runtime
from engine.runtime.tables import Instance, Timer, TimerState
from engine.runtime.wording import name_of_limit, title
from engine.text import Text

NOTICE_EXPECTED = (11, 15)  # month and day: from then on next year's notice is late


@dataclass(frozen=True, slots=True)
class Move:
    """What a new version would do to one limit that runs."""

    timer_id: str
    instance_id: str
    number: str | None
    title: Text
    step: Text
    organisation: Text  # whose application it is
    before: datetime
    after: datetime
    provisional_before: bool
    provisional_after: bool
    change: Change


@dataclass(frozen=True, slots=True)
class Preview:
    version: int  # the one it would follow
    remarks: tuple[Text, ...]  # what whoever enters this ought to know
    moves: tuple[Move, ...]  # by the end they have now


def preview(session: Session, definitions: Definitions, proposals: Sequence[Proposal], actor: Actor) -> Preview:
    """What entering these would move. Changes nothing. Raises NotAllowed, EntryRefused."""
    access.require(actor, Action.ADMINISTER)
    book = versions.newest(session)
    remarks = examine(book, proposals)
    then = book.proposed(proposals)
    moves = []
    rows = session.execute(
        select(Timer, Instance.number, Instance.subject, Instance.version_id, DefinitionVersion.name)
        .add_columns(DefinitionVersion.name_en, Organisation.name, Organisation.name_en)
        .join(Instance, Instance.id == Timer.instance_id)
        .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
        .join(Organisation, Organisation.id == Instance.organisation_id)
        .where(Timer.state == TimerState.WAITING)
        .order_by(Timer.due_at, Timer.id)
    )
    for timer, number, subject, version_id, process, process_en, name, name_en in rows:
        what, due = change(timer, versions.at(session, timer.calendar_version), then)
        if what is None:
            continue
        diagram = definitions.get(session, version_id).diagram
        moves.append(
            Move(
                timer_id=timer.id,
                instance_id=timer.instance_id,
                number=number,
                title=title(subject, process, process_en),
                step=name_of_limit(diagram, timer.element_id),
                organisation=Text(name, name_en),
                before=timer.due_at,
                after=due.at,
                provisional_before=timer.provisional,
                provisional_after=due.provisional,
                change=what,
            )
        )
    return Preview(book.version, remarks, tuple(moves))


def publish(runtime: Runtime, proposals: Sequence[Proposal], *, after: int, actor: Actor, now: datetime) -> int:
    """Enter these as the version that follows `after`, the one whose preview was looked at; returns its number.

    Raises NotAllowed, EntryRefused, and CalendarMoved where somebody else published meanwhile, be it the same.
    """
    access.require(actor, Action.ADMINISTER)
    with runtime.database.write() as session:
        locked_head(session, SYSTEM)  # one administrator at a time
        book = versions.newest(session)
        if book.version != after:
            raise versions.CalendarMoved(version=book.version)
        examine(book, proposals)
        version, entries = versions.add(session, proposals, after=after, by=actor.account_id, now=now)
        record(
            session,
            SystemEventKind.CALENDAR_PUBLISHED,
            at=now,
            actor_id=actor.account_id,
            version=version,
            entries=[{"id": entry.id, "sha256": entry_hash(entry)} for entry in entries],
        )
    return version


def entry_hash(entry: CalendarEntry) -> str:
    """What an entry says, so that it can't be changed unnoticed."""
    day = entry.document_date.isoformat() if entry.document_date else None
    said = (entry.version, entry.kind, entry.region, entry.year, entry.content, entry.document, day, entry.reason)
    return link(GENESIS, entry.id, *said)


def missing_notice(session: Session, now: datetime) -> int | None:
    """The year whose notice should have been entered by now: this one, or from 15 November the next."""
    years, today = announced_years(versions.newest(session)), shanghai_date(now)
    if today.year not in years:
        return today.year
    return today.year + 1 if (today.month, today.day) >= NOTICE_EXPECTED and today.year + 1 not in years else None
