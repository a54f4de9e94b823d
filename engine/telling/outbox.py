"""What leaves the platform: a row written with the notice, delivered after the commit, at least once.

No database lock is held while something is sent. Taking a row counts an attempt and moves its next one to the end of
a lease; whoever dies while sending leaves a row that is due again then, with the same idempotency key. Delivery runs
on real time, whatever a trial does to process time.
"""

import hashlib
import logging
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session

from engine.database import new_id
from engine.definitions.masking import without_personal
from engine.people.tables import Contact, Organisation
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Instance
from engine.telling.letters import opened_letter
from engine.telling.tables import AT_ONCE, Notice, OutboxMessage, OutboxState

log = logging.getLogger(__name__)

INCIDENT = "outbox"  # `action` of the incident of a message that was given up
MOST_ATTEMPTS = 12  # over about 20 hours
LONGEST_PAUSE = timedelta(hours=6)
LEASE = timedelta(minutes=5)  # longer than any sender takes; see its own deadline


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a sender is handed: one attempt to tell one contact of one notice, or to deliver one letter.

    `body` holds notice_id, instance_id, number, kind (info, warning), role (the recipient's), text, text_en, at; of a
    letter subject, subject_en, text, text_en, path.
    """

    idempotency_key: str
    address: str
    secret: str | None  # of a webhook
    body: Mapping[str, Any]
    now: datetime  # real time of the attempt


Sender = Callable[[Parcel], None]
"""Sends within two minutes or raises; the exception is kept as the reason, and the message is tried again later."""


class SenderDown(Exception):
    """The way itself is closed, such as the mail server: no use in trying other addresses just now."""


def enqueue(session: Session, notices: Sequence[tuple[Notice, Instance, Organisation]]) -> None:
    """One message per notice and active contact of its organisation, in the notices' own transaction."""
    contacts = _contacts(session, {organisation.id for *_, organisation in notices})
    for notice, instance, organisation in notices:
        for contact in contacts[organisation.id].values():
            session.add(_message(notice, organisation, contact, instance))


def _contacts(session: Session, organisation_ids: Set[str]) -> dict[str, dict[str, Contact]]:
    """The active contacts by organisation and id. No step changes any: each organisation's are looked up once in a
    transaction, and before the rows of the step are written."""
    known: dict[str, dict[str, Contact]] = session.info.setdefault("contacts", {})
    if new := organisation_ids - known.keys():
        known.update({id_: {} for id_ in new})
        with session.no_autoflush:
            for contact in session.scalars(select(Contact).where(Contact.organisation_id.in_(new), Contact.active)):
                known[contact.organisation_id][contact.id] = contact
    return known


def _message(notice: Notice, organisation: Organisation, contact: Contact, instance: Instance) -> OutboxMessage:
    return OutboxMessage(
        idempotency_key=f"{notice.id}-{contact.id}",
        notice=notice,
        contact_id=contact.id,
        kind=contact.kind,
        address=contact.address,
        body={
            "notice_id": notice.id,
            "instance_id": instance.id,
            "number": instance.number,
            "kind": notice.severity,
            "role": organisation.role,
            "text": notice.text,
            "text_en": notice.text_en,
            "at": notice.at.isoformat(),
        },
        next_attempt_at=AT_ONCE,
        created_at=notice.at,
    )


def deliver_due(
    runtime: Runtime, clock: Callable[[], datetime], senders: Mapping[str, Sender], limit: int = 100
) -> int:
    """Send what is due, one message at a time, at most `limit` of each kind; returns how many were accepted.

    `clock` tells real time: a lease counts from when its row was taken, and sending takes time. Kinds without a sender
    wait. An address that fails is left alone for the rest of the call, so that one dead receiver can't hold up all.
    """
    sent = 0
    for kind, sender in senders.items():
        failed = set[str]()
        for _ in range(limit):
            if not _is_due(runtime, clock(), kind, failed):
                break
            taken = _take(runtime, clock(), kind, failed)
            if taken is None:
                continue  # gone to another process, or nothing to send after all
            message, contact = taken
            try:
                sender(_parcel(runtime, message, contact, clock()))
            except Exception as problem:
                log.warning("%s %s, attempt %d: %s", kind, message.id, message.attempts, _reason(problem))
                _put_back(runtime, message, problem, clock())
                if isinstance(problem, SenderDown):
                    break
                failed.add(message.address)
            else:
                _mark_sent(runtime, message, clock())
                sent += 1
    return sent


def pause(message_id: str, attempts: int) -> timedelta:
    """How long to wait after so many attempts: 1, 2, 4 … minutes up to six hours, and up to a quarter more, by the id,
    so that what failed together doesn't come back together."""
    share = int.from_bytes(hashlib.sha256(message_id.encode()).digest()[:4]) / 2**32
    return min(timedelta(minutes=2 ** (attempts - 1)), LONGEST_PAUSE) * (1 + share / 4)


def count_waiting(session: Session) -> dict[str, int]:
    """How many messages wait to be sent, by kind."""
    rows = session.execute(
        select(OutboxMessage.kind, func.count())
        .where(OutboxMessage.state == OutboxState.WAITING)
        .group_by(OutboxMessage.kind)
    )
    return dict(rows.all())


def send_again(session: Session, incident_id: str) -> None:
    """Let the message an incident tells of start over, all its attempts before it."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.incident_id == incident_id, OutboxMessage.state == OutboxState.GIVEN_UP)
        .values(state=OutboxState.WAITING, attempts=0, next_attempt_at=AT_ONCE)
    )


def _due(now: datetime, kind: str, failed: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        OutboxMessage.kind == kind,
        OutboxMessage.state == OutboxState.WAITING,
        OutboxMessage.next_attempt_at <= now,
        OutboxMessage.address.not_in(failed),
    )


def _is_due(runtime: Runtime, now: datetime, kind: str, failed: Collection[str]) -> bool:
    """Most ticks find nothing, and need no write lock to learn it."""
    with runtime.database.read() as session:
        return bool(session.scalar(select(exists().where(*_due(now, kind, failed)))))


def _take(
    runtime: Runtime, now: datetime, kind: str, failed: Collection[str]
) -> tuple[OutboxMessage, Contact | None] | None:
    """The message that has been due longest, ours until the lease ends; None where there is none to send."""
    with runtime.database.write() as session:
        found = session.execute(
            select(OutboxMessage, Contact)
            .outerjoin(Contact, Contact.id == OutboxMessage.contact_id)
            .where(*_due(now, kind, failed))
            .order_by(OutboxMessage.next_attempt_at, OutboxMessage.created_at)
            .limit(1)
            .with_for_update(skip_locked=True, of=OutboxMessage)
        ).first()
        if found is None:
            return None
        message, contact = found
        if contact and not contact.active:
            message.state, message.last_error = OutboxState.GIVEN_UP, "the contact was removed"
            return None
        if message.attempts >= MOST_ATTEMPTS:  # the last attempt never came back: its process died
            _give_up(session, message, "the process died while sending", "", now)
            return None
        message.attempts += 1
        message.next_attempt_at = now + LEASE
        return message, contact


def _parcel(runtime: Runtime, message: OutboxMessage, contact: Contact | None, now: datetime) -> Parcel:
    sealed = contact.secret if contact else None
    secret = runtime.keyring.decrypt(sealed, bound_to=contact.id).decode() if contact and sealed else None
    body = opened_letter(runtime.keyring, message) or message.body
    return Parcel(message.idempotency_key, message.address, secret, body, now)


def _mark_sent(runtime: Runtime, message: OutboxMessage, now: datetime) -> None:
    with runtime.database.write() as session:
        if row := _still_ours(session, message):
            row.state, row.sent_at, row.last_error, row.letter = OutboxState.SENT, now, None, None


def _put_back(runtime: Runtime, message: OutboxMessage, problem: Exception, now: datetime) -> None:
    """Due again after a pause; given up after the last attempt."""
    with runtime.database.write() as session:
        row = _still_ours(session, message)
        if row is None:
            return
        if row.attempts < MOST_ATTEMPTS:
            row.next_attempt_at, row.last_error = now + pause(row.id, row.attempts), _reason(problem)
        else:
            _give_up(
                session, row, _reason(problem), without_personal("".join(traceback.format_exception(problem))), now
            )


def _still_ours(session: Session, message: OutboxMessage) -> OutboxMessage | None:
    """The row, unless the lease has ended meanwhile and another process took it: then it is that one's to mark."""
    return session.scalar(
        select(OutboxMessage)
        .where(
            OutboxMessage.id == message.id,
            OutboxMessage.state == OutboxState.WAITING,
            OutboxMessage.attempts == message.attempts,
        )
        .with_for_update()
    )


def _give_up(session: Session, message: OutboxMessage, reason: str, stack: str, now: datetime) -> None:
    """No further attempts, but an incident: an operator can let it start over."""
    notice = session.get_one(Notice, message.notice_id) if message.notice_id else None
    incident = Incident(
        id=new_id(),
        instance_id=notice.instance_id if notice else None,
        element_id=notice.element_id if notice else None,
        action=INCIDENT,
        cause=f"{message.kind} {message.address}: {reason}",
        stack=stack,
        at=now,
    )
    session.add(incident)
    session.flush()
    message.state, message.last_error, message.incident_id = OutboxState.GIVEN_UP, reason, incident.id


def _reason(problem: Exception) -> str:
    """Mail servers repeat the address they refuse, which may be somebody's own."""
    return without_personal(f"{type(problem).__name__}: {problem}"[:1000])
