"""From the answers that a sample or a scenario writes to answers that a form takes: with real files and real dates."""

import io
import zlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from engine.clock import SHANGHAI
from engine.people.accounts import Actor, key_of
from engine.people.tables import Organisation
from engine.reading.attachments import take_in
from engine.runtime.runtime import Runtime

SMALL_FILES = {
    ".pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
    ".png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU"
    b"\x00\x00\x00\x0cIDAT" + zlib.compress(b"\x00\x00") + b"\x00\x00\x00\x00IEND\xaeB`\x82",
}


def filled_in(runtime: Runtime, written: Mapping[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
    """Answers by form. Every `{file: name}` is uploaded as a small file of that name (PDF or PNG), `{today: days}`
    becomes the date so many days after today, and `{own: name}` or `{own: key}` the actor's organisation's."""
    return {form: _real(runtime, value, actor, now) for form, value in written.items()}


def _real(runtime: Runtime, value: Any, actor: Actor, now: datetime) -> Any:
    if isinstance(value, list):
        return [_real(runtime, inner, actor, now) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"file"}:
        return _uploaded(runtime, str(value["file"]), actor, now)
    if value.keys() == {"today"}:
        return (now.astimezone(SHANGHAI).date() + timedelta(days=int(value["today"]))).isoformat()
    if value.keys() == {"own"}:
        return _own(runtime, str(value["own"]), actor)
    return {key: _real(runtime, inner, actor, now) for key, inner in value.items()}


def _own(runtime: Runtime, what: str, actor: Actor) -> str | None:
    with runtime.database.read() as session:
        if what == "key":
            return key_of(session, actor)
        return session.get_one(Organisation, actor.organisation_id).name


def _uploaded(runtime: Runtime, name: str, actor: Actor, now: datetime) -> dict[str, Any]:
    ending = name[name.rindex(".") :]
    content = io.BytesIO(SMALL_FILES[ending])
    stored = take_in(runtime, stream=content, name=name, accept=[ending], max_bytes=10_000, actor=actor, now=now)
    return stored.as_answer()
