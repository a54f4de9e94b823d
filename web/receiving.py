"""What browsers send, taken in piece by piece: files go to the disk as they come, no further than their field allows.

The form's token is looked for before any view runs, so a form is read before anybody knows what it is for. That is why
a view says beforehand, with `takes_files`, that it expects files and how large those of each field may be. All others
get small requests only.
"""

import io
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

from flask import Flask, Request, current_app, request
from werkzeug.datastructures import FileStorage, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import NotFound, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.sansio.multipart import File

from engine.definitions.fields import Form
from engine.files import FileTooLarge, told_when_full
from engine.files.store import readable_size

SMALL = 4 * 1024 * 1024  # bytes of a request to a view that expects no files: text of all fields, with its encoding
_IN_MEMORY = 64 * 1024  # bytes of a file

View = TypeVar("View", bound=Callable[..., Any])
FormsOf = Callable[..., Sequence[Form]]  # of the view's own arguments; raises what the view would


def takes_files(forms_of: FormsOf | None = None) -> Callable[[View], View]:
    """Marks a view that expects files: each as large as its field in these forms allows, or, without forms, as the
    view itself looks to."""

    def mark(view: View) -> View:
        view.takes_files = True  # type: ignore[attr-defined]
        view.forms_of = forms_of  # type: ignore[attr-defined]
        return view

    return mark


class Arriving(io.RawIOBase):
    """One file of a form: in memory while it is small, then in a file without a name, which nothing can leave behind.

    Of one that is larger than it may be nothing is kept, and reading it raises FileTooLarge.
    """

    def __init__(self, folder: Path, most: Callable[[], int | None]) -> None:
        self._spool = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(folder))  # noqa: SIM115  (closed with this)
        self._most = most
        self._limit: int | None = None
        self.size = 0

    def write(self, piece: Any, /) -> int:
        if not self.size:
            self._limit = self._most()
        self.size += len(piece)
        if self._too_large:
            self._spool.seek(0)
            self._spool.truncate()
        else:
            with told_when_full():
                self._spool.write(piece)
        return len(piece)

    def readinto(self, buffer: Any, /) -> int:
        if self._too_large:
            raise FileTooLarge(limit=readable_size(self._limit or 0))
        piece: bytes = self._spool.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._spool.seek(offset, whence)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._spool.close()
        super().close()

    @property
    def _too_large(self) -> bool:
        return self._limit is not None and self.size > self._limit


class _Parts(MultiPartParser):
    """Reads a form of several parts. Everything in it that is not a file stays within one limit together."""

    def __init__(self, arriving: Callable[[str], Arriving], **limits: Any) -> None:
        super().__init__(**limits)
        self._arriving = arriving
        self._files: list[Arriving] = []

    def start_file_streaming(self, event: File, total_content_length: int | None) -> IO[bytes]:
        file = self._arriving(event.name)
        self._files.append(file)
        return file  # type: ignore[return-value]  # all that is asked of it

    def parse(
        self, stream: IO[bytes], boundary: bytes, content_length: int | None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        return super().parse(_Metered(stream, self._refuse_much_text), boundary, content_length)  # type: ignore[arg-type]

    def _refuse_much_text(self, arrived: int) -> None:
        text = arrived - sum(file.size for file in self._files)
        if self.max_form_memory_size is not None and text > self.max_form_memory_size + 2 * self.buffer_size:
            raise RequestEntityTooLarge()


class _Metered:
    def __init__(self, stream: IO[bytes], check: Callable[[int], None]) -> None:
        self._stream = stream
        self._check = check
        self._arrived = 0

    def read(self, size: int) -> bytes:
        self._check(self._arrived)
        piece = self._stream.read(size)
        self._arrived += len(piece)
        return piece


class _FormParser(FormDataParser):
    arriving: Callable[[str], Arriving]

    def _parse_multipart(
        self, stream: IO[bytes], mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary")
        parser = _Parts(
            self.arriving,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            cls=self.cls,
        )
        return stream, *parser.parse(stream, boundary, content_length)


class Sent(ImmutableMultiDict[str, Any]):
    """What was sent, by name, without the character NUL: no text that people write has it, PostgreSQL refuses it."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__([(name, one.replace("\0", "") if isinstance(one, str) else one) for name, one in pairs])


class ReceivedRequest(Request):
    """A request whose files go to the disk as they come."""

    parameter_storage_class = Sent

    def make_form_data_parser(self) -> FormDataParser:
        parser = _FormParser(
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
        )
        parser.arriving = self._arriving
        return parser

    def _arriving(self, name: str) -> Arriving:
        folder: Path = current_app.extensions["runtime"].files.root
        with told_when_full():
            folder.mkdir(parents=True, exist_ok=True)
        return Arriving(folder, lambda: self._most_bytes(name))

    def _most_bytes(self, name: str) -> int | None:
        """How large a file under this name may be; nothing is kept of one that nobody asked for."""
        forms_of: FormsOf | None = getattr(_view_of(self), "forms_of", None)
        if forms_of is None:
            return None
        if "forms" not in self.__dict__:
            self.forms = forms_of(**(self.view_args or {}))
        return _limits(self.forms).get(name, 0)


def _limits(forms: Iterable[Form]) -> Mapping[str, int]:
    """Bytes, by the name of the input. A list holds no files."""
    return {
        f"{form.name}.{field.key}": field.max_bytes
        for form in forms
        for field in form.fields
        if field.type == "filepicker"
    }


def init_app(app: Flask) -> None:
    app.request_class = ReceivedRequest
    app.before_request(_refuse_nul)
    app.before_request(_expect_little)


def _refuse_nul() -> None:
    """Nothing has such an id, and PostgreSQL would not even look."""
    if "\0" in request.path:
        raise NotFound()


def _expect_little() -> None:
    """Of a view that takes no files; and a form without parts is read into memory whole, whoever takes it."""
    if not getattr(_view_of(request), "takes_files", False) or request.mimetype == "application/x-www-form-urlencoded":
        request.max_content_length = min(SMALL, current_app.config["MAX_CONTENT_LENGTH"])


def _view_of(asked: Request) -> Any:
    return current_app.view_functions.get(asked.endpoint or "")
