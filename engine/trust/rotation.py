"""Everything that is encrypted with the keyring: how much of it with which key, and encrypting it anew.

A new key encrypts from the moment it is first in the ring; what older keys encrypted is brought over in batches, each a
transaction, while the system runs. Interrupted, it goes on where it was, because a ciphertext names its key.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.errors import Conflict, Invalid
from engine.people import second_factor
from engine.people.tables import Contact, SecondFactor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from engine.secrets import SecretUnreadable, key_id_of
from engine.telling.tables import OutboxMessage
from engine.text import Text

BATCH = 100  # rows that a transaction keeps others from changing
_ID_BYTES = 17  # the longest id of a key, and its colon


class KeyInUse(Conflict):
    sentence = Text(
        "密钥 {key} 还在使用：有 {count} 条密文。请先执行 keyring reencrypt。",
        "The key {key} is still needed by {count} secrets; run keyring reencrypt first.",
    )


class KeyEncrypts(Conflict):
    sentence = Text(
        "密钥 {key} 是当前的加密密钥，不能停用。请先执行 keyring rotate。",
        "New secrets are encrypted with the key {key}, so it can't be retired; run keyring rotate first.",
    )


class NoSuchKey(Invalid):
    sentence = Text("密钥环里没有 {key}。", "There is no key {key} in the ring.")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column whose values are encrypted, and what each is bound to, from the row's own id."""

    what: Text
    id: InstrumentedAttribute[str]
    ciphertext: InstrumentedAttribute[Any]
    bound_to: Callable[[str], str] = str


SEALED = (
    Sealed(Text("测试密钥", "test keys"), IssuedKey.id, IssuedKey.ciphertext),
    Sealed(
        Text("两步验证", "second factors"),
        SecondFactor.account_id,
        SecondFactor.secret,
        bound_to=second_factor.bound_to,
    ),
    Sealed(Text("推送签名密钥", "webhooks' secrets"), Contact.id, Contact.secret),
    Sealed(Text("待发信件", "letters to be sent"), OutboxMessage.id, OutboxMessage.letter),
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one key is needed for. `known`: is it in the ring? `encrypts`: is it the first?"""

    key: str
    known: bool
    encrypts: bool
    counts: tuple[tuple[Text, int], ...]

    @property
    def total(self) -> int:
        return sum(count for _, count in self.counts)


def usage(runtime: Runtime) -> list[Usage]:
    """Every key of the ring in its order, then those that are needed and missing."""
    used: dict[str, Counter[Text]] = {}
    with runtime.database.read() as session:
        for sealed in SEALED:
            prefix = func.substr(sealed.ciphertext, 1, _ID_BYTES, type_=LargeBinary)
            for start in session.scalars(select(prefix).where(sealed.ciphertext.is_not(None))):
                used.setdefault(key_id_of(bytes(start)), Counter())[sealed.what] += 1
    ids = runtime.keyring.ids
    return [
        Usage(id_, id_ in ids, id_ == ids[0], tuple(used.get(id_, Counter()).items()))
        for id_ in (*ids, *sorted(used.keys() - set(ids)))
    ]


@dataclass
class Reencrypted:
    done: int = 0
    unreadable: int = 0  # left as they are: no key of the ring opens them


def rotate(runtime: Runtime, now: datetime) -> str:
    """Encrypt with a new key from now on; its id. `reencrypt` brings over the rest. Raises KeyringRefused."""
    with runtime.database.write() as session:  # before the file changes: a database that is away stops it all
        new = runtime.keyring.rotate()
        record(session, SystemEventKind.KEYRING_ROTATED, at=now, actor_id=None, key=new)
    return new


def reencrypt(runtime: Runtime) -> Reencrypted:
    """Encrypt with the first key of the ring what others encrypted."""
    told = Reencrypted()
    for sealed in SEALED:
        after: str | None = ""
        while after is not None:
            with runtime.database.write() as session:
                after = _batch(session, runtime, sealed, after, told)
    return told


def retire(runtime: Runtime, key: str, now: datetime) -> None:
    """Take a key out of the ring's file that nothing needs any more. Raises NoSuchKey, KeyEncrypts, KeyInUse,
    KeyringRefused."""
    found = next((each for each in usage(runtime) if each.key == key and each.known), None)
    if found is None:
        raise NoSuchKey(key=key)
    if found.encrypts:
        raise KeyEncrypts(key=key)
    if found.total:
        raise KeyInUse(key=key, count=found.total)
    with runtime.database.write() as session:
        runtime.keyring.retire(key)
        record(session, SystemEventKind.KEYRING_RETIRED, at=now, actor_id=None, key=key)


def _batch(session: Session, runtime: Runtime, sealed: Sealed, after: str, told: Reencrypted) -> str | None:
    """The next few rows; the id of the last one, None where none is left."""
    last = None
    for last, row in _older(session, runtime, sealed, after):
        bound_to = sealed.bound_to(last)
        try:
            plain = runtime.keyring.decrypt(getattr(row, sealed.ciphertext.key), bound_to=bound_to)
        except SecretUnreadable:
            told.unreadable += 1
        else:
            setattr(row, sealed.ciphertext.key, runtime.keyring.encrypt(plain, bound_to=bound_to))
            told.done += 1
    return last


def _older(session: Session, runtime: Runtime, sealed: Sealed, after: str) -> Iterator[tuple[str, Any]]:
    first = f"{runtime.keyring.ids[0]}:".encode()
    prefix = func.substr(sealed.ciphertext, 1, len(first), type_=LargeBinary)
    query: Select[Any] = (
        select(sealed.id, sealed.ciphertext.class_)
        .where(sealed.ciphertext.is_not(None), prefix != first, sealed.id > after)
        .order_by(sealed.id)
        .limit(BATCH)
        .with_for_update()
    )
    yield from session.execute(query)
