"""Diagrams with something changed at random, and what must never come of them: a crash, or a step that breaks later."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import select

from engine.database import Database
from engine.definitions import deployment, examiner
from engine.definitions.diagrams import BPMN, WF, Diagram, read
from engine.definitions.findings import Finding
from engine.definitions.lint import has_errors, lint
from engine.definitions.rules.facts import NODES
from engine.errors import Broken, Refusal
from engine.files import FileStore
from engine.people.accounts import Actor, actor_named
from engine.runtime import instances, timers
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Subscription, Task, TaskState
from engine.secrets import Keyring
from tests.casework import BEGINS
from tests.engine.rules.builder import FORMS, GOOD, HANDLERS
from tests.engine.rules.examples import INVALID, VALID

MOST_ACTS = 12  # of one application
EXAMPLES = [each.diagram for each in (*INVALID, *VALID) if len(each.diagram) < 40_000]

# What went wrong may lie in what people answered, or be something the gate has warned of; all else is its fault.
_MAY_FAIL = (
    *("ExpressionFailed", "VariableMissing", "LimitUnclear", "NobodyRegistered", "TextTooLong", "PrefixUnusable"),
)
_TEXTS = [
    "",
    "1",
    "basic.company",
    "P2D",
    "not review.result == 'ok'",
    "basic.city",
    "review.result == 'ok'",
    "working_days(1)",
    "P1D",
    "'basic'",
    "true",
    "é",
    "x" * 300,
]
_CHANGES = ("refer", "reword", "reword", "drop", "delete", "delete", "double", "move", "retype", "attribute", "rename")
_REFERENCES = ("sourceRef", "targetRef", "attachedToRef", "default", "messageRef", "signalRef", "id")


def mutant(chance: Random) -> bytes:
    """A diagram of the rules' tests with one to three changes, now and then in its very bytes."""
    seed = chance.choice(EXAMPLES) if chance.random() < 0.2 else GOOD.encode()
    root = etree.fromstring(seed)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        _change(root, chance)
    content = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    if chance.random() < 0.05:
        at = chance.randrange(len(content))
        content = content[:at] + chance.randbytes(chance.randrange(4)) + content[at + chance.randrange(4) :]
    return content


def _change(root: etree._Element, chance: Random) -> None:
    elements = [element for element in root.iter() if isinstance(element.tag, str) and element is not root]
    if chance.random() < 0.95:  # half of a file is where things are drawn, of which little can come
        elements = [element for element in elements if element.tag.startswith((f"{{{BPMN}}}", f"{{{WF}}}"))]
    if not elements:
        return
    element = chance.choice(elements)
    around = element.getparent()
    ids = sorted({str(each.get("id")) for each in elements if each.get("id")}) or ["x"]
    match chance.choice(_CHANGES):
        case "delete" if around is not None:
            around.remove(element)
        case "double" if around is not None:
            around.append(etree.fromstring(etree.tostring(element)))
        case "move":
            target = chance.choice(elements)
            if element not in [target, *target.iterancestors()]:
                target.append(element)
        case "retype":
            element.tag = f"{{{BPMN}}}{chance.choice(sorted(NODES))}"
        case "attribute":
            name = chance.choice(["form", "shows", "handler", "result", "outcome", "role", "number", "subject"])
            element.set(f"{{{WF}}}{name}", chance.choice(_TEXTS))
        case "refer":
            references = [name for name in _REFERENCES if name in element.attrib]
            element.set(chance.choice(references or _REFERENCES), chance.choice(ids))
        case "reword":
            worded = [each for each in elements if (each.text or "").strip()]
            chance.choice(worded or elements).text = chance.choice(_TEXTS + ids)
        case "drop" if element.attrib:
            del element.attrib[chance.choice(sorted(map(str, element.attrib)))]
        case "rename" if element.attrib:
            element.set(chance.choice(sorted(map(str, element.attrib))), chance.choice(_TEXTS + ids))


@dataclass
class Verdict:
    """How many mutants were accepted and refused, and how long the slowest took to be read, checked and deployed."""

    accepted: int = 0
    refused: int = 0
    computed: float = 0.0  # seconds of processor time, that of the examining process too
    passed: float = 0.0  # seconds on the wall, which are more on a busy machine


