"""From a diagram without errors to an immutable version, and which version new instances start on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.definitions import diagrams
from engine.definitions.calling import Pinned, pin
from engine.definitions.findings import Finding, in_order
from engine.definitions.handlers import Handler
from engine.definitions.lint import has_errors, lint
from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.errors import Invalid, NotFound
from engine.text import Text

_DEPLOYING = 7_253_001  # key of the advisory lock; any number that nothing else uses

Schemas = Mapping[str, Any]  # form name → form-js schema


class DeploymentRefused(Invalid):
    """The gate found errors; nothing was stored and the version in force stays.

    `findings` has all, warnings too; `diagram` is what was refused.
    """

    sentence = Text(
        "流程图有 {count} 处错误，没有部署；正在使用的版本不受影响。{first}",
        "The diagram has {count} errors and was not deployed; the version in force stays. {first}",
    )

    def __init__(self, findings: Sequence[Finding], diagram: bytes) -> None:
        self.findings = list(findings)
        self.diagram = diagram
        errors = [finding for finding in findings if has_errors([finding])]
        super().__init__(count=len(errors), first=errors[0].message if errors else Text(""))


class FolderUnreadable(Invalid):
    sentence = Text("无法读取流程目录 {folder}：{reason}", "The process folder {folder} can't be read: {reason}")


def version_hash(diagram: bytes, forms: Schemas) -> str:
    """What makes a version: the bytes of the diagram, with all it calls drawn out, and the content of all forms."""
    canonical = json.dumps(forms, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    digest = hashlib.sha256(len(diagram).to_bytes(8, "big"))  # so that no byte can wander from one to the other
    digest.update(diagram)
    digest.update(canonical)
    return digest.hexdigest()


def deploy(
    session: Session,
    *,
    diagram: bytes,
    forms: Schemas,
    handlers: Mapping[str, Handler],
    by: str | None,
    now: datetime,
    note: str = "",
    put_in_force: bool = True,
) -> DefinitionVersion:
    """Store a checked version (or find the one that is the same, byte for byte) and put it in force at once.

    What it calls is pinned to the versions in force now.
    `by` is an account's id, None for the start of the program. Raises DeploymentRefused.
    """
    pinned, findings = _checked(session, diagram, forms, handlers)
    if has_errors(findings):
        raise DeploymentRefused(findings, diagram)
    _take_turns(session)
    read = diagrams.read(diagram)
    sha256 = version_hash(pinned.diagram, pinned.forms)
    version = _same(session, read.process_id, sha256)
    if version is None:
        last = session.scalar(
            select(func.max(DefinitionVersion.number)).where(DefinitionVersion.process_id == read.process_id)
        )
        version = DefinitionVersion(
            process_id=read.process_id,
            number=(last or 0) + 1,
            name=read.name.zh or read.process_id,
            name_en=read.name.en,
            sha256=sha256,
            diagram=diagram,
            forms=dict(forms),
            called=dict(pinned.called),
            note=note.strip()[:500],
            deployed_at=now,
            deployed_by=by,
        )
        session.add(version)
        session.flush()
        record(
            session,
            SystemEventKind.VERSION_DEPLOYED,
            at=now,
            actor_id=by,
            process=version.process_id,
            version_id=version.id,
            number=version.number,
            sha256=sha256,
        )
    if put_in_force:
        _put_in_force(session, version, now, by)
    return version


def findings_of(session: Session, diagram: bytes, forms: Schemas, handlers: Mapping[str, Handler]) -> list[Finding]:
    """What the gate says of a diagram that would be deployed now, calling what is in force now; nothing is changed."""
    return _checked(session, diagram, forms, handlers)[1]


def deploy_folder(
    session: Session, folder: Path, *, handlers: Mapping[str, Handler], now: datetime
) -> list[DefinitionVersion]:
    """Deploy each diagram of a folder with the forms beside it, unless just that was deployed before.

    So a restart never overrides what an analyst has put in force since. Returns what is new. Raises
    DeploymentRefused, FolderUnreadable.
    """
    forms = read_forms(folder)
    deployed = []
    for path in sorted(folder.glob("*.bpmn")):
        diagram = path.read_bytes()
        if not _was_drawn(session, diagram, forms):
            deployed.append(deploy(session, diagram=diagram, forms=forms, handlers=handlers, by=None, now=now))
    return deployed


def read_forms(folder: Path) -> dict[str, Any]:
    """The forms beside a diagram, by name. Raises FolderUnreadable."""
    return {path.stem: _read_form(path) for path in sorted((folder / "forms").glob("*.json"))}


def was_deployed(session: Session, diagram: bytes, forms: Schemas) -> bool:
    """Has this very diagram with these very forms been deployed, in force or not, calling what it would call now?"""
    pinned = pin(session, diagram, forms)
    sha256 = version_hash(pinned.diagram, pinned.forms)
    known = select(DefinitionVersion.id).where(DefinitionVersion.sha256 == sha256).limit(1)
    return session.scalar(known) is not None


def _checked(
    session: Session, diagram: bytes, forms: Schemas, handlers: Mapping[str, Handler]
) -> tuple[Pinned, list[Finding]]:
    pinned = pin(session, diagram, forms)
    return pinned, in_order([*pinned.problems, *lint(pinned.diagram, pinned.forms, handlers)])


def _was_drawn(session: Session, diagram: bytes, forms: Schemas) -> bool:
    """Has it been deployed, whatever it called then?"""
    known = session.scalars(select(DefinitionVersion.forms).where(DefinitionVersion.diagram == diagram))
    return any(schemas == forms for schemas in known)


def put_in_force(session: Session, version_id: str, now: datetime, *, by: str | None) -> DefinitionVersion:
    """New instances start on this version from now on; running ones stay on theirs. `by` is an account's id.

    Raises NotFound.
    """
    _take_turns(session)
    version = get_version(session, version_id)
    _put_in_force(session, version, now, by)
    return version


def get_version(session: Session, version_id: str) -> DefinitionVersion:
    """Raises NotFound."""
    version = session.get(DefinitionVersion, version_id)
    if version is None:
        raise NotFound()
    return version


def in_force(session: Session, process_id: str) -> DefinitionVersion | None:
    """The version new instances of a process start on."""
    return session.scalar(
        select(DefinitionVersion)
        .join(DefinitionInForce, DefinitionInForce.version_id == DefinitionVersion.id)
        .where(DefinitionInForce.process_id == process_id)
    )


def versions(session: Session, process_id: str) -> list[DefinitionVersion]:
    """All versions of a process, the newest first."""
    query = select(DefinitionVersion).where(DefinitionVersion.process_id == process_id)
    return list(session.scalars(query.order_by(DefinitionVersion.number.desc())))


def _take_turns(session: Session) -> None:
    """One deployment at a time, so that two can't count to the same number; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_DEPLOYING)))


def _put_in_force(session: Session, version: DefinitionVersion, now: datetime, by: str | None) -> None:
    current = session.get(DefinitionInForce, version.process_id)
    replaced = current.version_id if current else None
    if replaced == version.id:
        return
    if current is None:
        session.add(DefinitionInForce(process_id=version.process_id, version_id=version.id, since=now))
    else:
        current.version_id, current.since = version.id, now
    session.flush()
    record(
        session,
        SystemEventKind.PUT_IN_FORCE,
        at=now,
        actor_id=by,
        process=version.process_id,
        version_id=version.id,
        instead_of=replaced,
    )


def _same(session: Session, process_id: str, sha256: str) -> DefinitionVersion | None:
    return session.scalar(
        select(DefinitionVersion).where(DefinitionVersion.process_id == process_id, DefinitionVersion.sha256 == sha256)
    )


def _read_form(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as problem:
        reason = Text(f"{path.name} 不是有效的 JSON（{problem}）。", f"{path.name} is not valid JSON ({problem}).")
        raise FolderUnreadable(folder=path.parent.parent.name, reason=reason) from None
