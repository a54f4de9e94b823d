"""Uploaded files: stored once under their hash, typed by content, drafts until they are submitted."""

import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import files
from engine.database import Base, Database
from engine.errors import Broken, Conflict, Invalid
from engine.files import (
    ContentMissing,
    FileContentRefused,
    FileDangerous,
    FileElsewhere,
    FileEmpty,
    FileInfected,
    FileNameRefused,
    FileRefused,
    FileStore,
    FileTooLarge,
    FileTypeRefused,
    StoredFile,
    clean_name,
)
from engine.people.tables import Account, Organisation

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MB = 1024 * 1024
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <<>> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1" + b"\0" * 40 + b"\xff\xd9"
PHONE_JPEG = b"\xff\xd8\xff\xe1\0\x43Exif\0\0" + b"\0" * 40
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + b"\0" * 300
OLE = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 70_000


def zipped(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "x")  # dated 1980: the same bytes in every test process
    return content.getvalue()


DOCX = zipped("[Content_Types].xml", "word/document.xml")
XLSX = zipped("[Content_Types].xml", "xl/workbook.xml")
ACROSS = OLE[: 64 * 1024 - 10] + "Workbook".encode("utf-16-le") + b"\0" * 90  # across two pieces of reading
DOC = OLE + "WordDocument".encode("utf-16-le") + b"\0" * 90
XLS = OLE + "Workbook".encode("utf-16-le") + b"\0" * 90


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'files.db'}")
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(Organisation(id="org", role="enterprise", name="甲公司"))
        session.flush()
        account = Account(id="zhang", username="zhang", password_hash="-", name="张三", role="enterprise")
        account.organisation_id, account.created_at = "org", NOW
        session.add(account)
    yield database
    database.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """To look at the rows with."""
    with database.read() as session:
        yield session


def upload(
    database: Database,
    store: FileStore,
    content: bytes,
    name: str,
    accept: Sequence[str] = (),
    max_bytes: int = 20 * MB,
) -> StoredFile:
    return files.add(
        database,
        store,
        stream=io.BytesIO(content),
        name=name,
        accept=accept,
        max_bytes=max_bytes,
        actor_id="zhang",
        organisation_id="org",
        now=NOW,
    )


def instance_of(database: Database, file: StoredFile) -> str | None:
    with database.read() as session:
        return session.get_one(StoredFile, file.id).instance_id


