"""Rows from the workflow: what waits for whom, until when, and which messages are welcome.

The blob is the truth. After each step the open user tasks, waiting timers and awaited messages of the workflow are
compared with the instance's open rows: new ones are inserted, gone ones are closed with their cause.
"""

from contextlib import suppress
from typing import Any
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent
from SpiffWorkflow.bpmn.specs.event_definitions.message import MessageEventDefinition
from SpiffWorkflow.exceptions import TaskNotFoundException
from SpiffWorkflow.util.task import TaskState as LibraryState

from engine.definitions import expressions
from engine.definitions.diagrams import Diagram, Element, Lane, Message
from engine.definitions.events import LimitTimer
from engine.definitions.limits import Due
from engine.definitions.masking import masked_data
from engine.people.tables import Organisation
from engine.runtime.execution import (
    PAUSED,
    ElementFailed,
    boundary_events,
    element_of,
    newest_data,
    open_user_tasks,
    steps,
)
from engine.runtime.run import Run
from engine.runtime.tables import EventKind, Party, Subscription, Task, TaskState, Timer, TimerState

# By id: event, message, the lane that may send it, and the library's task that waits.
Awaited = dict[str, tuple[Element, Message, Lane, Any]]


def project(run: Run) -> None:
    with run.session.no_autoflush:  # everything is written in one go
        _project_timers(run)
        _project_tasks(run)
        _project_subscriptions(run)
        _project_instance(run)


def awaited_messages(diagram: Diagram, workflow: BpmnWorkflow) -> Awaited:
    """The messages people may send just now."""
    found = {}
    for task in _waiting(workflow, MessageEventDefinition):
        element = diagram.elements.get(element_of(task) or "")
        message = diagram.messages.get((element.message if element else None) or "")
        if element and message and message.lane:
            found[task.id.hex] = (element, message, message.lane, task)
    return found


def waiting_limits(workflow: BpmnWorkflow) -> list[Any]:
    """The library's tasks of timers that run."""
    return _waiting(workflow, LimitTimer)


def _waiting(workflow: BpmnWorkflow, definition: type) -> list[Any]:
    """The library's tasks of events of one kind that wait."""
    return [
        task
        for task in steps(workflow, LibraryState.WAITING)
        if isinstance(getattr(task.task_spec, "event_definition", None), definition) and element_of(task)
    ]


def _project_timers(run: Run) -> None:
    gone = dict(run.timers)
    for task in waiting_limits(run.workflow):
        id_ = task.id.hex
        if gone.pop(id_, None):
            continue
        limit = task.internal_data["limit"]
        due = run.due_of(task)
        said: dict[str, Any] = {
            "id": id_,
            "instance_id": run.instance.id,
            "element_id": element_of(task),
            "state": TimerState.WAITING,
            "limit": limit,
            "due_at": due.at,
            "fires_at": due.fires_at,
            "provisional": due.provisional,
            "region": limit.get("region", ""),
            "calendar_version": run.book.version,
            "shortened_to": None,
            "paused_at": None,
            "parked": False,
            "ended_at": None,
        }
        timer = run.timers[id_] = run.rows.add(Timer, said)
        known = {"limit": limit, "due_at": due.at.isoformat(), "provisional": due.provisional}
        known["calendar_version"] = run.book.version
        run.record(EventKind.LIMIT_STARTED, timer.element_id, timer_id=id_, **known)
    for id_, timer in gone.items():
        task = _known(run.workflow, id_)
        fired = task is not None and task.has_state(LibraryState.COMPLETED)
        timer.state = TimerState.FIRED if fired else TimerState.CANCELLED
        timer.ended_at = run.now
        del run.timers[id_]
        if not fired:
            run.record(EventKind.LIMIT_ENDED, timer.element_id, timer_id=id_, met=_done_in_time(task))


def _done_in_time(event: Any) -> bool:
    """Was what a boundary event is attached to completed, rather than taken away?"""
    attached_to = event.parent.children if event is not None and event.parent is not None else ()
    return any(
        task is not event and not isinstance(task.task_spec, BoundaryEvent) and task.has_state(LibraryState.COMPLETED)
        for task in attached_to
    )


