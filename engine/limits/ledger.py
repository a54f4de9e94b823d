"""时限记录: each limit's clock as the history told it, and the working days that came of it. Nothing is stored for it.

Days count as `engine.limits.clocks` has it: those on which the clock ran, up to and with the day it was stopped; the
day on which it starts or runs on does not count. A limit's days are counted in the calendar it was last counted in.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.calendar import versions
from engine.calendar.counting import shanghai_date, working_days, working_days_left
from engine.definitions.diagrams import Diagram
from engine.errors import NotFound
from engine.limits.clocks import days_kept
from engine.people.accounts import Actor
from engine.runtime.history import INTERVENTION
from engine.runtime.runtime import Definitions
from engine.runtime.sight import seen_by
from engine.runtime.tables import Event, EventKind, Instance, Intervention
from engine.runtime.wording import element_name, name_of_limit
from engine.text import Text


class LimitState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"  # what it limits was done before it ran out
    MISSED = "missed"  # it ran out
    CANCELLED = "cancelled"  # what it limits was taken away


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One thing that happened to a limit's clock."""

    at: datetime
    kind: EventKind
    before: datetime | None  # the end it had
    due_at: datetime | None  # the end it has; of LIMIT_MAY_SHORTEN, the one that waits for an official
    provisional: bool
    calendar_version: int | None  # where this counted the limit
    cause: EventKind | None = None  # the intervention that did it
    reason: str = ""
    basis: str = ""  # legal basis, where one was given
    days: int = 0  # by which it was extended


@dataclass(frozen=True, slots=True)
class LimitLedger:
    """A limit, and all that happened to its clock."""

    timer_id: str
    element_id: str
    element: Text  # the limit in the diagram's words
    step: Text  # what it limits
    side: str  # a role, as in `engine.calendar.entries.SIDES`; empty where the diagram names none
    since: datetime  # counted from here, which may lie before its own start
    state: LimitState
    due_at: datetime
    provisional: bool
    days: frozenset[date] | None  # the working days on which its clock ran; none for durations and dates
    left: int | None  # working days left now, or when it was met; negative: late
    entries: tuple[LedgerEntry, ...]  # oldest first


# What an entry of a clock may be the work of.
_CAUSES: Mapping[EventKind, frozenset[EventKind]] = MappingProxyType(
    {
        EventKind.LIMIT_PAUSED: frozenset({EventKind.SUSPENDED, EventKind.DEADLINE_PAUSED}),
        EventKind.LIMIT_RESUMED: frozenset({EventKind.RESUMED, EventKind.DEADLINE_RESUMED}),
        EventKind.LIMIT_CHANGED: frozenset({EventKind.DEADLINE_CHANGED, EventKind.DEADLINE_EXTENDED}),
        EventKind.LIMIT_ENDED: frozenset({EventKind.CANCELLED, EventKind.WITHDRAWN, EventKind.MOVED}),
    }
)
_CLOCK = frozenset(
    {
        *_CAUSES,
        EventKind.LIMIT_STARTED,
        EventKind.LIMIT_RECOMPUTED,
        EventKind.LIMIT_MAY_SHORTEN,
        EventKind.LIMIT_SHORTENED,
        EventKind.LIMIT_KEPT,
        EventKind.TIMER_FIRED,
    }
)
_OFFERED = frozenset({EventKind.LIMIT_MAY_SHORTEN, EventKind.LIMIT_KEPT})  # these leave the end as it was
_INSTANT = timedelta(microseconds=1)


def clock_ledger(
    session: Session, definitions: Definitions, instance_id: str, actor: Actor, now: datetime
) -> tuple[LimitLedger, ...]:
    """The limits of an instance in the order in which they started; raises NotFound. Three statements."""
    of_version = select(Instance.version_id).where(Instance.id == instance_id, seen_by(actor))
    version_id = session.scalar(of_version)
    if version_id is None:
        raise NotFound()
    diagram = definitions.get(session, version_id).diagram
    kinds = _CLOCK.union(*_CAUSES.values())
    events = session.scalars(
        select(Event).where(Event.instance_id == instance_id, Event.kind.in_(kinds)).order_by(Event.sequence)
    ).all()
    told = select(Intervention).where(Intervention.instance_id == instance_id)
    why = {row.id: row for row in session.scalars(told)} if any(INTERVENTION in e.details for e in events) else {}
    found = [_ledger(session, diagram, clock, now) for clock in _clocks(events, why)]
    return tuple(found)


def days_by_side(ledger: Iterable[LimitLedger]) -> dict[str, int]:
    """How many working days the limits of each side ran in all; a day on which several ran counts once."""
    days: dict[str, frozenset[date]] = {}
    for limit in ledger:
        if limit.days is not None:
            days[limit.side] = days.get(limit.side, frozenset()) | limit.days
    return {side: len(spent) for side, spent in days.items()}


@dataclass
class _Clock:
    """What the history says of one limit, as it is read."""

    timer_id: str
    element_id: str
    limit: dict[str, Any]  # as it is now
    started: datetime
    due_at: datetime
    provisional: bool
    version: int
    counts_days: bool
    region: str
    entries: list[LedgerEntry] = field(default_factory=list)
    runs: list[tuple[datetime, datetime]] = field(default_factory=list)
    runs_since: datetime | None = None
    ended: tuple[LimitState, datetime] | None = None


