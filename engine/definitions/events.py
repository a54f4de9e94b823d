"""Events as BPMN 2.0 (13.5) has them: what is interrupted stops at once, and what is caught is caught once.

The library lets the next steps of an interrupted sub-process run before it looks at the interruption, hands the
thrower's variables to whoever catches, makes of all timers under one gateway a single one, and listens only once
where nothing is interrupted.
"""

# mypy: disallow-subclassing-any=False
# (the library comes without types)

from typing import Any

from SpiffWorkflow.bpmn.specs.defaults import (
    BoundaryEvent,
    EndEvent,
    IntermediateCatchEvent,
    IntermediateThrowEvent,
    SubWorkflowTask,
)
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import (
    CodeEventDefinition,
    ErrorEventDefinition,
    EscalationEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.bpmn.specs.event_definitions.simple import NoneEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.specs.mixins.bpmn_spec_mixin import BpmnSpecMixin
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from engine.definitions.joins import KNOWN, EndOfAllBranches, at_one_activity, tokens, united
from engine.definitions.normalising import WRAPPED

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class LimitTimer(TimerEventDefinition):
    """A timer whose text is a limit (`engine.definitions.limits`).

    The library would evaluate the text as Python and freeze a date; here the instance keeps what the limit *is*
    and whoever runs it says whether that is due.
    """

    def has_fired(self, my_task: Any) -> bool:
        if my_task.workflow.script_engine.is_due(my_task, self.expression):
            my_task._set_internal_data(event_fired=True)
        return bool(my_task._get_internal_data("event_fired", False))


class Signal(SignalEventDefinition):
    """Reaches whoever waits for it in this instance; it carries no variables."""

    def throw(self, my_task: Any) -> None:
        my_task.workflow.top_workflow.catch(BpmnEvent(self))


class _Code(CodeEventDefinition):
    """Caught by the nearest sub-process around the thrower whose boundary event waits for this code, or for any."""

    def throw(self, my_task: Any) -> None:
        level = my_task.workflow
        while level.parent_task_id is not None:
            host = level.top_workflow.get_task_from_id(level.parent_task_id)
            catchers = [event for event in events_at(host) if event.task_spec.event_definition == self]
            if catchers:  # rather the one that names the code
                event = max(catchers, key=lambda each: each.task_spec.event_definition.code is not None)
                event.task_spec.catch(event, BpmnEvent(self))
                event.task_spec._update(event)
                return
            level = host.workflow
        self.missed(my_task)

    def missed(self, my_task: Any) -> None:
        """Nobody has caught it."""


class Escalation(_Code, EscalationEventDefinition):
    pass


class Error(_Code, ErrorEventDefinition):
    def missed(self, my_task: Any) -> None:
        raise UncaughtError(self.code)


class UncaughtError(Exception):
    """The deploy gate sees to it that every error that is thrown is caught."""


class _Catching:
    """An event that waits, of the library's, and is not woken once it is over."""

    def catch(self, my_task: Any, event: Any) -> None:
        if _waits(my_task):
            super().catch(my_task, event)  # type: ignore[misc]

    def _update_hook(self, my_task: Any) -> bool:
        return not my_task.has_state(TaskState.FINISHED_MASK) and bool(super()._update_hook(my_task))  # type: ignore[misc]


class Catch(_Catching, IntermediateCatchEvent):
    """An intermediate event; behind an event-based gateway the first one to happen ends the others."""

    def _on_ready_hook(self, my_task: Any) -> None:
        super()._on_ready_hook(my_task)
        if isinstance(my_task.parent.task_spec, EventGateway):
            _cancel([other for other in my_task.parent.children if other is not my_task])


class EventGateway(BpmnSpecMixin):
    """An event-based gateway: all events behind it wait, each by itself."""


class Boundary(_Catching, BoundaryEvent):
    """A boundary event: one that interrupts ends its activity as it happens; any other goes on listening."""

    def _on_ready_hook(self, my_task: Any) -> None:
        super()._on_ready_hook(my_task)
        self._look_inside(my_task)
        if self.cancel_activity:
            _cancel([other for other in at_one_activity(my_task) if other is not my_task])
        elif not isinstance(self.event_definition, TimerEventDefinition):
            again = my_task.parent._add_child(self, TaskState.WAITING)
            self._predict(again, mask=TaskState.NOT_FINISHED_MASK)
            self._update(again)

    def _run_hook(self, my_task: Any) -> Any:
        before = dict(my_task.data)
        result = super()._run_hook(my_task)
        known = [key for key in my_task.internal_data.pop(KNOWN, ()) if my_task.data[key] == before[key]]
        if known:
            my_task.internal_data[KNOWN] = known
        return result

    def _look_inside(self, my_task: Any) -> None:
        """Learn what has been found out so far inside the sub-process the event sits on."""
        found: dict[str, Any] = {}
        for host in at_one_activity(my_task):
            if not isinstance(host.task_spec, BoundaryEvent) and (inside := _level_of(host)):
                found = _known_in(inside)
        news = {key: value for key, value in found.items() if key not in my_task.data or my_task.data[key] != value}
        my_task.data.update(news)
        my_task.internal_data[KNOWN] = list(news)


class Terminate(NoneEventDefinition):
    """Ends all else of its process or sub-process at once (BPMN 2.0, 13.5.6); what had ended before still counts."""

    def throw(self, my_task: Any) -> None:
        level = my_task.workflow
        _cancel(_unfinished(level))
        while level.parent_task_id is not None:
            host = level.top_workflow.get_task_from_id(level.parent_task_id)
            if not host.task_spec.name.endswith(WRAPPED):
                break
            level = host.workflow  # its event sub-processes run there
            _cancel([token for token in _unfinished(level) if token not in at_one_activity(host)])
        for end in my_task.children:
            end.task_spec._update(end)


class _Throwing:
    """Throws when it is done, so that nothing after it is ready if it turns out to interrupt itself."""

    event_definition: Any

    def _run_hook(self, my_task: Any) -> bool:
        return True

    def _on_complete_hook(self, my_task: Any) -> None:
        super()._on_complete_hook(my_task)  # type: ignore[misc]
        self.event_definition.throw(my_task)


class Throw(_Throwing, IntermediateThrowEvent):
    pass


class End(_Throwing, EndEvent):
    pass


class SubProcess(SubWorkflowTask):
    """An embedded sub-process; if it is interrupted from inside, it stays so."""

    def _on_subworkflow_completed(self, subworkflow: Any, my_task: Any) -> None:
        if not my_task.has_state(TaskState.FINISHED_MASK):
            super()._on_subworkflow_completed(subworkflow, my_task)


def events_at(host: Any) -> list[Any]:
    """The boundary events that wait at an activity."""
    return [event for event in at_one_activity(host) if isinstance(event.task_spec, BoundaryEvent) and _waits(event)]


def _waits(task: Any) -> bool:
    return bool(task.has_state(TaskState.WAITING)) and task.id in task.workflow.tasks


def _cancel(tasks: list[Any]) -> None:
    """End what is still open of these and of what they have begun, the innermost first."""
    for task in tasks:
        if not task.has_state(TaskState.FINISHED_MASK):
            for inner in reversed(task.workflow.get_tasks(task, state=_LIVE)):
                inner.cancel()
            task.cancel()


def _unfinished(level: Any) -> list[Any]:
    """The tokens that have not come to an end event yet."""
    return [token for token in tokens(level) if not isinstance(token.task_spec, EndOfAllBranches)]


def _level_of(task: Any) -> Any:
    return task.workflow.top_workflow.subprocesses.get(task.id)


def _known_in(level: Any) -> dict[str, Any]:
    """The variables that the open branches of a sub-process know together."""
    branches = []
    for token in tokens(level):
        branch = token if token.has_state(_LIVE) else token.parent  # what is only about to begin knows nothing yet
        if inside := _level_of(branch):
            branch.data.update(_known_in(inside))
        branches.append(branch)
    newest_first = sorted(branches, key=lambda branch: branch.last_state_change, reverse=True)
    return united(newest_first) if newest_first else {}
