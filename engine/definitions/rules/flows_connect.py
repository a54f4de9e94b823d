"""Every sequence flow leads from one step to another of the same process or sub-process.

每条连线都从一个节点连到同一流程或同一子流程里的另一个节点。
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, error, label, tag


def check(facts: Facts) -> Iterable[Problem]:
    for flow in facts.flows:
        source = facts.by_id.get(flow.get("sourceRef", ""))
        target = facts.by_id.get(flow.get("targetRef", ""))
        if source is None or target is None:
            yield error(
                flow,
                "{it}的{end}没有接到任何节点，请重新连接。",
                "{it} is not attached at its {end_en}; connect it again.",
                end="起点" if source is None else "终点",
                end_en="start" if source is None else "end",
            )
            continue
        if not (source.getparent() is target.getparent() is flow.getparent()):
            yield error(
                flow,
                "{it}穿过了子流程的边界，请改为从子流程本身连出或连入。",
                "{it} crosses the border of a sub-process; draw it from or to the sub-process itself.",
            )
        if tag(target) in {"startEvent", "boundaryEvent"}:
            yield error(
                flow,
                "{it}指向{target}，而开始事件和边界事件不能有连入的线，请改连到别的节点。",
                "{it} leads into {target}; nothing may flow into a start or boundary event. Lead it elsewhere.",
                target=label(target),
            )
        if tag(source) == "endEvent":
            yield error(
                flow,
                "{it}从{source}连出，而结束事件之后不再有步骤，请删除这条线或换掉结束事件。",
                "{it} leaves {source}, but nothing follows an end event. Remove the flow or replace the end event.",
                source=label(source),
            )
