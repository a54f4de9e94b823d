"""Every attribute of the workflow's own namespace is one that its element has; a misspelt one would do nothing.

wf: 属性和参数只能写在认识它的元素上；写错名称的属性不起作用。
"""

from collections.abc import Iterable, Mapping

from engine.definitions.diagrams import WF
from engine.definitions.rules.facts import NODES, Facts, Problem, error, tag

_NODE = frozenset({"name_en", "basis"})
_CALLS = frozenset({"handler", "result"})
KNOWN: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(NODES, _NODE),
    "process": frozenset({"name_en", "subject", "region", "basis", "withdrawable"}),
    "lane": frozenset({"name_en", "role", "organisation"}),
    "sequenceFlow": frozenset({"name_en", "basis"}),
    "startEvent": _NODE | {"form"},
    "userTask": _NODE | {"form", "shows", "number"},
    "serviceTask": _NODE | _CALLS,
    "endEvent": _NODE | _CALLS | {"outcome", "outcome_en"},
    "message": frozenset({"name_en", "form", "lane", "menu", "menu_en"}),
}
_EVERYWHERE = frozenset({"name_en", "basis"})  # pools, data objects, notes: labels that only people read


def check(facts: Facts) -> Iterable[Problem]:
    prefix = f"{{{WF}}}"
    for element in facts.root.iter():
        if not tag(element):
            continue
        known = KNOWN.get(tag(element), _EVERYWHERE)
        for attribute in element.attrib:
            name = str(attribute).removeprefix(prefix)
            if str(attribute).startswith(prefix) and name not in known:
                yield error(
                    element,
                    "{it}没有“{name}”这个属性（写在别处的属性不起作用）；可用：{known}。",
                    "{it} has no attribute “{name}”, so it would do nothing there; known are {known}.",
                    name=name,
                    known=", ".join(sorted(known)),
                )
    for node in facts.nodes:
        if facts.params(node) and tag(node) not in {"serviceTask", "endEvent"}:
            yield error(
                node,
                "{it}写了参数，但只有服务任务和结束事件能调用处理程序；请删除参数。",
                "{it} has parameters, but only service tasks and end events call handlers; remove them.",
            )
