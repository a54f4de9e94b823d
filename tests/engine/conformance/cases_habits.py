"""What editors leave in their files, and what people draw that looks odd and has one meaning all the same."""

from tests.engine.conformance.case import Case, Refused, Runs
from tests.engine.conformance.drawing import (
    boundary,
    catch,
    diagram,
    end,
    error,
    gateway,
    link,
    message,
    node,
    several,
    start,
    sub,
    task,
    throw,
    timer,
)

A, B, C, D = (task(name) for name in "abcd")
S, E, E2 = start(), end(), end("e2")
ONE = diagram(S, A, E, flows=["s > a", "a > e"])
DONE = [("a", "closed")]


def with_(old: str, new: str, drawn: bytes = ONE) -> bytes:
    """A diagram with one passage replaced."""
    text = drawn.decode()
    assert text.count(old) == 1, f"{text.count(old)} times in the diagram: {old}"
    return text.replace(old, new).encode()


def drawn_too(more: str) -> bytes:
    return with_("</bpmn:process>", f"{more}</bpmn:process>")


def beside(more: str, drawn: bytes = ONE) -> bytes:
    return with_("</bpmn:process>", f"</bpmn:process>{more}", drawn)


def _defined(kind: str, event: str) -> bytes:
    """An event whose definition stands elsewhere in the file."""
    flows = ["s > x", "x > e"] if event.startswith("intermediate") else ["s > a", "a > x"]
    around = [S, E] if event.startswith("intermediate") else [S, A]
    nodes = [*around, node(event, "x", "<bpmn:eventDefinitionRef>Defined</bpmn:eventDefinitionRef>")]
    return beside(f'<bpmn:{kind}EventDefinition id="Defined" />', diagram(*nodes, flows=flows))


def _timed(part: str, text: str) -> bytes:
    limit = f"<bpmn:timerEventDefinition><bpmn:{part}>{text}</bpmn:{part}></bpmn:timerEventDefinition>"
    return diagram(S, A, boundary("late", "a", limit), B, E, flows=["s > a", "a > e", "late > b", "b > e"])


def _chosen(condition: str, attributes: str) -> bytes:
    flows = ["s > a", "a > g", f"g > b if {condition}", "g > e else", "b > e"]
    plain = 'conditionExpression xsi:type="bpmn:tFormalExpression"'
    return with_(plain, f"{plain} {attributes}", diagram(S, A, gateway("exclusive", "g"), B, E, flows=flows))


_NOTE = '<bpmn:textAnnotation id="n"><bpmn:text>?</bpmn:text></bpmn:textAnnotation>'
_POOLS = (
    '<bpmn:collaboration id="Pools"><bpmn:participant id="Pool_1" processRef="drawn" /><bpmn:participant id="Pool_2" />'
    '<bpmn:messageFlow id="Letter" sourceRef="Pool_2" targetRef="a" /></bpmn:collaboration>'
)
_INNER = (
    '<bpmn:childLaneSet id="Inside"><bpmn:lane id="Lane_2" name="科室" wf:role="enterprise" '
    'wf:organisation="starter.organisation"><bpmn:flowNodeRef>a</bpmn:flowNodeRef></bpmn:lane></bpmn:childLaneSet>'
)
_DRAWN_FOR_PEOPLE = {
    "a note at a task": drawn_too(f'{_NOTE}<bpmn:association id="as" sourceRef="a" targetRef="n" />'),
    "a group": drawn_too('<bpmn:group id="g" />'),
    "a data object that no step is linked to": with_(
        "<bpmn:startEvent",
        '<bpmn:dataObject id="o" /><bpmn:dataObjectReference id="r" name="申请书" dataObjectRef="o" /><bpmn:startEvent',
    ),
    "a data store that no step is linked to": with_(
        "<bpmn:startEvent", '<bpmn:dataStoreReference id="r" name="档案" /><bpmn:startEvent'
    ),
    "a pool that is a black box, with a message flow": with_("<bpmn:process ", f"{_POOLS}<bpmn:process "),
}
_SPELLINGS = {
    "isExecutable as 1": with_('isExecutable="true"', 'isExecutable="1"'),
    "BPMN without a prefix": ONE.replace(b"<bpmn:", b"<").replace(b"</bpmn:", b"</").replace(b"xmlns:bpmn", b"xmlns"),
    "BPMN with another prefix": ONE.replace(b"bpmn:", b"bpmn2:").replace(b"xmlns:bpmn=", b"xmlns:bpmn2="),
}

