"""Moving a token: taking an instance from the step it waits at to another step of the same scope.

The library knows no such thing. The step is cancelled together with the events on its boundary, and the other one
starts in its place, with the same data, as a branch of its own; branches that side events have led into stay.
"""

from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.defaults import BoundaryEvent, EventBasedGateway, InclusiveGateway, ParallelGateway
from SpiffWorkflow.util.task import TaskState

from engine.definitions.diagrams import Diagram, Element
from engine.definitions.repeating import Repeated
from engine.errors import Conflict, Invalid, Refusal
from engine.levers.interventions import by_operator, number_of, record, tell_parties
from engine.people.accounts import Actor
from engine.runtime.execution import ElementFailed, element_of
from engine.runtime.once import AlreadyDone
from engine.runtime.projection import project
from engine.runtime.reasons import checked
from engine.runtime.run import Run
from engine.runtime.runtime import Runtime
from engine.runtime.suspension import refuse_suspended
from engine.runtime.tables import EventKind
from engine.runtime.wording import element_name
from engine.text import Text

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class StepOver(Conflict):
    sentence = Text(
        "流程已不在这一步等待，没有转移；请刷新页面查看现状。",
        "The process is not waiting at this step any more; nothing was moved. Refresh the page.",
    )


class TargetRefused(Invalid):
    sentence = Text("不能转到“{to}”：{why}", "It can't be moved to “{to}”: {why}")


UNKNOWN = Text("这一版流程图里没有这个元素。", "this version of the diagram has no such element.")
NO_STEP = Text("它不是流程步骤，或者是开始事件、边界事件。", "it is no step, or a start event or a boundary event.")
OTHER_SCOPE = Text("它在另一个（子）流程里。", "it is in another process or sub-process.")
OTHER_BRANCH = Text(
    "它在并行网关的另一条分支上或另一侧，转过去后各分支将无法汇合。",
    "it is on another branch or the other side of a parallel gateway, and the branches could not meet again.",
)

LACKING = Text("“{at}”需要的内容还没有。{problem}", "“{at}” needs what is not there yet. {problem}")


@dataclass(frozen=True, slots=True)
class Token:
    """A step an instance waits at; `id` is that of its row, where it has one."""

    id: str
    element: Element
    targets: tuple[Element, ...]


def tokens(diagram: Diagram, workflow: BpmnWorkflow) -> list[Token]:
    """Where an instance stands, and where each of its tokens may be moved to, in the order of the diagram."""
    order = list(diagram.elements)
    found = [Token(t.id.hex, diagram.elements[element_of(t) or ""], _targets(diagram, t)) for t in _waiting(workflow)]
    return sorted(found, key=lambda token: order.index(token.element.id))


def move(
    runtime: Runtime,
    instance_id: str,
    token_id: str,
    to: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    once: str | None = None,
) -> None:
    """Take a token to another element of the same scope, and let the instance go on from there.

    Raises NotFound, NotAllowed, ReasonMissing, InstanceClosed, Suspended, StepOver, TargetRefused, Broken.
    """
    about = ("move", reason, actor, now, once, token_id, to)
    with suppress(AlreadyDone), by_operator(runtime, instance_id, *about) as run:
        refuse_suspended(run.session, run.instance)
        task = next((t for t in _waiting(run.workflow) if t.id.hex == token_id), None)
        if task is None:
            raise StepOver()
        diagram = run.compiled.diagram
        spec = _spec_of(diagram, task, to)
        left = element_of(task)
        run.intervened = EventKind.MOVED
        record(run, EventKind.MOVED, actor, reason, element_id=left, to=to)
        _take_away(task)
        _start(task, spec)
        _go_on(run, to)
        steps = {"step": element_name(diagram, left), "to": element_name(diagram, to)}
        tell_parties(run, TOLD.filled(number=number_of(run.instance), reason=checked(reason), **steps), to)


def _go_on(run: Run, to: str) -> None:
    """Let the other step begin. Where the instance lacks what it needs, that is no failure but a bad choice."""
    try:
        run.advance()
        project(run)
    except ElementFailed as failed:
        if not isinstance(failed.__cause__, Refusal):
            raise
        diagram = run.compiled.diagram
        at = element_name(diagram, failed.element_id)
        why = LACKING.filled(at=at, problem=failed.__cause__.text)
        raise TargetRefused(to=element_name(diagram, to), why=why) from failed


TOLD = Text(
    "申请 {number} 已由管理员从“{step}”转到“{to}”。理由：{reason}",
    "An administrator moved application {number} from “{step}” to “{to}”. Reason: {reason}",
)


