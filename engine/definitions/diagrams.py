"""A BPMN diagram as the engine understands it: our bindings, read with lxml, beside the library's parsed specs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from lxml import etree

from engine.errors import Invalid
from engine.text import Text

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
WF = "urn:x-realname:workflow:1"  # our extension namespace; its moddle descriptor is bpmn/workflow.moddle.json


@dataclass(frozen=True, slots=True)
class Lane:
    """Who works here: a role, and an expression that yields the key of the organisation (see OrganisationKey)."""

    id: str
    name: Text
    role: str | None
    organisation: str | None


@dataclass(frozen=True, slots=True)
class Element:
    """One flow node with all it is bound to; what does not apply to its type is empty."""

    id: str
    type: str  # the BPMN tag: userTask, serviceTask, boundaryEvent, endEvent, subProcess, …
    name: Text
    lane: Lane | None = None  # of the node itself, or of the sub-process around it
    parent: str | None = None  # id of the sub-process around it
    called: str = ""  # sub-process that stands for a call activity: id of the process it calls
    basis: str = ""  # legal basis, or the flowchart's box
    documentation: str = ""  # what BPMN calls so: the step in full, shown to whoever works on it
    forms: tuple[str, ...] = ()  # user task, start event: filled in here
    shows: tuple[str, ...] = ()  # user task: earlier forms shown beside
    number: str | None = None  # user task: completing it gives the instance a number with this prefix (expression)
    handler: str | None = None  # service task, end event
    params: Mapping[str, str] = field(default_factory=dict)  # parameter → expression
    result: str | None = None  # variable the handler's answer goes to
    outcome: Text | None = None  # end event
    attached_to: str | None = None  # boundary event
    interrupting: bool = True  # boundary event
    timer: str | None = None  # text of the timer, timers only
    pausable: bool = False  # limit: may an official whose task it is stop its clock?
    extendable: str | None = None  # limit: most working days officials may add to it (expression)
    message: str | None = None  # name of the message, message events only


@dataclass(frozen=True, slots=True)
class Message:
    """A message people may send while the diagram waits for it."""

    name: str
    forms: tuple[str, ...]
    lane: Lane | None
    menu: Text
    confidential: str | None = None  # id of the lane whose officials read it, beside the sender; none: whoever may


@dataclass(frozen=True)
class Diagram:
    """One executable process. Ids are the diagram's own; nothing in code knows them."""

    process_id: str
    name: Text
    subject: str | None  # expression: what lists call an instance
    region: str | None  # expression: code of the city whose calendar counts
    lanes: Mapping[str, Lane]
    elements: Mapping[str, Element]
    messages: Mapping[str, Message]
    retention: str | None = None  # how long its content is kept after it was closed, such as P5Y; none: for ever
    withdrawable: bool = False  # may whoever started an instance take it back, as long as nothing is decided?

    @property
    def start(self) -> Element:
        """Where the process begins; the lint sees to it that there is such an event, and only one."""
        return next(e for e in self.elements.values() if e.type == "startEvent" and e.parent is None)

    @property
    def start_forms(self) -> tuple[str, ...]:
        return next((e.forms for e in self.elements.values() if e.type == "startEvent" and e.parent is None), ())

    def drawn(self, element_id: str) -> str:
        """The element of the file that was drawn: for a step of a process it calls, the call activity."""
        drawn, element = element_id, self.elements.get(element_id)
        while element is not None and (around := self.elements.get(element.parent or "")) is not None:
            drawn, element = (around.id if around.called else drawn), around
        return drawn


class DiagramUnreadable(Invalid):
    """The bytes are no BPMN diagram this system could even look at."""

    sentence = Text("无法读取流程图：{reason}", "The diagram can't be read: {reason}")