def contents(store: FileStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


class Endless:
    """A stream that never ends and remembers how much was taken from it."""

    taken = 0

    def read(self, size: int, /) -> bytes:
        assert 0 < size <= MB
        self.taken += size
        return b"\0" * size


def test_content_is_stored_under_its_hash(store: FileStore) -> None:
    sha256, size = store.save(io.BytesIO(PDF), MB)
    assert (sha256, size) == (hashlib.sha256(PDF).hexdigest(), len(PDF))
    assert contents(store) == [store.root / sha256[:2] / sha256[2:4] / sha256]
    with store.open(sha256) as stream:
        assert stream.read() == PDF


def test_the_same_content_is_stored_once(store: FileStore) -> None:
    assert store.save(io.BytesIO(PDF), MB) == store.save(io.BytesIO(PDF), MB)
    assert len(contents(store)) == 1


def test_a_file_of_exactly_the_limit_is_taken(store: FileStore) -> None:
    assert store.save(io.BytesIO(b"x" * 100_000), 100_000)[1] == 100_000
    with pytest.raises(FileTooLarge):
        store.save(io.BytesIO(b"x" * 100_001), 100_000)


def test_reading_stops_at_the_limit_and_leaves_nothing_behind(store: FileStore) -> None:
    stream = Endless()
    with pytest.raises(FileTooLarge, match="文件超过 20 MB") as refusal:
        store.save(stream, 20 * MB)
    assert "20 MB" in refusal.value.to("en")
    assert stream.taken <= 21 * MB
    assert contents(store) == []


def test_memory_stays_flat_whatever_the_size(store: FileStore) -> None:
    class Long(Endless):
        def read(self, size: int, /) -> bytes:
            return super().read(size) if self.taken < 50 * MB else b""

    tracemalloc.start()
    try:
        store.save(Long(), 60 * MB)
        assert tracemalloc.get_traced_memory()[1] < MB
    finally:
        tracemalloc.stop()


def test_a_stream_that_breaks_leaves_nothing_behind(store: FileStore) -> None:
    class Breaking(Endless):
        def read(self, size: int, /) -> bytes:
            if self.taken:
                raise ConnectionError
            return super().read(size)

    with pytest.raises(ConnectionError):
        store.save(Breaking(), MB)
    assert contents(store) == []


@pytest.mark.parametrize("sha256", ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_content_that_is_not_there_is_the_houses_fault(store: FileStore, sha256: str) -> None:
    with pytest.raises(ContentMissing) as failure:
        store.open(sha256)
    assert isinstance(failure.value, Broken)


def test_an_upload_becomes_a_draft_of_its_organisation(database: Database, session: Session, store: FileStore) -> None:
    file = upload(database, store, PDF, "营业执照.pdf", [".pdf"])
    kept = session.scalars(select(StoredFile)).one()
    assert kept.as_answer() == {
        "file_id": file.id,
        "name": "营业执照.pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    assert (kept.media_type, kept.organisation_id, kept.uploaded_by, kept.at) == (
        "application/pdf",
        "org",
        "zhang",
        NOW,
    )
    assert kept.instance_id is None
    with store.open(kept.sha256) as stream:
        assert stream.read() == PDF


@pytest.mark.parametrize(
    ("name", "content", "accept", "media_type"),
    [
        ("a.PDF", PDF, [".pdf"], "application/pdf"),
        ("a.pdf", PDF, [".jpg", "application/pdf"], "application/pdf"),
        ("a.pdf", PDF, [" .PDF "], "application/pdf"),
        ("a.jpg", JPEG, [".jpg"], "image/jpeg"),
        ("a.jpeg", PHONE_JPEG, ["image/jpeg"], "image/jpeg"),
        ("a.png", PNG, ["image/*"], "image/png"),
        ("a.png", PNG, [], "image/png"),
        ("a.gif", b"GIF89a" + b"\0" * 30, [], "image/gif"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 30, [], "image/webp"),
        ("a.docx", DOCX, [], "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.xlsx", XLSX, [".xlsx"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("a.doc", DOC, [".doc"], "application/msword"),
        ("a.xls", XLS, [], "application/vnd.ms-excel"),
        ("a.xls", ACROSS, [], "application/vnd.ms-excel"),
        ("a.ofd", zipped("OFD.xml", "Doc_0/Document.xml"), [], "application/ofd"),
        ("a.zip", zipped("a.txt"), [".zip"], "application/zip"),
        ("a.txt", "你好\r\n".encode(), [".txt"], "text/plain"),
        ("a.csv", "名称,数量\n甲,1\n".encode("gb18030"), ["text/csv"], "text/csv"),
        ("a.txt", "字".encode() * 100_000, [".txt"], "text/plain"),
        ("a.flac", b"fLaC\0\0\0\x22" + b"\0" * 40, [".flac"], "audio/flac"),
    ],
)
def test_content_that_agrees_with_the_name_is_taken(
    database: Database, store: FileStore, name: str, content: bytes, accept: list[str], media_type: str
) -> None:
    assert upload(database, store, content, name, accept).media_type == media_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("program.pdf", EXE),
        ("picture.pdf", PNG),
        ("paper.png", PDF),
        ("paper.jpg", PDF),
        ("text.pdf", b"just words"),
        ("late.pdf", b"MZ" + PDF),
        ("sheet.docx", XLSX),
        ("letter.xlsx", DOCX),
        ("plain.docx", zipped("a.txt")),
        ("program.docx", EXE),
        ("appended.docx", EXE + DOCX),
        ("cut.docx", DOCX[:-30]),
        ("cut2.docx", DOCX[:60]),
        ("sheet.doc", XLS),
        ("letter.xls", DOC),
        ("letter.doc", DOCX),
        ("other.ofd", DOCX),
        ("a.zip", EXE),
        ("a.txt", EXE),
        ("a.txt", b"abc\0def"),
        ("a.csv", PNG),
        ("a.txt", "字".encode()[:-1] * 3 + b"\xff"),
        ("a.flac", PDF),
    ],
)
def test_content_that_contradicts_the_name_is_refused(
    database: Database, session: Session, store: FileStore, name: str, content: bytes
) -> None:
    every = [".pdf", ".png", ".jpg", ".docx", ".xlsx", ".doc", ".xls", ".ofd", ".zip", ".txt", ".csv", ".flac"]
    with pytest.raises(FileContentRefused, match=name):
        upload(database, store, content, name, every)
    assert contents(store) == []
    assert session.scalars(select(StoredFile)).all() == []


def test_a_zip_with_a_huge_directory_is_not_read(database: Database, store: FileStore) -> None:
    many = zipped("word/document.xml", *(f"{n:0200}" for n in range(4_000)))
    with pytest.raises(FileContentRefused):
        upload(database, store, many, "many.docx")


@pytest.mark.parametrize(
    ("name", "accept"),
    [
        ("a.exe", []),
        ("a.exe", [".pdf"]),
        ("a.pdf", [".jpg", ".png"]),
        ("a.pdf", ["image/*"]),
        ("a", [".pdf"]),
        ("a", []),
        (".pdf", [".pdf"]),
        ("a.pdf.exe", [".pdf"]),
        ("a.txt", []),
        ("a.csv", [".txt"]),
        ("a.zip", []),
        ("reciept\u202efdp.exe", [".pdf"]),
    ],
)
def test_a_type_the_form_does_not_accept_is_refused_before_it_is_read(
    database: Database, store: FileStore, name: str, accept: list[str]
) -> None:
    with pytest.raises(FileTypeRefused) as refusal:
        upload(database, store, PDF, name, accept)
    assert (accept[0] if accept else ".pdf") in refusal.value.to("zh")
    assert not store.root.exists()


def test_an_empty_file_is_refused(database: Database, store: FileStore) -> None:
    with pytest.raises(FileEmpty, match="空的"):
        upload(database, store, b"", "a.pdf")
    assert contents(store) == []


def test_a_file_too_large_is_refused_in_its_own_words(database: Database, store: FileStore) -> None:
    with pytest.raises(FileTooLarge, match=r"文件超过 1\.5 MB"):
        upload(database, store, PDF + b"\0" * 2 * MB, "a.pdf", max_bytes=MB * 3 // 2)
    with pytest.raises(FileTooLarge, match="文件超过 10 KB"):
        upload(database, store, PDF + b"\0" * 20_000, "a.pdf", max_bytes=10 * 1024)


def test_every_refusal_of_an_upload_is_an_invalid_input() -> None:
    refusals = {
        FileTooLarge,
        FileEmpty,
        FileNameRefused,
        FileTypeRefused,
        FileContentRefused,
        FileDangerous,
        FileInfected,
    }
    assert refusals == set(FileRefused.__subclasses__())
    assert issubclass(FileRefused, Invalid)


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("营业执照.pdf", "营业执照.pdf"),
        ("C:\\Users\\张三\\a.pdf", "a.pdf"),
        ("../../etc/a.pdf", "a.pdf"),
        ("a/../b.pdf", "b.pdf"),
        ("a\0b\r\n\tc.pdf", "ab c.pdf"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\u200b\ufeff\u2066b.pdf", "ab.pdf"),
        ("  a   b .pdf ", "a b .pdf"),
        ("a.pdf. .", "a.pdf"),
        ("..a.pdf", "a.pdf"),
        ("e\u0301.pdf", "é.pdf"),
        ("a\ud800.pdf", "a.pdf"),
        ("a\u2028b.pdf", "a b.pdf"),
    ],
)
def test_names_are_cleaned(given: str, clean: str) -> None:
    assert clean_name(given) == clean


def test_a_long_name_keeps_its_ending() -> None:
    clean = clean_name("长" * 300 + ".pdf")
    assert len(clean) == 200
    assert clean.endswith("长.pdf")
    assert len(clean_name("a." + "b" * 300)) == 200


@pytest.mark.parametrize("name", ["", "   ", "..", "a/", "\u202e\0", "\\"])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(FileNameRefused):
        clean_name(name)


def test_files_are_attached_to_the_instance_that_submits_them(database: Database, store: FileStore) -> None:
    one, other, third = (upload(database, store, PDF, f"{n}.pdf") for n in range(3))
    with database.write() as session:
        files.attach(session, [one.id, other.id, one.id], "instance-1")
    assert [instance_of(database, file) for file in (one, other, third)] == ["instance-1", "instance-1", None]
    with database.write() as session:
        files.attach(session, [one.id, third.id], "instance-1")  # an amendment holds old files and new ones
        files.attach(session, [], "instance-1")
    assert instance_of(database, third) == "instance-1"


def test_a_file_of_another_instance_is_not_taken_over(database: Database, store: FileStore) -> None:
    used, free = (upload(database, store, PDF, f"{n}.pdf") for n in range(2))
    with database.write() as session:
        files.attach(session, [used.id], "instance-1")
    for ids in ([used.id, free.id], [free.id, "no such file"]):
        with pytest.raises(FileElsewhere) as refusal, database.write() as session:
            files.attach(session, ids, "instance-2")
        assert isinstance(refusal.value, Conflict)
    assert (instance_of(database, used), instance_of(database, free)) == ("instance-1", None)