def _waiting(workflow: BpmnWorkflow) -> Iterator[Any]:
    """The library's tasks at which tokens wait: for a person, an event or a sub-process."""
    for level in (workflow, *workflow.subprocesses.values()):
        for task in level.tasks.values():
            spec = task.task_spec
            waits = spec.manual or task.id in workflow.subprocesses or hasattr(spec, "event_definition")
            if task.parent is not None and isinstance(task.parent.task_spec, Repeated):
                continue  # one of several that are done at once: they go together
            if not (waits or isinstance(spec, Repeated)) or isinstance(spec, BoundaryEvent):
                continue
            if task.has_state(_LIVE) and element_of(task):
                yield task


def _targets(diagram: Diagram, task: Any) -> tuple[Element, ...]:
    reached = _same_branch(task.task_spec)
    return tuple(e for e in diagram.elements.values() if _may_start(e) and e.id in reached)


def _may_start(element: Element) -> bool:
    return element.type not in {"startEvent", "boundaryEvent"}


def _spec_of(diagram: Diagram, task: Any, to: str) -> Any:
    """What the library starts for an element; raises TargetRefused."""
    element, level = diagram.elements.get(to), task.workflow.spec
    why = None
    if element is None:
        why = UNKNOWN
    elif not _may_start(element):
        why = NO_STEP
    elif not any(spec.bpmn_id == to for spec in _drawn(level)):
        why = OTHER_SCOPE
    elif to not in _same_branch(task.task_spec):
        why = OTHER_BRANCH
    if why:
        raise TargetRefused(to=element_name(diagram, to), why=why)
    spec = max((spec for spec in _drawn(level) if spec.bpmn_id == to), key=lambda spec: isinstance(spec, Repeated))
    return next((before for before in spec.inputs if isinstance(before, BoundaryEventSplit)), spec)


def _drawn(level: Any) -> Iterator[Any]:
    return (spec for spec in level.task_specs.values() if getattr(spec, "bpmn_id", None))


def _same_branch(spec: Any) -> set[str]:
    """The elements a token can be at instead of this one without a branch too many or too few: those connected with
    it, along and against the flows, by a way that passes no gateway at which branches part or meet, no end event and
    no event that leads into a branch beside."""
    ways: dict[Any, list[Any]] = {}
    for each in _drawn(spec._wf_spec):
        for after in _after(each):
            ways.setdefault(each, []).append(after)
            ways.setdefault(after, []).append(each)
    found, waiting = {spec}, [spec]
    while waiting:
        each = waiting.pop()
        if each is spec or any(_after(each)):  # at an end event several branches may end
            new = [near for near in ways.get(each, ()) if near not in found]
            found.update(new)
            waiting += new
    return {each.bpmn_id for each in found}


def _after(spec: Any) -> Iterator[Any]:
    """What one token goes on to; from an activity also to the events that interrupt it."""
    if isinstance(spec, EventBasedGateway) or _parts_or_joins(spec):
        return
    for after in spec.outputs:
        if isinstance(after, BoundaryEventSplit):
            after = next(each for each in after.outputs if not isinstance(each, BoundaryEvent))
        if getattr(after, "bpmn_id", None) and not _parts_or_joins(after):
            yield after
    if not isinstance(spec, BoundaryEvent):
        for split in spec.inputs:
            if isinstance(split, BoundaryEventSplit):
                yield from (each for each in split.outputs if isinstance(each, BoundaryEvent) and each.cancel_activity)


def _parts_or_joins(spec: Any) -> bool:
    gateway = isinstance(spec, ParallelGateway | InclusiveGateway)
    return gateway and (len(spec.inputs) > 1 or len(spec.outputs) > 1)


def _take_away(task: Any) -> None:
    """End the step a token waits at, and the events that wait on its boundary."""
    inner = task.workflow.top_workflow.subprocesses.get(task.id)
    if inner is not None and inner.last_task is not None:
        task.data = deepcopy(inner.last_task.data)  # what was filled in inside is not forgotten
    task.cancel()
    if isinstance(task.parent.task_spec, BoundaryEventSplit):
        for event in task.parent.children:
            for over in event.children if event.has_state(TaskState.COMPLETED) else [event]:
                if over is not task and (over is event or isinstance(over.task_spec, BoundaryEventJoin)):
                    over.cancel()


def _start(task: Any, spec: Any) -> None:
    """Start another step where a task has ended, with what that one knew."""
    new = task._add_child(spec, TaskState.FUTURE)
    new.triggered = True
    spec._predict(new, mask=TaskState.FUTURE | TaskState.PREDICTED_MASK)
    spec._update(new)
