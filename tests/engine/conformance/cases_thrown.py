"""Signals, escalations and errors: thrown in one place of a diagram, caught in another."""

from tests.engine.conformance.case import Case, Refused, Runs
from tests.engine.conformance.drawing import (
    boundary,
    catch,
    diagram,
    end,
    error,
    escalation,
    gateway,
    service,
    signal,
    start,
    sub,
    task,
    throw,
)

A, B, C, D = (task(name) for name in "abcd")
S, E, E2 = start(), end(), end("e2")


def _sub(*nodes: str, flows: list[str]) -> str:
    """A sub-process x whose start is `is` and whose end is `ie`."""
    return sub("x", start("is"), end("ie"), *nodes, flows=flows)


def _thrown_inside(thrower: str, catcher: str) -> bytes:
    """In a sub-process: task a, then the thrower x1, then a service task and task b; its event leads to task c."""
    inside = _sub(A, thrower, service("n"), B, flows=["is > a", "a > x1", "x1 > n", "n > b", "b > ie"])
    return diagram(S, inside, catcher, C, D, E, E2, flows=["s > x", "x > d", "d > e", "late > c", "c > e2"])


def _ended_inside(ending: str, *catchers: str, flows: list[str]) -> bytes:
    """In a sub-process: task a, which ends it as usual or by an end event x1 that throws; c and d after events."""
    inside = _sub(
        A, gateway("exclusive", "g"), ending, flows=["is > a", "a > g", "g > x1 if a.answer == 'no'", "g > ie else"]
    )
    return diagram(S, inside, *catchers, B, C, D, E, flows=["s > x", "x > b", "b > e", "c > e", "d > e", *flows])


CASES: list[Case] = [
    Runs(
        "Signal",
        "caught by an intermediate event",
        diagram(
            S,
            gateway("parallel", "g"),
            A,
            throw("t", signal()),
            catch("c1", signal()),
            B,
            E,
            flows=["s > g", "g > a", "a > t", "t > e", "g > c1", "c1 > b", "b > e"],
        ),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Signal",
        "that interrupts another branch",
        diagram(
            S,
            gateway("parallel", "g"),
            A,
            throw("t", signal()),
            B,
            boundary("late", "b", signal()),
            C,
            E,
            flows=["s > g", "g > a", "a > t", "t > e", "g > b", "b > e", "late > c", "c > e"],
        ),
        "a b",
        [("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Signal",
        "that interrupts the sub-process it is thrown in",
        _thrown_inside(throw("x1", signal()), boundary("late", "x", signal())),
        "a",
        [("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Signal",
        "that does not interrupt the sub-process it is thrown in",
        _thrown_inside(throw("x1", signal()), boundary("late", "x", signal(), interrupts=False)),
        "a",
        [("a", "b c"), ("b", "c d"), ("c", "d"), ("d", "closed")],
        {"n": 1},
    ),
    Runs(
        "Signal",
        "thrown by an end event",
        diagram(
            S,
            gateway("parallel", "g"),
            A,
            end("t", signal()),
            B,
            boundary("late", "b", signal()),
            C,
            E,
            flows=["s > g", "g > a", "a > t", "g > b", "b > e", "late > c", "c > e"],
        ),
        "a b",
        [("a", "c"), ("c", "closed")],
    ),
    Refused(
        "Signal",
        "that nothing throws",
        diagram(S, catch("x", signal()), E, flows=["s > x", "x > e"]),
        "signals_meet",
        "x",
    ),
    Runs(
        "Escalation",
        "that interrupts the sub-process it is thrown in",
        _thrown_inside(throw("x1", escalation()), boundary("late", "x", escalation())),
        "a",
        [("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Escalation",
        "that does not interrupt",
        _thrown_inside(throw("x1", escalation()), boundary("late", "x", escalation(), interrupts=False)),
        "a",
        [("a", "b c"), ("b", "c d"), ("c", "d"), ("d", "closed")],
        {"n": 1},
    ),
    Runs(
        "Escalation",
        "of another code than the one that is caught is lost",
        _thrown_inside(throw("x1", escalation("odd")), boundary("late", "x", escalation())),
        "a",
        [("a", "b"), ("b", "d"), ("d", "closed")],
        {"n": 1},
    ),
    Runs(
        "Escalation",
        "of any code",
        _thrown_inside(throw("x1", escalation("odd")), boundary("late", "x", escalation(""))),
        "a",
        [("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Escalation",
        "thrown by an end event, not interrupting",
        diagram(
            S,
            _sub(A, end("x1", escalation()), flows=["is > a", "a > x1", "a > ie"]),
            boundary("late", "x", escalation(), interrupts=False),
            B,
            C,
            E,
            flows=["s > x", "x > b", "b > e", "late > c", "c > e"],
        ),
        "a",
        [("a", "b c"), ("b", "c"), ("c", "closed")],
    ),
    Runs(
        "Error",
        "caught by its code",
        _ended_inside(
            end("x1", error()),
            boundary("lost", "x", error()),
            boundary("any", "x", error("")),
            flows=["lost > c", "any > d"],
        ),
        "a",
        [("a=no", "c"), ("c", "closed")],
    ),
    Runs(
        "Error",
        "caught as any error",
        _ended_inside(
            end("x1", error("torn")),
            boundary("lost", "x", error()),
            boundary("any", "x", error("")),
            flows=["lost > c", "any > d"],
        ),
        "a",
        [("a=no", "d"), ("d", "closed")],
    ),
    Runs(
        "Error",
        "not thrown",
        _ended_inside(
            end("x1", error()),
            boundary("lost", "x", error()),
            boundary("any", "x", error("")),
            flows=["lost > c", "any > d"],
        ),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Error",
        "passed on to the sub-process around, with all branches in it",
        diagram(
            S,
            sub(
                "o",
                start("os"),
                gateway("parallel", "g"),
                _sub(
                    A,
                    end("x1", error()),
                    gateway("exclusive", "h"),
                    flows=["is > a", "a > h", "h > x1 if a.answer == 'no'", "h > ie else"],
                ),
                boundary("torn", "x", error("torn")),
                B,
                end("oe"),
                flows=["os > g", "g > x", "g > b", "x > oe", "b > oe", "torn > oe"],
            ),
            boundary("lost", "o", error()),
            C,
            E,
            flows=["s > o", "o > e", "lost > c", "c > e"],
        ),
        "a b",
        [("a=no", "c"), ("c", "closed")],
    ),
    Refused(
        "Error",
        "that nothing catches",
        diagram(
            S,
            A,
            _sub(
                end("x1", error()),
                gateway("exclusive", "h"),
                flows=["is > h", "h > x1 if a.answer == 'no'", "h > ie else"],
            ),
            E,
            flows=["s > a", "a > x", "x > e"],
        ),
        "codes_caught",
        "x1",
    ),
    Refused(
        "Error",
        "at a user task",
        diagram(S, A, boundary("lost", "a", error()), B, E, flows=["s > a", "a > e", "lost > b", "b > e"]),
        "boundary_events_lead_on",
        "lost",
    ),
]
