"""Links, event-based gateways and event sub-processes."""

from tests.engine.conformance.case import Case, Refused, Runs
from tests.engine.conformance.drawing import (
    catch,
    diagram,
    end,
    error,
    escalation,
    gateway,
    link,
    message,
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


def _reaction(trigger: str, *nodes: str, flows: list[str], interrupts: bool = True, id_: str = "r") -> str:
    """An event sub-process whose start is `on_r` and whose end is `end_r`."""
    begin = start(f"on_{id_}", trigger, isInterrupting=str(interrupts).lower())
    return sub(id_, begin, end(f"end_{id_}"), *nodes, flows=flows, reacts=True)


CASES: list[Case] = [
    Runs(
        "Link event",
        "one pair",
        diagram(S, A, throw("x", link()), catch("y", link()), B, E, flows=["s > a", "a > x", "y > b", "b > e"]),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Link event",
        "from two places to one, back in a loop",
        diagram(
            S,
            catch("y", link()),
            A,
            gateway("exclusive", "g"),
            throw("x", link()),
            throw("z", link()),
            E,
            flows=["s > z", "y > a", "a > g", "g > x if a.answer == 'no'", "g > e else"],
        ),
        "a",
        [("a=no", "a"), ("a", "closed")],
    ),
    Runs(
        "Link event",
        "inside a sub-process",
        diagram(
            S,
            _sub(A, throw("y", link()), catch("z", link()), B, flows=["is > a", "a > y", "z > b", "b > ie"]),
            E,
            flows=["s > x", "x > e"],
        ),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Refused(
        "Link event", "to nowhere", diagram(S, A, throw("x", link()), E, flows=["s > a", "a > x"]), "links_meet", "x"
    ),
    Refused(
        "Link event",
        "into a sub-process",
        diagram(
            S,
            A,
            throw("y", link()),
            _sub(catch("z", link()), B, flows=["z > b", "b > ie"]),
            E,
            flows=["s > a", "a > y", "x > e"],
        ),
        "links_meet",
        "y",
    ),
    Runs(
        "Event-based gateway",
        "a message before the limit",
        diagram(
            S,
            gateway("eventBased", "g"),
            catch("x", message()),
            catch("y", timer()),
            A,
            B,
            E,
            flows=["s > g", "g > x", "g > y", "x > a", "y > b", "a > e", "b > e"],
        ),
        "~y !m",
        [("!m", "a"), ("a", "closed")],
    ),
    Runs(
        "Event-based gateway",
        "the limit before a message",
        diagram(
            S,
            gateway("eventBased", "g"),
            catch("x", message()),
            catch("y", timer()),
            A,
            B,
            E,
            flows=["s > g", "g > x", "g > y", "x > a", "y > b", "a > e", "b > e"],
        ),
        "~y !m",
        [("+60", "b"), ("b", "closed")],
    ),
    Runs(
        "Event-based gateway",
        "two limits, of which the earlier counts though both are overdue",
        diagram(
            S,
            gateway("eventBased", "g"),
            catch("x", timer("PT2H")),
            catch("y", timer("PT1H")),
            A,
            B,
            E,
            flows=["s > g", "g > x", "g > y", "x > a", "y > b", "a > e", "b > e"],
        ),
        "~x ~y",
        [("+300", "b"), ("b", "closed")],
    ),
    Runs(
        "Event-based gateway",
        "a signal, in a loop",
        diagram(
            S,
            gateway("parallel", "p"),
            C,
            throw("t", signal()),
            gateway("eventBased", "g"),
            gateway("exclusive", "h"),
            catch("x", signal()),
            catch("y", timer()),
            A,
            B,
            E,
            flows=[
                "s > p",
                "p > c",
                "c > t",
                "t > e",
                "p > h",
                "h > g",
                "g > x",
                "g > y",
                "x > a",
                "y > b",
                "a > e",
                "b > h",
            ],
        ),
        "c ~y",
        [("+60", "b c"), ("b", "c ~y"), ("c", "a"), ("a", "closed")],
    ),
    Refused(
        "Event-based gateway",
        "with a task behind it",
        diagram(
            S,
            gateway("eventBased", "g"),
            catch("x", message()),
            A,
            E,
            flows=["s > g", "g > x", "g > a", "x > e", "a > e"],
        ),
        "event_gateways_wait",
        "a",
    ),
    Refused(
        "Event-based gateway",
        "that starts the process",
        diagram(
            S,
            gateway("eventBased", "g", instantiate="true"),
            catch("x", message()),
            catch("y", timer()),
            E,
            flows=["s > g", "g > x", "g > y", "x > e", "y > e"],
        ),
        "event_gateways_wait",
        "g",
    ),
    Runs(
        "Event sub-process, interrupting",
        "message, in the process",
        diagram(
            S, A, B, E, _reaction(message(), C, flows=["on_r > c", "c > end_r"]), flows=["s > a", "a > b", "b > e"]
        ),
        "a !m",
        [("a", "b !m"), ("!m", "c"), ("c", "closed")],
    ),
    Runs(
        "Event sub-process, interrupting",
        "message that does not come",
        diagram(S, A, E, _reaction(message(), C, flows=["on_r > c", "c > end_r"]), flows=["s > a", "a > e"]),
        "a !m",
        [("a", "closed")],
    ),
    Runs(
        "Event sub-process, interrupting",
        "limit, in a sub-process, which then goes on; it knows the answers given inside",
        diagram(
            S,
            sub(
                "x",
                start("is"),
                end("ie"),
                A,
                B,
                _reaction(
                    timer(),
                    C,
                    D,
                    gateway("exclusive", "g"),
                    flows=["on_r > g", "g > c if a.answer == 'no'", "g > d else", "c > end_r", "d > end_r"],
                ),
                flows=["is > a", "a > b", "b > ie"],
            ),
            task("t"),
            E,
            flows=["s > x", "x > t", "t > e"],
        ),
        "a ~on_r",
        [("a=no", "b ~on_r"), ("+60", "c"), ("c", "t"), ("t", "closed")],
    ),
    Runs(
        "Event sub-process, interrupting",
        "error",
        diagram(
            S,
            A,
            gateway("exclusive", "g"),
            end("x1", error()),
            E,
            _reaction(error(), C, flows=["on_r > c", "c > end_r"]),
            flows=["s > a", "a > g", "g > x1 if a.answer == 'no'", "g > e else"],
        ),
        "a",
        [("a=no", "c"), ("c", "closed")],
    ),
    Runs(
        "Event sub-process, not interrupting",
        "message, twice",
        diagram(
            S,
            A,
            E,
            _reaction(message(), C, flows=["on_r > c", "c > end_r"], interrupts=False),
            flows=["s > a", "a > e"],
        ),
        "a !m",
        [("!m", "a c !m"), ("!m", "a c c !m"), ("c", "a c !m"), ("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Event sub-process, not interrupting",
        "limit",
        diagram(
            S, A, E, _reaction(timer(), C, flows=["on_r > c", "c > end_r"], interrupts=False), flows=["s > a", "a > e"]
        ),
        "a ~on_r",
        [("+60", "a c"), ("c", "a"), ("a", "closed")],
    ),
    Runs(
        "Event sub-process, not interrupting",
        "escalation",
        diagram(
            S,
            A,
            throw("x", escalation()),
            B,
            E,
            _reaction(escalation(), C, flows=["on_r > c", "c > end_r"], interrupts=False),
            flows=["s > a", "a > x", "x > b", "b > e"],
        ),
        "a",
        [("a", "b c"), ("b", "c"), ("c", "closed")],
    ),
    Runs(
        "Event sub-process, not interrupting",
        "signal",
        diagram(
            S,
            A,
            throw("x", signal()),
            B,
            E,
            _reaction(signal(), C, flows=["on_r > c", "c > end_r"], interrupts=False),
            flows=["s > a", "a > x", "x > b", "b > e"],
        ),
        "a",
        [("a", "b c"), ("c", "b"), ("b", "closed")],
    ),
    Runs(
        "Event sub-process, interrupting",
        "ends one that does not interrupt as well",
        diagram(
            S,
            A,
            E,
            _reaction(message(), C, flows=["on_r > c", "c > end_r"], interrupts=False),
            _reaction(timer(), D, flows=["on_q > d", "d > end_q"], id_="q"),
            flows=["s > a", "a > e"],
        ),
        "a ~on_q !m",
        [("!m", "a c ~on_q !m"), ("+60", "d"), ("d", "closed")],
    ),
    Refused(
        "Event sub-process, interrupting",
        "without a trigger",
        diagram(S, A, E, _reaction("", C, flows=["on_r > c", "c > end_r"]), flows=["s > a", "a > e"]),
        "reactions_clear",
        "on_r",
    ),
    Refused(
        "Event sub-process, not interrupting",
        "error",
        diagram(
            S, A, E, _reaction(error(), C, flows=["on_r > c", "c > end_r"], interrupts=False), flows=["s > a", "a > e"]
        ),
        "reactions_clear",
        "on_r",
    ),
]
