"""The engine plays random diagrams as a token game on paper would: same tasks, limits and messages after each step."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.database import Database, new_id
from engine.definitions.deployment import deploy
from engine.files import FileStore
from engine.people.accounts import actor_named
from engine.runtime import instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Instance, Subscription, Task, TaskState, Timer, TimerState
from engine.secrets import Keyring
from tests.conftest import CAST_SINCE
from tests.engine.runtime.drawn import PLANS, Plan, bpmn, forms, graph
from tests.engine.runtime.tokens import TokenGame


def _nothing(call: object) -> None:
    """A handler for the service tasks."""


HANDLERS = {"nothing": _nothing}
BEGINS = datetime(2026, 9, 18, 10, 0, tzinfo=SHANGHAI)


class EngineAndModel(RuleBasedStateMachine):
    """Both are told the same; the engine reads its instance from the database anew at every step."""

    template: Path  # a database with the cast in it
    folder: Path  # for a copy of it for every diagram

    @initialize(plan=PLANS)
    def start(self, plan: list[Plan]) -> None:
        drawn = graph(plan)
        database = Database(f"sqlite:///{shutil.copyfile(self.template, self.folder / f'{new_id()}.db')}")
        keyring = Keyring.from_text(Keyring.new_text())
        self.runtime = Runtime(database, HANDLERS, keyring, FileStore(self.folder / "files"), trial=True)
        with database.write() as session:
            deploy(session, diagram=bpmn(drawn), forms=forms(drawn), handlers=HANDLERS, by=None, now=CAST_SINCE)
            self.actor = actor_named(session, "enterprise-a")
        self.model = TokenGame(drawn, BEGINS)
        self.id = instances.start(self.runtime, process_id="drawn", answers={}, actor=self.actor, now=BEGINS)

    @precondition(lambda self: self.model.tasks)
    @rule(which=st.integers(0, 20), answer=st.sampled_from(("yes", "no")))
    def complete_a_task(self, which: int, answer: str) -> None:
        element = self.model.tasks[which % len(self.model.tasks)]
        with self.runtime.database.read() as session:
            waiting = select(Task.id).where(Task.element_id == element, Task.state == TaskState.OPEN)
            # What does not interrupt may come again while what it led to is open: then any of those will do.
            task_id = session.scalars(waiting.order_by(Task.opened_at).limit(1)).one()
        instances.complete(self.runtime, task_id, {element: {"answer": answer}}, self.actor, self.model.now)
        self.model.complete(element, answer)

    @rule()
    def wait_for_the_next_limit(self) -> None:
        due = min((at for _, at in self.model.timers), default=self.model.now)
        timers.fire_due(self.runtime, due)
        self.model.let_pass(due)

    @precondition(lambda self: self.model.messages)
    @rule(which=st.integers(0, 20))
    def send_a_message(self, which: int) -> None:
        message = self.model.messages[which % len(self.model.messages)]
        instances.send_message(self.runtime, self.id, message, {"sent": {"what": "这个"}}, self.actor, self.model.now)
        self.model.send(message)

    @invariant()
    def both_agree(self) -> None:
        assert self.engine() == {
            "tasks": self.model.tasks,
            "timers": self.model.timers,
            "messages": self.model.messages,
            "closed": self.model.closed,
        }

    def engine(self) -> dict[str, Any]:
        with self.runtime.database.read() as session:
            open_tasks = session.scalars(select(Task.element_id).where(Task.state == TaskState.OPEN))
            waiting = session.scalars(select(Timer).where(Timer.state == TimerState.WAITING))
            return {
                "tasks": sorted(open_tasks),
                "timers": sorted((timer.element_id, timer.due_at) for timer in waiting),
                "messages": sorted(session.scalars(select(Subscription.message))),
                "closed": session.get_one(Instance, self.id).closed_at is not None,
            }

    def teardown(self) -> None:
        if hasattr(self, "runtime"):
            self.runtime.database.close()


def play(sqlite_template: Path, tmp_path: Path, **how: Any) -> None:
    """Random diagrams, each with random steps."""

    class Machine(EngineAndModel):
        template, folder = sqlite_template, tmp_path

    run_state_machine_as_test(
        Machine,
        settings=settings(
            deadline=None,
            database=None,
            phases=[Phase.generate],  # making a failing example smaller takes many minutes
            suppress_health_check=list(HealthCheck),
            **how,
        ),
    )


def test_the_engine_and_a_token_game_agree_on_random_diagrams(sqlite_template: Path, tmp_path: Path) -> None:
    play(sqlite_template, tmp_path, max_examples=25, stateful_step_count=12, derandomize=True)
