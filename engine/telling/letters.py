"""E-mail to one person about that person's own account: through the outbox, as notices to organisations go.

What a letter says may let its reader in, so it waits encrypted, and is gone once the mail server has taken it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.database import new_id
from engine.people.tables import ContactKind
from engine.secrets import Keyring
from engine.telling.tables import AT_ONCE, OutboxMessage
from engine.text import Text


def write_letter(
    session: Session, keyring: Keyring, *, to: str, subject: Text, text: Text, now: datetime, path: str = ""
) -> None:
    """A letter to an e-mail address, sent after the commit. `path` is where on this site it leads, `now` real time."""
    id_ = new_id()
    said = {"subject": subject.zh, "subject_en": subject.en, "text": text.zh, "text_en": text.en, "path": path}
    session.add(
        OutboxMessage(
            id=id_,
            idempotency_key=f"letter-{id_}",
            kind=ContactKind.EMAIL,
            address=to,
            body={},
            letter=keyring.encrypt(json.dumps(said, ensure_ascii=False).encode(), bound_to=id_),
            next_attempt_at=AT_ONCE,
            created_at=now,
        )
    )


def opened_letter(keyring: Keyring, message: OutboxMessage) -> Mapping[str, Any] | None:
    """What a message of the outbox says where it is a letter: subject, text (and both in English) and path."""
    if message.letter is None:
        return None
    said: Mapping[str, Any] = json.loads(keyring.decrypt(message.letter, bound_to=message.id))
    return said
