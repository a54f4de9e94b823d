"""Which versions a definition calls: those in force at its deployment, for as long as it is used."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from engine.definitions import diagrams
from engine.definitions.findings import NOWHERE, Finding, Severity
from engine.definitions.inlining import Drawn, calls, forms_used, inlined
from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.text import Text

RULE = "calls_fit"

_CALLS_BACK = Text(
    "被调用的流程“{called}”又会调用本流程，永远不会结束；请去掉其中一个调用。",
    "The process “{called}”, which is called, calls this one in turn, which would never end; remove one of the calls.",
)
_OTHER_FORM = Text(
    "表单“{form}”与被调用流程“{called}”里的同名表单内容不同；请把其中一个改名，或改成一样。",
    "The form “{form}” is another than the form of that name in the process “{called}”, which is called; rename one of "
    "them, or make them alike.",
)
_TOO_MUCH = Text(
    "所调用的流程加起来超过 {most} MB，请减少调用。",
    "The processes that are called make more than {most} MB together; call fewer.",
)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A diagram and its forms with all that they call drawn out, as it is checked and run."""

    diagram: bytes
    forms: Mapping[str, Any]
    called: Mapping[str, str]  # process id → version id
    problems: list[Finding]


def whole(session: Session, version: DefinitionVersion) -> Drawn:
    """A version with all that it calls drawn out, in the versions it was deployed with."""
    called = {process_id: _whole_of(session, version_id) for process_id, version_id in version.called.items()}
    return inlined(version.diagram, version.forms, called)


def pin(session: Session, diagram: bytes, forms: Mapping[str, Any]) -> Pinned:
    """What a diagram runs if it is deployed now. Never raises for a diagram that can't be read: the lint says so."""
    try:
        process_id, wanted = diagrams.read(diagram).process_id, calls(diagram)
    except diagrams.DiagramUnreadable:
        return Pinned(diagram, forms, {}, [])
    current = {name: _in_force(session, name) for name in wanted if name != process_id}
    called = {name: version for name, version in current.items() if version is not None}
    problems = [problem for version in called.values() for problem in _problems(session, version, process_id, forms)]
    drawn = {name: whole(session, version) for name, version in called.items()}
    if sum(len(drawn[name][0]) for name in wanted if name in drawn) > diagrams.MAX_BYTES:
        problems.append(_TOO_MUCH.filled(most=diagrams.MAX_BYTES // 1_000_000))
        drawn = {}
    findings = [Finding(Severity.ERROR, RULE, None, NOWHERE, problem) for problem in problems]
    return Pinned(*inlined(diagram, forms, drawn), {name: version.id for name, version in called.items()}, findings)


def _problems(session: Session, version: DefinitionVersion, caller: str, forms: Mapping[str, Any]) -> Iterator[Text]:
    called = version.process_id
    if caller in _all_called(session, version):
        yield _CALLS_BACK.filled(called=called)
    for name, schema in forms_used(*whole(session, version)).items():
        if name in forms and forms[name] != schema:
            yield _OTHER_FORM.filled(form=name, called=called)


def _all_called(session: Session, version: DefinitionVersion) -> set[str]:
    """Ids of the processes that a version calls, and those call."""
    found = set(version.called)
    for version_id in version.called.values():
        found |= _all_called(session, session.get_one(DefinitionVersion, version_id))
    return found


def _whole_of(session: Session, version_id: str) -> Drawn:
    return whole(session, session.get_one(DefinitionVersion, version_id))


def _in_force(session: Session, process_id: str) -> DefinitionVersion | None:
    current = session.get(DefinitionInForce, process_id)
    return None if current is None else session.get_one(DefinitionVersion, current.version_id)
