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
STOP = end("stop", "<bpmn:terminateEventDefinition />")


def _sub(*nodes: str, flows: list[str]) -> str:
    """A sub-process x whose start is `is` and whose end is `ie`."""
    return sub("x", start("is"), end("ie"), *nodes, flows=flows)


_TRIGGERS = (
    ("message", message()),
    ("timer", timer()),
    ("signal", signal()),
    ("conditional", "<bpmn:conditionalEventDefinition />"),
)

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
        for kind, trigger in _TRIGGERS
    ),
    *(
        Refused(
            f"{kind.capitalize()} start event",
            "of a sub-process",
            diagram(
                S,
                sub("x", start("is", trigger), A, end("ie"), flows=["is > a", "a > ie"]),
                E,
                flows=["s > x", "x > e"],
            ),
            "one_start",
            "is",
        )
        for kind, trigger in _TRIGGERS
    ),
    Refused(
        "Several start events",
        "of a sub-process",
        diagram(S, _sub(start("is2"), A, flows=["is > a", "is2 > a", "a > ie"]), E, flows=["s > x", "x > e"]),
        "one_start",
        "is2",
    ),
    *(
        Refused(
            f"{kind.capitalize()} end event",
            "of a sub-process",
            diagram(
                S, sub("x", start("is"), A, end("ie", trigger), flows=["is > a", "a > ie"]), E, flows=["s > x", "x > e"]
            ),
            "only_supported_elements",
            "ie",
        )
        for kind, trigger in (("message", message()), ("cancel", "<bpmn:cancelEventDefinition />"))
    ),
    Refused(
        "Message throw event",
        "in a sub-process",
        diagram(S, _sub(A, throw("t", message()), flows=["is > a", "a > t", "t > ie"]), E, flows=["s > x", "x > e"]),
        "only_supported_elements",
        "t",
    ),
    Refused(
        "Timer cycle",
        "catch event",
        diagram(
            S,
            catch("x", "<bpmn:timerEventDefinition><bpmn:timeCycle>R/P1D</bpmn:timeCycle></bpmn:timerEventDefinition>"),
            E,
            flows=["s > x", "x > e"],
        ),
        "timers_clear",
        "x",
    ),
    Refused(
        "Conditional event",
        "catch event",
        diagram(S, catch("x", "<bpmn:conditionalEventDefinition />"), E, flows=["s > x", "x > e"]),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Multiple event",
        "boundary event",
        diagram(S, A, boundary("x", "a", message() + timer()), B, E, flows=["s > a", "a > e", "x > b", "b > e"]),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Cancel event",
        "throw event",
        diagram(S, A, throw("x", "<bpmn:cancelEventDefinition />"), E, flows=["s > a", "a > x", "x > e"]),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Boundary event",
        "at a gateway",
        diagram(
            S,
            A,
            gateway("exclusive", "g"),
            boundary("late", "g", timer()),
            B,
            E,
            flows=["s > a", "a > g", "g > e", "late > b", "b > e"],
        ),
        "boundary_events_lead_on",
        "late",
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
    Runs(
        "Terminate end event",
        "ends the other branch of the process",
        diagram(S, gateway("parallel", "g"), A, B, E, STOP, flows=["s > g", "g > a", "g > b", "a > stop", "b > e"]),
        "a b",
        [("a", "closed")],
    ),
    Runs(
        "Terminate end event",
        "after the other branch",
        diagram(S, gateway("parallel", "g"), A, B, E, STOP, flows=["s > g", "g > a", "g > b", "a > stop", "b > e"]),
        "a b",
        [("b", "a"), ("a", "closed")],
    ),
    Runs(
        "Terminate end event",
        "ends a limit, and a sub-process with a limit of its own",
        diagram(
            S,
            gateway("parallel", "g"),
            A,
            boundary("late", "a", timer()),
            _sub(B, boundary("slow", "b", timer("PT2H")), C, flows=["is > b", "b > ie", "slow > c", "c > ie"]),
            D,
            E,
            STOP,
            flows=["s > g", "g > a", "g > x", "g > d", "a > e", "late > e", "x > e", "d > stop"],
        ),
        "a b d ~late ~slow",
        [("d", "closed")],
    ),
    Runs(
        "Terminate end event",
        "of a sub-process, which is left as if it were done",
        diagram(
            S,
            _sub(gateway("parallel", "g"), A, B, STOP, flows=["is > g", "g > a", "g > b", "a > stop", "b > ie"]),
            boundary("late", "x", timer()),
            C,
            D,
            E,
            flows=["s > x", "x > c", "c > e", "late > d", "d > e"],
        ),
        "a b ~late",
        [("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Terminate end event",
        "ends event sub-processes that are at work",
        diagram(
            S,
            A,
            STOP,
            sub(
                "r",
                start("rs", message(), isInterrupting="false"),
                B,
                end("re"),
                flows=["rs > b", "b > re"],
                reacts=True,
            ),
            flows=["s > a", "a > stop"],
        ),
        "a !m",
        [("!m", "a b !m"), ("a", "closed")],
    ),
    Runs(
        "Terminate end event",
        "of an event sub-process, which ends itself alone",
        diagram(
            S,
            A,
            E,
            sub(
                "r",
                start("rs", message(), isInterrupting="false"),
                gateway("parallel", "g"),
                B,
                C,
                STOP,
                end("re"),
                flows=["rs > g", "g > b", "g > c", "b > stop", "c > re"],
                reacts=True,
            ),
            flows=["s > a", "a > e"],
        ),
        "a !m",
        [("!m", "a b c !m"), ("b", "a !m"), ("a", "closed")],
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
