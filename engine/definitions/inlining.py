"""Call activities (BPMN 2.0, 10.3.6): what they call is a sub-process of the caller before that is checked and run.

Its steps keep the lanes of their own diagram and get ids that begin with the call activity's. It knows the caller's
variables and adds to them, as an embedded sub-process does: so its start form is one the caller has filled in, and
what it comes to is no outcome of the caller's.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from lxml import etree

from engine.definitions import diagrams
from engine.definitions.diagrams import BPMN, FLOW_NODES, WF

Node = etree._Element
Drawn = tuple[bytes, Mapping[str, Any]]  # a diagram and its forms: form name → schema

_IS_OPEN = re.compile(r"""(is_open\(\s*)(['"])([^'"]*)\2""")

_NODES = {f"{{{BPMN}}}{name}" for name in FLOW_NODES}
_PARTS = _NODES | {f"{{{BPMN}}}{name}" for name in ("laneSet", "sequenceFlow")}
_REFERRING = {f"{{{BPMN}}}{name}" for name in ("incoming", "outgoing", "flowNodeRef")}
# What stands beside the process, and by what two of them are known to be the same.
_BESIDE = {
    "message": ("name", f"{{{WF}}}form"),
    "signal": ("name",),
    "error": ("errorCode",),
    "escalation": ("escalationCode",),
}


def calls(diagram: bytes) -> list[str]:
    """Ids of the processes that a diagram calls, each as often as it does. Raises DiagramUnreadable."""
    activities = diagrams.executable(diagrams.parse_xml(diagram)).iter(f"{{{BPMN}}}callActivity")
    return [process_id for activity in activities if (process_id := called_by(activity))]


def called_by(activity: Node) -> str:
    """The id of the process a call activity calls; editors may put a prefix before it."""
    return (activity.get("calledElement") or "").strip().rpartition(":")[2]


def inlined(diagram: bytes, forms: Mapping[str, Any], called: Mapping[str, Drawn]) -> Drawn:
    """The diagram with each call of a process of `called` drawn out, and the forms of all; any other call stays."""
    if not called:
        return diagram, forms
    root = diagrams.parse_xml(diagram)
    process = diagrams.executable(root)
    for activity in list(process.iter(f"{{{BPMN}}}callActivity")):
        if (process_id := called_by(activity)) in called:
            theirs, their_forms = called[process_id]
            _draw_out(activity, process, diagrams.parse_xml(theirs), process_id)
            forms = {**forms_used(theirs, their_forms), **forms}
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True), forms


def forms_used(diagram: bytes, forms: Mapping[str, Any]) -> dict[str, Any]:
    """The forms that a process brings along when it is called: all but those its start event alone asks for."""
    root = diagrams.parse_xml(diagram)
    bound = {node: (node.get(f"{{{WF}}}form") or "").split() for node in root.iter()}
    asked_first = {
        name for start in diagrams.executable(root).findall(f"{{{BPMN}}}startEvent") for name in bound.pop(start)
    }
    asked = {name for names in bound.values() for name in names}
    return {name: schema for name, schema in forms.items() if name not in asked_first - asked}


def _draw_out(activity: Node, process: Node, root: Node, process_id: str) -> None:
    inner = diagrams.executable(root)
    parts = [deepcopy(part) for part in inner if part.tag in _PARTS]
    names = {str(part.get("id")) for whole in parts for part in whole.iter() if part.get("id")}
    own = {name: f"{activity.get('id')}-{name}" for name in names}
    beside = {str(each.get("id")): each for kind in _BESIDE for each in root.findall(f"{{{BPMN}}}{kind}")}
    known = {identity: _beside(process, each, own, process_id) for identity, each in _needed(parts, beside)}
    for part in parts:
        for node in part.iter():
            if isinstance(node.tag, str):
                _rename(node, own, known)
    for start in [part for part in parts if part.tag == f"{{{BPMN}}}startEvent"]:
        start.attrib.pop(f"{{{WF}}}form", "")
    for end in [node for part in parts for node in part.iter(f"{{{BPMN}}}endEvent")]:
        for attribute in ("outcome", "outcome_en"):
            end.attrib.pop(f"{{{WF}}}{attribute}", "")
    activity.tag = f"{{{BPMN}}}subProcess"
    del activity.attrib["calledElement"]
    activity.set(f"{{{WF}}}called", process_id)
    activity.extend(sorted(parts, key=lambda part: part.tag != f"{{{BPMN}}}laneSet"))  # they come first in the schema


def _needed(parts: list[Node], beside: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    for part in parts:
        for node in part.iter():
            for attribute, reference in node.attrib.items():
                if str(attribute).endswith("Ref") and str(reference) in beside:
                    yield str(reference), beside[str(reference)]


def _beside(process: Node, theirs: Node, own: Mapping[str, str], process_id: str) -> str:
    """The id in the caller's file of a message, signal, error or escalation that the called process speaks of."""
    identity = _BESIDE[etree.QName(theirs).localname]
    root = process.getroottree().getroot()
    for each in root.findall(str(theirs.tag)):
        if [each.get(attribute) for attribute in identity] == [theirs.get(attribute) for attribute in identity]:
            return str(each.get("id"))
    copied = deepcopy(theirs)
    copied.set("id", f"{process_id}-{theirs.get('id')}")
    if (lane := theirs.get(f"{{{WF}}}lane", "")) in own:
        copied.set(f"{{{WF}}}lane", own[lane])
    process.addnext(copied)
    return str(copied.get("id"))


def _rename(node: Node, own: Mapping[str, str], known: Mapping[str, str]) -> None:
    for attribute, value in node.attrib.items():
        name = str(attribute)
        if name in {"id", "default"} or name.endswith("Ref"):
            node.set(attribute, {**known, **own}.get(str(value), str(value)))
        else:
            node.set(attribute, _told(str(value), own))
    if node.text:
        node.text = own.get(node.text.strip(), node.text) if node.tag in _REFERRING else _told(node.text, own)


def _told(text: str, own: Mapping[str, str]) -> str:
    """An expression of the called process, asking for its own steps."""
    return _IS_OPEN.sub(lambda found: f"{found[1]}{found[2]}{own.get(found[3], found[3])}{found[2]}", text)