def _clocks(events: Sequence[Event], why: Mapping[str, Intervention]) -> list[_Clock]:
    clocks: dict[str, _Clock] = {}
    acts: dict[EventKind, Event] = {}
    for event in events:
        kind = EventKind(event.kind)
        if INTERVENTION in event.details:
            acts[kind] = event
            continue
        id_ = event.details["timer_id"]
        if kind is EventKind.LIMIT_STARTED:
            limit = event.details["limit"]
            clocks[id_] = _Clock(
                timer_id=id_,
                element_id=event.element_id or "",
                limit=limit,
                started=datetime.fromisoformat(limit.get("since", event.at.isoformat())),
                due_at=datetime.fromisoformat(event.details["due_at"]),
                provisional=event.details["provisional"],
                version=event.details.get("calendar_version", 0),
                counts_days="working_days" in limit,
                region=limit.get("region", ""),
                runs_since=event.at,
            )
        if id_ in clocks:  # else it started before starts were told
            _add(clocks[id_], kind, event, acts, why)
    return list(clocks.values())


def _add(
    clock: _Clock, kind: EventKind, event: Event, acts: Mapping[EventKind, Event], why: Mapping[str, Intervention]
) -> None:
    details = event.details
    before = clock.due_at
    due = datetime.fromisoformat(details["due_at"]) if "due_at" in details else None
    provisional = details.get("provisional", clock.provisional)
    if kind not in _OFFERED:
        clock.due_at, clock.provisional = due or before, provisional
    clock.version = details.get("calendar_version", clock.version)
    entry = LedgerEntry(
        at=event.at,
        kind=kind,
        before=before if kind is not EventKind.LIMIT_STARTED else None,
        due_at=due,
        provisional=provisional,
        calendar_version=details.get("calendar_version"),
    )
    clock.entries.append(_explained(entry, clock.timer_id, acts, why))
    if kind is EventKind.LIMIT_RESUMED:
        clock.runs_since = event.at
    elif kind in (EventKind.LIMIT_PAUSED, EventKind.LIMIT_ENDED, EventKind.TIMER_FIRED):
        _stop(clock, event.at)
    if kind is EventKind.TIMER_FIRED:
        clock.ended = LimitState.MISSED, event.at
    elif kind is EventKind.LIMIT_ENDED:
        clock.ended = LimitState.MET if details["met"] else LimitState.CANCELLED, event.at


def _explained(
    entry: LedgerEntry, timer_id: str, acts: Mapping[EventKind, Event], why: Mapping[str, Intervention]
) -> LedgerEntry:
    """With what somebody did in the same moment, if this came of it."""
    causes = [
        acts[kind]
        for kind in _CAUSES.get(entry.kind, ())
        if kind in acts and acts[kind].at == entry.at and acts[kind].details.get("timer_id", timer_id) == timer_id
    ]
    act = max(causes, key=lambda event: event.sequence, default=None)
    row = why.get(act.details[INTERVENTION]["id"]) if act else None
    if act is None or row is None:
        return entry
    return replace(
        entry, cause=EventKind(act.kind), reason=row.reason, basis=row.basis, days=act.details.get("days", 0)
    )


def _stop(clock: _Clock, at: datetime) -> None:
    """The clock ran up to a moment, or to its end if that came first."""
    if clock.runs_since is not None:
        clock.runs.append((max(clock.runs_since, clock.started), min(at, clock.due_at - _INSTANT)))
        clock.runs_since = None


def _ledger(session: Session, diagram: Diagram, clock: _Clock, now: datetime) -> LimitLedger:
    calendar = versions.at(session, clock.version).calendar(clock.region)
    state, until = clock.ended or (LimitState.RUNNING if clock.runs_since else LimitState.PAUSED, now)
    _stop(clock, until)
    stopped = now if state is LimitState.RUNNING else clock.runs[-1][1]
    days = left = None
    if clock.counts_days:
        days = frozenset[date]().union(
            *(working_days(shanghai_date(start), shanghai_date(end), calendar) for start, end in clock.runs)
        )
        if state is LimitState.PAUSED and shanghai_date(stopped) < shanghai_date(now):
            left = days_kept(stopped, clock.due_at, calendar)
        elif state in (LimitState.RUNNING, LimitState.PAUSED, LimitState.MET):
            left = working_days_left(stopped, clock.due_at, calendar)
    event = diagram.elements.get(clock.element_id)
    holder = diagram.elements.get(event.attached_to or "", event) if event else None
    return LimitLedger(
        timer_id=clock.timer_id,
        element_id=clock.element_id,
        element=element_name(diagram, clock.element_id),
        step=name_of_limit(diagram, clock.element_id),
        side=(holder.lane.role if holder and holder.lane else None) or "",
        since=clock.started,
        state=state,
        due_at=clock.due_at,
        provisional=clock.provisional,
        days=days,
        left=left,
        entries=tuple(clock.entries),
    )
