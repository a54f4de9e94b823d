"""A version looked at before it is put in force: handed in, checked, and held against the version it would follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions import deployment, diagrams, uploads
from engine.definitions.calling import whole
from engine.definitions.changes import Change, changes
from engine.definitions.deployment import deploy, get_version, in_force
from engine.definitions.diagrams import DiagramUnreadable
from engine.definitions.findings import Finding
from engine.definitions.handlers import Handler
from engine.definitions.lint import lint
from engine.definitions.tables import DefinitionVersion


@dataclass(frozen=True, slots=True)
class Review:
    """A version, what the gate says of it today, and what is different from `earlier` (None: it is the first)."""

    version: DefinitionVersion
    is_in_force: bool
    findings: list[Finding]
    earlier: DefinitionVersion | None
    earlier_is_in_force: bool
    changes: list[Change]


def hand_in(
    session: Session,
    files: Sequence[tuple[str, bytes]],
    *,
    process_id: str | None,
    handlers: Mapping[str, Handler],
    by: str,
    now: datetime,
    note: str = "",
) -> tuple[DefinitionVersion, bool]:
    """Store uploaded files as a version that is not in force yet; tells whether it is a new one.

    What was not uploaded is taken over from the version in force of the same process; `process_id` says which where
    no diagram was uploaded. Raises UploadRefused, DeploymentRefused.
    """
    package = uploads.unpack(files)
    current = in_force(session, _process_of(package.diagram) or process_id or "")
    diagram, forms = uploads.completed(package, current.diagram if current else None, current.forms if current else {})
    is_new = not deployment.was_deployed(session, diagram, forms)
    version = deploy(
        session, diagram=diagram, forms=forms, handlers=handlers, by=by, now=now, note=note, put_in_force=False
    )
    return version, is_new


def review(session: Session, version_id: str, handlers: Mapping[str, Handler]) -> Review:
    """Raises NotFound. The version in force is held against the one before it, any other against the one in force."""
    version = get_version(session, version_id)
    current = in_force(session, version.process_id)
    is_in_force = current is not None and current.id == version.id
    earlier = _previous(session, version) if is_in_force or current is None else current
    return Review(
        version=version,
        is_in_force=is_in_force,
        findings=lint(*whole(session, version), handlers),
        earlier=earlier,
        earlier_is_in_force=earlier is not None and earlier is current,
        changes=changes(*whole(session, earlier), *whole(session, version)) if earlier else [],
    )


def _previous(session: Session, version: DefinitionVersion) -> DefinitionVersion | None:
    query = select(DefinitionVersion).where(
        DefinitionVersion.process_id == version.process_id, DefinitionVersion.number < version.number
    )
    return session.scalar(query.order_by(DefinitionVersion.number.desc()).limit(1))


def _process_of(diagram: bytes | None) -> str | None:
    try:
        return diagrams.read(diagram).process_id if diagram is not None else None
    except DiagramUnreadable:
        return None  # the gate says what is wrong with it
