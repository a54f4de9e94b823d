"""Starts and ends, and events that wait for a message or a moment."""

from tests.engine.conformance.case import Case, Refused, Runs
from tests.engine.conformance.drawing import (
    boundary,
    catch,
    diagram,
    end,
    gateway,
    message,
    node,
    service,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
)

A, B, C, D = (task(name) for name in "abcd")
S, E, E2 = start(), end(), end("e2")


def _sub(*nodes: str, flows: list[str]) -> str:
    """A sub-process x whose start is `is` and whose end is `ie`."""
    return sub("x", start("is"), end("ie"), *nodes, flows=flows)


CASES: list[Case] = [
    Runs("None start event", "of the process", diagram(S, A, E, flows=["s > a", "a > e"]), "a", [("a", "closed")]),
    Runs(
        "None start event",
        "of a sub-process",
        diagram(S, _sub(A, flows=["is > a", "a > ie"]), E, flows=["s > x", "x > e"]),
        "a",
        [("a", "closed")],
    ),
    *(
        Refused(
            f"{kind.capitalize()} start event",
            "of the process",
            diagram(start("s", trigger), A, E, flows=["s > a", "a > e"]),
            "one_start",
            "s",
        )
        for kind, trigger in (
            ("message", message()),
            ("timer", timer()),
            ("signal", signal()),
            ("conditional", "<bpmn:conditionalEventDefinition />"),
        )
    ),
    Refused(
        "Several start events",
        "two",
        diagram(S, start("s2"), A, E, flows=["s > a", "s2 > a", "a > e"]),
        "one_start",
        "s2",
    ),
    Runs(
        "None end event",
        "two, both of which must be reached",
        diagram(S, gateway("parallel", "g"), A, B, E, E2, flows=["s > g", "g > a", "g > b", "a > e", "b > e2"]),
        "a b",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "None end event",
        "one, reached twice",
        diagram(S, gateway("parallel", "g"), A, B, E, flows=["s > g", "g > a", "g > b", "a > e", "b > e"]),
        "a b",
        [("a", "b"), ("b", "closed")],
    ),
    Refused(
        "Terminate end event",
        "one",
        diagram(S, A, end("e", "<bpmn:terminateEventDefinition />"), flows=["s > a", "a > e"]),
        "only_supported_elements",
        "e",
    ),
    Refused(
        "Message end event",
        "one",
        diagram(S, A, end("e", message()), flows=["s > a", "a > e"]),
        "only_supported_elements",
        "e",
    ),
    Refused(
        "Cancel end event",
        "one",
        diagram(S, A, end("e", "<bpmn:cancelEventDefinition />"), flows=["s > a", "a > e"]),
        "only_supported_elements",
        "e",
    ),
    Refused(
        "Compensation",
        "end event",
        diagram(S, A, end("e", "<bpmn:compensateEventDefinition />"), flows=["s > a", "a > e"]),
        "only_supported_elements",
        "e",
    ),
    Runs(
        "None intermediate event",
        "one",
        diagram(S, throw("x"), A, E, flows=["s > x", "x > a", "a > e"]),
        "a",
        [("a", "closed")],
    ),
    Runs(
        "None intermediate event",
        "between tasks",
        diagram(S, A, throw("x"), B, E, flows=["s > a", "a > x", "x > b", "b > e"]),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Message catch event",
        "in a sequence",
        diagram(S, catch("x", message()), A, E, flows=["s > x", "x > a", "a > e"]),
        "!m",
        [("!m", "a"), ("a", "closed")],
    ),
    Runs(
        "Message catch event",
        "twice in a loop",
        diagram(
            S,
            catch("x", message()),
            A,
            gateway("exclusive", "g"),
            gateway("exclusive", "h"),
            E,
            flows=["s > h", "h > x", "x > a", "a > g", "g > h if a.answer == 'no'", "g > e else"],
        ),
        "!m",
        [("!m", "a"), ("a=no", "!m"), ("!m", "a"), ("a", "closed")],
    ),
    Runs(
        "Message boundary event",
        "not interrupting, sent twice",
        diagram(
            S, A, boundary("m1", "a", message(), interrupts=False), B, E, flows=["s > a", "a > e", "m1 > b", "b > e"]
        ),
        "a !m",
        [("!m", "a b !m"), ("!m", "a b b !m"), ("b", "a b !m"), ("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Message boundary event",
        "of a sub-process, interrupting",
        diagram(
            S,
            _sub(A, B, flows=["is > a", "a > b", "b > ie"]),
            boundary("m1", "x", message()),
            C,
            E,
            flows=["s > x", "x > e", "m1 > c", "c > e"],
        ),
        "a !m",
        [("a", "b !m"), ("!m", "c"), ("c", "closed")],
    ),
    Refused(
        "Message throw event",
        "one",
        diagram(S, A, throw("x", message()), E, flows=["s > a", "a > x", "x > e"]),
        "only_supported_elements",
        "x",
    ),
    Runs(
        "Timer catch event",
        "a duration",
        diagram(S, catch("x", timer("PT30M")), A, E, flows=["s > x", "x > a", "a > e"]),
        "~x",
        [("+29", "~x"), ("+1", "a"), ("a", "closed")],
    ),
    Runs(
        "Timer catch event",
        "working days",
        diagram(S, catch("x", timer("working_days(1)")), A, E, flows=["s > x", "x > a", "a > e"]),
        "~x",
        [("+3000", "~x"), ("+2760", "a"), ("a", "closed")],
    ),
    Runs(
        "Timer boundary event",
        "interrupting",
        diagram(S, A, boundary("late", "a", timer()), B, E, flows=["s > a", "a > e", "late > b", "b > e"]),
        "a ~late",
        [("+60", "b"), ("b", "closed")],
    ),
    Runs(
        "Timer boundary event",
        "not interrupting, once",
        diagram(
            S, A, boundary("late", "a", timer(), interrupts=False), B, E, flows=["s > a", "a > e", "late > b", "b > e"]
        ),
        "a ~late",
        [("+60", "a b"), ("+60", "a b"), ("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Timer boundary event",
        "two that are overdue together: the earlier counts",
        diagram(
            S,
            A,
            boundary("later", "a", timer("PT2H"), interrupts=False),
            boundary("late", "a", timer("PT1H")),
            B,
            C,
            E,
            flows=["s > a", "a > e", "late > b", "later > c", "b > e", "c > e"],
        ),
        "a ~late ~later",
        [("+180", "b"), ("b", "closed")],
    ),
    Refused(
        "Timer cycle",
        "boundary event",
        diagram(
            S,
            A,
            boundary(
                "late",
                "a",
                "<bpmn:timerEventDefinition><bpmn:timeCycle>R3/PT1H</bpmn:timeCycle></bpmn:timerEventDefinition>",
            ),
            B,
            E,
            flows=["s > a", "a > e", "late > b", "b > e"],
        ),
        "timers_clear",
        "late",
    ),
    Refused(
        "Conditional event",
        "boundary event",
        diagram(
            S,
            A,
            boundary("x", "a", "<bpmn:conditionalEventDefinition />"),
            B,
            E,
            flows=["s > a", "a > e", "x > b", "b > e"],
        ),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Multiple event",
        "catch event",
        diagram(S, catch("x", message() + timer()), E, flows=["s > x", "x > e"]),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Cancel event",
        "boundary event",
        diagram(
            S, A, boundary("x", "a", "<bpmn:cancelEventDefinition />"), B, E, flows=["s > a", "a > e", "x > b", "b > e"]
        ),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Compensation",
        "throw event",
        diagram(S, A, throw("x", "<bpmn:compensateEventDefinition />"), E, flows=["s > a", "a > x", "x > e"]),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Boundary event",
        "at a service task",
        diagram(S, service("n"), boundary("late", "n", timer()), A, E, flows=["s > n", "n > e", "late > a", "a > e"]),
        "boundary_events_lead_on",
        "late",
    ),
    Refused(
        "Transaction",
        "with a cancel event",
        diagram(
            S,
            A,
            node("transaction", "x"),
            boundary("y", "x", "<bpmn:cancelEventDefinition />"),
            E,
            flows=["s > a", "a > x", "x > e", "y > e"],
        ),
        "only_supported_elements",
        "y",
    ),
    Runs(
        "Message boundary event",
        "interrupting",
        diagram(S, A, boundary("m1", "a", message()), B, E, flows=["s > a", "a > e", "m1 > b", "b > e"]),
        "a !m",
        [("!m", "b"), ("b", "closed")],
    ),
]
