"""Uploads that are deleted take their content along, unless somebody else has the same, now or in this very moment."""

import io
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from engine import clock, files
from engine.database import Database
from engine.files import FileStore, StoredFile
from tests.conftest import Cast

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
REAL_NOW = clock.now()
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <<>> endobj\n%%EOF\n"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


@pytest.fixture
def shelf(database: Database, store: FileStore, cast: Cast) -> "Shelf":
    return Shelf(database, store, cast)


class Shelf:
    def __init__(self, database: Database, store: FileStore, cast: Cast) -> None:
        self.database, self.store, self.cast = database, store, cast

    def upload(self, content: bytes = PDF, at: datetime = NOW) -> StoredFile:
        """An upload whose content has lain here for two hours."""
        file = files.add(
            self.database,
            self.store,
            stream=io.BytesIO(content),
            name="a.pdf",
            accept=[".pdf"],
            max_bytes=1_000_000,
            actor_id=self.cast.enterprise.account_id,
            organisation_id=self.cast.enterprise.organisation_id,
            now=at,
        )
        self.age()
        return file

    def age(self) -> None:
        for path in self.store.root.rglob("*"):
            os.utime(path, times=((REAL_NOW - timedelta(hours=2)).timestamp(),) * 2)

    def forget(self, *uploads: StoredFile) -> None:
        with self.database.write() as session:
            files.forget(session, self.store, [file.id for file in uploads], REAL_NOW)

    def sweep(self, hour: int | None = None) -> int:
        return files.sweep(self.database, self.store, REAL_NOW, hour=hour)

    def rows(self) -> set[str]:
        with self.database.read() as session:
            return {file.id for file in session.query(StoredFile)}

    def contents(self) -> list[str]:
        return [path.name for path in self.store.root.rglob("*") if path.is_file()]


def test_a_file_that_is_forgotten_is_gone_from_the_rows_and_from_the_disk(shelf: Shelf) -> None:
    one, other = shelf.upload(), shelf.upload(PDF + b"%")
    shelf.forget(one)
    assert shelf.rows() == {other.id}
    assert shelf.contents() == [other.sha256]


def test_content_that_another_upload_has_too_stays(shelf: Shelf) -> None:
    one, other = shelf.upload(), shelf.upload()
    shelf.forget(one)
    assert shelf.contents() == [other.sha256]
    shelf.forget(other)
    assert shelf.contents() == []


def test_uploads_of_one_content_that_go_together_take_it_along(shelf: Shelf) -> None:
    shelf.forget(shelf.upload(), shelf.upload())
    assert (shelf.rows(), shelf.contents()) == (set(), [])


def test_what_is_undone_is_not_deleted(shelf: Shelf) -> None:
    file = shelf.upload()
    session = Session(shelf.database.engine)
    files.forget(session, shelf.store, [file.id], REAL_NOW)
    session.rollback()
    session.close()
    assert (shelf.rows(), shelf.contents()) == ({file.id}, [file.sha256])


def test_content_stored_again_stays_while_its_row_is_not_there_yet(shelf: Shelf) -> None:
    file = shelf.upload()
    with shelf.store.receive(io.BytesIO(PDF), 1_000) as again:
        shelf.store.keep(again)
    shelf.forget(file)  # before the second upload's row is written
    assert shelf.contents() == [file.sha256]
    assert shelf.sweep() == 0


def test_content_stored_again_after_it_was_put_aside_is_there(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shelf.upload()
    rename = Path.rename

    def rename_and_be_overtaken(path: Path, target: Path) -> Path:
        done = rename(path, target)
        with shelf.store.receive(io.BytesIO(PDF), 1_000) as again:
            shelf.store.keep(again)
        return done

    monkeypatch.setattr(Path, "rename", rename_and_be_overtaken)
    shelf.forget(file)
    assert shelf.contents() == [file.sha256]


def test_a_crash_after_the_row_is_gone_leaves_content_that_a_sweep_takes(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = shelf.upload()
    with monkeypatch.context() as crash:
        crash.setattr(FileStore, "discard", lambda *_arguments, **_more: None)
        shelf.forget(file)
    assert (shelf.rows(), shelf.contents()) == (set(), [file.sha256])
    assert shelf.sweep() == 1
    assert shelf.contents() == []


def test_a_crash_while_content_is_put_aside_loses_nothing_that_is_wanted(shelf: Shelf) -> None:
    wanted, orphan = shelf.upload(), "0" * 64
    (place,) = (path for path in shelf.store.root.rglob(wanted.sha256) if path.is_file())
    place.rename(shelf.store.root / f".leaving-{wanted.sha256}-1")
    (shelf.store.root / f".leaving-{orphan}-2").write_bytes(b"")
    shelf.age()
    shelf.sweep()
    assert shelf.contents() == [wanted.sha256]


def test_a_sweep_leaves_what_has_a_row_and_what_is_new(shelf: Shelf) -> None:
    file = shelf.upload()
    new, _ = shelf.store.save(io.BytesIO(PDF + b"new"), 1_000)
    assert shelf.sweep() == 0
    assert sorted(shelf.contents()) == sorted([file.sha256, new])


def test_a_sweep_clears_away_what_killed_uploads_left(shelf: Shelf) -> None:
    file = shelf.upload()
    left, arriving = shelf.store.root / ".incoming-killed", shelf.store.root / ".incoming-now"
    left.write_bytes(b"half")
    shelf.age()
    arriving.write_bytes(b"half")
    shelf.sweep()
    assert sorted(shelf.contents()) == sorted([file.sha256, arriving.name])


def test_hour_by_hour_everything_is_swept_once_a_day(shelf: Shelf) -> None:
    for number in range(60):
        shelf.store.save(io.BytesIO(b"%d" % number), 1_000)
    shelf.age()
    assert sum(shelf.sweep(hour) for hour in range(24)) == 60


def test_drafts_go_when_nobody_handed_them_in_for_long(shelf: Shelf) -> None:
    _old, handed_in, recent = shelf.upload(), shelf.upload(), shelf.upload(at=NOW + timedelta(days=2))
    with shelf.database.write() as session:
        files.attach(session, [handed_in.id], "an instance")
    with shelf.database.write() as session:
        assert files.forget_drafts(session, NOW + timedelta(days=1)) == 1
    assert shelf.rows() == {handed_in.id, recent.id}
