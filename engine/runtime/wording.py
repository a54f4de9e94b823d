"""What things are called for people: in the diagram's words, where it has any."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.definitions.diagrams import Diagram
from engine.runtime.tables import EventKind
from engine.text import Text

# What took a step away where no event of the diagram did.
INTERVENED: Mapping[str, Text] = MappingProxyType(
    {
        EventKind.CANCELLED: Text("申请被终止", "the application was cancelled"),
        EventKind.WITHDRAWN: Text("申请被撤回", "the application was withdrawn"),
        EventKind.MOVED: Text("管理员转移流程", "an administrator moved the case"),
    }
)


def title(subject: str, process: str, process_en: str) -> Text:
    """What lists call an instance: as its diagram says, or by the process while the diagram can't say it yet."""
    return Text(subject) if subject.strip() else Text(process, process_en)


def outcome(diagram: Diagram, name: str | None) -> Text | None:
    """An outcome as the diagram's end events word it; one they no longer name stays as it was stored."""
    if name is None:
        return None
    worded = (element.outcome for element in diagram.elements.values() if element.outcome is not None)
    return next((text for text in worded if text.zh == name), Text(name))


def element_name(diagram: Diagram, element_id: str | None) -> Text:
    """An element's name; an unnamed one has its id, and what is not in this version stays as it is written."""
    element = diagram.elements.get(element_id) if element_id else None
    if element is None or not element.name.zh:
        return Text(element_id or "")
    return element.name


def cause(diagram: Diagram, cancelled_by: str | None) -> Text:
    """What took a step away: an event of the diagram, or somebody from outside it."""
    return INTERVENED.get(cancelled_by or "") or element_name(diagram, cancelled_by)


def name_of_limit(diagram: Diagram, element_id: str) -> Text:
    """What a limit is called for people: the step it is attached to, or the event itself."""
    event = diagram.elements.get(element_id)
    holder = diagram.elements.get(event.attached_to or "") if event else None
    named = holder or event
    return named.name if named and named.name.zh else Text(element_id)


def covers(diagram: Diagram, event_id: str, task_id: str) -> bool:
    """Is a timer event attached to a user task, or to a sub-process around it?"""
    event, element = diagram.elements.get(event_id), diagram.elements.get(task_id)
    while event is not None and element is not None:
        if event.attached_to == element.id:
            return True
        element = diagram.elements.get(element.parent or "")
    return False
