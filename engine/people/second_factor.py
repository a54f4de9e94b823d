"""A code beside the password: time-based ones from an authenticator app (RFC 6238), recovery codes for a lost phone.

A code is worth something once. On real time.
"""

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database
from engine.errors import Invalid
from engine.people import throttling
from engine.people.tables import Role, SecondFactor
from engine.secrets import Keyring
from engine.text import Text

ISSUER = "实名制联调对接"
REQUIRED_OF = frozenset({Role.ADMIN, Role.AUTHORITY, Role.ANALYST})  # but in a trial
STEP_SECONDS = 30
_DRIFT = 1  # steps a phone's clock may be off, either way
_RECOVERY_CODES = 10
_READABLE = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that looks like another


class CodeWrong(Invalid):
    sentence = Text(
        "验证码不正确或已经用过。请输入身份验证器上现在显示的 6 位数字，或一个没有用过的恢复码。",
        "The code is wrong or was used already. Enter the 6 digits your authenticator shows now, or an unused recovery "
        "code.",
    )


def is_set_up(session: Session, account_id: str) -> bool:
    factor = session.get(SecondFactor, account_id)
    return factor is not None and factor.confirmed_at is not None


def prepare(session: Session, keyring: Keyring, account_id: str) -> str:
    """The secret for an authenticator, in base32; it stays the same until it is confirmed, and counts only then."""
    factor = session.get(SecondFactor, account_id)
    if factor is None:
        secret = pyotp.random_base32()
        sealed = keyring.encrypt(secret.encode(), bound_to(account_id))
        session.add(SecondFactor(account_id=account_id, secret=sealed, last_step=0, recovery=[]))
        return secret
    return _secret(keyring, factor)


def address_of(secret: str, username: str) -> str:
    """What the QR code says (otpauth://…)."""
    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def confirm(
    database: Database, keyring: Keyring, account_id: str, code: str, *, address: str, now: datetime
) -> list[str]:
    """From now on a code is asked for. Returns the recovery codes, which are shown once. Raises CodeWrong, TooOften."""
    tries = _count(database, account_id, address, now)
    with database.write() as session:
        factor = _locked(session, account_id)
        if factor is None or factor.confirmed_at or not _is_right(keyring, factor, code, now):
            raise CodeWrong()
        codes = ["".join(secrets.choice(_READABLE) for _ in range(10)) for _ in range(_RECOVERY_CODES)]
        factor.confirmed_at, factor.recovery = now, [_hash(each) for each in codes]
        throttling.succeeded(session, *tries)
        record(session, SystemEventKind.SECOND_FACTOR_SET, at=now, actor_id=account_id)
    return [f"{each[:5]}-{each[5:]}" for each in codes]


def check(database: Database, keyring: Keyring, account_id: str, code: str, *, address: str, now: datetime) -> None:
    """Spends the code. Raises CodeWrong, TooOften."""
    tries = _count(database, account_id, address, now)
    with database.write() as session:
        factor = _locked(session, account_id)
        if factor is None or not factor.confirmed_at:
            raise CodeWrong()
        recovery = _hash(code)
        if recovery in factor.recovery:
            factor.recovery = [each for each in factor.recovery if each != recovery]
        elif not _is_right(keyring, factor, code, now):
            raise CodeWrong()
        throttling.succeeded(session, *tries)


def recovery_codes_left(session: Session, account_id: str) -> int:
    factor = session.get(SecondFactor, account_id)
    return len(factor.recovery) if factor else 0


def remove(session: Session, account_id: str, *, by: str | None, now: datetime) -> None:
    """The account's person sets up another, at once where the role demands one."""
    removed = delete(SecondFactor).where(SecondFactor.account_id == account_id).returning(SecondFactor.confirmed_at)
    if session.execute(removed).first() is not None:
        record(session, SystemEventKind.SECOND_FACTOR_REMOVED, at=now, actor_id=by, account_id=account_id)


def _count(database: Database, account_id: str, address: str, now: datetime) -> tuple[str, ...]:
    tries = ("code", account_id, throttling.source(address))
    with database.write() as session:
        throttling.attempt(session, *tries, now=now)
    return tries


def _locked(session: Session, account_id: str) -> SecondFactor | None:
    return session.scalar(select(SecondFactor).where(SecondFactor.account_id == account_id).with_for_update())


def _is_right(keyring: Keyring, factor: SecondFactor, code: str, now: datetime) -> bool:
    """Spends the code if it is: neither it nor an earlier one is right again."""
    given = "".join(code.split())
    generator = pyotp.TOTP(_secret(keyring, factor), interval=STEP_SECONDS)
    present = int(now.timestamp()) // STEP_SECONDS
    for step in range(max(present - _DRIFT, factor.last_step + 1), present + _DRIFT + 1):
        if hmac.compare_digest(generator.generate_otp(step).encode(), given.encode()):
            factor.last_step = step
            return True
    return False


def _secret(keyring: Keyring, factor: SecondFactor) -> str:
    return keyring.decrypt(factor.secret, bound_to(factor.account_id)).decode()


def bound_to(account_id: str) -> str:
    """What its ciphertext is bound to."""
    return f"second factor of {account_id}"


def _hash(code: str) -> str:
    """Recovery codes are random enough to be hashed plainly."""
    return hashlib.sha256(code.strip().lower().replace("-", "").encode()).hexdigest()
