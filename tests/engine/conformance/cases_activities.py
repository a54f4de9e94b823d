"""Activities, and tasks done several times."""

from tests.engine.conformance.case import Case, Refused, Runs
from tests.engine.conformance.drawing import (
    boundary,
    diagram,
    end,
    gateway,
    node,
    service,
    several,
    start,
    sub,
    task,
    timer,
)

A, B, C, D = (task(name) for name in "abcd")
S, E = start(), end()
YES, MANY = "if a.answer == 'yes'", "if a.answer != 'no'"


def _one(inside: str, *, flows: list[str] | None = None) -> bytes:
    """start → x → end."""
    return diagram(S, inside, E, flows=flows or ["s > x", "x > e"])


def _inside(inside: str) -> bytes:
    """start → sub-process [ start → x → end ] → end."""
    return diagram(S, sub("o", start("is"), inside, end("ie"), flows=["is > x", "x > ie"]), E, flows=["s > o", "o > e"])


def _after_a_task(inside: str) -> bytes:
    return diagram(S, A, inside, E, flows=["s > a", "a > x", "x > e"])


_KINDS = {
    "Task without a type": "task",
    "Manual task": "manualTask",
    "Script task": "scriptTask",
    "Business rule task": "businessRuleTask",
    "Send task": "sendTask",
    "Receive task": "receiveTask",
    "Ad-hoc sub-process": "adHocSubProcess",
}

