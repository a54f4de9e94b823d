"""What people do to an instance: start it, claim and complete its tasks, send it a message. One transaction each.

Starting, completing and sending take a key, `once`: repeated by the same person with the same key, the command is not
done again and answers as it did the first time (see `engine.runtime.once`). Raises DoneOtherwise where the key was
used for something else.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from engine.audit.chain import GENESIS
from engine.calendar import versions
from engine.clock import SHANGHAI
from engine.database import new_id
from engine.definitions.tables import DefinitionInForce
from engine.errors import InstanceClosed, NotFound, NothingWaits, Refusal, TaskCancelled, TaskClaimed, TaskDone
from engine.people import access
from engine.people.access import Action
from engine.people.accounts import Actor, key_of
from engine.people.tables import Account, Role
from engine.runtime import history, numbers
from engine.runtime.execution import ElementFailed, open_user_tasks
from engine.runtime.history import moment_in, referred_to
from engine.runtime.next_task import first_open_task
from engine.runtime.once import AlreadyDone, CommandKind, Once
from engine.runtime.rows import Rows, locked, locked_rows
from engine.runtime.run import Run
from engine.runtime.runtime import Runtime
from engine.runtime.store import Named, guarded, new_run, opened, save
from engine.runtime.submissions import accept
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import EventKind, Instance, Party, Subscription, Task, TaskState
from engine.runtime.wording import cause
from engine.text import Text

Answers = Mapping[str, Mapping[str, Any]]  # form → field → value


def start(
    runtime: Runtime, *, process_id: str, answers: Answers, actor: Actor, now: datetime, once: str | None = None
) -> str:
    """Start an instance on the version in force; returns its id. Raises NotFound, NotAllowed, FormRefused, Broken."""
    command = _once(actor, once, CommandKind.START, (process_id,), answers)
    try:
        return _start(runtime, process_id, answers, actor, now, command)
    except AlreadyDone as done:
        return done.result


def _start(runtime: Runtime, process_id: str, answers: Answers, actor: Actor, now: datetime, once: Once | None) -> str:
    access.require(actor, Action.START_APPLICATION)
    instance_id = new_id()
    with guarded(runtime, now=now, action="start"), runtime.database.write() as session:
        if once:
            once.take(session, instance_id, now)
        in_force = session.get(DefinitionInForce, process_id)
        if in_force is None:
            raise NotFound()
        compiled = runtime.definitions.get(session, in_force.version_id)
        rows = Rows(session)
        instance = rows.add(Instance, _begun(instance_id, in_force.version_id, actor, now))
        part = {"instance_id": instance_id, "role": actor.role, "organisation_id": actor.organisation_id}
        rows.append(Party, part)
        rows.write()  # what a handler writes may refer to it
        workflow = BpmnWorkflow(compiled.spec, dict(compiled.subprocess_specs))
        calendar = cache(lambda: versions.newest(session))
        run = new_run(
            runtime,
            session,
            instance,
            workflow,
            now,
            rows=rows,
            timers={},
            tasks={},
            parties={actor.organisation_id},
            calendar=calendar,
        )
        workflow.task_tree.data["starter"] = {
            "organisation": key_of(session, actor),
            "started_at": now.isoformat(),
        }
        given, answered = accept(run, compiled.diagram.start_forms, answers, workflow.task_tree.data, actor)
        run.record(EventKind.STARTED, actor_id=actor.account_id, answers=referred_to(answered))
        workflow.task_tree.data.update(given)
        run.advance()
        save(run)
    return instance_id


def _begun(instance_id: str, version_id: str, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "id": instance_id,
        "version_id": version_id,
        "number": None,
        "organisation_id": actor.organisation_id,
        "started_by": actor.account_id,
        "started_at": now,
        "subject": "",
        "outcome": None,
        "decided_at": None,
        "closed_at": None,
        "suspended_at": None,
        "ended_early": None,
        "history_length": 0,
        "history_head": GENESIS,
        "history_at": None,
        "anchored_length": 0,
        "revision": 1,
        "state": b"",
    }


def claim(runtime: Runtime, task_id: str, actor: Actor, now: datetime) -> None:
    """Take an open task for oneself. Raises NotFound, TaskClaimed, TaskDone, TaskCancelled."""
    with _own_open_task(runtime, task_id, actor) as (session, instance, task):
        if task.claimed_by is None:
            _claim(task, actor, moment_in(instance, now))
            _record(session, instance, EventKind.TASK_CLAIMED, task, actor, now)


def release(runtime: Runtime, task_id: str, actor: Actor, now: datetime) -> None:
    """Put a task one has claimed back for colleagues. Raises NotFound, TaskClaimed, TaskDone, TaskCancelled."""
    with _own_open_task(runtime, task_id, actor) as (session, instance, task):
        if task.claimed_by is not None:
            task.claimed_by = task.claimed_at = None
            _record(session, instance, EventKind.TASK_RELEASED, task, actor, now)


def complete(
    runtime: Runtime, task_id: str, answers: Answers, actor: Actor, now: datetime, *, once: str | None = None
) -> str | None:
    """Answer an open task; an unclaimed one is claimed by it. Returns the id of the actor's next task in the same
    instance, where there is one: what `inbox.first_open_task` would find.

    Raises NotFound, FormRefused (nothing is changed), TaskDone, TaskCancelled or TaskClaimed (too late), Broken.
    """
    command = _once(actor, once, CommandKind.COMPLETE, (task_id,), answers)
    of_task = instance_of_task(task_id, actor)
    try:
        with opened(runtime, of_task, now=now, action="complete", once=command) as run:
            _answer(runtime, run, task_id, answers, actor)
    except AlreadyDone as done:
        with runtime.database.read() as session:
            return first_open_task(session, done.result, actor)
    own = [row for row in run.tasks.values() if access.has_in_inbox(actor, row.organisation_id, row.role)]
    first = min(own, key=lambda row: (row.due_at is None, row.due_at, row.opened_at, row.id), default=None)
    return first.id if first else None


def _answer(runtime: Runtime, run: Run, task_id: str, answers: Answers, actor: Actor) -> None:
    row = run.task(task_id)
    refuse_unless_open(runtime, run.session, row, actor)
    refuse_suspended(run.session, run.instance)
    element = run.compiled.diagram.elements[row.element_id]
    task = next(t for t in open_user_tasks(run.workflow) if t.id == UUID(task_id))
    given, rows = accept(run, element.forms, answers, task.data, actor, task_id=task_id)
    task.data.update(given)
    if element.number and run.instance.number is None:
        try:
            prefix = run.evaluate(element.number, task.data)
            run.instance.number = numbers.next_number(run.session, prefix, run.now)
        except Refusal as problem:  # the diagram's fault, not the sender's
            raise ElementFailed(element.id) from problem
    task.run()
    if row.claimed_by is None:
        _claim(row, actor, run.now)
    row.state, row.closed_by, row.closed_at = TaskState.COMPLETED, actor.account_id, run.now
    run.record(EventKind.TASK_COMPLETED, element.id, actor.account_id, task_id=task_id, answers=referred_to(rows))


def send_message(
    runtime: Runtime,
    instance_id: str,
    message: str,
    answers: Answers,
    actor: Actor,
    now: datetime,
    *,
    once: str | None = None,
) -> None:
    """Send a message the diagram waits for, with its form. Raises NotFound, NothingWaits, FormRefused, Broken."""
    access.require(actor, Action.SEND_MESSAGES)
    command = _once(actor, once, CommandKind.MESSAGE, (instance_id, message), answers)
    with suppress(AlreadyDone), opened(runtime, instance_id, now=now, action="message", once=command) as run:
        party = run.session.get(Party, (instance_id, actor.role, actor.organisation_id))
        definition = run.compiled.diagram.messages.get(message)
        if party is None or definition is None or definition.lane is None or definition.lane.role != actor.role:
            raise NotFound()
        waiting = run.session.scalars(
            select(Subscription).where(
                Subscription.instance_id == instance_id,
                Subscription.message == message,
                Subscription.organisation_id == actor.organisation_id,
            )
        ).first()
        if waiting is None:
            if run.instance.closed_at:
                raise InstanceClosed()
            raise NothingWaits(message=definition.menu)
        refuse_suspended(run.session, run.instance)
        task = run.workflow.get_task_from_id(UUID(waiting.id))
        given, rows = accept(run, definition.forms, answers, task.data, actor, message=message)
        run.record(
            EventKind.MESSAGE_RECEIVED,
            waiting.element_id,
            actor.account_id,
            message=message,
            answers=referred_to(rows),
        )
        run.workflow.send_event(BpmnEvent(MessageEventDefinition(message), payload=given))


def _once(actor: Actor, key: str | None, kind: CommandKind, about: tuple[str, ...], answers: Answers) -> Once | None:
    return None if key is None else Once(actor.account_id, key, kind, about, answers)


def own_task(task_id: str | BindParameter[str], actor: Actor) -> Select[Task]:
    """A task of the actor's inbox, in any state; whatever else is asked for is not found."""
    return select(Task).where(Task.id == task_id, access.works_on_task(actor, Task.organisation_id, Task.role))


