"""A message has a name, a form, and the lane whose people may send it; every message event names its message.

消息有名称、表单和可以发送它的泳道；每个消息事件都指定消息。
"""

from collections import Counter
from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, children, error, warning, wf


def check(facts: Facts) -> Iterable[Problem]:
    used = set()
    for event in facts.of_type("boundaryEvent", "intermediateCatchEvent", "startEvent"):
        if children(event, "messageEventDefinition"):
            message = facts.message_of(event)
            if message is None:
                yield error(
                    event,
                    "{it}没有指定消息，请在属性里选择它等待的消息。",
                    "{it} names no message; choose the message it waits for.",
                )
            else:
                used.add(message.get("id", ""))
    for events in facts.side_by_side:
        messages = [facts.message_of(event) for event in events]
        for number, event in enumerate(events):
            if (message := messages[number]) is not None and message in messages[:number]:
                yield error(
                    event,
                    "{it}和旁边的事件等待同一个消息，收到时只有其中一个会发生；请合并，或改用不同的消息。",
                    "{it} waits for the same message as an event beside it, and only one of them would happen; make "
                    "them one, or use two messages.",
                )
    lanes = {lane.get("id"): lane for lane in facts.lanes}
    names = Counter((message.get("name") or "").strip() for message in facts.messages.values())
    for identity, message in facts.messages.items():
        if identity not in used:
            yield warning(
                message,
                "{it}没有被任何事件使用，可以删除。",
                "{it} is used by no event; it can be removed.",
            )
            continue
        name = (message.get("name") or "").strip()
        if not name:
            yield error(message, "{it}没有名称，请填写。", "{it} has no name; name it.")
        elif names[name] > 1:
            yield error(
                message,
                "有 {count} 个消息都叫“{name}”，包括{it}；请合并成一个或改名。",
                "{count} messages are called “{name}”, {it} among them; make them one, or rename them.",
                count=names[name],
                name=name,
            )
        if wf(message, "form") is None:
            yield error(
                message,
                "{it}没有表单，请选择发送时要填写的表单。",
                "{it} has no form; choose the form that is filled in to send it.",
            )
        lane = lanes.get(wf(message, "lane"))
        if lane is None or wf(lane, "role") is None:
            yield error(
                message,
                "{it}没有写明由哪个泳道的单位发送，请填写一个有角色的泳道编号。",
                "{it} does not say who may send it; give the id of a lane that has a role.",
            )
