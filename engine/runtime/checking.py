"""The checker: what the rows of an instance should be, recomputed from its state, against what they are.

The state is the truth. Rows only disagree with it after somebody changed the database by hand, restored a part of a
backup, or met a bug; then a limit may never run out, or a task stands in no inbox. Repairing projects the state anew,
under the instance's lock, and leaves an incident that says what was wrong.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine.definitions.diagrams import Diagram
from engine.errors import Broken
from engine.people.tables import Organisation
from engine.runtime import projection, state
from engine.runtime.execution import element_of, open_user_tasks
from engine.runtime.runtime import Definitions, Runtime
from engine.runtime.store import opened
from engine.runtime.tables import (
    UNENDED,
    Answer,
    Incident,
    Instance,
    Party,
    Subscription,
    Task,
    TaskState,
    Timer,
    TimerState,
)
from engine.text import Text

log = logging.getLogger(__name__)

ACTION = "repair"  # what incidents call it
BATCH = 50  # instances whose states are in memory at once
SLICE = 20  # instances that a patrol looks at each time


class Wrong(Enum):
    """What can be wrong, and how a person is told."""

    UNREADABLE = Text("流程状态无法读取", "its state can't be read")
    TASK_MISSING = Text("待办任务没有记录", "a task that waits has no row")
    TASK_EXTRA = Text("任务记录显示待办，流程中却没有", "a row says a task waits, but none does")
    TIMER_MISSING = Text("时限没有记录，不会到期", "a limit that runs has no row and would never run out")
    TIMER_EXTRA = Text("时限记录显示等待，流程中却没有", "a row says a limit runs, but none does")
    MESSAGE_MISSING = Text("可接收的消息没有记录", "a message that is awaited has no row")
    MESSAGE_EXTRA = Text("消息记录显示可接收，流程中却没有", "a row says a message is awaited, but none is")
    PARTY_MISSING = Text("参与单位没有登记，看不到该申请", "an organisation that takes part is not registered for it")
    NOT_CLOSED = Text("流程已结束，记录未标明", "it has come to its end, but is not marked closed")
    CLOSED = Text("记录标明已结束，流程尚未结束", "it is marked closed, but has not come to its end")


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`row_id` is the row's, there or missing; for a party the organisation's."""

    instance_id: str
    wrong: Wrong
    row_id: str | None = None
    element_id: str | None = None

    def __str__(self) -> str:
        where = " ".join(part for part in (self.element_id, self.row_id) if part)
        return f"{self.wrong.name.lower()} {where}".rstrip()


def check(session: Session, definitions: Definitions, instance_ids: Iterable[str] | None = None) -> list[Discrepancy]:
    """What is wrong with all instances, or with these. Changes nothing, and locks nothing: an instance that moves on
    while it is being read is left out, for it has just been brought in line."""
    wanted = list(session.scalars(select(Instance.id).order_by(Instance.id))) if instance_ids is None else instance_ids
    ids = list(wanted)
    found: list[Discrepancy] = []
    for first in range(0, len(ids), BATCH):
        found += _check_batch(session, definitions, ids[first : first + BATCH])
    return found


def repair(runtime: Runtime, instance_id: str, now: datetime) -> list[Discrepancy]:
    """Bring the rows of an instance in line with its state; returns what was wrong with them.

    Raises NotFound and Broken (state unreadable, or it can't be projected: an incident says why).
    """
    wrong: list[Discrepancy] = []

    def mend(session: Session, instance: Instance) -> None:
        wrong.extend(check(session, runtime.definitions, [instance.id]))
        missing = {each.row_id for each in wrong if each.wrong in (Wrong.TASK_MISSING, Wrong.TIMER_MISSING)}
        for each in wrong:
            if each.wrong is not Wrong.TASK_EXTRA or each.row_id not in missing:  # else it names the wrong element
                _mend_row(session, instance, each)

    with opened(runtime, instance_id, now=now, action=ACTION, first=mend) as run:
        missing = {each.row_id for each in wrong if each.wrong is Wrong.MESSAGE_MISSING}
        run.awaited = {id_ for id_ in run.awaited if id_ not in missing}  # or the projection would take them as there
        if wrong:
            what = "\n".join(map(str, wrong))
            log.error("instance %s did not agree with its rows: %s", instance_id, what)
            run.session.add(Incident(instance_id=instance_id, action=ACTION, cause=what, stack="", at=now, last_at=now))
    return wrong


class Patrol:
    """Checks the running instances a few at a time, round and round, and repairs what it finds."""

    def __init__(self, runtime: Runtime, size: int = SLICE) -> None:
        self._runtime = runtime
        self._size = size
        self._last = ""  # id of the instance checked last

    def next_slice(self, now: datetime) -> list[Discrepancy]:
        """The next few; returns what was wrong and has been repaired."""
        running = select(Instance.id).where(Instance.closed_at.is_(None)).order_by(Instance.id)
        with self._runtime.database.read() as session:
            ids = session.scalars(running.where(Instance.id > self._last).limit(self._size)).all()
            found = check(session, self._runtime.definitions, ids)
            # What could not be repaired waits for an operator; there is no need to fail on every round.
            given_up = set(
                session.scalars(
                    select(Incident.instance_id).where(
                        Incident.action == ACTION, Incident.stack != "", Incident.resolved_at.is_(None)
                    )
                )
            )
        self._last = ids[-1] if len(ids) == self._size else ""
        return repair_all(self._runtime, [each for each in found if each.instance_id not in given_up], now)


