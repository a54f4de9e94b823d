"""Rotation of the keyring while the system runs: nothing is lost, and what every key is needed for can be told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import LargeBinary, event, select

from engine.audit.tables import SystemEvent, SystemEventKind
from engine.database import Base
from engine.errors import Broken
from engine.keys import issuing
from engine.people import second_factor
from engine.people.tables import Contact
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from engine.secrets import Keyring, KeyringRefused, SecretUnreadable
from engine.telling import contacts
from engine.telling.letters import opened_letter, write_letter
from engine.telling.tables import OutboxMessage
from engine.text import Text
from engine.trust import rotation
from engine.trust.rotation import SEALED, KeyEncrypts, KeyInUse, NoSuchKey, reencrypt, retire, rotate, usage
from tests.casework import Case
from tests.conftest import Cast

NOW = datetime(2026, 9, 18, 3, 0, tzinfo=UTC)
WEBHOOK: dict[str, Any] = {"role": "authority", "key": "440100", "kind": "webhook", "private": True, "now": NOW}
NOT_SEALED = {"instances.state", "definition_versions.diagram"}  # binary for being compressed


@pytest.fixture
def runtime(runtime: Runtime, tmp_path: Path) -> Runtime:
    """With its keyring in a file, as where it is served."""
    object.__setattr__(runtime, "keyring", Keyring.from_file(tmp_path / "keyring", create=True))
    return runtime


def elsewhere(runtime: Runtime, tmp_path: Path) -> Runtime:
    """The same system in another process, started now."""
    return Runtime(
        runtime.database, runtime.handlers, Keyring.from_file(tmp_path / "keyring"), runtime.files, trial=True
    )


def counts(runtime: Runtime) -> dict[str, int]:
    return {each.key: each.total for each in usage(runtime)}


def test_everything_is_brought_over_and_still_opens(case: Case, cast: Cast, runtime: Runtime, tmp_path: Path) -> None:
    serving = elsewhere(runtime, tmp_path)
    case.goes("收到测试密钥")
    entry, signs = contacts.add(runtime, address="http://127.0.0.1:9/hook", **WEBHOOK)
    with runtime.database.write() as session:
        totp = second_factor.prepare(session, runtime.keyring, cast.admin.account_id)
        write_letter(session, runtime.keyring, to="a@example.cn", subject=Text("信"), text=Text("内容"), now=NOW)
    (old,) = runtime.keyring.ids
    assert counts(runtime) == {old: 4}

    new = rotate(runtime, NOW)
    told = reencrypt(runtime)

    assert (told.done, told.unreadable) == (4, 0)
    assert counts(runtime) == {new: 4, old: 0}
    assert serving.keyring.ids == (new, old)
    retire(runtime, old, NOW)
    assert counts(serving) == {new: 4}
    with runtime.database.read() as session:
        key = session.scalars(select(IssuedKey)).one()
        contact = session.get_one(Contact, entry.id)
        letter = session.scalars(select(OutboxMessage).where(OutboxMessage.letter.is_not(None))).one()
    assert issuing.reveal(serving, key.id, cast.enterprise, case.now).endswith(key.hint)
    assert serving.keyring.decrypt(contact.secret or b"", bound_to=contact.id).decode() == signs
    assert (opened_letter(serving.keyring, letter) or {})["text"] == "内容"
    code = pyotp.TOTP(totp).at(NOW)
    second_factor.confirm(serving.database, serving.keyring, cast.admin.account_id, code, address="127.0.0.1", now=NOW)


def test_a_process_that_runs_encrypts_with_the_new_key_at_once(runtime: Runtime, tmp_path: Path) -> None:
    serving = elsewhere(runtime, tmp_path)
    new = rotate(runtime, NOW)
    assert serving.keyring.encrypt(b"x", bound_to="y").startswith(f"{new}:".encode())


def test_what_was_interrupted_goes_on_where_it_was(
    runtime: Runtime, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        contacts.add(runtime, address=f"http://127.0.0.1:9/{number}", **WEBHOOK)
    (old,) = runtime.keyring.ids
    new = rotate(runtime, NOW)
    monkeypatch.setattr(rotation, "BATCH", 3)
    begun = 0

    def breaks_off(connection: object) -> None:
        nonlocal begun
        begun += 1
        if begun == 4:  # the two kinds of which there is nothing, and the first batch of these, went well
            raise KeyboardInterrupt

    event.listen(runtime.database.engine, "commit", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        reencrypt(runtime)
    event.remove(runtime.database.engine, "commit", breaks_off)
    half_way = counts(runtime)
    assert 0 < half_way[new] < 7
    with pytest.raises(KeyInUse):
        retire(runtime, old, NOW)

    assert reencrypt(runtime).done == half_way[old]
    assert counts(runtime) == {new: 7, old: 0}
    assert reencrypt(runtime).done == 0


def test_one_that_does_not_open_holds_up_none_of_the_others(runtime: Runtime, cast: Cast) -> None:
    broken, _ = contacts.add(runtime, address="http://127.0.0.1:9/a", **WEBHOOK)
    contacts.add(runtime, address="http://127.0.0.1:9/b", **WEBHOOK)
    lost = Keyring.from_text(Keyring.new_text())
    with runtime.database.write() as session:
        session.get_one(Contact, broken.id).secret = lost.encrypt(b"x", bound_to=broken.id)
    rotate(runtime, NOW)

    told = reencrypt(runtime)

    assert (told.done, told.unreadable) == (1, 1)
    assert [(each.key, each.total) for each in usage(runtime) if not each.known] == [(lost.ids[0], 1)]


def test_a_ciphertext_put_into_another_row_opens_nothing(case: Case, cast: Cast) -> None:
    case.goes("投诉属实并限期整改").step(by="技术支持单位", does="重新提供测试密钥或接口", fills={"remedy": "key"})
    with case.runtime.database.write() as session:
        first, second = session.scalars(select(IssuedKey).order_by(IssuedKey.issued_at))
        second.ciphertext = first.ciphertext
    with pytest.raises(Broken):
        issuing.reveal(case.runtime, second.id, cast.enterprise, case.now)
    with case.runtime.database.read() as session:
        assert session.get_one(IssuedKey, second.id).revealed_at is None
        with pytest.raises(SecretUnreadable):
            case.runtime.keyring.decrypt(first.ciphertext, bound_to=second.id)


def test_only_what_is_there_and_needed_by_nothing_is_retired(runtime: Runtime) -> None:
    (only,) = runtime.keyring.ids
    with pytest.raises(KeyEncrypts):
        retire(runtime, only, NOW)
    with pytest.raises(NoSuchKey):
        retire(runtime, "another", NOW)


def test_a_ring_from_the_environment_is_changed_where_it_is_set(runtime: Runtime) -> None:
    object.__setattr__(runtime, "keyring", Keyring.from_text(Keyring.new_text()))
    with pytest.raises(KeyringRefused, match="KEYRING"):
        rotate(runtime, NOW)
    with runtime.database.read() as session:
        assert (
            session.scalars(select(SystemEvent).where(SystemEvent.kind == SystemEventKind.KEYRING_ROTATED)).all() == []
        )


def test_no_encrypted_column_is_forgotten() -> None:
    sealed = {f"{each.ciphertext.class_.__tablename__}.{each.ciphertext.key}" for each in SEALED}
    binary = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert binary == sealed | NOT_SEALED, "say in rotation.SEALED how it is encrypted, or here that it is not"
