"""An instance in hand: its workflow, its rows, and what happened to it in this transaction."""

from collections.abc import Callable, Mapping, Set
from datetime import datetime
from typing import Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.calendar.book import Book
from engine.definitions import expressions, limits
from engine.definitions.diagrams import Element, Lane
from engine.definitions.events import LimitTimer
from engine.definitions.limits import Due
from engine.definitions.masking import masked_data
from engine.definitions.specs import Compiled
from engine.errors import Invalid
from engine.people.accounts import organisation_for
from engine.people.tables import Organisation, OrganisationKey
from engine.runtime import history
from engine.runtime.calls import Call
from engine.runtime.execution import ElementFailed, ScriptEngine, element_of, run_until_quiet
from engine.runtime.rows import Rows, table
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EventKind, Instance, Task, Timer, TimerState
from engine.text import Text

MOST_STEPS = 500  # automatic ones in one transaction; a case of the widest diagram takes a few dozen


class RunawayLoop(Exception):
    """The diagram goes round without ever waiting for a person, a message or a moment."""


class NobodyRegistered(Invalid):
    sentence = Text(
        "没有为“{key}”登记角色为“{role}”的单位，请管理员先登记。",
        "No organisation is registered for “{key}” in the role “{role}”; an administrator has to register one.",
    )