CASES: list[Case] = [
    Runs("User task", "one", diagram(S, A, E, flows=["s > a", "a > e"]), "a", [("a", "closed")]),
    Runs(
        "User task",
        "reached twice, by a loop",
        diagram(S, A, gateway("exclusive", "x"), E, flows=["s > a", "a > x", f"x > e {YES}", "x > a else"]),
        "a",
        [("a=no", "a"), ("a=no", "a"), ("a", "closed")],
    ),
    Runs("Service task", "one", diagram(S, service("n"), E, flows=["s > n", "n > e"]), "closed", [], {"n": 1}),
    Runs(
        "Service task",
        "after a task, in a loop",
        diagram(
            S,
            A,
            service("n"),
            gateway("exclusive", "x"),
            E,
            flows=["s > a", "a > n", "n > x", f"x > e {YES}", "x > a else"],
        ),
        "a",
        [("a=no", "a"), ("a", "closed")],
        {"n": 2},
    ),
    Refused("Task without a type", "one", _one(node("task", "x")), "only_supported_elements", "x"),
    Refused("Manual task", "one", _one(node("manualTask", "x")), "only_supported_elements", "x"),
    Refused(
        "Script task",
        "one",
        _one(node("scriptTask", "x", "<bpmn:script>1</bpmn:script>")),
        "only_supported_elements",
        "x",
    ),
    Refused("Business rule task", "one", _one(node("businessRuleTask", "x")), "only_supported_elements", "x"),
    Refused("Send task", "one", _one(node("sendTask", "x")), "only_supported_elements", "x"),
    Refused("Receive task", "one", _one(node("receiveTask", "x")), "only_supported_elements", "x"),
    Runs(
        "Sub-process, embedded",
        "in a sequence",
        diagram(
            S, sub("x", start("is"), A, end("ie"), flows=["is > a", "a > ie"]), B, E, flows=["s > x", "x > b", "b > e"]
        ),
        "a",
        [("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Sub-process, embedded",
        "with two branches inside, both of which must end",
        diagram(
            S,
            sub(
                "x",
                start("is"),
                gateway("parallel", "g"),
                A,
                B,
                end("ie"),
                end("je"),
                flows=["is > g", "g > a", "g > b", "a > ie", "b > je"],
            ),
            C,
            E,
            flows=["s > x", "x > c", "c > e"],
        ),
        "a b",
        [("a", "b"), ("b", "c"), ("c", "closed")],
    ),
    *(
        Refused(construct, "in a sub-process", _inside(node(kind, "x")), "only_supported_elements", "x")
        for construct, kind in _KINDS.items()
    ),
    Refused("Transaction", "one", _one(node("transaction", "x")), "only_supported_elements", "x"),
    Refused("Ad-hoc sub-process", "one", _one(node("adHocSubProcess", "x")), "only_supported_elements", "x"),
    Refused(
        "Loop (standardLoopCharacteristics)",
        "of a task",
        _one(task("x", "<bpmn:standardLoopCharacteristics />")),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Loop (standardLoopCharacteristics)",
        "of a sub-process, with a condition",
        diagram(
            S,
            node(
                "subProcess",
                "x",
                "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>True</bpmn:loopCondition>"
                "</bpmn:standardLoopCharacteristics>"
                + start("is")
                + end("ie")
                + node("sequenceFlow", "f", sourceRef="is", targetRef="ie"),
            ),
            E,
            flows=["s > x", "x > e"],
        ),
        "only_supported_elements",
        "x",
    ),
    Refused("Compensation", "activity", _one(task("x", isForCompensation="true")), "only_supported_elements", "x"),
    Refused(
        "Start and completion quantity",
        "two tokens",
        _one(task("x", startQuantity="2")),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Start and completion quantity",
        "two tokens out",
        _after_a_task(task("x", completionQuantity="2")),
        "only_supported_elements",
        "x",
    ),
    Runs(
        "Multi-instance user task, parallel",
        "a number of times, in any order",
        diagram(S, task("a", several("3")), B, E, flows=["s > a", "a > b", "b > e"]),
        "a a a",
        [("a 2", "a a"), ("a 2", "a"), ("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Multi-instance user task, parallel",
        "until enough have answered",
        diagram(
            S, task("a", several("4", until="numberOfCompletedInstances >= 2")), B, E, flows=["s > a", "a > b", "b > e"]
        ),
        "a a a a",
        [("a", "a a a"), ("a 3", "b"), ("b", "closed")],
    ),
    Runs(
        "Multi-instance user task, parallel",
        "none at all",
        diagram(S, task("a", several("0")), B, E, flows=["s > a", "a > b", "b > e"]),
        "b",
        [("b", "closed")],
    ),
    Runs(
        "Multi-instance user task, parallel",
        "interrupted by a boundary event, all of them",
        diagram(
            S,
            task("a", several("2")),
            boundary("late", "a", timer()),
            B,
            E,
            flows=["s > a", "a > e", "late > b", "b > e"],
        ),
        "a a ~late",
        [("a", "a ~late"), ("+60", "b"), ("b", "closed")],
    ),
    Runs(
        "Multi-instance user task, parallel",
        "their answers collected in a list",
        diagram(
            S,
            task("a", several("2", results="all_a", result="a")),
            gateway("exclusive", "x"),
            B,
            C,
            E,
            flows=[
                "s > a",
                "a > x",
                "x > b if len(all_a) == 2 and all_a[0].answer == all_a[1].answer",
                "x > c else",
                "b > e",
                "c > e",
            ],
        ),
        "a a",
        [("a=no", "a"), ("a=no", "b"), ("b", "closed")],
    ),
    Runs(
        "Multi-instance user task, sequential",
        "a number of times",
        diagram(S, task("a", several("2", one_by_one=True)), B, E, flows=["s > a", "a > b", "b > e"]),
        "a",
        [("a", "a"), ("a", "b"), ("b", "closed")],
    ),
    Runs(
        "Multi-instance user task, sequential",
        "until one says no",
        diagram(
            S,
            task("a", several("5", one_by_one=True, until="a.answer == 'no'")),
            B,
            E,
            flows=["s > a", "a > b", "b > e"],
        ),
        "a",
        [("a", "a"), ("a=no", "b"), ("b", "closed")],
    ),
    Refused(
        "Multi-instance sub-process",
        "parallel",
        diagram(
            S,
            node(
                "subProcess",
                "x",
                several("2") + start("is") + end("ie") + node("sequenceFlow", "f", sourceRef="is", targetRef="ie"),
            ),
            E,
            flows=["s > x", "x > e"],
        ),
        "only_supported_elements",
        "x",
    ),
    Refused(
        "Multi-instance sub-process",
        "sequential",
        diagram(
            S,
            node(
                "subProcess",
                "x",
                several("2", one_by_one=True)
                + start("is")
                + end("ie")
                + node("sequenceFlow", "f", sourceRef="is", targetRef="ie"),
            ),
            E,
            flows=["s > x", "x > e"],
        ),
        "only_supported_elements",
        "x",
    ),
]
