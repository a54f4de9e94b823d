"""A confidential message is confided to a lane whose officials look into it, and no step or text tells others of it.

保密的消息要指明由哪个泳道的单位核实（该泳道要有角色，且不是技术支持单位）；其他泳道的步骤、主题和参数不能使用它的内容。

The sender's own lane may see what the sender wrote. Subjects and parameters reach lists, notices and e-mails, so that
even a word of the message in one of them would be read by everybody.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions import expressions
from engine.definitions.rules.facts import Facts, Problem, error, wf


def check(facts: Facts) -> Iterable[Problem]:
    lanes = {lane.get("id"): lane for lane in facts.lanes}
    for message in facts.messages.values():
        if (confided := wf(message, "confidential")) is None:
            continue
        lane = lanes.get(confided)
        if lane is None or wf(lane, "role") in (None, "support"):
            yield error(
                message,
                "{it}的 confidential 是“{confided}”；请写由谁核实：一个有角色、不是技术支持单位的泳道的编号。",
                "confidential of {it} is “{confided}”; write who looks into it: the id of a lane that has a role and "
                "is no support unit's.",
                confided=confided,
            )
            continue
        yield from _told(facts, message, {confided, wf(message, "lane")})


def _told(facts: Facts, message: etree._Element, trusted: set[str | None]) -> Iterable[Problem]:
    forms = set((wf(message, "form") or "").split())
    for task in facts.of_type("userTask"):
        lane = facts.lane_of(task)
        for form in (wf(task, "shows") or "").split():
            if form in forms and (lane is None or lane.get("id") not in trusted):
                yield error(
                    task,
                    "{it}显示保密消息“{message}”的表单“{form}”，但不在可以看到它的泳道里；请从 shows 中删除。",
                    "{it} shows the form “{form}” of the confidential message “{message}” outside the lanes that may "
                    "see it; remove it from shows.",
                    message=message.get("name"),
                    form=form,
                )
    texts = [(facts.process, wf(facts.process, "subject") or "")]
    texts += [(node, param.get("value") or "") for node in facts.nodes for param in facts.params(node)]
    for element, text in texts:
        for form in sorted(_forms_used(text) & forms):
            yield error(
                element,
                "{it}用到保密消息“{message}”的表单“{form}”，列表和通知里谁都能看到；请不要用它的内容。",
                "{it} uses the form “{form}” of the confidential message “{message}”, and everybody reads lists and "
                "notices; leave it out.",
                message=message.get("name"),
                form=form,
            )


def _forms_used(text: str) -> set[str]:
    """Forms of which an expression uses an answer; when something was sent is no secret."""
    try:
        paths = expressions.parse(text).paths
    except expressions.ExpressionRefused:
        return set()  # expressions_readable speaks of it
    return {path.partition(".")[0] for path in paths if not path.endswith(".submitted_at")}
