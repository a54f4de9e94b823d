"""The one way to touch an instance: lock, re-read, run, act, run, project, commit."""

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from engine.calendar import versions
from engine.calendar.book import Book
from engine.errors import Broken, Conflict, NotFound, Refusal
from engine.people.tables import Contact, Organisation
from engine.runtime import projection, state
from engine.runtime.discretion import discreet
from engine.runtime.execution import NEVER, ElementFailed, ScriptEngine
from engine.runtime.history import moment_in
from engine.runtime.once import Once
from engine.runtime.pruning import prune
from engine.runtime.rows import LOCKED, NOT_IN_HAND, PARTIES, UNENDED_TIMERS, Rows, columns, of
from engine.runtime.run import Run
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Instance, Task, Timer, TimerState

# A query for an instance's row, with its lock, and the query's values.
Named = tuple[Select[Any], Mapping[str, Any]]


@contextmanager
def opened(
    runtime: Runtime,
    instance_id: str | Named,
    *,
    now: datetime,
    action: str,
    once: Once | None = None,
    first: Callable[[Session, Instance], None] | None = None,
) -> Iterator[Run]:
    """One transaction on one instance (or the one a query names), brought up to date before the block and saved after
    it; it happens at `run.now`. `first` is done under the lock, before anything of the instance is read.

    Raises NotFound, Conflict, what the block refuses, and Broken (see `guarded`); with `once`, what taking it raises.
    """
    with guarded(runtime, now=now, action=action) as concerned, runtime.database.write() as session:
        rows = Rows(session)
        query, values = (LOCKED, {"ids": [instance_id]}) if isinstance(instance_id, str) else instance_id
        found = rows.read(Instance, query, **values)
        if not found:
            raise NotFound()
        concerned += [each.id for each in found]
        for instance in found:
            if once:
                once.take(session, instance.id, now)
            if first:
                first(session, instance)
                session.flush()
        (run,) = _restored(runtime, session, rows, found, now)
        if run.advance():
            projection.project(
                run
            )  # a limit that ended just now may have taken a task away from whoever is about to act
        yield run
        run.advance()
        save(run)


def bring_up_to_date(runtime: Runtime, instance_ids: Sequence[str], now: datetime) -> int:
    """Open those that have a due timer and that nobody else has in hand, all in one transaction; returns how many.

    All or none: raises whatever one of them fails with, and leaves no incident. Raises Unavailable.
    """
    with runtime.database.write() as session, session.no_autoflush:
        rows = Rows(session)
        locked = rows.read(Instance, NOT_IN_HAND, ids=list(instance_ids))
        # Somebody else may have fired some meanwhile: only what is read under the lock counts.
        due = [run for run in _restored(runtime, session, rows, locked, now) if run.is_due()]
        for run in due:
            run.advance()
            finish(run)
        rows.write()
    return len(due)


@contextmanager
def guarded(runtime: Runtime, *, now: datetime, action: str) -> Iterator[list[str]]:
    """Around a transaction: a Refusal passes through; any other failure leaves an incident in a transaction of its
    own and comes out as Broken, so that an official sees a sentence and an operator the stack.

    The block appends the id of the instance it concerns; without one (its very start) the incident names none.
    """
    concerned: list[str] = []
    try:
        yield concerned
    except StaleDataError:
        raise Conflict() from None
    except Refusal as refusal:
        if not isinstance(refusal, Broken):
            raise
        _record_incident(runtime, concerned, action=action, now=now, failure=refusal)
        raise Broken() from refusal  # the operator's reason stays with the operator
    except Exception as failure:
        _record_incident(runtime, concerned, action=action, now=now, failure=failure)
        raise Broken() from failure


def save(run: Run) -> None:
    """Write the blob and its projections, and swap the revision that was read for the next one. Raises Conflict."""
    finish(run)
    run.rows.write()


def finish(run: Run) -> None:
    """Bring an instance's rows in line with its workflow; they are still to be written."""
    projection.project(run)
    prune(run.workflow)
    run.instance.state = state.dump(run.workflow)


