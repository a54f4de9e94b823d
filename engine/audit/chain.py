"""How an entry is linked to the one before it, whichever stream it belongs to.

An entry's hash covers the hash before it and everything the entry says, so that no entry can be changed, taken out
or put elsewhere without every later hash of its stream telling.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64  # stands before the first entry of every stream


def link(previous: str, *content: Any) -> str:
    """SHA-256, in hexadecimal, over the hash before and what is said; content is what JSON can hold."""
    return hashlib.sha256(previous.encode() + _canonical(content)).hexdigest()


def entry_hash(
    previous: str,
    *,
    stream: str,
    sequence: int,
    at: datetime,
    kind: str,
    element_id: str | None,
    actor_id: str | None,
    details: Mapping[str, Any],
) -> str:
    return link(previous, stream, sequence, moment(at), kind, element_id, actor_id, dict(details))


def moment(at: datetime) -> str:
    """One spelling for a moment, however it came in or back from the database; microseconds are what both keep."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _canonical(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode("ascii")
