"""Is what an enterprise's device presents to a city's system genuine? The city's system asks, the platform answers.

The device signs each request with its test key (测试密钥) by HMAC-SHA-256; the key itself never travels. What is signed
holds a timestamp and a nonce, so that a request that was listened to can't be sent again. `docs/test-keys.md` is the
description for those who build devices and systems.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.database import insert
from engine.errors import Invalid
from engine.keys.tables import KeyNonce
from engine.keys.uses import count_use
from engine.people import systems, throttling
from engine.people.systems import Caller
from engine.people.tables import Organisation, OrganisationKey, Role
from engine.people.throttling import Rate
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Instance, IssuedKey, Party
from engine.text import Text

SCHEME = "RNTEST-HMAC-SHA256"  # the first line of what is signed: a signature is good for nothing else
WINDOW = timedelta(minutes=5)  # how far a timestamp may lie from real time, either way
QUESTIONS = Rate(burst=1200, every=timedelta(milliseconds=50))  # of one system


class Result(StrEnum):
    VALID = "valid"
    UNKNOWN = "unknown"
    SIGNATURE_WRONG = "signature_wrong"
    NOT_THIS_CITY = "not_this_city"
    REVOKED = "revoked"
    EXPIRED = "expired"
    TIMESTAMP_STALE = "timestamp_stale"
    NONCE_REPLAYED = "nonce_replayed"


SENTENCES = MappingProxyType(
    {
        Result.VALID: Text("测试密钥有效，签名正确。", "The test key is valid and the signature right."),
        Result.UNKNOWN: Text("没有这个测试密钥。", "There is no such test key."),
        Result.SIGNATURE_WRONG: Text(
            "签名不正确，请核对签名串的各行和所用的测试密钥。",
            "The signature is wrong; compare the lines that are signed and the test key.",
        ),
        Result.NOT_THIS_CITY: Text(
            "该测试密钥不是为本市下发的。", "The test key was issued for another city than the system's."
        ),
        Result.REVOKED: Text(
            "该测试密钥已作废，企业应使用新的测试密钥。",
            "The test key was revoked; the enterprise has to use the new one.",
        ),
        Result.EXPIRED: Text("该测试密钥已过有效期。", "The test key has expired."),
        Result.TIMESTAMP_STALE: Text(
            "时间戳与当前时间相差超过 5 分钟，请校准设备时钟后重新签名。",
            "The timestamp is more than 5 minutes off; set the device's clock and sign again.",
        ),
        Result.NONCE_REPLAYED: Text(
            "该随机数已经用过，每次请求应使用新的随机数。", "The nonce was used before; each request needs a new one."
        ),
    }
)

_FORMATS = MappingProxyType(
    {
        "key_id": (r"[0-9a-f]{32}", Text("应为 32 位小写十六进制数字。", "32 lower-case hexadecimal digits.")),
        "method": (r"[A-Z]{1,10}", Text("应为大写的请求方法，如 POST。", "a method in capitals, such as POST.")),
        "path": (
            r"/[!-~]{0,1999}",
            Text(
                "应为以 / 开头的路径和查询串，不含空格和主机名。",
                "path and query, from “/” on, without spaces or host.",
            ),
        ),
        "timestamp": (r"[0-9]{10}", Text("应为 10 位 Unix 时间戳（秒）。", "a Unix timestamp in seconds, 10 digits.")),
        "nonce": (
            r"[A-Za-z0-9_-]{16,64}",
            Text("应为 16 至 64 个字母、数字、- 或 _。", "16 to 64 letters, digits, - or _."),
        ),
        "body_sha256": (
            r"[0-9a-f]{64}",
            Text("应为请求正文的 SHA-256，小写十六进制。", "SHA-256 of the body, in lower-case hexadecimal digits."),
        ),
        "signature": (r"[0-9a-f]{64}", Text("应为 64 位小写十六进制数字。", "64 lower-case hexadecimal digits.")),
    }
)
FIELDS = MappingProxyType({name: pattern for name, (pattern, _) in _FORMATS.items()})


class PresentedRefused(Invalid):
    """`errors` says by field what is wrong with it."""

    sentence = Text("请求有 {count} 处不正确。", "{count} fields of the request can't be used.")

    def __init__(self, errors: dict[str, Text]) -> None:
        self.errors = errors
        super().__init__(count=len(errors))


@dataclass(frozen=True, slots=True)
class Presented:
    """What a device sent to a city's system, but for the key, which only the two ends know."""

    key_id: str
    method: str
    path: str
    timestamp: str
    nonce: str
    body_sha256: str
    signature: str

    @classmethod
    def checked(cls, given: object) -> "Presented":
        """From what was sent. Raises PresentedRefused."""
        if not isinstance(given, dict):
            raise PresentedRefused({"": Text("正文应为 JSON 对象。", "The body has to be a JSON object.")})
        errors = {
            name: shape
            for name, (pattern, shape) in _FORMATS.items()
            if not isinstance(given.get(name), str) or not re.fullmatch(pattern, given[name])
        }
        unknown = Text("没有这个字段。", "There is no such field.")
        errors |= {str(name)[:100]: unknown for name in list(given)[:20] if name not in _FORMATS}
        if errors:
            raise PresentedRefused(errors)
        return cls(**given)

    @property
    def signed(self) -> str:
        lines = (SCHEME, self.key_id, self.method, self.path, self.timestamp, self.nonce, self.body_sha256)
        return "\n".join(lines)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(int(self.timestamp), UTC)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. Whose key it is stands in it where it is valid only."""

    result: Result
    enterprise: Text | None = None
    credit_code: str | None = None
    number: str | None = None  # of the application
    expires_at: datetime | None = None


def verify(runtime: Runtime, caller: Caller, presented: Presented, *, now: datetime, real_now: datetime) -> Verdict:
    """Whether a key may be used is told only to those who show that somebody who has it asked them: without a right
    signature nothing is said of another city's key, not even that it exists.

    Validity goes by process time `now`, timestamps by `real_now`. Raises TooOften.
    """
    with runtime.database.write() as session:
        throttling.take(session, QUESTIONS, "verify", caller.system_id, now=real_now)
        systems.seen(session, caller, real_now)
        key = session.get(IssuedKey, presented.key_id)
        if key is None:
            return Verdict(Result.UNKNOWN)
        is_own = caller.organisation_id in _authorities(session, key)
        result = _judge(runtime, session, key, presented, is_own=is_own, now=now, real_now=real_now)
        if result is not Result.UNKNOWN:
            count_use(session, key.id, caller.system_id, result, now)
        return _valid(session, key) if result is Result.VALID else Verdict(result)


def _judge(
    runtime: Runtime,
    session: Session,
    key: IssuedKey,
    presented: Presented,
    *,
    is_own: bool,
    now: datetime,
    real_now: datetime,
) -> Result:
    plain = runtime.keyring.decrypt(key.ciphertext, bound_to=key.id)
    signature = hmac.new(plain, presented.signed.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, presented.signature):
        return Result.SIGNATURE_WRONG if is_own else Result.UNKNOWN
    if not is_own:
        return Result.NOT_THIS_CITY
    if key.revoked_at:
        return Result.REVOKED
    if key.expires_at <= now:
        return Result.EXPIRED
    if abs(real_now - presented.at) > WINDOW:
        return Result.TIMESTAMP_STALE
    fresh = (
        insert(session, KeyNonce)
        .values(key_id=key.id, nonce=presented.nonce, expires_at=presented.at + WINDOW)
        .on_conflict_do_nothing()
        .returning(KeyNonce.key_id)
    )
    return Result.VALID if session.scalar(fresh) else Result.NONCE_REPLAYED


def _authorities(session: Session, key: IssuedKey) -> list[str]:
    """Whose systems may ask about a key: the authority of its application."""
    taking_part = select(Party.organisation_id).where(Party.instance_id == key.instance_id)
    return list(session.scalars(taking_part.where(Party.role == Role.AUTHORITY)))


def _valid(session: Session, key: IssuedKey) -> Verdict:
    name, name_en, code, number = session.execute(
        select(Organisation.name, Organisation.name_en, OrganisationKey.key, Instance.number)
        .join(OrganisationKey, OrganisationKey.organisation_id == Organisation.id)
        .join(Instance, Instance.id == key.instance_id)
        .where(Organisation.id == key.organisation_id)
        .order_by(OrganisationKey.key)
        .limit(1)
    ).one()
    return Verdict(Result.VALID, Text(name, name_en), code, number, key.expires_at)
