"""Where a parallel gateway joins branches, all of them arrive.

并行网关汇合时，每条分支都会走到。

A join waits for every flow that leads into it. A branch that an exclusive gateway did not choose, or that a
boundary event led elsewhere, never arrives, and the instance would wait for ever without a word.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from engine.definitions.rules.facts import NODES, Facts, Problem, children, error, tag, warning

_MOST_STATES = 3_000  # beyond that the rule has no opinion

Token = tuple[etree._Element, str]  # on a flow; or at a node: "entered", "overdue" once a side branch has begun
State = frozenset[Token]


def check(facts: Facts) -> Iterable[Problem]:
    if not any(len(facts.incoming(node)) > 1 for node in facts.of_type("parallelGateway", "inclusiveGateway")):
        return
    for scope in facts.scopes:
        stuck, finishes = _play(facts, scope)
        for gateway in facts.of_type("parallelGateway"):
            if gateway in stuck:
                yield (warning if finishes else error)(
                    gateway,
                    "{it}要等所有连入的线都走到，但有的路径不会走到，申请会永远停在这里；"
                    "请让每条分支都汇合，或改用排他网关汇合。",
                    "{it} waits for every flow into it, but on some ways one never comes, and an application would "
                    "wait there for ever. Lead every branch there, or join with an exclusive gateway.",
                )
        for gateway in facts.of_type("inclusiveGateway"):
            if gateway in stuck:
                yield error(
                    gateway,
                    "{it}和另一个汇合网关会互相等待，申请会永远停在这里；请把其中一个改成排他网关或移出循环。",
                    "{it} and another join would wait for each other for ever. Make one of them an exclusive gateway, "
                    "or take it out of the loop.",
                )


def _play(facts: Facts, scope: etree._Element) -> tuple[set[etree._Element], bool]:
    """Every way to move tokens from the start: the joins at which some way ends, and whether some way finishes."""
    starts: State = frozenset((node, "entered") for node in children(scope, "startEvent"))
    seen, waiting = {starts}, [starts]
    stuck: set[etree._Element] = set()
    finishes = False
    while waiting and len(seen) < _MOST_STATES:
        state = waiting.pop()
        moved = False
        for following in _moves(facts, state):
            moved = True
            if following not in seen:
                seen.add(following)
                waiting.append(following)
        if not state:
            finishes = True
        elif not moved:
            stuck |= {
                facts.by_id[flow.get("targetRef", "")] for flow, _ in state if flow.get("targetRef") in facts.by_id
            }
    return (set(), True) if waiting else (stuck, finishes)


def _moves(facts: Facts, state: State) -> Iterator[State]:
    for token in state:
        place, mode = token
        rest = state - {token}
        if tag(place) in NODES:
            yield from _moves_at(facts, place, mode, rest)
            continue
        node = facts.by_id.get(place.get("targetRef", ""))
        if node is None:
            yield rest
        elif tag(node) == "parallelGateway":
            awaited = {(flow, "") for flow in facts.incoming(node)}
            if awaited <= state:
                yield (state - awaited) | {(flow, "") for flow in facts.outgoing(node)}
        elif tag(node) == "inclusiveGateway":
            arrived = {(flow, "") for flow in facts.incoming(node)} & state
            if not any(_may_come(facts, other, node) for other, _ in state - arrived):
                for chosen in _choices(facts.outgoing(node)):
                    yield (state - arrived) | chosen
        else:
            yield rest | {(node, "entered")}


def _moves_at(facts: Facts, node: etree._Element, mode: str, rest: State) -> Iterator[State]:
    flows = facts.outgoing(node)
    if tag(node) in {"exclusiveGateway", "eventBasedGateway"}:
        yield from (rest | {(flow, "")} for flow in flows)
    else:
        conditional = [flow for flow in flows if facts.condition(flow) or flow.get("id") == node.get("default", "")]
        always = {(flow, "") for flow in flows if flow not in conditional}
        for chosen in _choices(conditional):
            yield rest | always | chosen
        if node.get("default") is None:
            yield rest | always
    for event in facts.boundary_events(node):
        aside = {(flow, "") for flow in facts.outgoing(event)}
        if event.get("cancelActivity", "true") == "true":
            yield rest | aside
        elif mode == "entered":
            yield rest | {(node, "overdue")} | aside


def _choices(flows: list[etree._Element]) -> Iterator[set[Token]]:
    """One of the flows, or all of them: what lies between shows nothing new about joins."""
    yield from ({(flow, "")} for flow in flows)
    if len(flows) > 1:
        yield {(flow, "") for flow in flows}


def _may_come(facts: Facts, place: etree._Element, gateway: etree._Element) -> bool:
    """Can a token at a place come to a gateway? Where it waits at that gateway already, it is there."""
    first = place if tag(place) in NODES else facts.by_id.get(place.get("targetRef", ""))
    seen, waiting = set(), [first]
    while waiting:
        node = waiting.pop()
        if node is gateway:
            return True
        if node is not None and node not in seen:
            seen.add(node)
            waiting += facts.targets(node) + facts.boundary_events(node)
    return False
