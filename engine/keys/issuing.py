"""测试密钥: issued by the platform, encrypted at rest, shown once to the enterprise it was issued for."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import secrets
from engine.database import new_id
from engine.errors import Conflict, NotFound
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor
from engine.runtime import history
from engine.runtime.runtime import Runtime
from engine.runtime.store import opened
from engine.runtime.tables import EventKind, Instance, IssuedKey
from engine.secrets import Keyring
from engine.text import Text


class KeyShown(Conflict):
    sentence = Text(
        "该测试密钥已经显示过，不能再次显示；如未保存，请联系主管部门。",
        "This test key has been shown already and can't be shown again; if it was not kept, ask the authority.",
    )


class KeyExpired(Conflict):
    sentence = Text(
        "该测试密钥已过有效期，不再显示；如仍需联调，请联系主管部门。",
        "This test key has expired and is not shown any more; if it is still needed, ask the authority.",
    )


class KeyRevoked(Conflict):
    sentence = Text(
        "该测试密钥已作废；如已重新下发，请使用新的密钥。",
        "This test key has been revoked; if a new one was issued, use that.",
    )


def issue(
    session: Session, keyring: Keyring, instance: Instance, *, endpoint: str | None, valid_days: int, now: datetime
) -> IssuedKey:
    """A new key for the enterprise of an instance; older keys of the instance are revoked (F16).

    `valid_days` are calendar days; without an endpoint the older key's stays.
    """
    issued = session.scalars(select(IssuedKey).where(IssuedKey.instance_id == instance.id)).all()
    unwritten = [key for key in session.new if isinstance(key, IssuedKey) and key.instance_id == instance.id]
    older = sorted([*issued, *unwritten], key=lambda key: key.issued_at)
    revoked = [key for key in older if key.revoked_at is None]
    for key in revoked:
        key.revoked_at = now
    plain = secrets.new_test_key()
    id_ = new_id()
    key = IssuedKey(
        id=id_,
        instance_id=instance.id,
        organisation_id=instance.organisation_id,
        ciphertext=keyring.encrypt(plain.encode(), bound_to=id_),
        hint=plain[-4:],
        endpoint=endpoint or (older[-1].endpoint if older else ""),
        issued_at=now,
        expires_at=now + timedelta(days=valid_days),
    )
    session.add(key)
    history.append(session, instance, EventKind.KEY_ISSUED, at=now, key_id=id_, revoked=[key.id for key in revoked])
    return key


def reveal(runtime: Runtime, key_id: str, actor: Actor, now: datetime) -> str:
    """The key in clear, once, to the enterprise it is for. Raises NotFound, NotAllowed, KeyShown,
    KeyExpired, KeyRevoked."""
    access.require(actor, Action.SEE_KEYS)
    own = select(IssuedKey).where(IssuedKey.id == key_id, access.own_organisation(actor, IssuedKey.organisation_id))
    with runtime.database.read() as session:
        key = session.scalar(own)
        if key is None:
            raise NotFound()
    with opened(runtime, key.instance_id, now=now, action="reveal") as run:
        key = run.session.scalars(own).one()
        if key.revoked_at:
            raise KeyRevoked()
        if key.revealed_at:
            raise KeyShown()
        if key.expires_at <= run.now:
            raise KeyExpired()
        key.revealed_at, key.revealed_by = run.now, actor.account_id
        run.record(EventKind.KEY_REVEALED, actor_id=actor.account_id, key_id=key_id)
        return runtime.keyring.decrypt(key.ciphertext, bound_to=key_id).decode()