def instance_of_task(task_id: str, actor: Actor) -> Named:
    """The instance of such a task, under its lock: a query built once for each role."""
    return _instance_of_task(actor.role), {"task_id": task_id, "organisation_id": actor.organisation_id}


@cache
def _instance_of_task(role: Role) -> Select[Any]:
    return locked(own_task(bindparam("task_id"), access.anybody(role)).with_only_columns(Task.instance_id))


@contextmanager
def _own_open_task(runtime: Runtime, task_id: str, actor: Actor) -> Iterator[tuple[Session, Instance, Task]]:
    """One transaction on a task of one's inbox that leaves the workflow as it is, and so does not load it.

    It locks the instance first, as everything does that touches one: two that lock in different orders may wait for
    each other for ever.
    """
    own = own_task(task_id, actor)
    of_task = own.with_only_columns(Task.instance_id).scalar_subquery()
    with runtime.database.write() as session:
        instance = session.scalar(locked_rows(Instance.id == of_task))
        if instance is None:
            raise NotFound()
        task = session.scalars(own).one()
        refuse_unless_open(runtime, session, task, actor)
        refuse_suspended(session, instance)
        yield session, instance, task


def _record(session: Session, instance: Instance, kind: EventKind, task: Task, actor: Actor, now: datetime) -> None:
    history.append(
        session, instance, kind, at=now, element_id=task.element_id, actor_id=actor.account_id, task_id=task.id
    )


def refuse_unless_open(runtime: Runtime, session: Session, task: Task, actor: Actor) -> None:
    refuse_closed(runtime, session, task)
    if task.claimed_by not in (None, actor.account_id):
        raise TaskClaimed(who=_name(session, task.claimed_by))


def refuse_closed(runtime: Runtime, session: Session, task: Task) -> None:
    if task.state == TaskState.COMPLETED:
        when = task.closed_at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M") if task.closed_at else ""
        raise TaskDone(who=_name(session, task.closed_by), when=when)
    if task.state == TaskState.CANCELLED:
        raise TaskCancelled(cause=_cause(runtime, session, task))


def _claim(task: Task, actor: Actor, now: datetime) -> None:
    task.claimed_by, task.claimed_at = actor.account_id, now


def _cause(runtime: Runtime, session: Session, task: Task) -> Text:
    """In the diagram's words, what interrupted a task."""
    instance = session.get_one(Instance, task.instance_id)
    if task.cancelled_by is None:
        return Text("流程的其他分支", "another branch of the process")
    return cause(runtime.definitions.get(session, instance.version_id).diagram, task.cancelled_by)


def _name(session: Session, account_id: str | None) -> str:
    account = session.get(Account, account_id) if account_id else None
    return account.name if account else ""