def _record_incident(runtime: Runtime, concerned: list[str], *, action: str, now: datetime, failure: Exception) -> None:
    """What an operator needs to understand and retry; the due timers of the instance are parked until then."""
    failed = failure if isinstance(failure, ElementFailed) else None
    cause = (failed.__cause__ if failed else None) or failure
    told = f"{type(cause).__name__}: {cause}", "".join(traceback.format_exception(failure))
    with runtime.database.write() as session:
        said, stack = discreet(session, runtime.definitions, concerned, *told)
        incident = Incident(
            instance_id=next(iter(concerned), None),
            element_id=failed.element_id if failed else None,
            action=action,
            cause=said,
            stack=stack,
            at=now,
        )
        known = session.scalars(
            select(Incident).where(
                Incident.instance_id.in_(concerned),
                Incident.resolved_at.is_(None),
                Incident.element_id == incident.element_id,
                Incident.cause == incident.cause,
            )
        ).first()
        if known:
            known.times, known.last_at, known.stack = known.times + 1, now, incident.stack
        else:
            session.add(incident)
        # Otherwise every tick would fail on the same due timer again.
        session.execute(
            update(Timer)
            .where(Timer.instance_id.in_(concerned), Timer.state == TimerState.WAITING, Timer.fires_at <= now)
            .values(parked=True)
        )


def _restored(
    runtime: Runtime, session: Session, rows: Rows, instances: Sequence[Instance], now: datetime
) -> Iterator[Run]:
    ids = [instance.id for instance in instances]
    timers: dict[str, dict[str, Timer]] = {id_: {} for id_ in ids}
    for timer in rows.read(Timer, UNENDED_TIMERS, ids=ids):
        timers[timer.instance_id][timer.id] = timer
    tasks: dict[str, dict[str, Task]] = {id_: {} for id_ in ids}
    parties: dict[str, set[str]] = {id_: set() for id_ in ids}
    organisations, contacts = (session.info.setdefault(name, {}) for name in ("organisations", "contacts"))
    calendar = cache(lambda: versions.newest(session))
    for party in session.connection().execute(PARTIES, {"ids": ids}).mappings():
        calendar = cache(partial(versions.at, session, party["calendar"]))
        parties[party["takes_part_in"]].add(party["party_id"])
        if (found := (party["key_role"], party["key"])) not in organisations:
            organisations[found] = of(Organisation, {name: party[f"party_{name}"] for name in columns(Organisation)})
        told = contacts.setdefault(party["party_id"], {})
        if party["contact_id"] and party["contact_id"] not in told:
            told[party["contact_id"]] = of(Contact, {name: party[f"contact_{name}"] for name in columns(Contact)})
        open_here = tasks[party["takes_part_in"]]
        if party["id"] and party["id"] not in open_here:
            open_here[party["id"]] = rows.hold(Task, {name: party[name] for name in columns(Task)})
    for instance in instances:
        try:
            workflow = state.load(instance.state, runtime.definitions.get(session, instance.version_id))
        except Refusal as unreadable:  # a version that was deployed and can't be read any more is nobody's wrong input
            raise ElementFailed(None) from unreadable
        yield new_run(
            runtime,
            session,
            instance,
            workflow,
            now,
            rows=rows,
            timers=timers[instance.id],
            tasks=tasks[instance.id],
            parties=parties[instance.id],
            calendar=calendar,
        )


def new_run(
    runtime: Runtime,
    session: Session,
    instance: Instance,
    workflow: BpmnWorkflow,
    now: datetime,
    *,
    rows: Rows,
    timers: dict[str, Timer],
    tasks: dict[str, Task],
    parties: set[str],
    calendar: Callable[[], Book],
) -> Run:
    now = moment_in(instance, now)
    due_rows = {id_: NEVER if timer.state == TimerState.PAUSED else timer.fires_at for id_, timer in timers.items()}
    compiled = runtime.definitions.get(session, instance.version_id)
    workflow.script_engine = ScriptEngine(workflow, now, due_rows, compiled.diagram, calendar)
    awaited = projection.awaited_messages(compiled.diagram, workflow).keys()
    return Run(
        runtime,
        session,
        instance,
        compiled,
        workflow,
        now,
        rows=rows,
        timers=timers,
        tasks=tasks,
        parties=parties,
        awaited=awaited,
        calendar=calendar,
    )
