"""The one way to touch an instance: lock, re-read, run, act, run, project, commit."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache, partial

from SpiffWorkflow.bpmn import BpmnWorkflow
from sqlalchemy import ScalarSelect, select, update
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.exc import StaleDataError

from engine.calendar import versions
from engine.calendar.book import Book
from engine.errors import Broken, Conflict, NotFound, Refusal
from engine.people.tables import Organisation
from engine.runtime import projection, state
from engine.runtime.discretion import discreet
from engine.runtime.execution import NEVER, ElementFailed, ScriptEngine
from engine.runtime.history import moment_in
from engine.runtime.once import Once
from engine.runtime.pruning import prune
from engine.runtime.run import Run
from engine.runtime.runtime import Runtime
from engine.runtime.tables import UNENDED, Incident, Instance, Party, Task, Timer, TimerState

# Who takes part in an instance, by what they are found, where they are told and what waits for them, and the newest
# calendar's version: one statement.
_PARTIES = select(Party, versions.NEWEST).options(
    joinedload(Party.organisation).options(joinedload(Organisation.keys), joinedload(Organisation.contacts)),
    joinedload(Party.open_tasks),
)


@contextmanager
def opened(
    runtime: Runtime,
    instance_id: str | ScalarSelect[str],
    *,
    now: datetime,
    action: str,
    once: Once | None = None,
    skip_locked: bool = False,
    first: Callable[[Session, Instance], None] | None = None,
) -> Iterator[Run]:
    """One transaction on one instance (or the one a query names), brought up to date before the block and saved
    after it; it happens at `run.now`. With `skip_locked` an instance that somebody else has in hand is not found
    (PostgreSQL; on SQLite one queues). `first` is done under the lock, before anything of the instance is read.

    Raises NotFound, Conflict, what the block refuses, and Broken (see `guarded`); with `once`, what taking it raises.
    """
    with guarded(runtime, now=now, action=action) as concerned, runtime.database.write() as session:
        named = select(Instance).where(Instance.id == instance_id)
        instance = session.scalar(named.with_for_update(skip_locked=skip_locked))
        if instance is None:
            raise NotFound()
        concerned.append(instance.id)
        if once:
            once.take(session, instance.id, now)
        if first:
            first(session, instance)
        (run,) = _restored(runtime, session, [instance], now)
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
        named = select(Instance).where(Instance.id.in_(instance_ids))
        locked = session.scalars(named.with_for_update(skip_locked=True)).all()
        # Somebody else may have fired some meanwhile: only what is read under the lock counts.
        due = [run for run in _restored(runtime, session, locked, now) if run.is_due()]
        for run in due:
            run.advance()
            save(run)
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
    """Write the blob and its projections; the mapper swaps the revision it read for the next one, or fails."""
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


def _restored(runtime: Runtime, session: Session, instances: Sequence[Instance], now: datetime) -> Iterator[Run]:
    ids = [instance.id for instance in instances]
    timers: dict[str, dict[str, Timer]] = {id_: {} for id_ in ids}
    for timer in session.scalars(select(Timer).where(Timer.instance_id.in_(ids), Timer.state.in_(UNENDED))):
        timers[timer.instance_id][timer.id] = timer
    tasks: dict[str, dict[str, Task]] = {id_: {} for id_ in ids}
    parties: dict[str, set[str]] = {id_: set() for id_ in ids}
    organisations, contacts = (session.info.setdefault(name, {}) for name in ("organisations", "contacts"))
    calendar = cache(lambda: versions.newest(session))
    for party, version in session.execute(_PARTIES.where(Party.instance_id.in_(ids))).unique():
        calendar = cache(partial(versions.at, session, version))
        parties[party.instance_id].add(party.organisation_id)
        tasks[party.instance_id].update((task.id, task) for task in party.open_tasks)
        organisations.update(((each.role, each.key), party.organisation) for each in party.organisation.keys)
        contacts[party.organisation_id] = [each for each in party.organisation.contacts if each.active]
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
        timers=timers,
        tasks=tasks,
        parties=parties,
        awaited=awaited,
        calendar=calendar,
    )
