"""A timer says how long or until when, in a form that the engine can count: no repeating timers.

`working_days(3)`, an ISO 8601 duration such as `P3D`, a date, or an expression that yields one of these.
"""

from collections.abc import Iterable

from engine.definitions import limits
from engine.definitions.rules.facts import EVENTS, FUNCTIONS, REPEATS, Facts, Problem, children, error, own_text, tag


def check(facts: Facts) -> Iterable[Problem]:
    for event in facts.of_type(*EVENTS):
        for definition in children(event, "timerEventDefinition"):
            times = children(definition, "timeDate", "timeDuration", "timeCycle")
            texts = [own_text(time) for time in times]
            if any(tag(time) == "timeCycle" or REPEATS.match(own_text(time)) for time in times):
                yield error(
                    event,
                    "{it}是循环定时（timeCycle 或 R3/…），本系统不支持；请改为时长，需要重复时用连线绕回来。",
                    "{it} repeats (timeCycle or R3/…), which is unsupported. Give a duration; draw a loop to repeat.",
                )
            elif len(texts) != 1 or not texts[0]:
                yield error(
                    event,
                    "{it}没有写清时限，请填写一项，例如 working_days(3)。",
                    "{it} needs exactly one limit, such as working_days(3).",
                )
            elif problem := limits.text_problem(texts[0], FUNCTIONS):
                yield error(
                    event,
                    "{it}的时限“{text}”不正确：{problem}",
                    "The limit “{text}” of {it} is wrong: {problem}",
                    text=texts[0],
                    problem=problem,
                )
