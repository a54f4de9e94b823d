"""How uploads leave again: the row first, its content after it.

A crash in between leaves content that no row names, and the next sweep finds it. The other way round it would leave a
row whose content is gone. Content that somebody stores again at that moment stays: storing marks it as fresh, and what
is fresh is put back (`FileStore.discard`), also while the row that is going to name it is not committed yet.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from engine.database import Database
from engine.files.store import FileStore
from engine.files.tables import StoredFile

DRAFTS_KEPT = timedelta(days=30)  # whoever uploaded them and never handed them in has long left the page
QUARANTINED = timedelta(days=90)  # in which an administrator can look into an infected file
GRACE = timedelta(hours=1)  # longer than any upload is between storing its content and committing its row
_BATCH = 500


def forget(session: Session, store: FileStore, file_ids: Collection[str], real_now: datetime) -> None:
    """Delete uploads with their content, whoever they belong to; what other rows share stays.

    The rows go in the caller's transaction, the content once that is committed. Content stored within the last hour is
    left to the next sweep.
    """
    gone = delete(StoredFile).where(StoredFile.id.in_(file_ids)).returning(StoredFile.sha256)
    hashes = set(session.scalars(gone, execution_options={"synchronize_session": False}))
    unused = hashes - _used(session, sorted(hashes))

    def discard(_session: Session) -> None:
        for sha256 in unused:
            store.discard(sha256, unless_since=real_now - GRACE)

    if unused:
        event.listen(session, "after_commit", discard, once=True)


def forget_drafts(session: Session, before: datetime) -> int:
    """Delete the rows of drafts uploaded before a moment of process time; how many. Sweeping takes their content."""
    old = delete(StoredFile).where(StoredFile.instance_id.is_(None), StoredFile.at < before).returning(StoredFile.id)
    return len(session.scalars(old, execution_options={"synchronize_session": False}).all())


def sweep(database: Database, store: FileStore, real_now: datetime, *, hour: int | None = None) -> int:
    """Take away content that no row names, and what killed processes left; how many contents.

    With an hour of the day only what belongs to it, so that asking every hour looks at everything once a day.
    """
    store.tidy(before=real_now - GRACE, wanted=lambda sha256: _is_used(database, sha256))
    discarded = 0
    for hashes in store.listed(before=real_now - GRACE, batch=_BATCH, hour=hour):
        with database.read() as session:
            used = _used(session, hashes)
        discarded += sum(store.discard(sha256, unless_since=real_now - GRACE) for sha256 in set(hashes) - used)
    return discarded


def _used(session: Session, hashes: Sequence[str]) -> set[str]:
    return set(session.scalars(select(StoredFile.sha256).where(StoredFile.sha256.in_(hashes))))


def _is_used(database: Database, sha256: str) -> bool:
    with database.read() as session:
        return bool(_used(session, [sha256]))
