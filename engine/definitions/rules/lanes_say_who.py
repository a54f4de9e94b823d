"""A lane with people in it names a known role together with the expression that finds their organisation.

有人办理的泳道写明角色，以及找出办理单位的表达式。

A lane with neither is the platform's own: only service tasks, events and gateways stand there.
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, children, error, own_text, wf

ROLES = ("enterprise", "authority", "support")


def check(facts: Facts) -> Iterable[Problem]:
    owner: dict[str, str] = {}
    for lane in facts.lanes:
        role, organisation = wf(lane, "role"), wf(lane, "organisation")
        if role is not None and role not in ROLES:
            yield error(
                lane,
                "{it}的角色“{role}”不存在，可用：{roles}。",
                "{it} has the unknown role “{role}”; known are {roles}.",
                role=role,
                roles=", ".join(ROLES),
            )
        if (role is None) != (organisation is None):
            yield error(
                lane,
                "{it}只写了角色或办理单位中的一项，请两项都填写；平台自己的泳道两项都不填。",
                "{it} has only one of role and organisation; give both, or neither for the platform's own lane.",
            )
        for reference in children(lane, "flowNodeRef"):
            node = own_text(reference)
            if owner.setdefault(node, lane.get("id", "")) != lane.get("id", ""):
                yield error(
                    facts.by_id.get(node, lane),
                    "{it}同时属于两个泳道，请只留在一个泳道里。",
                    "{it} is listed in two lanes; leave it in one.",
                )
