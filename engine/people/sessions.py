"""Who is logged in where: a browser holds a token, the database its hash. On real time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update
from sqlalchemy.orm import Session

from engine.people.tables import Account, LoginSession, Organisation, Proof
from engine.people.tokens import hashed_token, new_token

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
SEEN_EVERY = timedelta(minutes=5)  # how exactly it is known when a session was last used
_LONGEST_AGENT = 300  # characters


@dataclass(frozen=True, slots=True)
class Entry:
    """One session as its owner sees it."""

    id: str
    agent: str  # what the browser says it is
    address: str
    started_at: datetime
    seen_at: datetime
    is_this: bool


def begin(
    session: Session,
    account_id: str,
    *,
    agent: str,
    address: str,
    by: Proof = Proof.PASSWORD,
    signon_sid: str | None = None,
    now: datetime,
) -> str:
    """A new session under a new token, which is returned. `signon_sid`: see `LoginSession`."""
    session.execute(delete(LoginSession).where(~_alive(now)))
    token = new_token()
    session.add(
        LoginSession(
            token_hash=hashed_token(token),
            account_id=account_id,
            started_at=now,
            seen_at=now,
            agent=agent[:_LONGEST_AGENT],
            address=address[:45],
            two_factors=by.two_factors,
            proven_at=now,
            proven_by=by,
            signon_sid=signon_sid,
        )
    )
    session.flush()
    return token


def find(session: Session, token: str, now: datetime) -> tuple[LoginSession, Account, Organisation] | None:
    """The living session of this token with whose it is; None too where the account is inactive."""
    wanted = {"token_hash": hashed_token(token), "seen_after": now - IDLE, "started_after": now - LONGEST}
    found = session.execute(_FOUND, wanted).first()
    return (found[0], found[1], found[2]) if found else None


# Asked for by every page, and so built once.
_FOUND = (
    select(LoginSession, Account, Organisation)
    .join(Account, Account.id == LoginSession.account_id)
    .join(Organisation, Organisation.id == Account.organisation_id)
    .where(
        LoginSession.token_hash == bindparam("token_hash"),
        LoginSession.seen_at > bindparam("seen_after"),
        LoginSession.started_at > bindparam("started_after"),
        Account.active,
    )
)


def seen(session: Session, session_id: str, now: datetime) -> None:
    session.execute(update(LoginSession).where(LoginSession.id == session_id).values(seen_at=now))


def proven(session: Session, token: str, by: Proof, now: datetime) -> None:
    """Whoever sits at this browser has just shown again to be its account's person."""
    again = update(LoginSession).where(LoginSession.token_hash == hashed_token(token))
    session.execute(again.values(proven_at=now, proven_by=by))


def listed(session: Session, account_id: str, token: str, now: datetime) -> list[Entry]:
    """The living sessions of an account, the latest used first. `token` is that of the browser that asks."""
    rows = session.scalars(
        select(LoginSession)
        .where(LoginSession.account_id == account_id, _alive(now))
        .order_by(LoginSession.seen_at.desc(), LoginSession.id)
    )
    this = hashed_token(token)
    return [Entry(row.id, row.agent, row.address, row.started_at, row.seen_at, row.token_hash == this) for row in rows]


def end(session: Session, token: str) -> None:
    session.execute(delete(LoginSession).where(LoginSession.token_hash == hashed_token(token)))


def end_one(session: Session, account_id: str, session_id: str) -> bool:
    """End a session by its id; False where the account has none of it (any more)."""
    ended = delete(LoginSession).where(LoginSession.id == session_id, LoginSession.account_id == account_id)
    return bool(session.execute(ended.returning(LoginSession.id)).first())


def end_signed_on(session: Session, account_id: str | None, sid: str | None) -> list[str]:
    """End the sessions that were begun through the OpenID provider: of an account, or with one session there, or both.
    Whose they were. One of the two must be said."""
    if not account_id and not sid:
        raise ValueError("whose sessions, or which")
    ended = delete(LoginSession).where(LoginSession.signon_sid.is_not(None))
    if account_id:
        ended = ended.where(LoginSession.account_id == account_id)
    if sid:
        ended = ended.where(LoginSession.signon_sid == sid)
    return sorted(set(session.scalars(ended.returning(LoginSession.account_id))))


def end_all(session: Session, account_id: str, *, but: str | None = None) -> None:
    """End every session of an account, save the one of the token `but`."""
    ended = delete(LoginSession).where(LoginSession.account_id == account_id)
    session.execute(ended.where(LoginSession.token_hash != hashed_token(but)) if but else ended)


def _alive(now: datetime) -> ColumnElement[bool]:
    return and_(LoginSession.seen_at > now - IDLE, LoginSession.started_at > now - LONGEST)
