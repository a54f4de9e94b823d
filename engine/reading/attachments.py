"""Taking in an upload, who may open it and who may hand it in: its instance's people, or its maker while a draft."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine import files
from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import NotFound
from engine.files import FileInfected, StoredFile
from engine.files.scanning import ScannerAway
from engine.files.store import Readable
from engine.people import access
from engine.people.accounts import Actor
from engine.reading.answered import answers
from engine.reading.taskfile import task_file
from engine.runtime.runtime import Definitions, Runtime
from engine.runtime.tables import Incident, Instance, Party, Task

SCAN = "scan"  # the action of incidents about the virus scanner and what it finds


def take_in(
    runtime: Runtime,
    *,
    stream: Readable,
    name: str,
    accept: Sequence[str],
    max_bytes: int,
    actor: Actor,
    now: datetime,
) -> StoredFile:
    """An upload as a draft of the actor's; see `engine.files.add`. What a virus scanner finds, and that it can't be
    reached, administrators read among the incidents. Raises FileRefused, ScannerAway."""
    try:
        return files.add(
            runtime.database,
            runtime.files,
            stream=stream,
            name=name,
            accept=accept,
            max_bytes=max_bytes,
            actor_id=actor.account_id,
            organisation_id=actor.organisation_id,
            now=now,
        )
    except FileInfected as infected:
        found = {"signature": infected.facts["signature"], "sha256": infected.facts["sha256"]}
        with runtime.database.write() as session:
            _tell_administrators(session, "{signature} in {sha256}".format(**found), now)
            record(session, SystemEventKind.FILE_INFECTED, at=now, actor_id=actor.account_id, **found)
        raise
    except ScannerAway as away:
        with runtime.database.write() as session:
            _tell_administrators(session, f"ScannerAway: {away.why}", now)
        raise


def _tell_administrators(session: Session, cause: str, now: datetime) -> None:
    """An incident of no application; the same again counts up."""
    known = session.scalars(
        select(Incident).where(Incident.action == SCAN, Incident.resolved_at.is_(None), Incident.cause == cause)
    ).first()
    if known:
        known.times, known.last_at = known.times + 1, now
    else:
        session.add(Incident(action=SCAN, cause=cause, stack="", at=now))


def readable_file(session: Session, definitions: Definitions, file_id: str, actor: Actor, now: datetime) -> StoredFile:
    """A file the actor may open; raises NotFound.

    Somebody who sees an instance sees the files of what was filled in, as far as they see that: neither those of a
    confidential message nor those that are personal data are everybody's. Somebody who only works on a task of it (a
    support unit) sees what the task's page shows, and no more. A draft is its uploader's own.
    """
    file = _found(session, file_id, actor)
    if file.instance_id is None:
        return file
    seen = access.sees_instance(
        actor, Instance.id, party_instance_id=Party.instance_id, party_organisation_id=Party.organisation_id
    )
    version_id = session.scalar(select(Instance.version_id).where(Instance.id == file.instance_id, seen))
    if version_id is not None:
        read = answers(session, file.instance_id, definitions.get(session, version_id), actor)
        if file_id in _file_ids([each.data for each in read]):
            return file
        raise NotFound()
    mine = access.works_on_task(actor, Task.organisation_id, Task.role)
    for task_id in session.scalars(select(Task.id).where(Task.instance_id == file.instance_id, mine)).all():
        task = task_file(session, definitions, task_id, actor, now)
        if file_id in _file_ids([*(shown.data for shown in task.shown), *task.filled.values()]):
            return file
    raise NotFound()


def _found(session: Session, file_id: str, actor: Actor) -> StoredFile:
    """An own draft, or a file of an instance the actor has to do with. One statement, so that another's file takes as
    long to refuse as one that never was. Raises NotFound."""
    draft = and_(StoredFile.instance_id.is_(None), StoredFile.uploaded_by == actor.account_id)
    seen = access.sees_instance(
        actor, StoredFile.instance_id, party_instance_id=Party.instance_id, party_organisation_id=Party.organisation_id
    )
    mine = access.works_on_task(actor, Task.organisation_id, Task.role)
    of_a_case = or_(seen, StoredFile.instance_id.in_(select(Task.instance_id).where(mine)))
    handed_in = and_(StoredFile.instance_id.is_not(None), of_a_case)
    file = session.scalar(select(StoredFile).where(StoredFile.id == file_id, or_(draft, handed_in)))
    if file is None:
        raise NotFound()
    return file


def own_files(session: Session, actor: Actor, file_ids: Collection[str]) -> Sequence[StoredFile]:
    """Those of the files the actor may hand in: what the own organisation uploaded."""
    return session.scalars(
        select(StoredFile).where(
            StoredFile.id.in_(file_ids), access.own_organisation(actor, StoredFile.organisation_id)
        )
    ).all()


def _file_ids(value: Any) -> Iterator[str]:
    """The ids of all files among answers."""
    if isinstance(value, Mapping):
        if "file_id" in value:
            yield value["file_id"]
        else:
            for inner in value.values():
                yield from _file_ids(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _file_ids(inner)