CASES: list[Case] = [
    *(Runs("Drawn for people", what, drawn, "a", DONE) for what, drawn in _DRAWN_FOR_PEOPLE.items()),
    *(Runs("Spelling of the file", what, drawn, "a", DONE) for what, drawn in _SPELLINGS.items()),
    Refused("Nested lanes", "a step in both", with_("</bpmn:lane>", f"{_INNER}</bpmn:lane>"), "lanes_say_who", "a"),
    Refused(
        "Nested lanes",
        "in a sub-process",
        with_(
            '<bpmn:startEvent id="is"',
            '<bpmn:laneSet id="Own" /><bpmn:startEvent id="is"',
            diagram(S, sub("x", start("is"), A, end("ie"), flows=["is > a", "a > ie"]), E, flows=["s > x", "x > e"]),
        ),
        "sub_process_in_one_lane",
        "x",
    ),
    *(
        Refused("Event defined elsewhere in the file", f"{event}, {kind}", _defined(kind, event), rule, "x")
        for kind, event, rule in (
            ("timer", "intermediateCatchEvent", "only_supported_elements"),
            ("signal", "intermediateThrowEvent", "only_supported_elements"),
            ("terminate", "endEvent", "only_supported_elements"),
        )
    ),
    Refused(
        "Event defined elsewhere in the file",
        "startEvent, message",
        beside(
            '<bpmn:messageEventDefinition id="Defined" />',
            diagram(
                start("s", "<bpmn:eventDefinitionRef>Defined</bpmn:eventDefinitionRef>"),
                *(A, E),
                flows=["s > a", "a > e"],
            ),
        ),
        "one_start",
        "s",
    ),
    Refused(
        "Correlation",
        "of a process",
        drawn_too('<bpmn:correlationSubscription id="c" correlationKeyRef="k" />'),
        "only_supported_elements",
        "c",
    ),
    Refused(
        "Correlation",
        "of a message",
        beside(
            '<bpmn:correlationProperty id="c" name="no"><bpmn:correlationPropertyRetrievalExpression messageRef="m">'
            "<bpmn:messagePath>a.answer</bpmn:messagePath></bpmn:correlationPropertyRetrievalExpression>"
            "</bpmn:correlationProperty>"
        ),
        "only_supported_elements",
        "c",
    ),
    Refused(
        "Data object",
        "a property of the process",
        with_("<bpmn:laneSet", '<bpmn:property id="p" name="amount" /><bpmn:laneSet'),
        "only_supported_elements",
        "drawn",
    ),
    Refused(
        "Expression of another language",
        "named so",
        _chosen("a.answer == 'no'", 'language="groovy"'),
        "expressions_readable",
        "g_b",
    ),
    Refused(
        "Expression of another language",
        "in its wrapper",
        _chosen("${a.answer == 'no'}", ""),
        "expressions_readable",
        "g_b",
    ),
    Runs(
        "Boundary event",
        "that interrupts, back to its own task",
        diagram(S, A, boundary("late", "a", timer()), E, flows=["s > a", "a > e", "late > a"]),
        "a ~late",
        [("+60", "a ~late"), ("+60", "a ~late"), ("a", "closed")],
    ),
    Runs(
        "Boundary event",
        "that interrupts, back to its own sub-process",
        diagram(
            S,
            sub("x", start("is"), A, end("ie"), flows=["is > a", "a > ie"]),
            boundary("late", "x", timer()),
            E,
            flows=["s > x", "x > e", "late > x"],
        ),
        "a ~late",
        [("+60", "a ~late"), ("a", "closed")],
    ),
    Runs(
        "Boundary event",
        "that does not interrupt, into the step after its task",
        diagram(
            *(S, A, boundary("late", "a", timer(), interrupts=False), B, E),
            flows=["s > a", "a > b", "late > b", "b > e"],
        ),
        "a ~late",
        [("+60", "a b"), ("b", "a"), ("a", "b"), ("b", "closed")],
    ),
    Refused(
        "Message boundary event",
        "two of one message at one task",
        diagram(
            *(S, A, boundary("m1", "a", message()), boundary("m2", "a", message()), E),
            flows=["s > a", "a > e", "m1 > e", "m2 > e"],
        ),
        "messages_complete",
        "m2",
    ),
    Refused(
        "Event-based gateway",
        "with one message twice",
        diagram(
            *(S, gateway("eventBased", "g"), catch("v", message()), catch("w", message()), E),
            flows=["s > g", "g > v", "g > w", "v > e", "w > e"],
        ),
        "messages_complete",
        "w",
    ),
    Runs(
        "Message catch event",
        "two that wait in two branches: one message reaches both",
        diagram(
            *(S, gateway("parallel", "p"), catch("v", message()), catch("w", message()), gateway("parallel", "j"), E),
            flows=["s > p", "p > v", "p > w", "v > j", "w > j", "j > e"],
        ),
        "!m !m",
        [("!m", "closed")],
    ),
    *(
        Runs("Timer boundary event", what, _timed(part, text), "b", [("b", "closed")])
        for what, part, text in (
            ("of a day long past", "timeDate", "2020-01-01T00:00:00Z"),
            ("of no time at all", "timeDuration", "PT0S"),
        )
    ),
    *(
        Refused("Timer boundary event", what, _timed("timeDuration", text), "timers_clear", "late")
        for what, text in (("of months", "P1M"), ("of a negative time", "-P1D"), ("that repeats", "R3/PT1H"))
    ),
    *(
        Refused(
            "Multi-instance user task, parallel",
            what,
            diagram(S, B, task("a", loop), E, flows=["s > b", "b > a", "a > e"]),
            "repetitions_clear",
            "a",
        )
        for what, loop in (
            ("less than none", several("-1")),
            ("a million", several("1000000")),
            ("for each of a form", several(of="b")),
        )
    ),
    Runs(
        "Parallel gateway",
        "with a loop inside one branch",
        diagram(
            *(S, gateway("parallel", "p"), gateway("exclusive", "m"), A, gateway("exclusive", "g"), B),
            *(gateway("parallel", "j"), E),
            flows=[
                *("s > p", "p > m", "p > b", "m > a", "a > g", "g > m if a.answer == 'no'", "g > j else"),
                *("b > j", "j > e"),
            ],
        ),
        "a b",
        [("a=no", "a b"), ("b", "a"), ("a=no", "a"), ("a", "closed")],
    ),
    Runs(
        "Parallel gateway",
        "that joins and splits at once",
        diagram(
            *(S, gateway("parallel", "p"), A, B, gateway("parallel", "q"), C, D, gateway("parallel", "r"), E),
            flows=["s > p", "p > a", "p > b", "a > q", "b > q", "q > c", "q > d", "c > r", "d > r", "r > e"],
        ),
        "a b",
        [("a", "b"), ("b", "c d"), ("d", "c"), ("c", "closed")],
    ),
    Runs(
        "Inclusive gateway",
        "in a loop, beside which the other branch goes on",
        diagram(
            *(S, gateway("exclusive", "m"), A, gateway("inclusive", "g"), B, E),
            flows=[
                *("s > m", "m > a", "a > g", "g > m if a.answer == 'again'", "g > b if a.answer != 'stop'"),
                *("g > e else", "b > e"),
            ],
        ),
        "a",
        [("a=again", "a b"), ("a", "b b"), ("b", "b"), ("b", "closed")],
    ),
    Runs(
        "Link event",
        "of one name in a process and in its sub-process",
        diagram(
            *(S, A, throw("t1", link()), catch("c1", link())),
            sub(
                *("x", start("is"), throw("t2", link()), catch("c2", link()), B, end("ie")),
                flows=["is > t2", "c2 > b", "b > ie"],
            ),
            E,
            flows=["s > a", "a > t1", "c1 > x", "x > e"],
        ),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Error",
        "caught by the inner of two, as any error",
        diagram(
            S,
            sub(
                "x",
                start("is"),
                sub("y", start("iis"), A, end("failed", error()), flows=["iis > a", "a > failed"]),
                *(boundary("inner", "y", error("")), C, end("ie")),
                flows=["is > y", "y > ie", "inner > c", "c > ie"],
            ),
            *(boundary("outer", "x", error()), B, E),
            flows=["s > x", "x > e", "outer > b", "b > e"],
        ),
        "a",
        [("a", "c"), ("c", "closed")],
    ),
    Runs(
        "Event sub-process, not interrupting",
        "inside another",
        diagram(
            *(S, A, E),
            sub(
                *("r", start("on_r", message(), isInterrupting="false"), B, end("er")),
                sub(
                    *("q", start("on_q", timer(), isInterrupting="false"), C, end("eq")),
                    flows=["on_q > c", "c > eq"],
                    reacts=True,
                ),
                flows=["on_r > b", "b > er"],
                reacts=True,
            ),
            flows=["s > a", "a > e"],
        ),
        "a !m",
        [("!m", "a b ~on_q !m"), ("+60", "a b c !m"), ("a", "b c"), ("b", "c"), ("c", "closed")],
    ),
    Runs(
        "Terminate end event",
        "of a sub-process beside another branch, which goes on",
        diagram(
            *(S, gateway("parallel", "p"), A),
            sub(
                *("x", start("is"), gateway("parallel", "ip"), B, C, end("ie")),
                end("it", "<bpmn:terminateEventDefinition />"),
                flows=["is > ip", "ip > b", "ip > c", "b > it", "c > ie"],
            ),
            *(E, E2),
            flows=["s > p", "p > a", "p > x", "a > e", "x > e2"],
        ),
        "a b c",
        [("b", "a"), ("a", "closed")],
    ),
]