def judge(template: Path, folder: Path, *, max_examples: int, derandomize: bool) -> Verdict:
    """Lint so many mutants, deploy those that pass, and drive an application through each."""
    database = Database(f"sqlite:///{shutil.copyfile(template, folder / 'mutants.db')}")
    runtime = Runtime(
        database=database,
        handlers=HANDLERS,
        keyring=Keyring.from_text(Keyring.new_text()),
        files=FileStore(folder / "files"),
        trial=True,
    )
    with database.read() as session:
        named = [actor_named(session, login) for login in ("enterprise-a", "guangzhou")]
    people: dict[str, Actor] = {actor.role: actor for actor in named}
    verdict = Verdict()
    lint(GOOD.encode(), FORMS, HANDLERS)  # so that the process that examines has been started

    @settings(
        max_examples=max_examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64))
    def examine(seed: int) -> None:
        chance = Random(seed)  # else most changes would be made to the first elements of a file
        content = mutant(chance)
        note(content.decode("utf-8", "replace"))
        findings = _gone_through(database, content, verdict)
        assert all("检查时出错" not in finding.message.zh for finding in findings), findings
        unsaid = [finding for finding in findings if finding.rule in {"engine_loads_it", "examined_in_time"}]
        assert not unsaid, unsaid  # a rule should have said it, and what to do
        if has_errors(findings):
            verdict.refused += 1
            return
        verdict.accepted += 1
        drive(runtime, read(content), people, chance)

    try:
        examine()
    finally:
        database.close()
    return verdict


def _gone_through(database: Database, content: bytes, verdict: Verdict) -> list[Finding]:
    """Read, check and deploy a diagram; what the gate says of it."""
    computed, passed = _computed(), perf_counter()
    findings: list[Finding] = []
    try:
        with database.write() as session:
            deployment.deploy(session, diagram=content, forms=FORMS, handlers=HANDLERS, by=None, now=BEGINS)
    except deployment.DeploymentRefused as refused:
        findings = refused.findings
    verdict.passed = max(verdict.passed, perf_counter() - passed)
    verdict.computed = max(verdict.computed, _computed() - computed)
    return findings


def _computed() -> float:
    """Seconds of processor time that this process and the one that examines have had."""
    if examiner._examiner is None:
        return process_time()
    fields = Path(f"/proc/{examiner._examiner.process.pid}/stat").read_text().rpartition(")")[2].split()
    return process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def drive(runtime: Runtime, diagram: Diagram, people: Mapping[str, Actor], chance: Random) -> None:
    """One application from its start, by whatever is open, until nothing is or it has gone on for long enough."""
    now = BEGINS
    with _blameless(runtime):
        answers = {form: _answer(form, chance) for form in diagram.start_forms}
        id_ = instances.start(
            runtime, process_id=diagram.process_id, answers=answers, actor=people["enterprise"], now=now
        )
        for _ in range(MOST_ACTS):
            now += timedelta(minutes=1)
            if not _act(runtime, diagram, people, chance, id_, now):
                now = _next_due(runtime, now)
                if timers.fire_due(runtime, now) == 0:
                    break


class _blameless(suppress):
    """A failure that is on record as an incident is looked at; the only ones allowed are those of `_MAY_FAIL`."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(Broken, Refusal)
        self.runtime = runtime

    def __exit__(self, *failure: Any) -> bool:
        with self.runtime.database.write() as session:
            for incident in session.scalars(select(Incident).where(Incident.resolved_at.is_(None))):
                assert incident.cause.split(":")[0].rpartition(".")[2] in _MAY_FAIL, incident.stack
                incident.resolved_at = BEGINS
        return bool(super().__exit__(*failure))


def _act(
    runtime: Runtime, diagram: Diagram, people: Mapping[str, Actor], chance: Random, id_: str, now: datetime
) -> bool:
    """Complete a task or send a message, by chance; False where nothing waits for anybody."""
    with runtime.database.read() as session:
        tasks = select(Task).where(Task.instance_id == id_, Task.state == TaskState.OPEN).order_by(Task.element_id)
        awaited = select(Subscription).where(Subscription.instance_id == id_).order_by(Subscription.element_id)
        choices: list[Task | Subscription] = [*session.scalars(tasks), *session.scalars(awaited)]
    if not choices or chance.random() < 0.2:
        return False
    chosen = chance.choice(choices)
    actor = people.get(chosen.role)
    if actor is None or actor.organisation_id != chosen.organisation_id:
        return False
    if isinstance(chosen, Task):
        given = {form: _answer(form, chance) for form in diagram.elements[chosen.element_id].forms}
        instances.complete(runtime, chosen.id, given, actor, now)
    else:
        given = {form: _answer(form, chance) for form in diagram.messages[chosen.message].forms}
        instances.send_message(runtime, id_, chosen.message, given, actor, now)
    return True


def _next_due(runtime: Runtime, now: datetime) -> datetime:
    with runtime.database.read() as session:
        due = timers.next_due(session)
    return max(now, due) if due else now


def _answer(form: str, chance: Random) -> dict[str, str]:
    values = {"city": "440100", "result": chance.choice(["ok", "not ok"])}
    keys = [component["key"] for component in FORMS[form]["components"] if "validate" in component]
    return {key: values.get(key, "一") for key in keys}