def _known(workflow: BpmnWorkflow, row_id: str) -> Any:
    """The library's task of a row; None for a row that belongs to no step, which a repair has to be able to close."""
    with suppress(TaskNotFoundException):
        return workflow.get_task_from_id(UUID(row_id))
    return None


def _project_tasks(run: Run) -> None:
    open_tasks = {task.id.hex: task for task in open_user_tasks(run.workflow)}
    for row in [row for id_, row in run.tasks.items() if id_ not in open_tasks]:
        del run.tasks[row.id]
        if row.state == TaskState.OPEN:  # not completed by a person just now
            cause = _interrupting_event(_known(run.workflow, row.id)) or run.intervened
            row.state, row.closed_at, row.cancelled_by = TaskState.CANCELLED, run.now, cause
            run.record(EventKind.TASK_CANCELLED, row.element_id, task_id=row.id, by=cause)
    for id_, task in open_tasks.items():
        if id_ not in run.tasks:
            run.tasks[id_] = _open_task(run, task)


def _open_task(run: Run, task: Any) -> Task:
    element = run.element(element_of(task))
    if element is None or element.lane is None:
        raise ElementFailed(element_of(task))
    organisation = _organisation(run, element, element.lane, task)
    due = deadline(run, task)
    said: dict[str, Any] = {
        "id": task.id.hex,
        "instance_id": run.instance.id,
        "element_id": element.id,
        "name": element.name.zh,
        "name_en": element.name.en,
        "state": TaskState.OPEN,
        "role": element.lane.role,
        "organisation_id": organisation.id,
        "opened_at": run.now,
        "due_at": due.at if due else None,
        "provisional": due.provisional if due else False,
        "region": run.region(task.data),
        "claimed_by": None,
        "claimed_at": None,
        "closed_by": None,
        "closed_at": None,
        "cancelled_by": None,
    }
    row = run.rows.add(Task, said)
    if organisation.id not in run.parties:
        part = {"instance_id": run.instance.id, "role": organisation.role, "organisation_id": organisation.id}
        run.rows.append(Party, part)
        run.parties.add(organisation.id)
    run.record(EventKind.TASK_OPENED, element.id, task_id=row.id)
    return row


def _organisation(run: Run, element: Element, lane: Lane, task: Any) -> Organisation:
    try:
        return run.organisation(lane, task.data)
    except Exception as problem:  # nobody registered, or an expression that fails: an operator has to look
        raise ElementFailed(element.id) from problem


def deadline(run: Run, task: Any) -> Due | None:
    """The earliest limit on a user task or a sub-process around it, whether or not it has fired already; a limit that
    stands still doesn't count."""
    dues = []
    for event in boundary_events(task):
        if (limit := event.internal_data.get("limit")) and PAUSED not in limit:
            dues.append(run.due_of(event))
    return min(dues, key=lambda due: due.at, default=None)


def _interrupting_event(task: Any) -> str | None:
    """Element id of the boundary event that ended a cancelled task, its own or a surrounding sub-process's."""
    for event in boundary_events(task):
        if event.task_spec.cancel_activity and event.has_state(LibraryState.COMPLETED):
            return element_of(event)
    return None


def _project_subscriptions(run: Run) -> None:
    awaited = awaited_messages(run.compiled.diagram, run.workflow)
    for id_, (element, message, lane, task) in awaited.items():
        if id_ not in run.awaited:
            said = {
                "id": id_,
                "instance_id": run.instance.id,
                "element_id": element.id,
                "message": message.name,
                "role": lane.role,
                "organisation_id": _organisation(run, element, lane, task).id,
            }
            run.rows.append(Subscription, said)
    if gone := run.awaited - awaited.keys():
        run.rows.forget(gone)
    run.awaited = awaited.keys()


def _project_instance(run: Run) -> None:
    instance = run.instance
    if run.compiled.diagram.subject:
        with suppress(expressions.ExpressionFailed):  # not all of its variables are known yet
            data = masked_data(run.compiled.forms, newest_data(run.workflow))
            instance.subject = str(run.evaluate(run.compiled.diagram.subject, data))[:300]
    if instance.closed_at is None and run.workflow.is_completed():
        instance.closed_at = run.now
        run.record(EventKind.CLOSED)
