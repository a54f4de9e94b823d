"""Definition versions as an analyst sees them: who deployed them, which is in force, and what runs on each."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.errors import NotFound
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.people.tables import Account
from engine.runtime.paging import PAGE_SIZE, AnyRow, AnySelect, Page, paged
from engine.runtime.tables import Instance
from engine.text import Text


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version, without its diagram and forms."""

    id: str
    process_id: str
    number: int
    name: Text
    note: str
    deployed_at: datetime
    deployed_by: str | None  # None: by the program itself, when it started
    in_force_since: datetime | None  # None: not in force
    open: int  # instances still running on it
    closed: int


@dataclass(frozen=True, slots=True)
class InstanceOnVersion:
    number: str | None
    subject: str
    started_at: datetime
    closed_at: datetime | None


def processes(session: Session, actor: Actor) -> dict[str, tuple[VersionLine, ...]]:
    """Every process with its versions, the newest first. Two statements, no diagram is loaded."""
    access.require(actor, Action.SEE_VERSIONS)
    rows = session.execute(_lines().order_by(DefinitionVersion.process_id, DefinitionVersion.number.desc())).all()
    counts = _counts(session)
    found: dict[str, list[VersionLine]] = defaultdict(list)
    for row in rows:
        found[row.process_id].append(_line(row, counts))
    return {process_id: tuple(lines) for process_id, lines in found.items()}


def version_line(session: Session, version_id: str, actor: Actor) -> VersionLine:
    """One version. Raises NotFound."""
    access.require(actor, Action.SEE_VERSIONS)
    row = session.execute(_lines().where(DefinitionVersion.id == version_id)).one_or_none()
    if row is None:
        raise NotFound()
    return _line(row, _counts(session, version_id))


def instances_on(
    session: Session, version_id: str, actor: Actor, *, page: int = 1, size: int = PAGE_SIZE
) -> Page[InstanceOnVersion]:
    """The instances of a version, the newest first: what they are called, and nothing of what is in them."""
    access.require(actor, Action.SEE_VERSIONS)
    query = (
        select(Instance.number, Instance.subject, Instance.started_at, Instance.closed_at)
        .where(Instance.version_id == version_id)
        .order_by(Instance.started_at.desc(), Instance.id)
    )
    return paged(session, query, page, size).map(
        lambda row: InstanceOnVersion(row.number, row.subject, row.started_at, row.closed_at)
    )


def _lines() -> AnySelect:
    return (
        select(
            DefinitionVersion.id,
            DefinitionVersion.process_id,
            DefinitionVersion.number,
            DefinitionVersion.name,
            DefinitionVersion.name_en,
            DefinitionVersion.note,
            DefinitionVersion.deployed_at,
            Account.name.label("deployed_by"),
            DefinitionInForce.since,
        )
        .outerjoin(Account, Account.id == DefinitionVersion.deployed_by)
        .outerjoin(DefinitionInForce, DefinitionInForce.version_id == DefinitionVersion.id)
    )


def _counts(session: Session, version_id: str | None = None) -> dict[str, tuple[int, int]]:
    """Version → (open, closed) instances."""
    query = select(
        Instance.version_id, func.count() - func.count(Instance.closed_at), func.count(Instance.closed_at)
    ).group_by(Instance.version_id)
    if version_id is not None:
        query = query.where(Instance.version_id == version_id)
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def _line(row: AnyRow, counts: dict[str, tuple[int, int]]) -> VersionLine:
    running, ended = counts.get(row.id, (0, 0))
    return VersionLine(
        id=row.id,
        process_id=row.process_id,
        number=row.number,
        name=Text(row.name, row.name_en),
        note=row.note,
        deployed_at=row.deployed_at,
        deployed_by=row.deployed_by,
        in_force_since=row.since,
        open=running,
        closed=ended,
    )
