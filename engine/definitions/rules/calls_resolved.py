"""A call activity names another process, of which a version is in force at the moment of deployment.

调用活动写明另一个流程的编号，该流程在部署时已有正在使用的版本。

What it calls is drawn out where the call stands, in the version that is in force then, and stays in it. So whatever
call is still here calls nothing that could be found; the command `lint`, which looks into no database, finds none.
"""

from collections.abc import Iterable

from engine.definitions.inlining import called_by
from engine.definitions.rules.facts import Facts, Problem, error


def check(facts: Facts) -> Iterable[Problem]:
    for activity in facts.of_type("callActivity"):
        called = called_by(activity)
        if not called:
            yield error(
                activity,
                "{it}没有写明调用哪个流程，请填写流程编号（calledElement）。",
                "{it} does not say which process it calls; give the process's id (calledElement).",
            )
        elif called == facts.diagram.process_id:
            yield error(
                activity,
                "{it}调用的是本流程自己，永远不会结束；请用连线绕回来。",
                "{it} calls its own process, which would never end; draw a loop instead.",
            )
        else:
            yield error(
                activity,
                "{it}调用的流程“{called}”没有正在使用的版本；请先部署那个流程，或改正编号。",
                "{it} calls the process “{called}”, of which no version is in force; deploy that process first, or "
                "correct the id.",
                called=called,
            )
