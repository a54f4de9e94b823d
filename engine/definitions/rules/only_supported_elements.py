"""The diagram uses only those parts of BPMN that this engine runs with certainty.

流程图只用本系统确实能正确运行的 BPMN 元素。

What is left out and what to draw instead stands in the tables below. A part that is refused here would be
ignored, or run wrongly, without a word.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import EVENTS, NODES, Facts, Problem, children, error, tag
from engine.text import Text

_USE_SERVICE = Text("请改用服务任务并选择处理程序。", "Use a service task with a handler.")
_USE_USER = Text("请改用用户任务并选择表单。", "Use a user task with a form.")
_USE_SUB = Text("请改用普通的嵌入式子流程。", "Use an ordinary embedded sub-process.")
_USE_GATEWAYS = Text("请改用排他、包容或并行网关。", "Use exclusive, inclusive or parallel gateways.")
_USE_MESSAGE = Text("请改用消息中间捕获事件。", "Use an intermediate message catch event.")
_USE_CASES = Text("请用用户任务的结论加排他网关区分。", "Let a user task's answer decide at an exclusive gateway.")

NODES_REFUSED = {
    "task": _USE_USER,
    "manualTask": _USE_USER,
    "scriptTask": _USE_SERVICE,
    "businessRuleTask": _USE_SERVICE,
    "sendTask": _USE_SERVICE,
    "receiveTask": _USE_MESSAGE,
    "transaction": _USE_SUB,
    "adHocSubProcess": _USE_SUB,
    "complexGateway": _USE_GATEWAYS,
}
TRIGGERS_REFUSED = {
    "compensateEventDefinition": (Text("补偿", "compensation"), _USE_CASES),
    "cancelEventDefinition": (Text("取消", "cancel"), _USE_CASES),
    "conditionalEventDefinition": (Text("条件", "condition"), _USE_CASES),
}
TRIGGERS = {
    "messageEventDefinition": Text("消息", "message"),
    "timerEventDefinition": Text("定时", "timer"),
    "signalEventDefinition": Text("信号", "signal"),
    "errorEventDefinition": Text("错误", "error"),
    "escalationEventDefinition": Text("升级", "escalation"),
    "linkEventDefinition": Text("链接", "link"),
    "terminateEventDefinition": Text("终止", "terminate"),
}
WAITS_FOR = {
    "boundaryEvent": tuple(TRIGGERS)[:5],
    "intermediateCatchEvent": (*tuple(TRIGGERS)[:3], "linkEventDefinition"),
}
THROWS = {
    "intermediateThrowEvent": ("signalEventDefinition", "escalationEventDefinition", "linkEventDefinition"),
    "endEvent": (
        "signalEventDefinition",
        "errorEventDefinition",
        "escalationEventDefinition",
        "terminateEventDefinition",
    ),
}
_CORRELATION = frozenset({"correlationSubscription", "correlationProperty", "correlationKey"})
_DATA = ("ioSpecification", "dataInputAssociation", "dataOutputAssociation", "property")


def check(facts: Facts) -> Iterable[Problem]:
    for element in [facts.process, *facts.nodes]:
        if children(element, *_DATA):
            yield error(
                element,
                "{it}连接了数据对象，本系统不读取；数据请用表单填写、用表达式引用。",
                "{it} is linked to data objects, which are not read. Use forms, and expressions over their answers.",
            )
    for node in facts.nodes:
        if instead := NODES_REFUSED.get(tag(node)):
            yield error(node, "本系统不支持{it}。{instead}", "{it} is not supported. {instead}", instead=instead)
        if node.get("isForCompensation") in {"true", "1"} or children(node, "standardLoopCharacteristics"):
            yield error(
                node,
                "{it}设置了循环或补偿，本系统不支持；重复请用连线绕回来。",
                "{it} is marked as loop or compensation: not supported. Draw a loop to repeat.",
            )
        if tag(node) != "userTask" and children(node, "multiInstanceLoopCharacteristics"):
            yield error(
                node,
                "{it}设置了多实例，而只有用户任务可以多实例；请把多实例设在用户任务上，或用连线绕回来。",
                "{it} is multi-instance, and only user tasks can be. Set it on the user tasks, or draw a loop.",
            )
        if any(node.get(name, "1") != "1" for name in ("startQuantity", "completionQuantity")):
            yield error(
                node,
                "{it}设置了 startQuantity 或 completionQuantity，本系统不支持，请删除。",
                "{it} sets startQuantity or completionQuantity, which is not supported; remove it.",
            )
        if tag(node) in EVENTS:
            yield from _triggers(node)
    yield from _other_parts(facts)


def _triggers(event: etree._Element) -> Iterable[Problem]:
    triggers = [
        child for child in event if tag(child).endswith("EventDefinition") or tag(child) == "eventDefinitionRef"
    ]
    for trigger in triggers:
        if tag(trigger) in TRIGGERS_REFUSED:
            kind, instead = TRIGGERS_REFUSED[tag(trigger)]
            yield error(
                event,
                "{it}是“{kind}”事件，本系统不支持。{instead}",
                "{it} is a {kind} event, which is not supported. {instead}",
                kind=kind,
                instead=instead,
            )
    if tag(event) in WAITS_FOR and len(triggers) != 1:
        yield error(
            event,
            "{it}应当等待一件事，现在是 {count} 件；可以等：{known}。",
            "{it} must wait for one thing, and it has {count}; it can be {known}.",
            count=len(triggers),
            known=_listed(WAITS_FOR[tag(event)]),
        )
    allowed = {**WAITS_FOR, **THROWS}.get(tag(event))
    if allowed is None:
        return
    if tag(event) in THROWS and len(triggers) > 1:
        yield error(
            event,
            "{it}一次只能抛出一件事，现在是 {count} 件；请拆成几个事件。",
            "{it} can throw one thing, and it has {count}; make several events of it.",
            count=len(triggers),
        )
    for trigger in triggers:
        if tag(trigger) not in allowed and tag(trigger) not in TRIGGERS_REFUSED:
            yield error(
                event,
                "{it}不能是这种事件；可以是：{known}。要通知别人请用服务任务。",
                "{it} can't be an event of this kind; it can be {known}. To tell somebody use a service task.",
                known=_listed(allowed),
            )


def _listed(kinds: tuple[str, ...]) -> Text:
    return Text("、".join(TRIGGERS[kind].zh for kind in kinds), ", ".join(TRIGGERS[kind].en for kind in kinds))


def _other_parts(facts: Facts) -> Iterable[Problem]:
    for element in facts.process.iter():
        name = tag(element)
        if name not in NODES and name.startswith(("subChoreography", "choreography", "callChoreography")):
            yield error(element, "本系统不支持编排图。", "Choreographies are not supported.")
    for element in facts.root.iter():
        if tag(element) in _CORRELATION:
            yield error(
                element,
                "本系统不支持消息关联（{it}）：消息总是发给打开着的那一件申请；请删除。",
                "Correlation ({it}) is not supported: a message always goes to the application it is sent from; remove "
                "it.",
            )