# The onboarding diagram has 95,000 bytes, 1,000 elements and 4,800 nodes, and is 6 deep.
MAX_BYTES = 2_000_000
MAX_ELEMENTS = 10_000
MAX_NODES = 60_000  # elements, attributes, texts and comments together
MAX_DEPTH = 60
FLOW_NODES = frozenset(
    {
        *("startEvent", "endEvent", "boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"),
        *("task", "userTask", "manualTask", "serviceTask", "sendTask", "receiveTask", "scriptTask"),
        *("businessRuleTask", "callActivity", "subProcess", "adHocSubProcess", "transaction"),
        *("exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"),
    }
)
_TIMER_PARTS = ("timeDuration", "timeDate", "timeCycle")


def parse_xml(xml: bytes) -> etree._Element:
    """The root of a BPMN file in UTF-8, parsed without entities or network, and of a bounded size.

    Raises DiagramUnreadable.
    """
    if len(xml) > MAX_BYTES:
        _refuse(f"文件超过 {MAX_BYTES // 1_000_000} MB。", f"the file is over {MAX_BYTES // 1_000_000} MB.")
    try:
        xml.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("文件不是 UTF-8 编码，请另存为 UTF-8。", "the file is not in UTF-8; save it as UTF-8.")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        if "Excessive depth" in str(problem):
            _refuse_depth()
        _refuse(f"不是有效的 XML 文件（{problem}）。", f"it is not valid XML ({problem}).")
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        _refuse("不允许 DOCTYPE 声明，请删除后再上传。", "a DOCTYPE is not allowed; remove it.")
    if (docinfo.encoding or "UTF-8").upper() not in {"UTF-8", "US-ASCII", "ASCII"}:
        _refuse(
            f"第一行声明的编码是 {docinfo.encoding}，请改为 UTF-8。",
            f"its first line declares the encoding {docinfo.encoding}; make that UTF-8.",
        )
    if root.tag != f"{{{BPMN}}}definitions":
        _refuse("不是 BPMN 2.0 文件（根元素应为 definitions）。", "its root element is not BPMN definitions.")
    for path, most in (("count(//*)", MAX_ELEMENTS), ("count(//node()) + count(//@*)", MAX_NODES)):
        if (count := int(float(str(root.xpath(path))))) > most:
            _refuse(
                f"内容太多（{count} 项，最多 {most} 项），请拆成几个流程。",
                f"it holds too much ({count} items, {most} at most); split it into several processes.",
            )
    if root.xpath("boolean(/*" + "/*" * MAX_DEPTH + ")"):
        _refuse_depth()
    return root


def _refuse_depth() -> NoReturn:
    _refuse(f"元素嵌套超过 {MAX_DEPTH} 层，请拆开。", f"elements are nested deeper than {MAX_DEPTH}; split them.")


def _refuse(zh: str, en: str) -> NoReturn:
    raise DiagramUnreadable(reason=Text(zh, en))


def read(xml: bytes) -> Diagram:
    """The one executable process of a BPMN file with everything bound to it."""
    root = parse_xml(xml)
    process = executable(root)
    lanes, lane_of = _read_lanes(process)
    message_names = {m.get("id", ""): m.get("name", "") for m in _all(root, "message")}
    elements = {
        node.get("id", ""): _read_element(node, lanes, lane_of, message_names)
        for node in process.iter()
        if isinstance(node.tag, str) and etree.QName(node).localname in FLOW_NODES
    }
    messages = {
        name: Message(
            name=name,
            forms=_names(m, "form"),
            lane=lanes.get(_wf(m, "lane") or ""),
            menu=Text(_wf(m, "menu") or name, _wf(m, "menu_en") or ""),
            confidential=_wf(m, "confidential"),
        )
        for m in _all(root, "message")
        if (name := m.get("name"))
    }
    return Diagram(
        process_id=process.get("id", ""),
        name=_name(process),
        subject=_wf(process, "subject"),
        region=_wf(process, "region"),
        lanes=lanes,
        elements=elements,
        messages=messages,
        retention=_wf(process, "retention"),
        withdrawable=_wf(process, "withdrawable") == "true",
    )


