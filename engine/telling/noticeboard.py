"""Notices and 预警: what the platform told an organisation; the province reads every 预警."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session, aliased

from engine.definitions.tables import DefinitionVersion
from engine.errors import NotFound
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Organisation, Role
from engine.runtime.paging import PAGE_SIZE, AnySelect, Page, counted, paged
from engine.runtime.tables import Instance, Party
from engine.runtime.wording import title
from engine.telling.tables import Notice, Severity
from engine.text import Text


@dataclass(frozen=True, slots=True)
class NoticeLine:
    id: str
    text: Text
    severity: Severity
    at: datetime
    instance_id: str
    number: str | None
    title: Text
    recipients: tuple[Text, ...]
    authority: Text | None  # the city's authority that takes part in the instance
    own: bool  # addressed to the reader's organisation, who can mark it as read
    read_at: datetime | None


_Recipient = aliased(Organisation)
_Authority = aliased(Organisation)


def notices(
    session: Session, actor: Actor, *, unread_only: bool = False, page: int = 1, size: int = PAGE_SIZE
) -> Page[NoticeLine]:
    """Everything addressed to the actor's organisation, 预警 among it; newest first."""
    query = _notices(actor).where(access.own_organisation(actor, Notice.organisation_id))
    if unread_only:
        query = query.where(Notice.read_at.is_(None))
    return _page(session, query, actor, page, size)


def warnings(
    session: Session, actor: Actor, *, authority_id: str | None = None, page: int = 1, size: int = PAGE_SIZE
) -> Page[NoticeLine]:
    """预警 the actor may see, newest first; the province can narrow them down to one city's authority.

    One 预警 goes to several organisations; whoever sees all of them reads it once, with its recipients.
    """
    query = _notices(actor).where(Notice.id.in_(_one_of_each(actor)))
    if authority_id:
        query = query.where(_Authority.id == authority_id)
    found = _page(session, query, actor, page, size)
    return _with_recipients(session, actor, found) if access.may(actor, Action.SEE_ALL_WARNINGS) else found


def authorities_with_warnings(session: Session, actor: Actor) -> tuple[tuple[str, Text], ...]:
    """(organisation id, name) of the authorities by which `warnings` can be narrowed down, by name."""
    query = (
        _notices(actor)
        .where(Notice.severity == Severity.WARNING, _Authority.id.is_not(None))
        .with_only_columns(_Authority.id, _Authority.name, _Authority.name_en)
        .distinct()
        .order_by(_Authority.name)
    )
    return tuple((id_, Text(name, name_en)) for id_, name, name_en in session.execute(query))


def count_unread(session: Session, actor: Actor, most: int) -> int:
    """How many notices nobody of the actor's organisation has read, counting no further than `most`."""
    own = (_seen(actor), access.own_organisation(actor, Notice.organisation_id))
    return counted(session, select(Notice.id).where(*own, Notice.read_at.is_(None)), most)


def mark_read(session: Session, notice_id: str, actor: Actor, now: datetime) -> None:
    """Somebody of the organisation has read it; the first reader stays. Raises NotFound for another's notice."""
    own = (Notice.id == notice_id, _seen(actor), access.own_organisation(actor, Notice.organisation_id))
    if session.scalar(select(Notice.id).where(*own)) is None:
        raise NotFound()
    session.execute(update(Notice).where(*own, Notice.read_at.is_(None)).values(read_at=now, read_by=actor.account_id))


def mark_all_read(session: Session, actor: Actor, now: datetime) -> int:
    """Mark everything addressed to the actor's organisation as read; says how many were unread."""
    own = (_seen(actor), access.own_organisation(actor, Notice.organisation_id))
    unread = session.scalars(select(Notice.id).where(*own, Notice.read_at.is_(None))).all()
    session.execute(update(Notice).where(*own, Notice.read_at.is_(None)).values(read_at=now, read_by=actor.account_id))
    return len(unread)


def _seen(actor: Actor) -> Any:
    return access.sees_notice(actor, Notice.organisation_id, is_warning=Notice.severity == Severity.WARNING)


def _notices(actor: Actor) -> AnySelect:
    # The subquery picks one authority per instance, so that a case with two does not show a notice twice.
    authority_id = (
        select(func.min(Party.organisation_id))
        .where(Party.instance_id == Notice.instance_id, Party.role == Role.AUTHORITY)
        .scalar_subquery()
    )
    return (
        select(Notice, Instance.number, Instance.subject, DefinitionVersion.name, DefinitionVersion.name_en)
        .add_columns(_Recipient.name, _Recipient.name_en, _Authority.name, _Authority.name_en)
        .join(Instance, Instance.id == Notice.instance_id)
        .join(DefinitionVersion, DefinitionVersion.id == Instance.version_id)
        .join(_Recipient, _Recipient.id == Notice.organisation_id)
        .outerjoin(_Authority, _Authority.id == authority_id)
        .where(_seen(actor))
    )


def _one_of_each(actor: Actor) -> AnySelect:
    """Ids of 预警, one for each occasion: the copy of the actor's own organisation, where there is one."""
    place = func.row_number().over(
        partition_by=(Notice.instance_id, Notice.element_id, Notice.at),
        order_by=(Notice.organisation_id != actor.organisation_id, Notice.id),
    )
    copies = select(Notice.id, place.label("place")).where(_seen(actor), Notice.severity == Severity.WARNING).subquery()
    return select(copies.c.id).where(copies.c.place == 1)


def _with_recipients(session: Session, actor: Actor, page: Page[NoticeLine]) -> Page[NoticeLine]:
    """The same lines, each with everybody its 预警 went to. One statement."""
    copy, shown = aliased(Notice), aliased(Notice)
    rows = session.execute(
        select(shown.id, Organisation.name, Organisation.name_en)
        .join(copy, and_(copy.instance_id == shown.instance_id, copy.element_id == shown.element_id))
        .join(Organisation, Organisation.id == copy.organisation_id)
        .where(shown.id.in_([line.id for line in page.items]), copy.at == shown.at, copy.severity == Severity.WARNING)
        .order_by(Organisation.name)
    )
    recipients: dict[str, list[Text]] = defaultdict(list)
    for id_, name, name_en in rows:
        recipients[id_].append(Text(name, name_en))
    return page.map(lambda line: replace(line, recipients=tuple(recipients[line.id])))


def _page(session: Session, query: AnySelect, actor: Actor, page: int, size: int) -> Page[NoticeLine]:
    return paged(session, query.order_by(Notice.at.desc(), Notice.id), page, size).map(lambda row: _line(row, actor))


def _line(row: Any, actor: Actor) -> NoticeLine:
    notice, number, subject, process, process_en, recipient, recipient_en, authority, authority_en = row
    return NoticeLine(
        id=notice.id,
        text=Text(notice.text, notice.text_en),
        severity=Severity(notice.severity),
        at=notice.at,
        instance_id=notice.instance_id,
        number=number,
        title=title(subject, process, process_en),
        recipients=(Text(recipient, recipient_en),),
        authority=Text(authority, authority_en) if authority else None,
        own=notice.organisation_id == actor.organisation_id,
        read_at=notice.read_at,
    )
