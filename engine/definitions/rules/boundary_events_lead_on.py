"""A boundary event sits on a step that waits, and exactly one flow leads on from it.

边界事件附在会等待的步骤上，并且有一条连出的线。
"""

from collections.abc import Iterable

from engine.definitions.rules.facts import Facts, Problem, children, error, label, tag


def check(facts: Facts) -> Iterable[Problem]:
    for event in facts.of_type("boundaryEvent"):
        host = facts.by_id.get(event.get("attachedToRef", ""))
        if host is None or host.getparent() is not event.getparent():
            yield error(
                event,
                "{it}没有附在任何任务上，请把它拖到一个任务或子流程的边框上。",
                "{it} is attached to nothing; put it on the border of a task or sub-process.",
            )
        elif tag(host) not in {"userTask", "subProcess"}:
            yield error(
                event,
                "{it}附在{host}上，而该节点从不等待，事件不会发生；请附在用户任务或子流程上。",
                "{it} sits on {host}, which never waits, so it can't happen. Put it on a user task or sub-process.",
                host=label(host),
            )
        elif tag(host) == "userTask" and children(event, "errorEventDefinition", "escalationEventDefinition"):
            yield error(
                event,
                "{it}附在{host}上，而用户任务不会抛出错误或升级；请附在会抛出它的子流程上。",
                "{it} sits on {host}, and a user task throws no error or escalation. Put it on a sub-process.",
                host=label(host),
            )
        if children(event, "errorEventDefinition") and event.get("cancelActivity") == "false":
            yield error(
                event,
                "{it}等待错误，而错误总是中断；请设为中断。",
                "{it} waits for an error, and an error always interrupts; make it interrupting.",
            )
        if not facts.outgoing(event):
            yield error(
                event,
                "{it}没有连出的线，请连到它发生之后的步骤。",
                "No flow leaves {it}; lead it to what is done when it happens.",
            )
        if event.get("cancelActivity", "true") not in {"true", "false"}:
            yield error(
                event,
                "{it}的 cancelActivity 只能写 true（中断）或 false（不中断）。",
                "cancelActivity of {it} must be true (interrupting) or false (not interrupting).",
            )
