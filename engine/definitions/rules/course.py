"""What can come before what in a diagram: not a rule, but what the rules on variables ask."""

from collections import deque
from functools import cached_property

from lxml import etree

from engine.definitions.normalising import is_event_sub_process
from engine.definitions.rules.facts import NODES, SUB_PROCESSES, Facts, children, tag

Point = tuple[etree._Element, bool]  # a flow node as it is entered (False) or as it is done (True)


class Course:
    """All ways through a diagram, conditions left aside. An interrupted step is entered, but not done."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._reached: dict[tuple[frozenset[Point], frozenset[Point]], set[Point]] = {}

    def can_follow(self, point: Point, providers: frozenset[etree._Element]) -> bool:
        """Can one of the providers be done before the point is passed?"""
        return point in self._reach(frozenset((provider, True) for provider in providers), frozenset())

    def can_avoid(self, point: Point, providers: frozenset[etree._Element]) -> bool:
        """Is there a way from the start to the point on which none of the providers is done?"""
        starts = frozenset((node, False) for node in children(self._facts.process, "startEvent"))
        return point in self._reach(starts, frozenset((provider, True) for provider in providers))

    def _reach(self, seeds: frozenset[Point], closed: frozenset[Point]) -> set[Point]:
        key = (seeds, closed)
        if key not in self._reached:
            found = set(seeds - closed)
            waiting = deque(found)
            while waiting:
                for point in self._followers.get(waiting.popleft(), ()):
                    if point not in found and point not in closed:
                        found.add(point)
                        waiting.append(point)
            self._reached[key] = found
        return self._reached[key]

    @cached_property
    def _followers(self) -> dict[Point, list[Point]]:
        followers: dict[Point, list[Point]] = {}
        for node in self._facts.nodes:
            entered, done = followers.setdefault((node, False), []), followers.setdefault((node, True), [])
            done += [(target, False) for target in self._facts.targets(node)]
            entered += [(event, False) for event in self._facts.boundary_events(node)]
            if tag(node) in SUB_PROCESSES:
                entered += [(start, False) for start in children(node, "startEvent")]
            else:
                entered.append((node, True))
            around = node.getparent()
            if tag(node) == "endEvent" and around is not None and around is not self._facts.process:
                done.append((around, True))
            if is_event_sub_process(node) and around is not None:  # may begin as soon as something around it is done
                whole = around is self._facts.process
                before = [(start, False) for start in children(around, "startEvent")] if whole else [(around, False)]
                before += [(inner, True) for inner in around.iter() if tag(inner) in NODES and inner is not node]
                for point in before:
                    followers.setdefault(point, []).append((node, False))
                if not whole:
                    done.append((around, True))
        for scope in self._facts.of_type(*SUB_PROCESSES):
            events = [(event, False) for event in self._facts.boundary_events(scope)]
            for inner in scope.iter():
                if events and inner is not scope and tag(inner) in NODES:
                    followers[(inner, True)] += events
        return followers