def repair_all(runtime: Runtime, found: Iterable[Discrepancy], now: datetime) -> list[Discrepancy]:
    """Repair every instance something was found of; one that can't be repaired does not keep the others from it."""
    repaired = []
    for instance_id in dict.fromkeys(each.instance_id for each in found):
        try:
            repaired += repair(runtime, instance_id, now)
        except Broken as refusal:
            log.error("instance %s can't be repaired: %s", instance_id, refusal)
    return repaired


def _check_batch(session: Session, definitions: Definitions, ids: Sequence[str]) -> list[Discrepancy]:
    columns = (Instance.id, Instance.version_id, Instance.organisation_id, Instance.closed_at, Instance.state)
    instances = session.execute(select(Instance.revision, *columns).where(Instance.id.in_(ids))).all()
    rows = _Rows(session, ids)
    after = dict(session.execute(select(Instance.id, Instance.revision).where(Instance.id.in_(ids))).all())
    found: list[Discrepancy] = []
    for instance in instances:
        if after.get(instance.id) != instance.revision:
            continue
        compiled = definitions.get(session, instance.version_id)
        try:
            workflow = state.load(instance.state, compiled)
        except Exception:
            found.append(Discrepancy(instance.id, Wrong.UNREADABLE))
            continue
        found += _check_one(instance, compiled.diagram, workflow, rows)
    return found


class _Rows:
    """The rows of a batch of instances, each kind by instance: (id, element)."""

    def __init__(self, session: Session, ids: Sequence[str]) -> None:
        open_tasks = select(Task.instance_id, Task.id, Task.element_id).where(Task.state == TaskState.OPEN)
        waiting = select(Timer.instance_id, Timer.id, Timer.element_id).where(Timer.state.in_(UNENDED))
        awaited = select(Subscription.instance_id, Subscription.id, Subscription.element_id)
        self.tasks = set(session.execute(open_tasks.where(Task.instance_id.in_(ids))))
        self.timers = set(session.execute(waiting.where(Timer.instance_id.in_(ids))))
        self.messages = set(session.execute(awaited.where(Subscription.instance_id.in_(ids))))
        in_charge = select(Task.instance_id, Task.organisation_id).where(Task.instance_id.in_(ids)).distinct()
        self.in_charge = set(session.execute(in_charge))
        parties = select(Party.instance_id, Party.organisation_id).where(Party.instance_id.in_(ids))
        self.parties = set(session.execute(parties))


def _check_one(instance: Any, diagram: Diagram, workflow: BpmnWorkflow, rows: _Rows) -> Iterable[Discrepancy]:
    kinds = (
        (open_user_tasks(workflow), rows.tasks, Wrong.TASK_MISSING, Wrong.TASK_EXTRA),
        (projection.waiting_limits(workflow), rows.timers, Wrong.TIMER_MISSING, Wrong.TIMER_EXTRA),
        (
            [task for *_, task in projection.awaited_messages(diagram, workflow).values()],
            rows.messages,
            Wrong.MESSAGE_MISSING,
            Wrong.MESSAGE_EXTRA,
        ),
    )
    for tasks, all_rows, missing, extra in kinds:
        should = {(instance.id, task.id.hex, element_of(task)) for task in tasks}
        are = {row for row in all_rows if row[0] == instance.id}
        for _, row_id, element_id in sorted(should - are):
            yield Discrepancy(instance.id, missing, row_id, element_id)
        for _, row_id, element_id in sorted(are - should):
            yield Discrepancy(instance.id, extra, row_id, element_id)
    takes_part = {(instance.id, instance.organisation_id)} | {row for row in rows.in_charge if row[0] == instance.id}
    for _, organisation_id in sorted(takes_part - rows.parties):
        yield Discrepancy(instance.id, Wrong.PARTY_MISSING, organisation_id)
    if workflow.is_completed() != (instance.closed_at is not None):
        yield Discrepancy(instance.id, Wrong.NOT_CLOSED if workflow.is_completed() else Wrong.CLOSED)


def _mend_row(session: Session, instance: Instance, each: Discrepancy) -> None:
    """What projecting the state anew would not do of itself, because it goes by the rows that are open.

    A row that is there but closed is opened again. One that should not be open is left to the projection, which
    calls it cancelled, unless somebody answered it.
    """
    match each.wrong:
        case Wrong.TASK_MISSING:
            again = {"state": TaskState.OPEN, "closed_by": None, "closed_at": None, "cancelled_by": None}
            session.execute(update(Task).where(Task.id == each.row_id).values(element_id=each.element_id, **again))
        case Wrong.TASK_EXTRA:
            if answer := session.scalar(select(Answer).where(Answer.task_id == each.row_id).limit(1)):
                done = {"state": TaskState.COMPLETED, "closed_by": answer.by, "closed_at": answer.at}
                session.execute(update(Task).where(Task.id == each.row_id).values(**done))
        case Wrong.TIMER_MISSING:
            waits = {"state": TimerState.WAITING, "ended_at": None, "element_id": each.element_id}
            session.execute(update(Timer).where(Timer.id == each.row_id).values(**waits))
        case Wrong.MESSAGE_EXTRA:
            session.execute(delete(Subscription).where(Subscription.id == each.row_id))
        case Wrong.PARTY_MISSING:
            organisation = session.get_one(Organisation, each.row_id)
            session.merge(Party(instance_id=instance.id, role=organisation.role, organisation_id=organisation.id))
        case Wrong.CLOSED:
            instance.closed_at = None
