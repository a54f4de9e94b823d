"""Rows from the workflow: what waits for whom, until when, and which messages are welcome.

The blob is the truth. After each step the open user tasks, waiting timers and awaited messages of the workflow are
compared with the instance's open rows: new ones are inserted, gone ones are closed with their cause.
"""

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.util.task import TaskState as LibraryState
from sqlalchemy import delete, select

from engine.definitions import expressions
from engine.definitions.diagrams import Element, Lane
from engine.definitions.limits import Due
from engine.definitions.specs import LimitTimer
from engine.people.tables import Organisation
from engine.runtime.execution import (
    ElementFailed,
    boundary_events,
    due_of,
    element_of,
    open_user_tasks,
)
from engine.runtime.tables import EventKind, Party, Subscription, Task, TaskState, Timer, TimerState

if TYPE_CHECKING:
    from engine.runtime.run import Run


def project(run: "Run") -> None:
    waiting = [
        t
        for t in run.workflow.get_tasks(state=LibraryState.WAITING)
        if hasattr(t.task_spec, "event_definition") and element_of(t)
    ]
    _project_timers(run, [t for t in waiting if isinstance(t.task_spec.event_definition, LimitTimer)])
    _project_tasks(run, open_user_tasks(run.workflow))
    _project_subscriptions(
        run, [t for t in waiting if isinstance(t.task_spec.event_definition, MessageEventDefinition)]
    )
    _project_instance(run)


def _project_timers(run: "Run", waiting: list[Any]) -> None:
    gone = dict(run.timers)
    for task in waiting:
        id_ = task.id.hex
        if gone.pop(id_, None):
            continue
        limit = task.internal_data["limit"]
        due = due_of(limit, None)
        timer = Timer(
            id=id_,
            instance_id=run.instance.id,
            element_id=element_of(task),
            state=TimerState.WAITING,
            limit=limit,
            due_at=due.at,
            provisional=due.provisional,
        )
        run.session.add(timer)
        run.timers[id_] = timer
    for id_, timer in gone.items():
        fired = run.workflow.get_task_from_id(UUID(id_)).has_state(LibraryState.COMPLETED)
        timer.state = TimerState.FIRED if fired else TimerState.CANCELLED
        timer.ended_at = run.now
        del run.timers[id_]


def _project_tasks(run: "Run", open_tasks: list[Any]) -> None:
    rows = {
        row.id: row
        for row in run.session.scalars(
            select(Task).where(Task.instance_id == run.instance.id, Task.state == TaskState.OPEN)
        )
    }
    still_open = {task.id.hex for task in open_tasks}
    for row in [row for id_, row in rows.items() if id_ not in still_open]:
        cause = _interrupting_event(run.workflow.get_task_from_id(UUID(row.id)))
        row.state = TaskState.CANCELLED
        row.closed_at = run.now
        row.cancelled_by = cause
        run.record(EventKind.TASK_CANCELLED, row.element_id, task_id=row.id, by=cause)
    for task in open_tasks:
        if task.id.hex not in rows:
            _open_task(run, task)


def _open_task(run: "Run", task: Any) -> None:
    element = run.element(element_of(task))
    if element is None or element.lane is None:
        raise ElementFailed(element_of(task))
    organisation = _organisation(run, element, element.lane, task)
    due = _deadline(run, task)
    run.session.add(
        Task(
            id=task.id.hex,
            instance_id=run.instance.id,
            element_id=element.id,
            name=element.name.zh,
            name_en=element.name.en,
            state=TaskState.OPEN,
            role=element.lane.role,
            organisation_id=organisation.id,
            opened_at=run.now,
            due_at=due.at if due else None,
            provisional=due.provisional if due else False,
        )
    )
    run.session.merge(Party(instance_id=run.instance.id, role=organisation.role, organisation_id=organisation.id))
    run.record(EventKind.TASK_OPENED, element.id, task_id=task.id.hex)


def _organisation(run: "Run", element: Element, lane: Lane, task: Any) -> Organisation:
    try:
        return run.organisation(lane, task.data)
    except Exception as problem:  # nobody registered, or an expression that fails: an operator has to look
        raise ElementFailed(element.id) from problem


def _deadline(run: "Run", task: Any) -> Due | None:
    """The earliest limit on a user task or a sub-process around it, whether or not it has fired already."""
    dues = []
    for event in boundary_events(task):
        if limit := event.internal_data.get("limit"):
            timer = run.timers.get(event.id.hex)
            dues.append(due_of(limit, timer.due_at if timer else None))
    return min(dues, key=lambda due: due.at, default=None)


def _interrupting_event(task: Any) -> str | None:
    """Element id of the boundary event that ended a cancelled task, its own or a surrounding sub-process's."""
    for event in boundary_events(task):
        if event.task_spec.cancel_activity and event.has_state(LibraryState.COMPLETED):
            return element_of(event)
    return None


def _project_subscriptions(run: "Run", waiting: list[Any]) -> None:
    known = set(run.session.scalars(select(Subscription.id).where(Subscription.instance_id == run.instance.id)))
    wanted = {}
    for task in waiting:
        element = run.element(element_of(task))
        message = run.compiled.diagram.messages.get((element.message if element else None) or "")
        if element and message and message.lane:
            wanted[task.id.hex] = (element, message, message.lane, task)
    for id_, (element, message, lane, task) in wanted.items():
        if id_ not in known:
            organisation = _organisation(run, element, lane, task)
            run.session.add(
                Subscription(
                    id=id_,
                    instance_id=run.instance.id,
                    element_id=element.id,
                    message=message.name,
                    role=lane.role,
                    organisation_id=organisation.id,
                )
            )
    if gone := known - wanted.keys():
        run.session.execute(delete(Subscription).where(Subscription.id.in_(gone)))


def _project_instance(run: "Run") -> None:
    instance = run.instance
    if run.compiled.diagram.subject and (last := run.workflow.last_task):
        with suppress(expressions.ExpressionFailed):  # not all of its variables are known yet
            instance.subject = str(run.evaluate(run.compiled.diagram.subject, last.data))[:300]
    if instance.closed_at is None and run.workflow.is_completed():
        instance.closed_at = run.now
        run.record(EventKind.CLOSED)
