"""A diagram in the fewer words that the library understands; what it means stays the same.

The library ignores link events, refuses several flows out of one activity, runs no event sub-process that interrupts,
and mistakes an activity for another that its own boundary event begins anew. Each of these can be said with other parts
of BPMN that run well:

- a pair of link events is a flow;
- a flow from a boundary event straight back to its own activity passes an event that does nothing (else the library
  never ends the activity's other events);
- several flows out of an activity or event are a gateway after it (BPMN 2.0, 13.3.1: all of them, or those whose
  condition holds);
- an event sub-process is a boundary event on a sub-process around all else in its scope (13.5.4).

What people know by its id keeps it; what is added gets an id that ends with one of `ENDINGS`.
"""

from collections.abc import Iterator
from copy import deepcopy

from lxml import etree

from engine.definitions.diagrams import BPMN, FLOW_NODES

WRAPPED = (".Inside", ".Within")  # sub-processes around what event sub-processes watch
ENDINGS = (".All", ".Some", ".Link", ".Flow", ".Begin", ".Done", ".Over", ".Back", *WRAPPED)

_GATEWAYS = {f"{{{BPMN}}}{kind}Gateway" for kind in ("exclusive", "parallel", "inclusive", "complex", "eventBased")}
_NODES = {f"{{{BPMN}}}{name}" for name in FLOW_NODES}
_SCOPES = ("process", "subProcess")

Node = etree._Element


def normalised(root: Node) -> Node:
    """The same diagram for the library to read; `root` is left as it is."""
    root = deepcopy(root)
    for process in [each for each in root.iter(_bpmn("process")) if each.get("isExecutable") == "1"]:
        process.set("isExecutable", "true")  # which means the same, but the library knows only this
    for scope in [scope for name in _SCOPES for scope in root.iter(_bpmn(name))]:
        _join_links(scope)
        _lead_back(scope)
        for node in [child for child in scope if child.tag in _NODES - _GATEWAYS]:
            _split_openly(scope, node)
    for scope in [scope for name in _SCOPES for scope in root.iter(_bpmn(name))]:
        _wrap(scope)
    return root


def link_pairs(scope: Node) -> Iterator[tuple[Node, Node]]:
    """Each throwing link event of a process or sub-process with the one that catches it."""
    caught = {_link(event): event for event in scope.findall(_bpmn("intermediateCatchEvent")) if _link(event)}
    for event in scope.findall(_bpmn("intermediateThrowEvent")):
        if (name := _link(event)) and name in caught:
            yield event, caught[name]


def is_event_sub_process(node: Node) -> bool:
    return node.tag == _bpmn("subProcess") and node.get("triggeredByEvent") in {"true", "1"}


def interrupts(event: Node) -> bool:
    """Does this start event of an event sub-process end what it happens to?"""
    return event.get("isInterrupting", "true") in {"true", "1"}


def _join_links(scope: Node) -> None:
    for event, target in list(link_pairs(scope)):
        target.tag = _bpmn("intermediateThrowEvent")  # one without a trigger: it just passes
        for end in (event, target):
            for definition in end.findall(_bpmn("linkEventDefinition")):
                end.remove(definition)
        _connect(scope, event, target, f"{event.get('id')}.Link")


def _lead_back(scope: Node) -> None:
    hosts = {event.get("id"): event.get("attachedToRef") for event in scope.findall(_bpmn("boundaryEvent"))}
    for flow in scope.findall(_bpmn("sequenceFlow")):
        source, target = flow.get("sourceRef"), flow.get("targetRef", "")
        if hosts.get(source) == target:
            passed = _add(scope, "intermediateThrowEvent", f"{flow.get('id')}.Back")
            flow.set("targetRef", passed.get("id", ""))
            begun = {"id": f"{passed.get('id')}.Flow", "sourceRef": passed.get("id", ""), "targetRef": target}
            etree.SubElement(scope, _bpmn("sequenceFlow"), begun)


