"""Call activities: another process, deployed before, runs inside of this one."""

from tests.engine.conformance.case import Case, Refused, Runs
from tests.engine.conformance.drawing import (
    boundary,
    call,
    catch,
    diagram,
    end,
    escalation,
    gateway,
    message,
    service,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
)

A, B, C, D = (task(name) for name in "abcd")
S, E = start(), end()

PART = diagram(S, A, E, flows=["s > a", "a > e"], process_id="part")
HURRIES = diagram(
    S,
    A,
    throw("t", escalation()),
    B,
    E,
    flows=["s > a", "a > t", "t > b", "b > e"],
    process_id="hurries",
)
NOTES = diagram(S, call("p", "part"), service("n"), E, flows=["s > p", "p > n", "n > e"], process_id="notes")
WAITS = diagram(S, catch("x", message()), A, E, flows=["s > x", "x > a", "a > e"], process_id="waits")
REACTS = diagram(
    S,
    A,
    E,
    sub("r", start("rs", message()), B, end("re"), flows=["rs > b", "b > re"], reacts=True),
    flows=["s > a", "a > e"],
    process_id="reacts",
)
KNOWS = diagram(
    start("s", wf_form="a"),
    gateway("exclusive", "x"),
    B,
    C,
    E,
    flows=["s > x", "x > b if a.answer == 'yes'", "x > c else", "b > e", "c > e"],
    process_id="knows",
)
SIGNALS = diagram(S, A, throw("t", signal()), E, flows=["s > a", "a > t", "t > e"], process_id="signals")

CASES: list[Case] = [
    Runs(
        "Call activity",
        "in a sequence",
        diagram(S, call("x", "part"), B, E, flows=["s > x", "x > b", "b > e"]),
        "x-a",
        [("x-a", "b"), ("b", "closed")],
        calls=(PART,),
    ),
    Runs(
        "Call activity",
        "two of one process, at once",
        diagram(
            S,
            gateway("parallel", "g"),
            call("x", "part"),
            call("y", "part"),
            B,
            gateway("parallel", "h"),
            E,
            flows=["s > g", "g > x", "g > y", "x > h", "y > h", "h > b", "b > e"],
        ),
        "x-a y-a",
        [("y-a", "x-a"), ("x-a", "b"), ("b", "closed")],
        calls=(PART,),
    ),
    Runs(
        "Call activity",
        "of a process that calls another",
        diagram(S, call("x", "notes"), B, E, flows=["s > x", "x > b", "b > e"]),
        "x-p-a",
        [("x-p-a", "b"), ("b", "closed")],
        {"x-n": 1},
        (PART, NOTES),
    ),
    Runs(
        "Call activity",
        "interrupted by a limit",
        diagram(
            S, call("x", "part"), boundary("late", "x", timer()), B, E, flows=["s > x", "x > e", "late > b", "b > e"]
        ),
        "x-a ~late",
        [("+60", "b"), ("b", "closed")],
        calls=(PART,),
    ),
    Runs(
        "Call activity",
        "an escalation of the called process is caught at it",
        diagram(
            S,
            call("x", "hurries"),
            boundary("late", "x", escalation()),
            C,
            D,
            E,
            flows=["s > x", "x > d", "late > c", "c > e", "d > e"],
        ),
        "x-a",
        [("x-a", "c"), ("c", "closed")],
        calls=(HURRIES,),
    ),
    Runs(
        "Call activity",
        "a message that the called process waits for",
        diagram(S, call("x", "waits"), B, E, flows=["s > x", "x > b", "b > e"]),
        "!m",
        [("!m", "x-a"), ("x-a", "b"), ("b", "closed")],
        calls=(WAITS,),
    ),
    Runs(
        "Call activity",
        "an event sub-process of the called process",
        diagram(S, call("x", "reacts"), C, E, flows=["s > x", "x > c", "c > e"]),
        "x-a !m",
        [("!m", "x-b"), ("x-b", "c"), ("c", "closed")],
        calls=(REACTS,),
    ),
    Runs(
        "Call activity",
        "the called process knows what the caller knows",
        diagram(S, A, call("x", "knows"), B, E, flows=["s > a", "a > x", "x > b", "b > e"]),
        "a",
        [("a", "x-b"), ("x-b", "b"), ("b", "closed")],
        calls=(KNOWS,),
    ),
    Runs(
        "Call activity",
        "the caller knows what was answered in the called process",
        diagram(
            S,
            call("x", "part"),
            gateway("exclusive", "g"),
            B,
            C,
            E,
            flows=["s > x", "x > g", "g > b if a.answer == 'no'", "g > c else", "b > e", "c > e"],
        ),
        "x-a",
        [("x-a=no", "b"), ("b", "closed")],
        calls=(PART,),
    ),
    Runs(
        "Call activity",
        "a signal of the called process reaches the caller",
        diagram(
            S,
            gateway("parallel", "g"),
            call("x", "signals"),
            B,
            boundary("stopped", "b", signal()),
            C,
            E,
            flows=["s > g", "g > x", "g > b", "x > e", "b > e", "stopped > c", "c > e"],
        ),
        "b x-a",
        [("x-a", "c"), ("c", "closed")],
        calls=(SIGNALS,),
    ),
    Refused(
        "Call activity",
        "of a process that is not deployed, or a global task",
        diagram(S, call("x", "other"), E, flows=["s > x", "x > e"]),
        "calls_resolved",
        "x",
    ),
    Refused(
        "Call activity",
        "of its own process",
        diagram(S, call("x", "drawn"), E, flows=["s > x", "x > e"]),
        "calls_resolved",
        "x",
    ),
]
