"""What every rule is given: the file as a tree, as a diagram, its forms and the registered handlers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from engine.definitions.diagrams import BPMN, WF, Diagram, at_home, executable
from engine.definitions.fields import Form
from engine.definitions.findings import Severity
from engine.definitions.handlers import Parameters
from engine.definitions.normalising import link_pairs
from engine.definitions.repeating import Repetition
from engine.text import Text

# What the runtime lets expressions call beside the language's own functions; timers know working_days as well.
FUNCTIONS = frozenset({"is_open", "today"})

DURATION = re.compile(r"-?P[\dT][\d.,YMWDTHS]*")  # ISO 8601, what we know of it and what we don't
REPEATS = re.compile(r"R\d*/")  # ISO 8601 repeating intervals, which would read as a division

EVENTS = frozenset({"startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"})
GATEWAYS = frozenset({"exclusiveGateway", "parallelGateway", "inclusiveGateway", "complexGateway", "eventBasedGateway"})
SUB_PROCESSES = frozenset({"subProcess", "transaction", "adHocSubProcess"})
ACTIVITIES = SUB_PROCESSES | {
    "task",
    "userTask",
    "manualTask",
    "serviceTask",
    "scriptTask",
    "sendTask",
    "receiveTask",
    "businessRuleTask",
    "callActivity",
}
NODES = EVENTS | GATEWAYS | ACTIVITIES

KINDS = {
    "process": Text("流程", "process"),
    "lane": Text("泳道", "lane"),
    "message": Text("消息", "message"),
    "signal": Text("信号", "signal"),
    "sequenceFlow": Text("连线", "sequence flow"),
    "startEvent": Text("开始事件", "start event"),
    "endEvent": Text("结束事件", "end event"),
    "intermediateCatchEvent": Text("中间捕获事件", "intermediate catch event"),
    "intermediateThrowEvent": Text("中间抛出事件", "intermediate throw event"),
    "boundaryEvent": Text("边界事件", "boundary event"),
    "exclusiveGateway": Text("排他网关", "exclusive gateway"),
    "parallelGateway": Text("并行网关", "parallel gateway"),
    "inclusiveGateway": Text("包容网关", "inclusive gateway"),
    "complexGateway": Text("复杂网关", "complex gateway"),
    "eventBasedGateway": Text("事件网关", "event-based gateway"),
    "task": Text("普通任务", "plain task"),
    "userTask": Text("用户任务", "user task"),
    "manualTask": Text("手工任务", "manual task"),
    "serviceTask": Text("服务任务", "service task"),
    "scriptTask": Text("脚本任务", "script task"),
    "sendTask": Text("发送任务", "send task"),
    "receiveTask": Text("接收任务", "receive task"),
    "businessRuleTask": Text("业务规则任务", "business rule task"),
    "callActivity": Text("调用活动", "call activity"),
    "subProcess": Text("子流程", "sub-process"),
    "transaction": Text("事务子流程", "transaction"),
    "adHocSubProcess": Text("即席子流程", "ad-hoc sub-process"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule's objection to one element (None: to the file); the gate makes a finding of it."""

    element: etree._Element | None
    text: Text
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression of the diagram and where it stands. `at` is the flow node at which it is worked out."""

    element: etree._Element
    text: str
    role: Text
    at: etree._Element | None = None
    after: bool = False  # worked out when `at` is done, not when it is entered


def tag(element: etree._Element) -> str:
    """The BPMN name of an element; empty for elements of other namespaces, comments and the like."""
    name = element.tag
    return name.removeprefix(f"{{{BPMN}}}") if isinstance(name, str) and name.startswith(f"{{{BPMN}}}") else ""


def children(element: etree._Element, *names: str) -> list[etree._Element]:
    return [child for child in element if tag(child) in names]


def wf(element: etree._Element, name: str) -> str | None:
    """An attribute of our own namespace; blank counts as not given."""
    return (element.get(f"{{{WF}}}{name}") or "").strip() or None


def own_text(element: etree._Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def name_of(element: etree._Element) -> Text:
    return Text((element.get("name") or "").strip(), wf(element, "name_en") or "")


def label(element: etree._Element) -> Text:
    """What a sentence calls an element: its kind, its name and its id."""
    kind = KINDS.get(tag(element), Text("元素", "element"))
    name, identity = name_of(element), element.get("id")
    if not name.zh:
        return Text(f"{kind.zh} {identity}", f"{kind.en} {identity}") if identity else kind
    mark = Text(f"（{identity}）", f" ({identity})") if identity else Text("")
    return Text(f"{kind.zh}“{_short(name.zh)}”{mark.zh}", f"{kind.en} “{_short(name.to('en'))}”{mark.en}")


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


def error(element: etree._Element | None, zh: str, en: str, **facts: object) -> Problem:
    """An error; `{it}` in the templates is the element."""
    return Problem(element, _sentence(element, zh, en, facts))


def warning(element: etree._Element | None, zh: str, en: str, **facts: object) -> Problem:
    return Problem(element, _sentence(element, zh, en, facts), Severity.WARNING)


def info(element: etree._Element | None, zh: str, en: str, **facts: object) -> Problem:
    return Problem(element, _sentence(element, zh, en, facts), Severity.INFO)


def _sentence(element: etree._Element | None, zh: str, en: str, facts: dict[str, object]) -> Text:
    text = Text(zh, en).filled(**({} if element is None else {"it": label(element)}), **facts)
    return Text(text.zh, text.en[:1].upper() + text.en[1:])


@dataclass(frozen=True)
class Facts:
    """One file under examination. Elements are lxml's, so that rules see what the diagram's reader leaves out."""

    root: etree._Element
    diagram: Diagram
    forms: Mapping[str, Form]
    form_files: frozenset[str]  # names of all form files, readable or not
    handlers: Mapping[str, Parameters]

    @cached_property
    def process(self) -> etree._Element:
        """The one process that is run; `diagrams.read` has made sure there is one."""
        return executable(self.root)

    @cached_property
    def nodes(self) -> list[etree._Element]:
        """All flow nodes, those in sub-processes too, in the order of the file."""
        return [element for element in self.process.iter() if tag(element) in NODES]

    def of_type(self, *names: str) -> list[etree._Element]:
        return [node for node in self.nodes if tag(node) in names]

    @cached_property
    def by_id(self) -> dict[str, etree._Element]:
        """Flow nodes by id; where an id occurs twice, the first (ids_unique reports the second)."""
        return {node.get("id", ""): node for node in reversed(self.nodes) if node.get("id")}

    @cached_property
    def flows(self) -> list[etree._Element]:
        return list(self.process.iter(f"{{{BPMN}}}sequenceFlow"))

    @cached_property
    def lanes(self) -> list[etree._Element]:
        return list(self.process.iter(f"{{{BPMN}}}lane"))

    @cached_property
    def messages(self) -> dict[str, etree._Element]:
        return {message.get("id", ""): message for message in self.root.iter(f"{{{BPMN}}}message")}

    @cached_property
    def _flow_ends(self) -> tuple[dict[str, list[etree._Element]], dict[str, list[etree._Element]]]:
        leaving: dict[str, list[etree._Element]] = {}
        entering: dict[str, list[etree._Element]] = {}
        for flow in [*self.flows, *self._links]:
            leaving.setdefault(flow.get("sourceRef", ""), []).append(flow)
            entering.setdefault(flow.get("targetRef", ""), []).append(flow)
        return leaving, entering

    @cached_property
    def _links(self) -> list[etree._Element]:
        """The flows that pairs of link events stand for; they are in no file."""
        return [
            etree.Element(f"{{{BPMN}}}sequenceFlow", sourceRef=thrown.get("id", ""), targetRef=caught.get("id", ""))
            for scope in self.scopes
            for thrown, caught in link_pairs(scope)
        ]

    def outgoing(self, node: etree._Element) -> list[etree._Element]:
        """The flows that leave a node, drawn or by a link."""
        return self._flow_ends[0].get(node.get("id", ""), [])

    def incoming(self, node: etree._Element) -> list[etree._Element]:
        return self._flow_ends[1].get(node.get("id", ""), [])

    def targets(self, node: etree._Element) -> list[etree._Element]:
        ids = (flow.get("targetRef", "") for flow in self.outgoing(node))
        return [self.by_id[target] for target in ids if target in self.by_id]

    def boundary_events(self, node: etree._Element) -> list[etree._Element]:
        return self._attached.get(node.get("id", ""), [])

    @cached_property
    def _attached(self) -> dict[str, list[etree._Element]]:
        attached: dict[str, list[etree._Element]] = {}
        for event in self.of_type("boundaryEvent"):
            attached.setdefault(event.get("attachedToRef", ""), []).append(event)
        return attached

    @cached_property
    def side_by_side(self) -> list[list[etree._Element]]:
        """Events that wait at the same time, in groups: those at one activity, those behind one event-based gateway."""
        return [*self._attached.values(), *(self.targets(gateway) for gateway in self.of_type("eventBasedGateway"))]

    @cached_property
    def scopes(self) -> list[etree._Element]:
        """The process and its sub-processes: each has its own start and ends."""
        return [self.process, *self.of_type(*SUB_PROCESSES)]

    def message_of(self, event: etree._Element) -> etree._Element | None:
        """The message an event waits for, if it is a message event that names one."""
        definition = next(iter(children(event, "messageEventDefinition")), None)
        return None if definition is None else self.messages.get(definition.get("messageRef", ""))

    def forms_of(self, node: etree._Element) -> tuple[str, ...]:
        """Names of the forms whose answers exist once this node is done."""
        source = node if tag(node) in {"startEvent", "userTask"} else self.message_of(node)
        return () if source is None else tuple((wf(source, "form") or "").split())

    def lane_of(self, node: etree._Element) -> etree._Element | None:
        """The lane a node is drawn in; inside a sub-process, the lane of the outermost sub-process."""
        return self.listed_in.get(at_home(node).get("id", ""))

    @cached_property
    def listed_in(self) -> dict[str, etree._Element]:
        """The lane that lists a flow node, by the node's id."""
        return {own_text(reference): lane for lane in self.lanes for reference in children(lane, "flowNodeRef")}

    def params(self, node: etree._Element) -> list[etree._Element]:
        return [
            param for extensions in children(node, "extensionElements") for param in extensions.iter(f"{{{WF}}}param")
        ]

    @cached_property
    def expressions(self) -> list[Expression]:
        """Every expression of the diagram but the timers', which have a syntax of their own."""
        return [*self._expressions_of_process(), *self._expressions_of_nodes()]

    def _expressions_of_process(self) -> Iterator[Expression]:
        if subject := wf(self.process, "subject"):
            yield Expression(self.process, subject, Text("主题", "subject"))
        if region := wf(self.process, "region"):
            yield Expression(self.process, region, Text("地区", "region"))
        for lane in self.lanes:
            if organisation := wf(lane, "organisation"):
                role = Text("办理单位", "organisation")
                at = [task for task in self.of_type("userTask") if self.lane_of(task) is lane]
                yield from [Expression(lane, organisation, role, task) for task in at] or [
                    Expression(lane, organisation, role)
                ]
        for flow in self.flows:
            source = self.by_id.get(flow.get("sourceRef", ""))
            if text := self.condition(flow):
                yield Expression(flow, text, Text("条件", "condition"), source, after=True)

    def _expressions_of_nodes(self) -> Iterator[Expression]:
        for node in self.nodes:
            if number := wf(node, "number"):
                yield Expression(node, number, Text("编号前缀", "number prefix"), node, after=True)
            if extendable := wf(node, "extendable"):
                at = self.by_id.get(node.get("attachedToRef", ""), node)
                yield Expression(node, extendable, Text("最多延长的天数", "most days of extension"), at)
            for loop in children(node, "multiInstanceLoopCharacteristics"):
                how = Repetition.of(loop)
                yield Expression(node, how.times, Text("多实例次数", "number of instances"), node)
                if how.enough:
                    yield Expression(node, how.enough, Text("完成条件", "completion condition"), node, after=True)
            for param in self.params(node):
                if value := (param.get("value") or "").strip():
                    role = Text(f"参数“{param.get('name')}”", f"parameter “{param.get('name')}”")
                    yield Expression(node, value, role, node)

    @cached_property
    def expressions_of_forms(self) -> list[Expression]:
        """Conditions and rules inside the forms, at each step where the form is filled in."""
        return [
            Expression(node, text, Text(f"表单“{name}”中的条件", f"condition in the form “{name}”"), node, after=True)
            for node in self.nodes
            for name in self.forms_of(node)
            if name in self.forms
            for text in texts_of(self.forms[name])
        ]

    def condition(self, flow: etree._Element) -> str:
        return own_text(next(iter(children(flow, "conditionExpression")), None))

    @cached_property
    def timers(self) -> list[Expression]:
        """Timer texts; a boundary timer is worked out when the activity it sits on is entered."""
        found = []
        for event in self.of_type(*EVENTS):
            at = self.by_id.get(event.get("attachedToRef", ""), event)
            for definition in children(event, "timerEventDefinition"):
                found += [
                    Expression(event, own_text(time), Text("时限", "limit"), at)
                    for time in children(definition, "timeDate", "timeDuration")
                    if own_text(time) and not REPEATS.match(own_text(time))
                ]
        return found


def texts_of(form: Form) -> list[str]:
    """Every expression that a form holds."""
    texts = [rule.expect for rule in form.rules]
    waiting = list(form.fields)
    while waiting:
        field = waiting.pop()
        waiting += field.fields
        texts += [text for text in (field.required_if, field.visible_if, field.readonly_if) if text]
    return texts
