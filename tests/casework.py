"""Bringing an application to a certain point, in the words of the scenarios."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.clock import SHANGHAI
from engine.definitions.deployment import deploy_folder
from engine.levers.incidents import OPEN
from engine.people.accounts import actor_named
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Instance, Task, TaskState
from engine.scenarios.playing import Play
from engine.scenarios.reading import Samples, Scenario, Step, read_samples, without_label
from engine.scenarios.sampling import filled_in
from engine.text import Text
from handlers import HANDLERS
from tests.conftest import CAST_SINCE, ROOT

FOLDER = ROOT / "bpmn" / "onboarding"
BEGINS = datetime(2026, 9, 18, 10, 0, tzinfo=SHANGHAI)  # a Friday; 3 working days end on 22 September


class Case:
    """One application being brought along: `case.goes("收到测试密钥")`, `case.step(by="企业", does=…, fills=…)`."""

    def __init__(self, runtime: Runtime, *, begins: datetime = BEGINS, samples: Samples | None = None) -> None:
        """`samples` other than the project's own are of other people, or of another city."""
        self.runtime = runtime
        self.samples = samples or read_samples(FOLDER)
        self.play = Play(
            runtime,
            Scenario(
                file="a test",
                title=Text(""),
                proves=(),
                visits=(),
                begins=begins,
                people=self.samples.people,
                steps=(),
            ),
        )

    def goes(self, passage: str) -> "Case":
        return self.step(uses=passage)

    def step(self, **raw: Any) -> "Case":
        for step in self.samples.steps([raw]):
            self.play.play(step)
        return self

    @property
    def id(self) -> str:
        return self.play.instance_id

    @property
    def now(self) -> datetime:
        return self.play.now

    def answers(self, *, by: str = "企业", **samples: str) -> dict[str, Any]:
        """The named sample of each form, as this person would hand it in."""
        with self.runtime.database.read() as session:
            actor = actor_named(session, self.samples.people[by])
        written = {form: without_label(self.samples.answers[form][name]) for form, name in samples.items()}
        return filled_in(self.runtime, written, actor, self.now)

    def instance(self) -> Instance:
        with self.runtime.database.read() as session:
            return session.get_one(Instance, self.id)

    def tasks(self, state: TaskState = TaskState.OPEN) -> list[Task]:
        with self.runtime.database.read() as session:
            query = select(Task).where(Task.instance_id == self.id, Task.state == state)
            return list(session.scalars(query.order_by(Task.opened_at, Task.element_id)))

    def task(self, name: str) -> Task:
        return next(task for task in self.tasks() if name in (task.name, task.element_id))


def what_is_done(scenario: Scenario) -> Scenario:
    """Without what is expected or refused in between; the time that passes there passes before the next step."""
    steps: list[Step] = []
    at: datetime | None = None
    for step in scenario.steps:
        at = step.at or at
        if step.verb != "expect" and step.refused is None:
            steps.append(replace(step, at=at))
            at = None
    return replace(scenario, steps=tuple(steps))


def deploy_onboarding(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        deploy_folder(session, FOLDER, handlers=HANDLERS, now=CAST_SINCE)


def open_incidents(session: Session) -> list[Incident]:
    """Newest first."""
    return list(session.scalars(select(Incident).where(OPEN).order_by(Incident.at.desc())))
