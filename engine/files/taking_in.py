"""Taking in an upload as a draft, and handing drafts over to an instance."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from engine.database import Database, new_id
from engine.files.content import media_type_of, refuse_ending
from engine.files.names import clean_name
from engine.files.refusals import FileContentRefused, FileElsewhere, FileEmpty, FileInfected
from engine.files.store import FileStore, Readable
from engine.files.tables import StoredFile


def add(
    database: Database,
    store: FileStore,
    *,
    stream: Readable,
    name: str,
    accept: Sequence[str],
    max_bytes: int,
    actor_id: str,
    organisation_id: str,
    now: datetime,
) -> StoredFile:
    """Takes in an upload as a draft of the organisation. `accept` as in a form: ".pdf", "image/png" or "image/*".

    With nothing in `accept`: PDF, OFD, pictures and office documents. Archives, films and plain text must be named.
    The row is written when all else is done: however long the content takes, nobody waits for it.
    Raises FileRefused (name, type, content, empty, too large, infected), ScannerAway.
    """
    name = clean_name(name)
    ending = Path(name).suffix.lower()
    refuse_ending(name, ending, accept)
    with store.receive(stream, max_bytes) as received:
        if not received.size:
            raise FileEmpty()
        media_type = media_type_of(received.path, name)
        if media_type is None:
            raise FileContentRefused(name=name, ending=ending)
        if store.scanner and (found := store.scanner.scan(received.path)):
            store.quarantine(received)
            raise FileInfected(name=name, signature=found, sha256=received.sha256)
        store.keep(received)
    file = StoredFile(
        id=new_id(),
        sha256=received.sha256,
        name=name,
        size=received.size,
        media_type=media_type,
        organisation_id=organisation_id,
        uploaded_by=actor_id,
        at=now,
    )
    with database.write() as session:
        session.add(file)
    return file


def attach(session: Session, file_ids: Iterable[str], instance_id: str) -> None:
    """The files belong to the instance from now on; those that already do stay.

    Whose files they are is the caller's to check. Raises FileElsewhere, after which the transaction has to be undone.
    """
    ids = set(file_ids)
    free = StoredFile.id.in_(ids) & or_(StoredFile.instance_id.is_(None), StoredFile.instance_id == instance_id)
    # Of two instances that hand in the same draft at once, the second waits for the first and finds it taken.
    attached = update(StoredFile).where(free).values(instance_id=instance_id).returning(StoredFile.id)
    if len(session.scalars(attached, execution_options={"synchronize_session": False}).all()) != len(ids):
        raise FileElsewhere()
