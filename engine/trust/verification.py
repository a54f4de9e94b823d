"""Walking the audit trail: is it whole, in order, and as it was written?

Of each stream the first thing that is wrong is told; what follows a broken link proves nothing any more.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.audit.chain import GENESIS, entry_hash, moment
from engine.audit.tables import ANCHORS, SYSTEM, Anchor, AnchoredHead, Stream, SystemEvent
from engine.database import Database
from engine.runtime.history import INTERVENTION, answers_hash, intervention_hash
from engine.runtime.tables import Answer, Event, Instance, Intervention
from engine.text import Text
from engine.trust.anchors import digest, last_anchor

BATCH = 200  # instances read at a time

Entries = Sequence[Event | SystemEvent]
Row = TypeVar("Row", Event, Answer, Intervention)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Where a stream stops being what was written. `stream` is `system`, `anchors` or an instance's id."""

    stream: str
    sequence: int  # of the first entry that is wrong or missing
    problem: Text


@dataclass(frozen=True, slots=True)
class Verified:
    entries: int
    anchors: int
    digest: str  # of the newest anchor
    erased: int  # rows that were erased since, as entries say; of them what is left is verified
    flaws: tuple[Flaw, ...]


MISSING = Text("缺少第 {first} 至 {last} 条记录。", "The entries {first} to {last} are missing.")
ALTERED = Text(
    "这一条与其校验值不符：内容被改动、调换，或并非在此写入。",
    "This entry does not match its hash: it was changed, moved, or never written here.",
)
UNCOUNTED = Text("这一条在登记的末条记录之后。", "This entry lies beyond the end that is on record for its stream.")
WRONG_HEAD = Text("末条记录与登记的不符。", "The last entry is not the one on record.")
STREAM_GONE = Text("整个序列已不存在。", "The whole stream is gone.")
REWRITTEN = Text(
    "这一条与第 {anchor} 号锚点（{at}）所记不符：历史被整体改写。",
    "This entry is not the one that anchor {anchor} of {at} holds: the history was rewritten.",
)
CUT_OFF = Text(
    "第 {anchor} 号锚点（{at}）记有这一条，如今缺少：末尾被截去。",
    "Anchor {anchor} of {at} holds this entry and it is missing: the end was cut off.",
)
ANSWERS_GONE = Text(
    "这一条所指的填写内容 {answers} 不存在。", "The answers {answers} that this entry refers to are missing."
)
ANSWERS_ALTERED = Text(
    "这一条所指的填写内容 {answers} 被改动。", "The answers {answers} that this entry refers to were changed."
)
ANSWERS_UNRECORDED = Text("填写内容 {answers} 没有任何记录提到。", "No entry refers to the answers {answers}.")
INTERVENTION_GONE = Text(
    "这一条所指的处置 {row} 不存在。", "The intervention {row} that this entry refers to is missing."
)
INTERVENTION_ALTERED = Text(
    "这一条所指的处置 {row} 被改动。", "The intervention {row} that this entry refers to was changed."
)
INTERVENTION_UNRECORDED = Text("处置 {row} 没有任何记录提到。", "No entry refers to the intervention {row}.")


def verify(database: Database) -> Verified:
    """Everything, as of one moment, whatever is being written meanwhile."""
    with database.read() as session:
        flaws = []
        system = session.scalars(select(SystemEvent).order_by(SystemEvent.sequence)).all()
        head = _head(session, SYSTEM)
        flaws.append(
            _chain_flaw(SYSTEM, system, head.length, head.head)
            or _anchored_flaw(SYSTEM, system, _anchored(session, [SYSTEM])[SYSTEM])
        )
        entries, erased = len(system), 0
        for batch in _batches(session):
            ids = [id_ for id_, _, _ in batch]
            events = _grouped(session.scalars(_of(Event, ids).order_by(Event.sequence)))
            answers = _grouped(session.scalars(_of(Answer, ids)))
            interventions = _grouped(session.scalars(_of(Intervention, ids)))
            anchored = _anchored(session, ids)
            entries += sum(map(len, events.values()))
            erased += sum(len(_erased(of_one)) for of_one in events.values())
            flaws += [
                _chain_flaw(id_, events[id_], length, last)
                or _anchored_flaw(id_, events[id_], anchored[id_])
                or _answers_flaw(id_, events[id_], answers[id_])
                or _interventions_flaw(id_, events[id_], interventions[id_])
                for id_, length, last in batch
            ]
            session.expunge_all()
        flaws += [Flaw(stream, 1, STREAM_GONE) for stream in _gone(session)]
        flaws.append(_anchors_flaw(session))
        newest = last_anchor(session)
        return Verified(
            entries=entries,
            anchors=newest.sequence if newest else 0,
            digest=newest.digest if newest else GENESIS,
            flaws=tuple(flaw for flaw in flaws if flaw),
            erased=erased,
        )


def holds(database: Database, sequence: int, digest: str) -> bool:
    """Is this, noted elsewhere when it was made, still the digest of that anchor?"""
    with database.read() as session:
        kept = session.get(Anchor, sequence)
        return kept is not None and kept.digest == digest


