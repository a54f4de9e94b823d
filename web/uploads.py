"""Files on their way in: stored at once as the sender's drafts, found again when the page comes back."""

from collections.abc import Collection
from typing import Any

from werkzeug.datastructures import FileStorage

from engine.definitions.fields import Field
from engine.reading.attachments import own_files, take_in
from web import limits
from web.session import current_actor, now, runtime


def store(field: Field, upload: FileStorage) -> dict[str, Any]:
    """What the answers hold of a file just uploaded. Raises FileRefused, TooOften."""
    actor = current_actor()
    limits.count("upload", limits.UPLOADS)
    return take_in(
        runtime(),
        stream=upload.stream,
        name=upload.filename or "",
        accept=field.accept,
        max_bytes=field.max_bytes,
        actor=actor,
        now=now(),
    ).as_answer()


def find(file_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Those of the files that the sender may hand in, as answers hold them."""
    with runtime().database.read() as reading:
        return {file.id: file.as_answer() for file in own_files(reading, current_actor(), file_ids)}
