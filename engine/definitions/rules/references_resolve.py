"""Whatever the file refers to by its id is in the file.

文件里按编号引用的元素都存在。

A lane that lists a step which was deleted, or a shape of nothing, is what a half-finished edit leaves behind. Flows,
boundary events, messages, signals and default flows have rules of their own.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, error, label, own_text, tag, warning

_ATTRIBUTES = frozenset(
    {
        *("processRef", "errorRef", "escalationRef", "itemSubjectRef", "structureRef", "dataObjectRef", "dataStoreRef"),
        *("categoryValueRef", "supportedInterfaceRef", "operationRef", "activityRef", "parentRef"),
    }
)
_ELEMENTS = frozenset({"flowNodeRef", "eventDefinitionRef", "dataInputRefs", "dataOutputRefs", "participantRef"})
# Of no consequence for how the diagram runs: what is drawn, and the flows that editors note down at both ends.
_DRAWN_ATTRIBUTES = frozenset({"bpmnElement"})
_DRAWN_ELEMENTS = frozenset({"incoming", "outgoing"})
_JOINED = frozenset({"association", "messageFlow"})  # drawn from one thing to another, by sourceRef and targetRef
_OUTSIDE = frozenset({"structureRef"})  # may name a type of another file, as in xsd:string


def check(facts: Facts) -> Iterable[Problem]:
    for element in facts.root:
        if tag(element) == "import":
            yield warning(
                None,
                "文件引入了另一个文件“{location}”，本系统不读取它；请删除 import，需要的内容画在本文件里。",
                "The file imports another, “{location}”, which is not read; remove the import, and draw here what you "
                "need of it.",
                location=(element.get("location") or "")[:60],
            )
    known = {element.get("id") for element in facts.root.iter() if isinstance(element.tag, str)}
    for element, what, reference in _references(facts.root):
        bare = reference.rpartition(":")[2]  # editors may put the file's own prefix before an id
        if bare in known or (what in _OUTSIDE and bare != reference):
            continue
        harmless = what in _DRAWN_ATTRIBUTES | _DRAWN_ELEMENTS or tag(element) in _JOINED
        near = element if element.get("id") else element.getparent()
        yield (warning if harmless else error)(
            near if near is not None and near.get("id") else None,
            "{place}通过 {what} 引用了编号“{id}”，而文件里没有这个元素；请在流程图编辑器里删除或重新连接。",
            "{place} refers by {what} to the id “{id}”, which is not in the file; remove it or connect it again.",
            place=label(element if element.get("id") or near is None else near),
            what=what,
            id=reference[:60],
        )


def _references(root: etree._Element) -> Iterator[tuple[etree._Element, str, str]]:
    """Element, name of the attribute or child that refers, and the id it refers to."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname
        if name in _ELEMENTS | _DRAWN_ELEMENTS and tag(element):
            yield element, name, own_text(element)
            continue
        ends = {"sourceRef", "targetRef"} if tag(element) in _JOINED else set()
        for attribute in sorted((_ATTRIBUTES | _DRAWN_ATTRIBUTES | ends).intersection(element.attrib)):
            yield element, attribute, element.get(attribute, "")
