"""Handing out (查阅、复制个人信息): all that is kept of a person, or of an organisation, as one zip of JSON and files.

A person gets what belongs to the own account, an organisation what its people handed in, never what others did.
"""

import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEvent, SystemEventKind
from engine.errors import NotFound
from engine.files import ContentMissing, FileStore, StoredFile
from engine.membership.tables import Registration
from engine.people import access
from engine.people.accounts import Actor
from engine.people.tables import Account, Contact, LoginSession, Organisation, OrganisationKey, SecondFactor, SignOnLink
from engine.runtime.runtime import Definitions
from engine.runtime.tables import Answer, Event, Instance, Intervention, Task

README = (
    "data.json：系统中保存的资料，时间为 UTC；files/：提交的附件。\n"
    "data.json: what the system keeps, times in UTC; files/: the files that were handed in.\n"
)


@dataclass(frozen=True, slots=True)
class Export:
    data: dict[str, Any]
    files: tuple[StoredFile, ...]


def of_person(session: Session, definitions: Definitions, account_id: str, actor: Actor, now: datetime) -> Export:
    """Everything of one account, put on record as handed out. Raises NotFound where it is not the actor's to have."""
    account = session.get(Account, account_id)
    if account is None or not access.may_export_person(actor, account_id):
        raise NotFound()
    organisation = session.get_one(Organisation, account.organisation_id)
    sessions = session.scalars(select(LoginSession).where(LoginSession.account_id == account_id))
    links = session.scalars(select(SignOnLink).where(SignOnLink.account_id == account_id))
    files = session.scalars(select(StoredFile).where(StoredFile.uploaded_by == account_id)).all()
    data = {
        "exported_at": now,
        "account": _account(account)
        | {"organisation": organisation.name, "second_factor": session.get(SecondFactor, account_id) is not None},
        "registrations": _registrations(session, Registration.account_id == account_id),
        "sessions": [_told(row, "started_at", "seen_at", "address", "agent") for row in sessions],
        "sign_on": [_told(row, "issuer", "subject", "linked_at") for row in links],
        "applications": _applications(session, Instance.started_by == account_id),
        "answers": _answers(session, definitions, Answer.by == account_id),
        "tasks": _tasks(session, Task.closed_by == account_id),
        "interventions": _interventions(session, Intervention.by == account_id),
        "history": [
            _told(row, "at", "kind", "instance_id", "element_id")
            for row in session.scalars(select(Event).where(Event.actor_id == account_id).order_by(Event.at))
        ],
        "system_history": [
            _told(row, "at", "kind")
            for row in session.scalars(select(SystemEvent).where(SystemEvent.actor_id == account_id))
        ],
        "files": [_file(row) for row in files],
    }
    facts = {"account_id": account_id, "files": len(files)}
    record(session, SystemEventKind.DATA_EXPORTED, at=now, actor_id=actor.account_id, **facts)
    return Export(data, tuple(files))


def of_organisation(
    session: Session, definitions: Definitions, organisation_id: str, actor: Actor, now: datetime
) -> Export:
    """Everything of one organisation and its people, put on record as handed out. Raises NotFound as above."""
    organisation = session.get(Organisation, organisation_id)
    if organisation is None or not access.may_export_organisation(actor, organisation_id):
        raise NotFound()
    own = select(Account.id).where(Account.organisation_id == organisation_id)
    keys = session.scalars(select(OrganisationKey.key).where(OrganisationKey.organisation_id == organisation_id))
    accounts = session.scalars(select(Account).where(Account.organisation_id == organisation_id))
    contacts = session.scalars(select(Contact).where(Contact.organisation_id == organisation_id, Contact.active))
    files = session.scalars(select(StoredFile).where(StoredFile.organisation_id == organisation_id)).all()
    data = {
        "exported_at": now,
        "organisation": _told(organisation, "name", "name_en", "role") | {"keys": sorted(keys)},
        "accounts": [_account(row) for row in accounts],
        "contacts": [_told(row, "kind", "address", "created_at") for row in contacts],
        "registrations": _registrations(session, Registration.account_id.in_(own)),
        "applications": _applications(session, Instance.organisation_id == organisation_id),
        "answers": _answers(session, definitions, Answer.by.in_(own)),
        "tasks": _tasks(session, Task.organisation_id == organisation_id),
        "interventions": _interventions(session, Intervention.by.in_(own)),
        "files": [_file(row) for row in files],
    }
    facts = {"organisation_id": organisation_id, "files": len(files)}
    record(session, SystemEventKind.DATA_EXPORTED, at=now, actor_id=actor.account_id, **facts)
    return Export(data, tuple(files))


def write_zip(export: Export, store: FileStore, target: IO[bytes]) -> None:
    """The archive, written piece by piece. A file whose content is not in the store is left out; `data.json` has it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("data.json", json.dumps(export.data, ensure_ascii=False, indent=2, default=_plain))
        for file in export.files:
            try:
                content = store.open(file.sha256)
            except ContentMissing:
                continue
            with content, archive.open(_place(file), "w") as entry:
                while piece := content.read(64 * 1024):
                    entry.write(piece)


def _account(row: Account) -> dict[str, Any]:
    return _told(row, "id", "username", "name", "email", "role", "active", "manages", "created_at")


def _registrations(session: Session, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    said = ("name", "code", "legal_representative", "contact", "mobile", "email", "username", "state", "applied_at")
    return [_told(row, *said) for row in session.scalars(select(Registration).where(where))]


def _applications(session: Session, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    kept = ("id", "number", "subject", "started_at", "outcome", "decided_at", "closed_at", "ended_early")
    columns = [getattr(Instance, name) for name in kept]
    rows = session.execute(select(*columns).where(where).order_by(Instance.started_at, Instance.id))
    return [dict(zip(kept, row, strict=True)) for row in rows]


def _answers(session: Session, definitions: Definitions, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = session.execute(
        select(Answer, Instance.number, Instance.version_id)
        .join(Instance, Instance.id == Answer.instance_id)
        .where(where)
        .order_by(Answer.at, Answer.id)
    )
    found = []
    for answer, number, version_id in rows:
        form = definitions.get(session, version_id).forms.get(answer.form)
        found.append(
            _told(answer, "instance_id", "message", "form", "at", "data")
            | {"number": number, "title": form.title.zh if form else answer.form}
        )
    return found


def _tasks(session: Session, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = session.scalars(select(Task).where(where).order_by(Task.opened_at, Task.id))
    return [
        _told(row, "instance_id", "name", "state", "opened_at", "due_at", "claimed_at", "closed_at") for row in rows
    ]


def _interventions(session: Session, where: ColumnElement[bool]) -> list[dict[str, Any]]:
    rows = session.scalars(select(Intervention).where(where).order_by(Intervention.at, Intervention.id))
    return [_told(row, "instance_id", "kind", "reason", "basis", "at") for row in rows]


def _file(row: StoredFile) -> dict[str, Any]:
    return _told(row, "id", "name", "size", "sha256", "media_type", "at", "instance_id") | {"place": _place(row)}


def _place(file: StoredFile) -> str:
    return f"files/{file.id}/{file.name}"


def _told(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"an export can't hold a {type(value).__name__}")
