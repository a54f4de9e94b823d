"""A user task has a name, a form, and stands in a lane that says who does it.

用户任务有名称、有表单，并放在写明由谁办理的泳道里。
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, error, label, wf


def check(facts: Facts) -> Iterable[Problem]:
    for task in facts.of_type("userTask"):
        if not (task.get("name") or "").strip():
            yield error(
                task,
                "{it}没有名称，办理人看不出要做什么；请填写名称。",
                "{it} has no name, so nobody could tell what to do; name it.",
            )
        if wf(task, "form") is None:
            yield error(
                task,
                "{it}没有表单，请在属性里选择办理时要填写的表单。",
                "{it} has no form; choose the form that is filled in there.",
            )
        lane = facts.lane_of(task)
        if lane is None:
            yield error(
                task,
                "{it}不在任何泳道里，不知道由谁办理；请放进泳道（在子流程里的，放子流程）。",
                "{it} stands in no lane, so nobody would get it; put it (or its sub-process) into a lane.",
            )
        elif wf(lane, "role") is None or wf(lane, "organisation") is None:
            yield error(
                task,
                "{it}所在的{lane}没有写明角色和办理单位，请给泳道填写 role 与 organisation。",
                "{it} stands in {lane}, which does not say who works there; give the lane a role and an organisation.",
                lane=label(lane),
            )
