"""Proving who one is, and changing what one proves it with.

Verifying a password takes its time by design, so it happens between short transactions: one that writes would make all
others wait. Attempts are counted per account and source address: whoever tries from elsewhere only slows down himself.
On real time.
"""

from datetime import datetime, timedelta

from engine.audit.system import record
from engine.audit.tables import SystemEventKind
from engine.database import Database
from engine.errors import Invalid
from engine.people import accounts, passwords, sessions, throttling
from engine.people.accounts import Actor, Tell, WrongCredentials
from engine.people.throttling import Rate
from engine.text import Text

FROM_ONE_ADDRESS = Rate(burst=60, every=timedelta(seconds=6))  # failures; an office may share one


class OldPasswordWrong(Invalid):
    sentence = Text("原密码不正确。", "The old password is wrong.")


class PasswordWrong(Invalid):
    sentence = Text("密码不正确。", "The password is wrong.")


def prove(database: Database, username: str, password: str, *, address: str, now: datetime) -> Actor:
    """Who this is, by name and password. Raises WrongCredentials, TooOften."""
    source = throttling.source(address)
    pair = ("log in", accounts.normalised(username), source)
    with database.write() as session:
        throttling.take(session, FROM_ONE_ADDRESS, "log in from", source, now=now)
        throttling.attempt(session, *pair, now=now)
    try:
        with database.read() as session:
            actor = accounts.authenticate(session, username, password)
    except WrongCredentials as refusal:
        with database.write() as session:
            record(session, SystemEventKind.LOGIN_FAILED, at=now, actor_id=None, account_id=refusal.account_id)
        raise
    with database.write() as session:
        throttling.succeeded(session, *pair)
        throttling.give_back(session, FROM_ONE_ADDRESS, "log in from", source, now=now)
        accounts.rehash_if_outdated(session, actor.account_id, password)
    return actor


def prove_again(database: Database, actor: Actor, password: str, *, address: str, now: datetime) -> None:
    """That whoever is logged in still is the one who logged in. Raises PasswordWrong, TooOften."""
    tries = _count(database, actor, address, now)
    with database.read() as session:
        account, _ = accounts.account_of(session, actor.account_id)
    right = passwords.verify(account.password_hash, password)
    with database.write() as session:
        if right:
            throttling.succeeded(session, *tries)
        else:
            record(session, SystemEventKind.LOGIN_FAILED, at=now, actor_id=None, account_id=actor.account_id)
    if not right:
        raise PasswordWrong()


def change_password(
    database: Database, actor: Actor, *, old: str, new: str, keep: str, address: str, tell: Tell, now: datetime
) -> None:
    """Every session of the account ends but that of the token `keep`; `tell` writes to its person.

    Raises OldPasswordWrong, PasswordSame, PasswordRefused, TooOften.
    """
    tries = _count(database, actor, address, now)
    with database.read() as session:
        account, organisation = accounts.account_of(session, actor.account_id)
    if not passwords.verify(account.password_hash, old):
        raise OldPasswordWrong()
    if new == old:
        raise passwords.PasswordSame()
    passwords.check(new, about=accounts.names_of(account, organisation))
    hashed = passwords.hashed(new)
    with database.write() as session:
        throttling.succeeded(session, *tries)
        account, _ = accounts.account_of(session, actor.account_id)
        account.password_hash = hashed
        sessions.end_all(session, actor.account_id, but=keep)
        record(session, SystemEventKind.PASSWORD_CHANGED, at=now, actor_id=actor.account_id)
        tell(session, account)


def _count(database: Database, actor: Actor, address: str, now: datetime) -> tuple[str, ...]:
    """One more try of the password of somebody who is logged in, wherever it is asked for."""
    tries = ("old password", actor.account_id, throttling.source(address))
    with database.write() as session:
        throttling.attempt(session, *tries, now=now)
    return tries
