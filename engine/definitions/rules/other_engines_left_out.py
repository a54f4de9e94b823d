"""The diagram holds no bindings or scripts of another engine, which would do nothing here.

流程图里没有其他流程引擎的设置或脚本：它们在本系统不起作用。

Scripts, listeners and who a task is given to are errors, because somebody relies on them; anything else is a warning.
"""

from collections.abc import Iterable

from lxml import etree

from engine.definitions.rules.facts import Facts, Problem, error, tag, warning
from engine.text import Text

ENGINES = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://camunda.org/schema/zeebe/1.0": "Camunda 8",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "SpiffWorkflow",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://www.jboss.org/drools": "jBPM",
}
_SCRIPTS = ("script", "listener", "preScript", "postScript", "serviceTaskOperator", "ioMapping", "inputOutput")
_WHO = ("assignee", "candidate", "assignment")
_WHO_IN_BPMN = frozenset({"performer", "humanPerformer", "potentialOwner", "resourceRole"})

_USE_HANDLER = Text(
    "需要自动处理请用服务任务并选择处理程序。", "What is to be done by itself is done by a service task."
)
_USE_LANE = Text("由谁办理请用泳道的角色和办理单位说明。", "Who does a task is said by its lane.")
_REMOVE = Text("请删除，或改用 wf: 属性。", "Remove it, or use the attributes wf:….")


def check(facts: Facts) -> Iterable[Problem]:
    for element in facts.root.iter():
        if not isinstance(element.tag, str):
            continue
        if tag(element) in _WHO_IN_BPMN:
            yield _problem(element, tag(element), "BPMN", _USE_LANE)
            continue
        names = [element.tag] if not tag(element) else []
        for name in [*names, *map(str, element.attrib)]:
            qualified = etree.QName(name)
            engine = ENGINES.get(qualified.namespace or "")
            if engine is not None and not _inside_another(element, name):
                yield _problem(element, qualified.localname, engine, _instead(qualified.localname))


def _inside_another(element: etree._Element, name: str) -> bool:
    """Is this part of something that is reported already?"""
    around = element.getparent()
    place = around if name == element.tag else element
    return place is not None and not tag(place) and etree.QName(place).namespace in ENGINES


def _instead(name: str) -> Text:
    lower = name.lower()
    if any(word.lower() in lower for word in _SCRIPTS):
        return _USE_HANDLER
    return _USE_LANE if any(word in lower for word in _WHO) else _REMOVE


def _problem(element: etree._Element, name: str, engine: str, instead: Text) -> Problem:
    near = next((e for e in (element, *element.iterancestors()) if tag(e) and e.get("id")), None)
    return (warning if instead is _REMOVE else error)(
        near,
        "{place}“{name}”（{engine}）在本系统不起作用。{instead}",
        "{place}“{name}” ({engine}) does nothing here. {instead}",
        place=Text("") if near is None else Text(f"{near.get('id')} 的", f"{near.get('id')}: "),
        name=name,
        engine=engine,
        instead=instead,
    )
