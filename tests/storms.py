"""Many processes at once over one database: officials, enterprises and sweeps that run, get killed, and start again.

They work on the small process of the lint's tests: apply → review (a limit beside it, a complaint may come) → told.
"""

import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from engine.database import Database
from engine.definitions import deployment
from engine.errors import Conflict
from engine.files import FileStore
from engine.people.accounts import Actor, actor_named
from engine.runtime import checking, instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Answer, Event, EventKind, Instance, Subscription, Task, TaskState, Timer, TimerState
from engine.secrets import Keyring
from tests.casework import open_incidents
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS

BEGINS = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)  # a Friday morning
OVERDUE = BEGINS + timedelta(days=14)
PATIENCE = 120  # seconds after which a test gives up

# A server that has everything imported already and forks a worker in no time; the workers inherit no connection.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.storms"])


@dataclass
class Place:
    """Where everybody works, and the notebook in which each writes down what was acknowledged to him."""

    url: str
    folder: Path

    def runtime(self) -> Runtime:
        return Runtime(
            database=Database(self.url),
            handlers=HANDLERS,
            keyring=Keyring.from_text(Keyring.new_text()),
            files=FileStore(self.folder / "files"),
            trial=True,
        )

    def note(self, *words: str) -> None:
        """One line in one write, so that lines of several processes don't mix and a killed one leaves no half."""
        notebook = os.open(self.folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(notebook, (" ".join(words) + "\n").encode())
        os.close(notebook)

    def notes(self, act: str) -> list[tuple[str, ...]]:
        path = self.folder / "acknowledged"
        lines = path.read_text("ascii").splitlines() if path.exists() else []
        return [tuple(words) for line in lines if (words := line.split())[0] == act]


def actor(runtime: Runtime, login: str) -> Actor:
    with runtime.database.read() as session:
        return actor_named(session, login)


def open_applications(place: Place, count: int) -> None:
    """Deploy the process, and bring so many applications to their review."""
    runtime = place.runtime()
    with runtime.database.write() as session:
        deployment.deploy(session, diagram=GOOD.encode(), forms=FORMS, handlers=HANDLERS, by=None, now=BEGINS)
    enterprise = actor(runtime, "enterprise-a")
    for _ in range(count):
        _apply(runtime, enterprise, BEGINS)
    runtime.database.close()


def _apply(runtime: Runtime, enterprise: Actor, now: datetime) -> None:
    given = {"scenario": {"kind": "first"}}
    id_ = instances.start(runtime, process_id="permit", answers=given, actor=enterprise, now=now)
    with runtime.database.read() as session:
        task_id = session.scalars(select(Task.id).where(Task.instance_id == id_)).one()
    instances.complete(runtime, task_id, ANSWERS["Apply"], enterprise, now)


ANSWERS: dict[str, dict[str, dict[str, Any]]] = {
    "Apply": {"basic": {"company": "粤筑", "city": "440100"}},
    "Review": {"review": {"result": "ok"}},
    "Explain": {"explanation": {"findings": "人手不足"}},
    "Verify": {"explanation": {"findings": "已核实"}},
}
COMPLAINT = {"complaint": {"facts": "无法接入"}}
LOGINS = {"enterprise": ("enterprise-a", "enterprise-a2"), "authority": ("guangzhou", "guangzhou2")}


# What workers do; each runs in a process of its own.


def sweeps(place: Place, ready: Connection, seed: int) -> None:
    runtime = place.runtime()
    timers.fire_due(runtime, BEGINS)  # nothing is due yet, but everything is warm
    ready.send(True)
    while timers.fire_due(runtime, OVERDUE, limit=50):
        pass


def reviews(place: Place, ready: Connection, seed: int) -> None:
    """Completes every open review, in an order of its own."""
    runtime, chance = place.runtime(), random.Random(seed)
    with runtime.database.read() as session:
        waiting = select(Task.id).where(Task.state == TaskState.OPEN, Task.element_id == "Review")
        task_ids = list(session.scalars(waiting))
    official = actor(runtime, chance.choice(LOGINS["authority"]))
    chance.shuffle(task_ids)
    ready.send(True)
    for task_id in task_ids:
        with suppress(Conflict):
            instances.complete(runtime, task_id, ANSWERS["Review"], official, BEGINS)
            place.note("complete", task_id, official.account_id)


@dataclass
class Bustle:
    """Everything people and the sweep do, at random, all on the same few applications; an hour passes with each."""

    place: Place
    operations: int
    seed: int
    runtime: Runtime = field(init=False)
    now: datetime = BEGINS

    def run(self, ready: Connection) -> None:
        self.runtime, chance = self.place.runtime(), random.Random(self.seed)
        people = {role: [actor(self.runtime, login) for login in logins] for role, logins in LOGINS.items()}
        ready.send(True)
        for _ in range(self.operations):
            self.now += timedelta(hours=1)
            act = chance.choices(
                [self.complete, self.claim, self.complain, self.sweep, self.apply], weights=[60, 15, 8, 12, 5]
            )[0]
            with suppress(Conflict):  # somebody else was first; any other refusal ends the worker with a trace
                act(chance, people)

    def complete(self, chance: random.Random, people: dict[str, list[Actor]]) -> None:
        if task := self._task(chance):
            who = chance.choice(people[task.role])
            answers = ANSWERS[task.element_id]
            if task.element_id == "Review" and chance.random() < 0.8:
                answers = {"review": {"result": "again"}}
            instances.complete(self.runtime, task.id, answers, who, self.now)
            self.place.note("complete", task.id, who.account_id)

    def claim(self, chance: random.Random, people: dict[str, list[Actor]]) -> None:
        if task := self._task(chance):
            who = chance.choice(people[task.role])
            instances.claim(self.runtime, task.id, who, self.now)
            instances.release(self.runtime, task.id, who, self.now)

    def complain(self, chance: random.Random, people: dict[str, list[Actor]]) -> None:
        with self.runtime.database.read() as session:
            ids = session.scalars(select(Subscription.instance_id).order_by(Subscription.id)).all()
        if ids:
            id_, who = chance.choice(ids), chance.choice(people["enterprise"])
            instances.send_message(self.runtime, id_, "complaint", COMPLAINT, who, self.now)
            self.place.note("message", id_, who.account_id)

    def sweep(self, chance: random.Random, people: dict[str, list[Actor]]) -> None:
        timers.fire_due(self.runtime, self.now)

    def apply(self, chance: random.Random, people: dict[str, list[Actor]]) -> None:
        given = {"scenario": {"kind": "first"}}
        instances.start(
            self.runtime, process_id="permit", answers=given, actor=chance.choice(people["enterprise"]), now=self.now
        )

    def _task(self, chance: random.Random) -> Task | None:
        with self.runtime.database.read() as session:
            oldest = select(Task).where(Task.state == TaskState.OPEN).order_by(Task.opened_at, Task.id).limit(6)
            found = session.scalars(oldest).all()
        return chance.choice(found) if found else None


def bustles(place: Place, ready: Connection, seed: int, operations: int) -> None:
    Bustle(place, operations, seed).run(ready)


# What a test does with them.


def started(work: Callable[..., None], place: Place, seed: int, *more: Any) -> ForkServerProcess:
    """A worker at work: it has said that it is ready."""
    ours, theirs = _processes.Pipe(duplex=False)
    worker = _processes.Process(target=work, args=(place, theirs, seed, *more), daemon=True)
    worker.start()
    theirs.close()
    assert ours.poll(PATIENCE), "the worker never came up"
    ours.recv()
    return worker


def killed_at_random(work: Callable[..., None], place: Place, *, kills: int, within: float, seed: int) -> None:
    """Two workers, one of which is killed at a random moment `within` so many seconds and replaced, so many times;
    then they are let finish."""
    chance = random.Random(seed)
    workers = [started(work, place, seed), started(work, place, seed + 1)]
    in_the_middle = 0
    for kill in range(kills):
        place_of_victim = chance.randrange(2)
        victim = workers[place_of_victim]
        victim.join(chance.uniform(0, within))
        victim.kill()
        victim.join(PATIENCE)
        in_the_middle += victim.exitcode == -signal.SIGKILL
        workers[place_of_victim] = started(work, place, seed + 2 + kill)
    assert in_the_middle, "every worker had finished before it was to be killed"
    ended(workers)
    ended([started(work, place, seed - 1)])  # what was locked when the last one looked


def ended(workers: Sequence[ForkServerProcess]) -> None:
    for worker in workers:
        worker.join(PATIENCE)
        assert worker.exitcode == 0, f"a worker ended with {worker.exitcode}"


# What must hold afterwards.


def all_is_in_order(place: Place) -> None:
    """Rows and states agree, nothing failed, histories have no gaps, and what is acknowledged is there once."""
    runtime = place.runtime()
    with runtime.database.read() as session:
        assert checking.check(session, runtime.definitions) == []
        assert open_incidents(session) == []
        lengths = session.execute(
            select(Instance.history_length, func.count(Event.sequence), func.max(Event.sequence))
            .join(Event, Event.instance_id == Instance.id)
            .group_by(Instance.id)
        ).all()
        assert all(length == count == last for length, count, last in lengths)
        done = session.scalars(select(Event).where(Event.kind == EventKind.TASK_COMPLETED)).all()
        by_task = Counter(event.details["task_id"] for event in done)
        assert set(by_task.values()) <= {1}
        assert {(e.details["task_id"], e.actor_id) for e in done} >= {note[1:] for note in place.notes("complete")}
        answered = session.execute(select(Answer.task_id, Answer.form).where(Answer.task_id.is_not(None))).all()
        assert len(answered) == len(set(answered)) == len(done)
        fired = session.scalar(select(func.count()).select_from(Timer).where(Timer.state == TimerState.FIRED))
        assert fired == session.scalar(
            select(func.count()).select_from(Event).where(Event.kind == EventKind.TIMER_FIRED)
        )
    runtime.database.close()


def happened(place: Place, kind: EventKind, element_id: str | None = None) -> Counter[str]:
    """How often something happened to each instance."""
    runtime = place.runtime()
    with runtime.database.read() as session:
        query = select(Event.instance_id).where(Event.kind == kind)
        found = Counter(session.scalars(query.where(Event.element_id == element_id) if element_id else query))
    runtime.database.close()
    return found


def sweep_survives(place: Place, *, limits: int, kills: int, within: float, seed: int) -> None:
    """SIGKILL in the middle of sweeps: every limit fires, and fires once."""
    open_applications(place, limits)
    killed_at_random(sweeps, place, kills=kills, within=within, seed=seed)
    fired = happened(place, EventKind.TIMER_FIRED)
    assert len(fired) == limits
    assert set(fired.values()) == {1}
    all_is_in_order(place)


def completions_survive(place: Place, *, tasks: int, kills: int, within: float, seed: int) -> None:
    """SIGKILL in the middle of completions: every task is completed once, and as its official was told."""
    open_applications(place, tasks)
    killed_at_random(reviews, place, kills=kills, within=within, seed=seed)
    done = happened(place, EventKind.TASK_COMPLETED, "Review")
    assert len(done) == tasks
    assert set(done.values()) == {1}
    assert happened(place, EventKind.CLOSED) == done
    all_is_in_order(place)


def bustle_leaves_order(place: Place, *, processes: int, operations: int, seed: int) -> None:
    """Everybody at once: what was acknowledged happened, and nothing else did."""
    open_applications(place, 4)
    ended([started(bustles, place, seed + number, operations // processes) for number in range(processes)])
    completed = happened(place, EventKind.TASK_COMPLETED).total()
    assert completed == 4 + len(place.notes("complete"))  # four were completed while setting the scene
    assert happened(place, EventKind.MESSAGE_RECEIVED).total() == len(place.notes("message"))
    assert completed > operations // 10
    all_is_in_order(place)
