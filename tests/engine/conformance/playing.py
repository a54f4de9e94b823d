"""Driving a diagram through the real engine: deployed, stored and read again at every step, on the test's clock."""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.definitions.deployment import deploy
from engine.people.accounts import Actor
from engine.runtime import checking, instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, Instance, Subscription, Task, TaskState, Timer, TimerState
from tests.conftest import CAST_SINCE
from tests.engine.conformance.drawing import forms_of


def note(call: object) -> None:
    """The handler of every service task; the history tells that it was called."""


HANDLERS = {"note": note}
BEGINS = datetime(2026, 9, 18, 10, 0, tzinfo=SHANGHAI)


class Play:
    """One instance. `does` takes one act: a task's id (`a`, or `a=no` for the answer; `a 2` the second of several
    instances; `x-a` the one inside of what x calls), a message (`!m`), or time to pass in minutes (`+60`)."""

    def __init__(self, runtime: Runtime, diagrams: list[bytes], actor: Actor) -> None:
        self.runtime, self.actor, self.now = runtime, actor, BEGINS
        with runtime.database.write() as session:
            for each in diagrams:
                deploy(session, diagram=each, forms=forms_of(each), handlers=HANDLERS, by=None, now=CAST_SINCE)
        self.id = instances.start(runtime, process_id="drawn", answers={}, actor=actor, now=self.now)

    def does(self, act: str) -> None:
        if act.startswith("+"):
            self.now += timedelta(minutes=int(act[1:]))
            timers.fire_due(self.runtime, self.now)
        elif act.startswith("!"):
            instances.send_message(self.runtime, self.id, act[1:], {"sent": {"what": "这个"}}, self.actor, self.now)
        else:
            element, _, answer = act.partition("=")
            element, _, number = element.partition(" ")
            with self.runtime.database.read() as session:
                found = select(Task.id).where(Task.element_id == element, Task.state == TaskState.OPEN)
                tasks = session.scalars(found.order_by(Task.opened_at, Task.organisation_id, Task.id)).all()
            answers = {element.rpartition("-")[2]: {"answer": answer or "yes"}}
            instances.complete(self.runtime, tasks[int(number or 1) - 1], answers, self.actor, self.now)

    @property
    def state(self) -> str:
        """What waits, in order: tasks by id, running limits as ~id, awaited messages as !name; `closed` at the end."""
        with self.runtime.database.read() as session:
            open_tasks = session.scalars(select(Task.element_id).where(Task.state == TaskState.OPEN)).all()
            waiting = session.scalars(select(Timer.element_id).where(Timer.state == TimerState.WAITING)).all()
            awaited = session.scalars(select(Subscription.message)).all()
            closed = session.get_one(Instance, self.id).closed_at is not None
        parts = [*sorted(open_tasks), *(f"~{t}" for t in sorted(waiting)), *(f"!{m}" for m in sorted(awaited))]
        return " ".join([*parts, *(["closed"] if closed else [])])

    @property
    def ran(self) -> dict[str, int]:
        """How often each service task ran."""
        with self.runtime.database.read() as session:
            return dict(Counter(session.scalars(select(Event.element_id).where(Event.kind == EventKind.SERVICE_DONE))))

    def is_sound(self) -> bool:
        """Do the rows say what the stored state says?"""
        with self.runtime.database.read() as session:
            return not checking.check(session, self.runtime.definitions, [self.id])