class Run:
    """Made by `engine.runtime.store`; everything that changes an instance goes through its methods."""

    def __init__(
        self,
        runtime: Runtime,
        session: Session,
        instance: Instance,
        compiled: Compiled,
        workflow: BpmnWorkflow,
        now: datetime,
        *,
        rows: Rows,
        timers: dict[str, Timer],
        tasks: dict[str, Task],
        parties: set[str],
        awaited: Set[str],
        calendar: Callable[[], Book],
    ) -> None:
        self.runtime = runtime
        self.session = session
        self.instance = instance
        self.compiled = compiled
        self.workflow = workflow
        self.now = now  # of everything in this transaction; not before the instance's last event
        self.rows = rows  # of this transaction; what the session adds is written after them
        self.timers = timers  # rows of the waiting ones, by id
        self.tasks = tasks  # rows of the open ones, by id
        self.parties = parties  # ids of the organisations that take part
        self.awaited = awaited  # ids of the messages that have a row
        self._calendar = calendar
        self.intervened: EventKind | None = None  # what takes tasks away, where no event of the diagram does
        self._steps = 0

    def advance(self) -> bool:
        """Everything automatic that can happen by `now`; tells whether anything did."""
        if self.instance.suspended_at:
            return False
        before = self._steps
        with self.session.no_autoflush:  # what all the steps leave is written in one go, when they are saved
            run_until_quiet(self.workflow, self._before_step, self._after_step)
        return self._steps > before

    def is_due(self) -> bool:
        """Has a limit run out that has not fired yet?"""
        waiting = (t for t in self.timers.values() if t.state == TimerState.WAITING and not t.parked)
        return any(timer.fires_at <= self.now for timer in waiting)

    def task(self, task_id: str) -> Task:
        """A task of this instance, open or not. Its row may have been closed in this transaction."""
        if held := self.rows.held(Task, task_id):
            return held
        return self.rows.read(Task, select(table(Task)).where(Task.id == task_id))[0]

    def element(self, element_id: str | None) -> Element | None:
        return self.compiled.diagram.elements.get(element_id or "")

    def record(
        self, kind: EventKind, element_id: str | None = None, actor_id: str | None = None, **details: Any
    ) -> None:
        """One more line of the instance's history."""
        history.append(
            self.session, self.instance, kind, at=self.now, element_id=element_id, actor_id=actor_id, **details
        )

    @property
    def book(self) -> Book:
        """The newest calendar; read once in a transaction, and only where a limit starts or is set anew."""
        return self._calendar()

    def region(self, data: Mapping[str, Any]) -> str:
        """Code of the city whose calendar counts; empty for the country's."""
        engine: ScriptEngine = self.workflow.script_engine
        return engine.region(data)

    def due_of(self, event: Any) -> Due:
        """When the limit of a timer event ends: as its row says, or as it was when it fired, or as it is counted."""
        if row := self.timers.get(event.id.hex):
            return Due(row.due_at, row.fires_at, row.provisional)
        if ended := event.internal_data.get("ended"):
            at = datetime.fromisoformat(ended)
            return Due(at, at, False)
        return limits.due(event.internal_data["limit"], self.book)

    def evaluate(self, text: str, data: Mapping[str, Any]) -> Any:
        engine: ScriptEngine = self.workflow.script_engine
        return expressions.evaluate(text, data, engine.functions)

    def organisation(self, lane: Lane, data: Mapping[str, Any]) -> Organisation:
        """Whose inbox a lane means for this instance; raises NobodyRegistered."""
        return self._registered(lane.role or "", str(self.evaluate(lane.organisation or "''", data)))

    def organisation_in_role(self, role: str, data: Mapping[str, Any]) -> Organisation:
        """Who plays a role for this instance: through the diagram's lane, or the only one there is (the province)."""
        lane = next((lane for lane in self.compiled.diagram.lanes.values() if lane.role == role), None)
        return self.organisation(lane, data) if lane is not None else self._registered(role, None)

    def _registered(self, role: str, key: str | None) -> Organisation:
        """By role and key, or the only one of a role. No step changes organisations: each is looked up once in a
        transaction, and before the rows of the step are written."""
        known: dict[tuple[str, str | None], Organisation] = self.session.info.setdefault("organisations", {})
        if (role, key) not in known:
            with self.session.no_autoflush:
                if key is not None:
                    found = organisation_for(self.session, role, key)
                else:
                    playing = select(Organisation).join(OrganisationKey).where(OrganisationKey.role == role)
                    some = self.session.scalars(playing.limit(2)).all()
                    found = some[0] if len(some) == 1 else None
            if found is None:
                raise NobodyRegistered(key=key or "", role=role)
            known[role, key] = found
        return known[role, key]

    def _before_step(self, task: Any) -> None:
        """A task is about to run: if the diagram binds a handler to it, this is its turn."""
        element = self.element(element_of(task))
        if element is None or element.handler is None:
            return
        try:
            handler = self.runtime.handlers[element.handler]
            told = masked_data(self.compiled.forms, task.data)  # handlers tell others, in notices and registers
            params = {name: self.evaluate(text, told) for name, text in element.params.items()}
            call = Call(
                session=self.session,
                instance=self.instance,
                element=element,
                now=self.now,
                keyring=self.runtime.keyring,
                organisation=lambda role: self.organisation_in_role(role, task.data),
            )
            result = handler(call, **params)
        except Exception as problem:
            raise ElementFailed(element.id) from problem
        if element.result:
            task.data[element.result] = dict(result or {})

    def _after_step(self, task: Any) -> None:
        """A task has run: tell the history what a person would want to know of it."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise ElementFailed(element_of(task)) from RunawayLoop(f"over {MOST_STEPS} automatic steps in one go")
        element = self.element(element_of(task))
        if element is None:
            return
        if isinstance(getattr(task.task_spec, "event_definition", None), LimitTimer):
            due_at = self.due_of(task).at
            task.internal_data["ended"] = due_at.isoformat()
            self.record(EventKind.TIMER_FIRED, element.id, timer_id=task.id.hex, due_at=due_at.isoformat())
        elif element.type == "serviceTask":
            self.record(EventKind.SERVICE_DONE, element.id, handler=element.handler)
        else:
            self.record(EventKind.PASSED, element.id)
        if element.outcome and self.instance.outcome is None:
            self.instance.outcome = element.outcome.zh
            self.instance.decided_at = self.now
            self.record(EventKind.OUTCOME, element.id, outcome=element.outcome.zh)
