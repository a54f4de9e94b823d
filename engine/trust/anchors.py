"""Anchoring: now and then the heads of all streams that have grown are put under one digest, in a chain of its own.

A stream that was rewritten as a whole, its head included, is sound in itself; an anchor tells. No commit waits on it:
what somebody has in hand just now is passed by and comes under the next one.
"""

import logging
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.audit.chain import link, moment
from engine.audit.system import locked_head
from engine.audit.tables import ANCHORS, SYSTEM, Anchor, AnchoredHead, Stream
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Instance

log = logging.getLogger(__name__)

Head = tuple[str, int, str]  # stream, length, hash of its last entry

BATCH = 1000  # heads under one anchor, so that its transaction stays short


def anchor_when_due(runtime: Runtime, now: datetime) -> int:
    """Anchor what is new if the last anchor is old enough; returns how many anchors were made."""
    with runtime.database.read() as session:
        last = last_anchor(session)
    return anchor(runtime, now) if last is None or now - last.at >= runtime.anchor_every else 0


def anchor(runtime: Runtime, now: datetime) -> int:
    """Anchor every stream that has grown since; returns how many anchors that took, none where nothing is new.

    `now` is real time, also in a trial.
    """
    made = 0
    while _anchor_some(runtime, now):
        made += 1
    return made


def digest(previous: str, sequence: int, at: datetime, heads: list[Head]) -> str:
    """What an anchor says of its streams, linked to the anchor before."""
    return link(previous, sequence, moment(at), [list(head) for head in sorted(heads)])


def last_anchor(session: Session) -> Anchor | None:
    """The newest anchor. Noted elsewhere, its digest proves later that nothing before it was rewritten since."""
    return session.scalar(select(Anchor).order_by(Anchor.sequence.desc()).limit(1))


def _anchor_some(runtime: Runtime, now: datetime) -> bool:
    with runtime.database.write() as session:
        chain = locked_head(session, ANCHORS)  # one anchor at a time
        heads = [*_grown_instances(session), *_grown_system(session)]
        if not heads:
            return False
        chain.length += 1
        chain.head = digest(chain.head, chain.length, now, heads)
        session.add(Anchor(sequence=chain.length, at=now, digest=chain.head))
        session.flush()
        session.add_all(AnchoredHead(anchor=chain.length, stream=s, length=n, head=h) for s, n, h in heads)
        # Also to be found where the log goes, out of reach of whoever can rewrite the database.
        log.info("anchor %d of %d streams: %s", chain.length, len(heads), chain.head)
        return True


def _grown_instances(session: Session) -> list[Head]:
    grown = (
        select(Instance.id, Instance.history_length, Instance.history_head)
        .where(Instance.history_length > Instance.anchored_length)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    heads: list[Head] = [(id_, length, head) for id_, length, head in session.execute(grown)]
    if heads:
        # Not through the mapper: anchoring changes nothing of the instance, so its revision stays.
        session.execute(
            update(Instance)
            .where(Instance.id.in_([stream for stream, _, _ in heads]))
            .values(anchored_length=Instance.history_length)
            .execution_options(synchronize_session=False)
        )
    return heads


def _grown_system(session: Session) -> list[Head]:
    grown = (
        select(Stream)
        .where(Stream.name == SYSTEM, Stream.length > Stream.anchored_length)
        .with_for_update(skip_locked=True)
    )
    system = session.scalar(grown)
    if system is None:
        return []
    system.anchored_length = system.length
    return [(SYSTEM, system.length, system.head)]