def _split_openly(scope: Node, node: Node) -> None:
    """Put gateways after a node of which several flows lead on, or one with a condition."""
    flows = [flow for flow in scope.findall(_bpmn("sequenceFlow")) if flow.get("sourceRef") == node.get("id")]
    default = node.get("default")
    node.attrib.pop("default", "")
    conditional = [flow for flow in flows if flow.find(_bpmn("conditionExpression")) is not None]
    chosen = [flow for flow in flows if flow.get("id") == default or flow in conditional]
    always = [flow for flow in flows if flow not in chosen]
    if len(flows) < 2 and not chosen:
        return
    source = node
    if len(always) > 1 or (always and chosen):
        source = _add(scope, "parallelGateway", f"{node.get('id')}.All")
        _connect(scope, node, source, f"{source.get('id')}.Flow")
        for flow in always:
            flow.set("sourceRef", source.get("id", ""))
    if chosen:
        # Without a default it may be that none is taken, which is right as long as another flow always is.
        gateway = _add(scope, "inclusiveGateway", f"{node.get('id')}.Some")
        if default is not None:
            gateway.set("default", default)
        elif always:
            end = _add(scope, "endEvent", f"{node.get('id')}.Over")
            gateway.set("default", _connect(scope, gateway, end, f"{end.get('id')}.Flow").get("id", ""))
        _connect(scope, source, gateway, f"{gateway.get('id')}.Flow")
        for flow in chosen:
            flow.set("sourceRef", gateway.get("id", ""))


def _wrap(scope: Node) -> None:
    """Make boundary events of the event sub-processes of a scope.

    Those that interrupt sit on a further sub-process around the others, because they end what the others have begun.
    """
    for interrupting, word in ((False, "Inside"), (True, "Within")):
        reactions = [
            each for each in scope if is_event_sub_process(each) and interrupts(_start_of(each)) is interrupting
        ]
        if reactions:
            _wrap_once(scope, f"{scope.get('id')}.{word}", reactions)


def _wrap_once(scope: Node, id_: str, reactions: list[Node]) -> None:
    kinds = _NODES | {_bpmn("sequenceFlow")}
    contents = [child for child in scope if child.tag in kinds and not is_event_sub_process(child)]
    inner = _add(scope, "subProcess", id_)
    inner.extend(contents)
    begin, done = _add(scope, "startEvent", f"{id_}.Begin"), _add(scope, "endEvent", f"{id_}.Done")
    _connect(scope, begin, inner, f"{begin.get('id')}.Flow")
    _connect(scope, inner, done, f"{done.get('id')}.Flow")
    for reaction in reactions:
        _attach(scope, reaction, inner)


def _attach(scope: Node, reaction: Node, host: Node) -> None:
    """Its start event becomes the boundary event; inside it begins without a trigger."""
    del reaction.attrib["triggeredByEvent"]
    trigger = _start_of(reaction)
    begin = _add(reaction, "startEvent", f"{trigger.get('id')}.Begin")
    for flow in reaction.findall(_bpmn("sequenceFlow")):
        if flow.get("sourceRef") == trigger.get("id"):
            flow.set("sourceRef", begin.get("id", ""))
    trigger.tag = _bpmn("boundaryEvent")
    trigger.set("attachedToRef", host.get("id", ""))
    trigger.set("cancelActivity", "true" if interrupts(trigger) else "false")
    scope.append(trigger)
    done = _add(scope, "endEvent", f"{reaction.get('id')}.Done")
    _connect(scope, trigger, reaction, f"{trigger.get('id')}.Flow")
    _connect(scope, reaction, done, f"{done.get('id')}.Flow")


def _start_of(reaction: Node) -> Node:
    return next(reaction.iterchildren(_bpmn("startEvent")))


def _link(event: Node) -> str:
    """The name by which the two ends of a link find each other; empty for other events."""
    definition = event.find(_bpmn("linkEventDefinition"))
    return "" if definition is None else (definition.get("name") or "").strip()


def _add(scope: Node, kind: str, id_: str) -> Node:
    return etree.SubElement(scope, _bpmn(kind), {"id": id_})


def _connect(scope: Node, source: Node, target: Node, id_: str) -> Node:
    ends = {"id": id_, "sourceRef": source.get("id", ""), "targetRef": target.get("id", "")}
    return etree.SubElement(scope, _bpmn("sequenceFlow"), ends)


def _bpmn(name: str) -> str:
    return f"{{{BPMN}}}{name}"
