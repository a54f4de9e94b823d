"""Encryption at rest: only the same key and the same record open a secret, and keys can be rotated."""

import base64
import re
import threading
from pathlib import Path

import pytest

from engine.errors import Broken, Invalid
from engine.secrets import Keyring, KeyringRefused, SecretUnreadable, new_test_key

PLAIN = "测试密钥".encode()


def entry(id_: str, byte: bytes) -> str:
    return f"{id_}:{base64.b64encode(byte * 32).decode()}"


@pytest.fixture
def ring() -> Keyring:
    return Keyring.from_text(entry("a", b"1"))


def test_what_was_encrypted_is_decrypted(ring: Keyring) -> None:
    sealed = ring.encrypt(PLAIN, bound_to="key-1")
    assert sealed.startswith(b"a:")
    assert PLAIN not in sealed
    assert ring.decrypt(sealed, bound_to="key-1") == PLAIN


def test_the_same_secret_looks_different_each_time(ring: Keyring) -> None:
    assert ring.encrypt(PLAIN, bound_to="x") != ring.encrypt(PLAIN, bound_to="x")


def test_a_secret_moved_to_another_record_does_not_open(ring: Keyring) -> None:
    with pytest.raises(SecretUnreadable, match="另一条记录"):
        ring.decrypt(ring.encrypt(PLAIN, bound_to="key-1"), bound_to="key-2")


def test_a_secret_changed_in_any_byte_does_not_open(ring: Keyring) -> None:
    sealed = ring.encrypt(PLAIN, bound_to="x")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(SecretUnreadable):
            ring.decrypt(bytes(changed), bound_to="x")


@pytest.mark.parametrize("sealed", [b"", b"a", b"a:", b"a:short", b":", "密:文".encode(), b"\xff:" + b"0" * 40])
def test_what_is_no_ciphertext_is_refused_in_words(ring: Keyring, sealed: bytes) -> None:
    with pytest.raises(SecretUnreadable) as failure:
        ring.decrypt(sealed, bound_to="x")
    assert isinstance(failure.value, Broken)


def test_after_rotation_new_secrets_use_the_new_key_and_old_ones_still_open(ring: Keyring) -> None:
    old = ring.encrypt(PLAIN, bound_to="x")
    rotated = Keyring.from_text(f"{entry('b', b'2')}, {entry('a', b'1')}\n")
    new = rotated.encrypt(PLAIN, bound_to="x")
    assert new.startswith(b"b:")
    assert rotated.decrypt(old, bound_to="x") == rotated.decrypt(new, bound_to="x") == PLAIN
    with pytest.raises(SecretUnreadable, match="缺少加密密钥 b"):
        ring.decrypt(new, bound_to="x")


def test_another_key_of_the_same_id_does_not_open(ring: Keyring) -> None:
    with pytest.raises(SecretUnreadable):
        Keyring.from_text(entry("a", b"9")).decrypt(ring.encrypt(PLAIN, bound_to="x"), bound_to="x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "编号:base64"),
        ("secret", "编号:base64"),
        (":" + "A" * 44, "编号:base64"),
        ("a b:" + "A" * 44, "编号:base64"),
        (entry("a", b"1") + ",", "编号:base64"),
        (entry("a" * 17, b"1"), "编号:base64"),
        ("a:not base64!", "32 个字节"),
        ("a:密", "32 个字节"),
        ("a:" + base64.b64encode(b"short").decode(), "32 个字节"),
        (f"{entry('a', b'1')},{entry('a', b'2')}", "重复"),
    ],
)
def test_a_text_that_is_no_keyring_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(KeyringRefused, match=reason) as refusal:
        Keyring.from_text(text)
    assert isinstance(refusal.value, Invalid)


def test_neither_a_refusal_nor_the_ring_shows_a_key(ring: Keyring) -> None:
    secret = base64.b64encode(b"not thirty-two bytes").decode()
    with pytest.raises(KeyringRefused) as refusal:
        Keyring.from_text(f"a:{secret}")
    assert secret not in str(refusal.value) + repr(refusal.value.facts)
    assert repr(ring) == "Keyring(a)"


def test_a_new_ring_has_a_key_of_its_own() -> None:
    texts = {Keyring.new_text() for _ in range(20)}
    assert len(texts) == len({text.split(":")[0] for text in texts}) == 20
    one, other = (Keyring.from_text(text) for text in sorted(texts)[:2])
    with pytest.raises(SecretUnreadable):
        other.decrypt(one.encrypt(PLAIN, bound_to="x"), bound_to="x")


def test_a_missing_file_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "keyring"
    sealed = Keyring.from_file(path, create=True).encrypt(PLAIN, bound_to="x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring.from_file(path, create=True).decrypt(sealed, bound_to="x") == PLAIN
    assert Keyring.from_file(path).decrypt(sealed, bound_to="x") == PLAIN
    assert list(path.parent.iterdir()) == [path]


def test_all_who_start_at_once_use_the_same_key(tmp_path: Path) -> None:
    path, rings, start = tmp_path / "keyring", [], threading.Barrier(8)

    def begin() -> None:
        start.wait()
        rings.append(Keyring.from_file(path, create=True))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({repr(ring) for ring in rings}) == 1
    assert len(rings) == 8


def test_a_missing_file_is_refused_unless_it_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(KeyringRefused, match="找不到文件"):
        Keyring.from_file(tmp_path / "keyring")
    assert list(tmp_path.iterdir()) == []


def test_a_file_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    path.write_text(Keyring.new_text())
    path.chmod(0o644)
    with pytest.raises(KeyringRefused, match="chmod 600"):
        Keyring.from_file(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keyring"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(KeyringRefused, match="无法读取"):
        Keyring.from_file(path)


def test_test_keys_are_long_readable_and_never_the_same() -> None:
    keys = [new_test_key() for _ in range(200)]
    assert len(set(keys)) == 200
    for key in keys:
        assert re.fullmatch(r"rntest_[2-9A-HJ-NP-Za-km-z]{48}", key)
    assert len({letter for key in keys for letter in key.removeprefix("rntest_")}) >= 50