def executable(root: etree._Element) -> etree._Element:
    """The one process of a file that is run. Raises DiagramUnreadable."""
    processes = [p for p in _all(root, "process") if p.get("isExecutable", "true") in {"true", "1"}]
    if not processes:
        _refuse(
            '没有可执行的流程，请把要运行的流程设为可执行（isExecutable="true"）。',
            'it has no executable process; make the one that is to run executable (isExecutable="true").',
        )
    if len(processes) != 1:
        names = ", ".join(process.get("id") or "?" for process in processes[:5]) or "-"
        _refuse(
            f"应有且只有一个可执行流程（isExecutable），实际有 {len(processes)} 个（{names}）。",
            f"there must be exactly one executable process, and there are {len(processes)} ({names}).",
        )
    return processes[0]


def _read_lanes(process: etree._Element) -> tuple[dict[str, Lane], dict[str, Lane]]:
    """Lanes by id, and the lane of each flow node that one of them lists."""
    lanes: dict[str, Lane] = {}
    lane_of: dict[str, Lane] = {}
    for node in _all(process, "lane"):
        lane = Lane(node.get("id", ""), _name(node), _wf(node, "role"), _wf(node, "organisation"))
        lanes[lane.id] = lane
        lane_of.update({(ref.text or "").strip(): lane for ref in node.findall(f"{{{BPMN}}}flowNodeRef")})
    return lanes, lane_of


def _read_element(
    node: etree._Element,
    lanes: Mapping[str, Lane],
    lane_of: Mapping[str, Lane],
    message_names: Mapping[str, str],
) -> Element:
    parent_id = None
    for parent in node.iterancestors():
        if etree.QName(parent).localname == "process":
            break
        parent_id = parent_id or parent.get("id")
    timer = next((t for part in _TIMER_PARTS for t in _all(node, part)), None) if _is_event(node) else None
    message_event = next(iter(_all(node, "messageEventDefinition")), None) if _is_event(node) else None
    outcome = _wf(node, "outcome")
    return Element(
        id=node.get("id", ""),
        type=etree.QName(node).localname,
        name=_name(node),
        lane=lane_of.get(at_home(node).get("id", "")),
        parent=parent_id,
        called=_wf(node, "called") or "",
        basis=_wf(node, "basis") or "",
        documentation="\n".join((d.text or "").strip() for d in node.findall(f"{{{BPMN}}}documentation")),
        forms=_names(node, "form"),
        shows=_names(node, "shows"),
        number=_wf(node, "number"),
        handler=_wf(node, "handler"),
        params={
            p.get("name", ""): p.get("value", "") for p in node.findall(f"{{{BPMN}}}extensionElements/{{{WF}}}param")
        },
        result=_wf(node, "result"),
        outcome=Text(outcome, _wf(node, "outcome_en") or "") if outcome else None,
        attached_to=node.get("attachedToRef"),
        interrupting=node.get("cancelActivity", "true") == "true",
        timer=None if timer is None else (timer.text or "").strip(),
        pausable=_wf(node, "pausable") == "true",
        extendable=_wf(node, "extendable"),
        message=None if message_event is None else message_names.get(message_event.get("messageRef", ""), ""),
    )


def at_home(node: etree._Element) -> etree._Element:
    """What stands in the lane in which a node works: the node itself, or the outermost sub-process around it.

    A node inside a sub-process works in the sub-process's lane, whatever it claims: editors drop nested references
    when a node is moved. Only a process that is called has lanes of its own.
    """
    home = node
    while (around := home.getparent()) is not None and etree.QName(around).localname != "process":
        if _wf(around, "called") is not None:
            break
        home = around
    return home


def _is_event(node: etree._Element) -> bool:
    return etree.QName(node).localname.endswith("Event")


def _all(node: etree._Element, tag: str) -> list[etree._Element]:
    return list(node.iter(f"{{{BPMN}}}{tag}"))


def _wf(node: etree._Element, attribute: str) -> str | None:
    return node.get(f"{{{WF}}}{attribute}")


def _names(node: etree._Element, attribute: str) -> tuple[str, ...]:
    return tuple((_wf(node, attribute) or "").split())


def _name(node: etree._Element) -> Text:
    """A node's label on one line: editors keep line breaks that were typed to make it fit its box."""
    return Text(" ".join(node.get("name", "").split()), _wf(node, "name_en") or "")