def _chain_flaw(stream: str, entries: Entries, length: int, head: str) -> Flaw | None:
    previous = GENESIS
    for expected, entry in enumerate(entries, start=1):
        if entry.sequence != expected:
            return Flaw(stream, expected, MISSING.filled(first=expected, last=entry.sequence - 1))
        if expected > length:
            return Flaw(stream, expected, UNCOUNTED)
        previous = entry_hash(
            previous,
            stream=stream,
            sequence=entry.sequence,
            at=entry.at,
            kind=entry.kind,
            element_id=entry.element_id if isinstance(entry, Event) else None,
            actor_id=entry.actor_id,
            details=entry.details,
        )
        if entry.hash != previous:
            return Flaw(stream, expected, ALTERED)
    if len(entries) < length:
        return Flaw(stream, len(entries) + 1, MISSING.filled(first=len(entries) + 1, last=length))
    return None if previous == head else Flaw(stream, length, WRONG_HEAD)


def _anchored_flaw(stream: str, entries: Entries, anchored: Sequence[tuple[AnchoredHead, Anchor]]) -> Flaw | None:
    """Called for a chain that is sound in itself: its sequences count up from 1."""
    for kept, anchor in anchored:
        when = {"anchor": anchor.sequence, "at": moment(anchor.at)}
        if kept.length > len(entries):
            return Flaw(stream, len(entries) + 1, CUT_OFF.filled(**when))
        if entries[kept.length - 1].hash != kept.head:
            return Flaw(stream, kept.length, REWRITTEN.filled(**when))
    return None


def _answers_flaw(stream: str, entries: Entries, answers: Sequence[Answer]) -> Flaw | None:
    rows, erased = {answer.id: answer for answer in answers}, _erased(entries)
    for entry in entries:
        for named in entry.details.get("answers", ()):
            row = rows.pop(named["id"], None)
            if row is None:
                return Flaw(stream, entry.sequence, ANSWERS_GONE.filled(answers=named["id"]))
            if answers_hash(row) != erased.get(row.id, named["sha256"]):
                return Flaw(stream, entry.sequence, ANSWERS_ALTERED.filled(answers=row.id))
    return Flaw(stream, len(entries), ANSWERS_UNRECORDED.filled(answers=min(rows))) if rows else None


def _interventions_flaw(stream: str, entries: Entries, interventions: Sequence[Intervention]) -> Flaw | None:
    rows, erased = {row.id: row for row in interventions}, _erased(entries)
    for entry in entries:
        if named := entry.details.get(INTERVENTION):
            row = rows.pop(named["id"], None)
            if row is None:
                return Flaw(stream, entry.sequence, INTERVENTION_GONE.filled(row=named["id"]))
            if intervention_hash(row) != erased.get(row.id, named["sha256"]):
                return Flaw(stream, entry.sequence, INTERVENTION_ALTERED.filled(row=row.id))
    return Flaw(stream, len(entries), INTERVENTION_UNRECORDED.filled(row=min(rows))) if rows else None


def _erased(entries: Entries) -> dict[str, str]:
    """The hashes that rows have since they were erased, by id: the last erasure counts."""
    return {row["id"]: row["sha256"] for entry in entries for row in entry.details.get("erased", ())}


def _anchors_flaw(session: Session) -> Flaw | None:
    previous, expected = GENESIS, 0
    for expected, anchor in enumerate(session.scalars(select(Anchor).order_by(Anchor.sequence)).all(), start=1):
        if anchor.sequence != expected:
            return Flaw(ANCHORS, expected, MISSING.filled(first=expected, last=anchor.sequence - 1))
        rows = session.scalars(select(AnchoredHead).where(AnchoredHead.anchor == expected))
        previous = digest(previous, expected, anchor.at, [(row.stream, row.length, row.head) for row in rows])
        if anchor.digest != previous:
            return Flaw(ANCHORS, expected, ALTERED)
    head = _head(session, ANCHORS)
    if expected != head.length:
        return Flaw(ANCHORS, min(expected, head.length) + 1, MISSING.filled(first=expected + 1, last=head.length))
    return None if previous == head.head else Flaw(ANCHORS, expected, WRONG_HEAD)


def _head(session: Session, name: str) -> Stream:
    """A head that was deleted counts as that of an empty stream."""
    return session.get(Stream, name) or Stream(name=name, length=0, head=GENESIS)


def _batches(session: Session) -> Iterator[Sequence[tuple[str, int, str]]]:
    """Id, length and head of every instance's stream."""
    query = select(Instance.id, Instance.history_length, Instance.history_head).order_by(Instance.id).limit(BATCH)
    rows = [(id_, length, head) for id_, length, head in session.execute(query)]
    while rows:
        yield rows
        after = query.where(Instance.id > rows[-1][0])
        rows = [(id_, length, head) for id_, length, head in session.execute(after)]


def _of(table: type[Row], ids: Sequence[str]) -> Select[Row]:
    return select(table).where(table.instance_id.in_(ids))


def _grouped(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row.instance_id].append(row)
    return found


def _anchored(session: Session, streams: Sequence[str]) -> defaultdict[str, list[tuple[AnchoredHead, Anchor]]]:
    """What anchors hold of these streams, the oldest first."""
    found = defaultdict(list)
    query = select(AnchoredHead, Anchor).join(Anchor, Anchor.sequence == AnchoredHead.anchor)
    for kept, anchor in session.execute(query.where(AnchoredHead.stream.in_(streams)).order_by(AnchoredHead.anchor)):
        found[kept.stream].append((kept, anchor))
    return found


def _gone(session: Session) -> Sequence[str]:
    """Streams that were anchored once and have no instance any more."""
    left = select(AnchoredHead.stream).outerjoin(Instance, Instance.id == AnchoredHead.stream)
    return session.scalars(left.where(Instance.id.is_(None), AnchoredHead.stream != SYSTEM).distinct()).all()
