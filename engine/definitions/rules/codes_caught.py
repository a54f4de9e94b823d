"""An error or escalation that is thrown is caught around the thrower, by its code or by an event for any code.

错误和升级事件由外面一层的子流程接住：按代码，或者不写代码接住任何一个。

An error that nothing catches would stop an application for good. An escalation that nothing catches is lost.
"""

from collections.abc import Iterable, Iterator

from lxml import etree

from engine.definitions.diagrams import BPMN
from engine.definitions.normalising import is_event_sub_process
from engine.definitions.rules.facts import EVENTS, Facts, Problem, children, error, tag, warning

Event = etree._Element

_THROWING = frozenset({"intermediateThrowEvent", "endEvent"})


def check(facts: Facts) -> Iterable[Problem]:
    for kind in ("error", "escalation"):
        codes = {e.get("id"): (e.get(f"{kind}Code") or "").strip() for e in facts.root.iter(f"{{{BPMN}}}{kind}")}
        for event in facts.of_type(*EVENTS):
            for definition in children(event, f"{kind}EventDefinition"):
                reference = definition.get(f"{kind}Ref")
                code = codes.get(reference, "") if reference else None
                if code == "" or (code is None and tag(event) in _THROWING):
                    yield error(
                        event,
                        "{it}没有指定错误或升级，或者它没有代码；请选择，并填写代码。",
                        "{it} names no error or escalation, or one without a code; choose it, and write its code.",
                    )
                elif tag(event) in _THROWING:
                    yield from _caught(facts, event, kind, codes, code)
                elif any(_listens(other, kind, codes) == code for other in _beside(facts, event)):
                    yield error(
                        event,
                        "{it}与同一处的另一个事件等待同一个代码，只有一个会发生；请删除一个。",
                        "{it} waits for the same code as another event at the same place, and only one would happen; "
                        "remove one.",
                    )


def _caught(facts: Facts, event: Event, kind: str, codes: dict[str | None, str], code: str | None) -> Iterator[Problem]:
    for catcher in _around(facts, event):
        if _listens(catcher, kind, codes) in (code, None):
            return
    yield (error if kind == "error" else warning)(
        event,
        "{it}抛出的代码“{code}”没有事件接住；请在外面的子流程边框上画一个同代码的边界事件。",
        "Nothing catches the code “{code}” that {it} throws; draw a boundary event of that code on a sub-process "
        "around it.",
        code=code,
    )


def _around(facts: Facts, event: Event) -> Iterator[Event]:
    """The events that could catch what one throws: of event sub-processes in its scopes, and of their borders."""
    inside: Event = event
    for scope in event.iterancestors():
        if not is_event_sub_process(inside):
            for reaction in children(scope, "subProcess"):
                if is_event_sub_process(reaction):
                    yield from children(reaction, "startEvent")
        if scope is facts.process:
            return
        yield from facts.boundary_events(scope)
        inside = scope


def _beside(facts: Facts, event: Event) -> list[Event]:
    """The other events that listen where one does."""
    around = event.getparent()
    if tag(event) == "boundaryEvent":
        found = facts.boundary_events(facts.by_id.get(event.get("attachedToRef", ""), event))
    else:
        scope = None if around is None else around.getparent()
        reactions = [] if scope is None else [s for s in children(scope, "subProcess") if is_event_sub_process(s)]
        found = [start for reaction in reactions for start in children(reaction, "startEvent")]
    return [other for other in found if other is not event]


def _listens(event: Event, kind: str, codes: dict[str | None, str]) -> str | None:
    """The code an event waits for, None if any; `-` for an event of another kind."""
    for definition in children(event, f"{kind}EventDefinition"):
        reference = definition.get(f"{kind}Ref")
        return codes.get(reference, "-") if reference else None
    return "-"
