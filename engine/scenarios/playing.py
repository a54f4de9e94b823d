"""Playing a scenario against the real engine and store, and telling what happened as a person reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.calendar import counting, versions
from engine.clock import SHANGHAI
from engine.errors import Refusal
from engine.people.accounts import Actor, actor_named
from engine.runtime import instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, Instance, IssuedKey, Subscription, Task, TaskState
from engine.scenarios.reading import Scenario, Step
from engine.scenarios.sampling import filled_in


class ScenarioFailed(AssertionError):
    """What was expected did not happen; the message names the scenario, the step and both sides."""


@dataclass
class Play:
    """One scenario being played: its clock, its instance, and the story so far, a line per thing that happened."""

    runtime: Runtime
    scenario: Scenario
    now: datetime = field(init=False)
    instance_id: str = ""
    story: list[str] = field(default_factory=list)
    _told: int = 0
    _people: dict[str, str] = field(default_factory=dict)  # account id → as the scenario calls them

    def __post_init__(self) -> None:
        self.now = self.scenario.begins

    def run(self) -> None:
        """Raises ScenarioFailed at the first step that does not go as written, or when an element of `visits` was
        not passed in the end."""
        for number, step in enumerate(self.scenario.steps, start=1):
            try:
                self.play(step)
            except ScenarioFailed as failure:
                raise ScenarioFailed(f"{self.scenario.file}, step {number} ({step.verb}): {failure}") from failure
        with self.runtime.database.read() as session:
            passed = set(session.scalars(select(Event.element_id).where(Event.instance_id == self.instance_id)))
        if missing := [element for element in self.scenario.visits if element not in passed]:
            raise ScenarioFailed(f"{self.scenario.file}: never passed {missing}")

    def play(self, step: Step) -> None:
        """One step. Raises ScenarioFailed."""
        if step.at:
            self._move_to(step.at)
        if step.verb == "after":
            with self.runtime.database.read() as session:
                calendar = versions.newest(session).calendar()
            end = counting.deadline(self.now, int(str(step.what).split()[0]), calendar).due_at.astimezone(SHANGHAI)
            self._move_to(end + timedelta(hours=9))
        elif step.verb == "expect":
            self._expect(step.what)
        else:
            self._act(step)
        self._tell()

    def _move_to(self, moment: datetime) -> None:
        """Let time pass; what is due on the way fires at its own moment, as under a clock that never stops."""
        if moment < self.now:
            raise ScenarioFailed(f"time can't go back from {self.now} to {moment}")
        while True:
            with self.runtime.database.read() as session:
                due = timers.next_due(session)
            if due is None or due > moment:
                break
            self.now = max(self.now, due)
            timers.fire_due(self.runtime, self.now)
            self._tell()
        self.now = moment

    def _act(self, step: Step) -> None:
        try:
            with self.runtime.database.read() as session:
                actor = actor_named(session, self.scenario.people[step.by or ""])
            self._people[actor.account_id] = step.by or ""
            answers = filled_in(self.runtime, step.fills, actor, self.now)
            if step.verb == "starts":
                self.instance_id = instances.start(
                    self.runtime, process_id=step.what, answers=answers, actor=actor, now=self.now
                )
            elif step.verb == "does":
                task_id = self._task_for(step, actor)
                instances.complete(self.runtime, task_id, answers, actor, self.now)
            else:
                instances.send_message(self.runtime, self.instance_id, step.what, answers, actor, self.now)
        except Refusal as refusal:
            details = getattr(refusal, "errors", {})
            said = " ".join([refusal.text.zh, *(f"{path}: {text.zh}" for path, text in details.items())])
            if step.refused is None or step.refused not in said:
                raise ScenarioFailed(f"refused: {said}") from refusal
            self._say(f"{step.by}：{step.what} —— 被拒绝：{said}")
            return
        if step.refused is not None:
            raise ScenarioFailed(f"should have been refused with “{step.refused}”")

    def _task_for(self, step: Step, actor: Actor) -> str:
        """The newest task of that name or id in the person's inbox; one that is done or cancelled only where the
        step is written to be refused."""
        query = (
            select(Task)
            .where(Task.instance_id == self.instance_id, Task.organisation_id == actor.organisation_id)
            .order_by(Task.opened_at.desc())
        )
        with self.runtime.database.read() as session:
            tasks = [t for t in session.scalars(query) if step.what in (t.name, t.element_id)]
            found = [t for t in tasks if t.state == TaskState.OPEN] or (tasks if step.refused else [])
            if not found:
                raise ScenarioFailed(f"“{step.what}” is not waiting for {step.by}; open: {self._open(session)}")
            return found[0].id

    def _expect(self, expected: Mapping[str, Any]) -> None:
        with self.runtime.database.read() as session:
            for what, value in expected.items():
                actual = getattr(self, f"_actual_{what}")(session, value)
                wanted = _plain(value)
                if actual != wanted:
                    raise ScenarioFailed(f"{what}: expected {wanted}, found {actual}")

    def _open(self, session: Session) -> list[str]:
        return sorted(
            session.scalars(select(Task.name).where(Task.instance_id == self.instance_id, Task.state == TaskState.OPEN))
        )

    def _actual_waiting(self, session: Session, expected: Mapping[str, Any]) -> dict[str, list[str]]:
        """Open tasks by person; an organisation that nobody expects anything of counts as well."""
        open_tasks = session.scalars(
            select(Task).where(Task.instance_id == self.instance_id, Task.state == TaskState.OPEN)
        ).all()
        who = {
            actor_named(session, login).organisation_id: person
            for person, login in reversed(self.scenario.people.items())
        }
        who |= {actor_named(session, self.scenario.people[person]).organisation_id: person for person in expected}
        found: dict[str, list[str]] = {person: [] for person in expected}
        for task in open_tasks:
            found.setdefault(who[task.organisation_id], []).append(task.name)
        return {person: sorted(names) for person, names in found.items()}

    def _actual_due(self, session: Session, expected: Mapping[str, Any]) -> dict[str, str | None]:
        """Last day of each task's limit."""
        dues = {
            t.name: t.due_at
            for t in session.scalars(select(Task).where(Task.instance_id == self.instance_id).order_by(Task.opened_at))
        }
        return {name: _last_day(dues.get(name)) for name in expected}

    def _actual_outcome(self, session: Session, _: Any) -> str | None:
        return session.get_one(Instance, self.instance_id).outcome

    def _actual_closed(self, session: Session, _: Any) -> bool:
        return session.get_one(Instance, self.instance_id).closed_at is not None

    def _actual_number(self, session: Session, _: Any) -> str | None:
        return session.get_one(Instance, self.instance_id).number

    def _actual_warnings(self, session: Session, _: Any) -> int:
        """How often the diagram raised a 预警, whoever was told."""
        events = session.scalars(
            select(Event).where(Event.instance_id == self.instance_id, Event.kind == EventKind.SERVICE_DONE)
        )
        return sum(event.details.get("handler") == "raise_warning" for event in events)

    def _actual_keys(self, session: Session, _: Any) -> dict[str, int]:
        valid = func.count().filter(IssuedKey.revoked_at.is_(None))
        row = session.execute(select(func.count(), valid).where(IssuedKey.instance_id == self.instance_id)).one()
        return {"issued": row[0], "valid": row[1]}

    def _actual_may_send(self, session: Session, _: Any) -> list[str]:
        return sorted(
            set(session.scalars(select(Subscription.message).where(Subscription.instance_id == self.instance_id)))
        )

    def _actual_interrupted(self, session: Session, expected: Mapping[str, Any]) -> dict[str, str | None]:
        """Element id of the event that interrupted the newest task of each name."""
        cancelled = {
            t.name: t.cancelled_by
            for t in session.scalars(
                select(Task).where(Task.instance_id == self.instance_id, Task.state == TaskState.CANCELLED)
            )
        }
        return {name: cancelled.get(name) for name in expected}

    def _tell(self) -> None:
        """Append what the instance's history has gained to the story."""
        if not self.instance_id:
            return
        with self.runtime.database.read() as session:
            events = session.scalars(
                select(Event)
                .where(Event.instance_id == self.instance_id, Event.sequence > self._told)
                .order_by(Event.sequence)
            ).all()
            instance = session.get_one(Instance, self.instance_id)
            elements = self.runtime.definitions.get(session, instance.version_id).diagram.elements
        for event in events:
            self._told = event.sequence
            if event.kind not in _TOLD:
                continue
            element = elements.get(event.element_id or "")
            name = element.name.zh if element else ""
            who = self._people.get(event.actor_id or "", "")
            words = [who, _TOLD[EventKind(event.kind)], name, str(event.details.get("outcome", ""))]
            self._say(" ".join(word for word in words if word))

    def _say(self, what: str) -> None:
        self.story.append(f"{self.now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}  {what}")


_TOLD = {
    EventKind.STARTED: "发起申请",
    EventKind.TASK_OPENED: "等待办理",
    EventKind.TASK_CLAIMED: "签收",
    EventKind.TASK_RELEASED: "放回待办",
    EventKind.TASK_COMPLETED: "办理完毕",
    EventKind.TASK_CANCELLED: "任务中止",
    EventKind.TIMER_FIRED: "时限届满",
    EventKind.MESSAGE_RECEIVED: "收到",
    EventKind.SERVICE_DONE: "平台自动",
    EventKind.KEY_REVEALED: "查看密钥",
    EventKind.OUTCOME: "结论",
    EventKind.CLOSED: "流程结束",
}


def _last_day(due_at: datetime | None) -> str | None:
    """The day at whose end a limit ends."""
    return (due_at.astimezone(SHANGHAI) - timedelta(seconds=1)).date().isoformat() if due_at else None


def _plain(value: Any) -> Any:
    """What YAML read, in the shapes the engine answers with."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return sorted(value)
    return value.isoformat() if isinstance(value, date) else value
