"""A BPMN diagram as the engine understands it: our bindings, read with lxml, beside the library's parsed specs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    basis: str = ""  # legal basis, or the flowchart's box
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
    message: str | None = None  # name of the message, message events only


@dataclass(frozen=True, slots=True)
class Message:
    """A message people may send while the diagram waits for it."""

    name: str
    forms: tuple[str, ...]
    lane: Lane | None
    menu: Text


@dataclass(frozen=True)
class Diagram:
    """One executable process. Ids are the diagram's own; nothing in code knows them."""

    process_id: str
    name: Text
    subject: str | None  # expression: what lists call an instance
    lanes: Mapping[str, Lane]
    elements: Mapping[str, Element]
    messages: Mapping[str, Message]

    @property
    def start_forms(self) -> tuple[str, ...]:
        return next((e.forms for e in self.elements.values() if e.type == "startEvent" and e.parent is None), ())
