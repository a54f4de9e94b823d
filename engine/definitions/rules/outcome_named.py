"""At least one end event of the process says what has come out (its outcome)."""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, error, wf


def check(facts: Facts) -> Iterable[Problem]:
    ends = facts.of_type("endEvent")
    if ends and not any(wf(end, "outcome") for end in ends):
        yield error(
            facts.process,
            "{it}的结束事件都没有写办理结果（outcome），请至少在一个结束事件上填写，例如“联调成功”。",
            "No end event of {it} names an outcome; write one on at least one of them, such as “connected”.",
        )
