"""A token game: what a diagram means, written down apart from the engine and the library it uses.

BPMN 2.0, chapter 13: a token moves along flows; an activity holds one while somebody works on it; a sub-process holds
one and has a game of its own inside; a parallel gateway takes one from each of its incoming flows; a boundary event
that interrupts takes the token of its activity, and one that does not makes a new one.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.engine.runtime.drawn import Graph, Node


@dataclass
class Activity:
    """A user task or sub-process that runs, with the boundary events that still wait for something."""

    node: Node
    level: "Level"
    timers: dict[str, datetime]
    messages: set[str]
    inside: "Level | None" = None


@dataclass
class Level:
    """The process, or one sub-process that runs."""

    around: Activity | None
    running: list[Activity] = field(default_factory=list)
    arrived: Counter[str] = field(default_factory=Counter)  # tokens that wait before a parallel gateway, by flow


class TokenGame:
    def __init__(self, graph: Graph, now: datetime) -> None:
        self.graph = graph
        self.now = now
        self.answers: dict[str, str] = {}
        self.process = Level(None)
        self._leave(self.process, graph.start_of("drawn"))
        self._end_levels(self.process)

    @property
    def tasks(self) -> list[str]:
        return sorted(a.node.id for a in self._activities(self.process) if a.inside is None)

    @property
    def timers(self) -> list[tuple[str, datetime]]:
        return sorted(item for a in self._activities(self.process) for item in a.timers.items())

    @property
    def messages(self) -> list[str]:
        return sorted(message for a in self._activities(self.process) for message in a.messages)

    @property
    def closed(self) -> bool:
        return self._is_over(self.process)

    def complete(self, task: str, answer: str) -> None:
        activity = next(a for a in self._activities(self.process) if a.node.id == task)
        self.answers[task] = answer
        self._finish(activity)
        self._end_levels(activity.level)

    def let_pass(self, now: datetime) -> None:
        self.now = now
        while due := [(at, event) for event, at in self.timers if at <= now]:
            self._happens(min(due)[1])

    def send(self, message: str) -> None:
        self._happens(message)

    def _activities(self, level: Level) -> list[Activity]:
        found = []
        for activity in level.running:
            found.append(activity)
            if activity.inside:
                found += self._activities(activity.inside)
        return found

    def _happens(self, event: str) -> None:
        activity = next(a for a in self._activities(self.process) if event in a.timers or event in a.messages)
        activity.timers.pop(event, None)  # a message that does not interrupt may come again
        if self.graph.nodes[event].interrupting:
            activity.level.running.remove(activity)
        self._leave(activity.level, event)
        self._end_levels(activity.level)

    def _finish(self, activity: Activity) -> None:
        activity.level.running.remove(activity)
        self._leave(activity.level, activity.node.id)

    def _leave(self, level: Level, node: str) -> None:
        for flow in self.graph.out(node):
            self._arrive(level, flow)

    def _arrive(self, level: Level, flow: str) -> None:
        node = self.graph.nodes[self.graph.target[flow]]
        if node.tag in ("userTask", "subProcess"):
            self._begin(level, node)
        elif node.tag == "exclusiveGateway":
            out = self.graph.out(node.id)
            taken = [f for f in out if self.answers.get(self.graph.chosen_by.get(f, "")) == "yes"]
            self._arrive(level, (taken or [self.graph.default.get(node.id, out[0])])[0])
        elif node.tag == "parallelGateway":
            level.arrived[flow] += 1
            if all(level.arrived[f] for f in self.graph.into(node.id)):
                level.arrived.subtract(self.graph.into(node.id))
                self._leave(level, node.id)
        else:
            self._leave(level, node.id)  # nothing leads on from an end event

    def _begin(self, level: Level, node: Node) -> None:
        events = self.graph.events_on(node.id)
        activity = Activity(
            node,
            level,
            timers={e.id: self.now + timedelta(minutes=e.minutes) for e in events if e.minutes},
            messages={e.id for e in events if not e.minutes},
        )
        level.running.append(activity)
        if node.tag == "subProcess":
            activity.inside = Level(activity)
            self._leave(activity.inside, self.graph.start_of(node.id))
            self._end_levels(activity.inside)

    def _end_levels(self, level: Level) -> None:
        """A sub-process in which no token is left is done, and perhaps the one around it too."""
        if level.around and self._is_over(level) and level.around in level.around.level.running:
            self._finish(level.around)
            self._end_levels(level.around.level)

    def _is_over(self, level: Level) -> bool:
        return not level.running and not level.arrived.total()
