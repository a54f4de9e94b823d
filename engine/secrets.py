"""Encryption at rest with keys that can be rotated, and the making of test keys (测试密钥)."""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import Broken, Invalid
from engine.text import Text

KEY_BYTES = 32  # AES-256
_NONCE_BYTES = 12
_READABLE = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"  # nothing that looks like another: 0O 1Il
_TEST_KEY_LENGTH = 48  # of 56 characters each: more than 32 random bytes


class KeyringRefused(Invalid):
    """The text or file of the encryption keys can't be used. Says why, and never shows a key."""

    sentence = Text("加密密钥不能使用：{reason}", "The encryption keys can't be used: {reason}")

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(reason=Text(zh, en))


class SecretUnreadable(Broken):
    """A ciphertext that no key of the ring opens; `reason` is for the operator."""

    sentence = Text("密文无法解密：{reason}", "A secret can't be decrypted: {reason}")

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(reason=Text(zh, en))


class Keyring:
    """AES-256-GCM keys by id, as the text `id:base64[,id:base64…]`. The first encrypts, every one decrypts.

    A ring that came from a file follows it: whoever rotates (`engine.trust.rotation`) changes the file, and every
    process that runs encrypts with the new key from its next secret on.
    """

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {id_: AESGCM(key) for id_, key in keys.items()}
        self.path: Path | None = None  # of the file it follows
        self._stamp: tuple[int, int] | None = None  # of the file as it was read

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    @property
    def ids(self) -> tuple[str, ...]:
        """The first is the one that encrypts."""
        return tuple(self._followed())

    @classmethod
    def from_text(cls, text: str) -> "Keyring":
        """Raises KeyringRefused."""
        keys: dict[str, bytes] = {}
        for entry in text.strip().split(","):
            id_, colon, encoded = entry.strip().partition(":")
            if not colon or not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", id_):
                raise KeyringRefused(
                    "每个密钥应写成 编号:base64，编号为 1 到 16 个字母、数字、- 或 _，多个密钥用逗号隔开。",
                    "write each key as id:base64, the id 1 to 16 letters, digits, - or _; separate keys by commas.",
                )
            if id_ in keys:
                raise KeyringRefused(f"编号 {id_} 重复。", f"the id {id_} is there twice.")
            try:
                keys[id_] = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                keys[id_] = b""
            if len(keys[id_]) != KEY_BYTES:
                raise KeyringRefused(
                    f"密钥 {id_} 应是 {KEY_BYTES} 个字节的 base64。", f"key {id_} must be {KEY_BYTES} bytes in base64."
                )
        return cls(keys)

    @classmethod
    def from_file(cls, path: Path, create: bool = False) -> "Keyring":
        """The ring in a file that only its owner can read. Raises KeyringRefused.

        With `create`, a missing file is made (mode 0600) with one new key; of several processes that start at once,
        one makes it and all use it.
        """
        if create and not path.exists():
            write_once(path, cls.new_text())
        try:
            found = path.stat()
            text = path.read_text("ascii")
        except FileNotFoundError:
            raise KeyringRefused(
                f"找不到文件 {path}，请恢复备份或新建。", f"there is no file {path}; restore it from the backup."
            ) from None
        except (OSError, UnicodeDecodeError):
            raise KeyringRefused(f"文件 {path} 无法读取。", f"the file {path} can't be read.") from None
        if found.st_mode & 0o007:
            raise KeyringRefused(
                f"其他用户可以访问文件 {path}，请执行 chmod 600。", f"others may use the file {path}; run chmod 600."
            )
        ring = cls.from_text(text)
        ring.path, ring._stamp = path, _stamp_of(found)
        return ring

    @staticmethod
    def new_text() -> str:
        """The text of a ring with one new key and a new id."""
        return f"k{secrets.token_hex(4)}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"

    def encrypt(self, plain: bytes, bound_to: str) -> bytes:
        """`id:` nonce ciphertext. It opens only for the same `bound_to`, so a row can't pass for another."""
        id_, key = next(iter(self._followed().items()))
        nonce = os.urandom(_NONCE_BYTES)
        return id_.encode() + b":" + nonce + key.encrypt(nonce, plain, bound_to.encode())

    def decrypt(self, ciphertext: bytes, bound_to: str) -> bytes:
        """Raises SecretUnreadable."""
        prefix, colon, sealed = ciphertext.partition(b":")
        id_ = prefix.decode("ascii", "replace")
        if not colon or not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", id_):
            raise SecretUnreadable("不是本系统的密文。", "it was not encrypted by this system.")
        key = self._followed().get(id_)
        if key is None:
            raise SecretUnreadable(
                f"缺少加密密钥 {id_}，请把它放回密钥文件。", f"the key {id_} is missing; put it back into the key file."
            )
        try:
            return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError):
            raise SecretUnreadable(
                "内容被改动，或属于另一条记录。", "it was changed, or belongs to another record."
            ) from None

    def rotate(self) -> str:
        """Put a new key before the others, in the file; its id. Raises KeyringRefused, also for a ring without a file.

        The file holds the key before anything is encrypted with it.
        """
        new = self.new_text()
        self._rewrite(lambda text: f"{new},{text}")
        return new.partition(":")[0]

    def retire(self, id_: str) -> None:
        """Take a key out of the file; nothing may be encrypted with it any more. Raises KeyringRefused."""
        self._rewrite(lambda text: ",".join(each for each in text.split(",") if each.strip().partition(":")[0] != id_))

    def _followed(self) -> dict[str, AESGCM]:
        """The keys, read again where the file has changed. A file that can't be used leaves the ring as it was: what
        runs goes on, and `keyring status` tells the operator."""
        if self.path is not None:
            with suppress(OSError, KeyringRefused):
                if _stamp_of(self.path.stat()) != self._stamp:
                    read = Keyring.from_file(self.path)
                    self._keys, self._stamp = read._keys, read._stamp
        return self._keys

    def _rewrite(self, change: Callable[[str], str]) -> None:
        """Change the file whole or not at all, one process at a time; its mode and owner stay as they are."""
        import fcntl  # only here: it exists for POSIX systems only

        if self.path is None:
            raise KeyringRefused(
                "密钥来自环境变量 KEYRING，请在设置它的地方修改。",
                "the keys come from the variable KEYRING; change it where it is set.",
            )
        path = self.path.resolve()
        try:
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                before = path.stat()
                text = change(path.read_text("ascii").strip())
                self.from_text(text)
                draft = _draft(path, text)
                try:
                    os.chown(draft, before.st_uid, before.st_gid)
                    os.chmod(draft, before.st_mode & 0o777)
                    os.replace(draft, path)
                    os.fsync(folder)
                finally:
                    draft.unlink(missing_ok=True)
            finally:
                os.close(folder)
        except OSError as failure:
            raise KeyringRefused(
                f"文件 {path} 无法改写（{failure.strerror}），请以其所有者的身份执行。",
                f"the file {path} can't be changed ({failure.strerror}); run this as its owner.",
            ) from failure


def key_id_of(ciphertext: bytes) -> str:
    """With which key of a ring something was encrypted; empty for what is no ciphertext."""
    prefix, colon, _ = ciphertext.partition(b":")
    return prefix.decode("ascii", "replace") if colon else ""


def new_test_key() -> str:
    """A test key to hand to an enterprise: `rntest_` and 48 random characters that are easy to tell apart."""
    return "rntest_" + "".join(secrets.choice(_READABLE) for _ in range(_TEST_KEY_LENGTH))


def write_once(path: Path, text: str) -> None:
    """Makes a file that only its owner can read (mode 0600), whole or not at all; leaves one that is there alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, text)
    try:
        with suppress(FileExistsError):  # another process was first: its key is the one
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _draft(path: Path, text: str) -> Path:
    """A file beside another, on the disk and not yet in its place. Leaves none behind where it can't be written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.write(text + "\n")
            target.flush()
            os.fsync(target.fileno())
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _stamp_of(found: os.stat_result) -> tuple[int, int]:
    """Another one for another file of the same name: each is moved into its place whole."""
    return found.st_ino, found.st_mtime_ns
