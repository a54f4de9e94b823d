"""What is different between two versions of a process, element by element, in an analyst's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lxml import etree

from engine.definitions import diagrams
from engine.definitions.diagrams import BPMN, WF
from engine.definitions.rules.facts import KINDS, NODES, children, name_of, own_text, tag, wf
from engine.text import Text

Aspects = dict[str, str]  # what an element is like, by the name of the aspect

ASPECTS: Mapping[str, Text] = {
    "type": Text("类型", "type"),
    "name": Text("名称", "name"),
    "name_en": Text("英文名称", "English name"),
    "lane": Text("泳道", "lane"),
    "parent": Text("所在子流程", "sub-process around it"),
    "form": Text("填写的表单", "form"),
    "shows": Text("显示的表单", "forms shown"),
    "number": Text("编号前缀", "number prefix"),
    "handler": Text("处理程序", "handler"),
    "params": Text("参数", "parameters"),
    "result": Text("结果变量", "result variable"),
    "outcome": Text("办理结果", "outcome"),
    "outcome_en": Text("英文办理结果", "outcome in English"),
    "limit": Text("时限", "limit"),
    "trigger": Text("触发条件", "trigger"),
    "attached_to": Text("附着于", "attached to"),
    "interrupting": Text("是否中断", "interrupting"),
    "default": Text("默认连线", "default flow"),
    "source": Text("起点", "from"),
    "target": Text("终点", "to"),
    "condition": Text("条件", "condition"),
    "role": Text("角色", "role"),
    "organisation": Text("办理单位", "organisation"),
    "subject": Text("主题", "subject"),
    "region": Text("适用哪个地区的工作日历", "whose calendar counts"),
    "withdrawable": Text("可否撤回", "whether it can be withdrawn"),
    "pausable": Text("期限可否暂停", "whether its limit can be paused"),
    "extendable": Text("期限最多延长的工作日", "working days its limit can be extended by"),
    "menu": Text("菜单", "menu"),
    "menu_en": Text("英文菜单", "menu in English"),
    "retention": Text("保存期限", "retention period"),
    "confidential": Text("保密，只给此泳道看", "confidential, to this lane"),
    "basis": Text("依据", "basis"),
    "documentation": Text("说明", "documentation"),
    "personal": Text("个人信息", "personal data"),
    "content": Text("内容", "content"),
}
_BOUND = (
    *("form", "shows", "number", "handler", "result", "outcome", "outcome_en", "role", "organisation", "subject"),
    *("menu", "menu_en", "basis", "name_en", "region", "withdrawable", "pausable", "extendable"),
    "confidential",
    "retention",
)
_LIMITS = ("timeDuration", "timeDate", "timeCycle")


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One aspect of an element, before and after; empty where it was not given."""

    aspect: Text
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One element, form or field that is not as it was. `element_id` of a form is its name, of a field form.key."""

    kind: Kind
    element_id: str
    element_type: Text
    name: Text
    differences: tuple[Difference, ...] = ()


def changes(
    old_diagram: bytes, old_forms: Mapping[str, Any], new_diagram: bytes, new_forms: Mapping[str, Any]
) -> list[Change]:
    """Added, removed and changed elements by id, then the forms. Layout alone is no change.

    Raises DiagramUnreadable where one of the two is no diagram.
    """
    old, new = _elements(old_diagram), _elements(new_diagram)
    found = [_change(identity, old.get(identity), new.get(identity)) for identity in _in_order(old, new)]
    before, after = _forms(old_forms), _forms(new_forms)
    found += [_change(identity, before.get(identity), after.get(identity)) for identity in _in_order(before, after)]
    return [change for change in found if change is not None]


@dataclass(frozen=True, slots=True)
class _Described:
    type: Text
    name: Text
    aspects: Aspects


def _in_order(old: Mapping[str, _Described], new: Mapping[str, _Described]) -> list[str]:
    return [*new, *(identity for identity in old if identity not in new)]


def _change(identity: str, old: _Described | None, new: _Described | None) -> Change | None:
    if old is None and new is not None:
        return Change(Kind.ADDED, identity, new.type, new.name)
    if new is None and old is not None:
        return Change(Kind.REMOVED, identity, old.type, old.name)
    if old is None or new is None:
        return None
    differences = tuple(
        Difference(ASPECTS[aspect], old.aspects.get(aspect, ""), new.aspects.get(aspect, ""))
        for aspect in ASPECTS
        if old.aspects.get(aspect, "") != new.aspects.get(aspect, "")
    )
    return Change(Kind.CHANGED, identity, new.type, new.name, differences) if differences else None


def _elements(diagram: bytes) -> dict[str, _Described]:
    root = diagrams.parse_xml(diagram)
    lanes = {
        own_text(reference): lane
        for lane in root.iter(f"{{{BPMN}}}lane")
        for reference in children(lane, "flowNodeRef")
    }
    messages = {message.get("id"): message.get("name", "") for message in root.iter(f"{{{BPMN}}}message")}
    return {
        element.get("id", ""): _Described(
            KINDS[tag(element)], name_of(element), {k: v for k, v in _aspects(element, lanes, messages) if v}
        )
        for element in root.iter()
        if tag(element) in KINDS and element.get("id")
    }


def _aspects(
    element: etree._Element, lanes: Mapping[str, etree._Element], messages: Mapping[str | None, str]
) -> Iterator[tuple[str, str]]:
    yield "type", KINDS[tag(element)].zh
    yield "name", name_of(element).zh
    for attribute in _BOUND:
        yield attribute, wf(element, attribute) or ""
    yield "documentation", " ".join(own_text(text) for text in children(element, "documentation"))
    lane = lanes.get(element.get("id", "")) if tag(element) in NODES else None
    if tag(element) == "message":
        yield "lane", wf(element, "lane") or ""
    elif lane is not None:
        yield "lane", name_of(lane).zh or lane.get("id", "")
    around = element.getparent()
    if around is not None and tag(element) in NODES and tag(around) in NODES:
        yield "parent", around.get("id", "")
    yield "params", "; ".join(sorted(f"{p.get('name')} = {p.get('value')}" for p in element.iterfind(_PARAMS)))
    yield "attached_to", element.get("attachedToRef", "")
    if tag(element) == "boundaryEvent":
        yield "interrupting", element.get("cancelActivity", "true")
    yield "default", element.get("default", "")
    yield "source", element.get("sourceRef", "")
    yield "target", element.get("targetRef", "")
    yield "condition", " ".join(own_text(condition) for condition in children(element, "conditionExpression"))
    yield "trigger", ", ".join(_triggers(element, messages))
    yield (
        "limit",
        ", ".join(own_text(t) for d in children(element, "timerEventDefinition") for t in children(d, *_LIMITS)),
    )


_PARAMS = f"{{{BPMN}}}extensionElements/{{{WF}}}param"


def _triggers(element: etree._Element, messages: Mapping[str | None, str]) -> Iterator[str]:
    for child in element:
        if tag(child).endswith("EventDefinition"):
            reference = child.get("messageRef") or child.get("signalRef") or ""
            yield f"{tag(child).removesuffix('EventDefinition')} {messages.get(reference, reference)}".strip()


def _forms(schemas: Mapping[str, Any]) -> dict[str, _Described]:
    """Forms and their fields, read as loosely as an editor would: a version once deployed is sound anyway."""
    described: dict[str, _Described] = {}
    for name, schema in schemas.items():
        schema = _dict(schema)
        own = _dict(schema.get("properties"))
        rest = {key: value for key, value in schema.items() if key not in {"components", "exporter"}}
        title = Text(str(own.get("title") or name), str(own.get("title_en") or ""))
        described[name] = _Described(Text("表单", "form"), title, {"content": _plain(rest)})
        described |= _fields(name, schema.get("components"))
    return described


def _fields(path: str, components: Any) -> dict[str, _Described]:
    described: dict[str, _Described] = {}
    for component in components if isinstance(components, list) else []:
        if not isinstance(component, dict):
            continue
        key = component.get("key") or component.get("path") or component.get("id") or "?"
        identity = f"{path}.{key}"
        own = _dict(component.get("properties"))
        label = Text(str(component.get("label") or component.get("text") or key)[:80], str(own.get("label_en") or ""))
        content = {k: v for k, v in component.items() if k not in {"components", "id", "layout"}}
        content["properties"] = {k: v for k, v in own.items() if k != "personal"}
        aspects = {"personal": str(own.get("personal", "")), "content": _plain(content)}
        described[identity] = _Described(Text("表单字段", "form field"), label, aspects)
        described |= _fields(identity, component.get("components"))
    return described


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: Any) -> str:
    """A JSON value as one line of key: value pairs."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_plain(inner)}" for key, inner in sorted(value.items()))
    if isinstance(value, list):
        return "[" + ", ".join(_plain(inner) for inner in value) + "]"
    return str(value)
