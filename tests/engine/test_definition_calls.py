"""What a definition calls is pinned when it is deployed, and runs as part of it."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine.database import Database
from engine.definitions import calling, deployment, diagrams
from engine.definitions.deployment import DeploymentRefused
from engine.definitions.inlining import inlined
from engine.definitions.review import review
from engine.definitions.tables import DefinitionVersion
from engine.reading.casefile import case_file, drawing
from tests.conftest import CAST_SINCE
from tests.engine.conformance.conftest import played
from tests.engine.conformance.drawing import (
    call,
    diagram,
    end,
    forms_of,
    gateway,
    start,
    task,
)
from tests.engine.conformance.playing import HANDLERS, Play

__all__ = ["played"]

S, A, B, E = start(), task("a"), task("b"), end()
PART = diagram(S, A, E, flows=["s > a", "a > e"], process_id="part")
LONGER = diagram(S, A, B, E, flows=["s > a", "a > b", "b > e"], process_id="part")
CALLER = diagram(S, call("x", "part"), E, flows=["s > x", "x > e"])
OTHER = diagram(S, call("x", "part"), E, flows=["s > x", "x > e"], process_id="other")


def deployed(session: Session, drawn: bytes, forms: dict[str, Any] | None = None, **more: Any) -> DefinitionVersion:
    schemas = forms_of(drawn) if forms is None else forms
    return deployment.deploy(session, diagram=drawn, forms=schemas, handlers=HANDLERS, by=None, now=CAST_SINCE, **more)


def steps(session: Session, version: DefinitionVersion) -> set[str]:
    """The user tasks a version runs."""
    elements = diagrams.read(calling.whole(session, version)[0]).elements.values()
    return {element.id for element in elements if element.type == "userTask"}


def refused(session: Session, drawn: bytes, forms: dict[str, Any] | None = None) -> str:
    with pytest.raises(DeploymentRefused) as refusal:
        deployed(session, drawn, forms)
    (finding,) = [each for each in refusal.value.findings if each.rule == calling.RULE]
    return finding.message.en


def test_a_version_goes_on_calling_what_was_in_force_when_it_was_deployed(database: Database) -> None:
    with database.write() as session:
        part, caller = deployed(session, PART), deployed(session, CALLER)
        longer = deployed(session, LONGER)
        assert caller.called == {"part": part.id}
        assert steps(session, caller) == {"x-a"}
        again = deployed(session, CALLER)
        assert (again.number, again.called) == (2, {"part": longer.id})
        assert steps(session, again) == {"x-a", "x-b"}
        assert {change.element_id for change in review(session, again.id, HANDLERS).changes} >= {"x-b"}


def test_only_a_version_in_force_is_called(database: Database) -> None:
    with database.write() as session:
        part = deployed(session, PART)
        deployed(session, LONGER, put_in_force=False)
        assert deployed(session, CALLER).called == {"part": part.id}


def test_a_restart_deploys_no_caller_again_because_of_what_it_calls(database: Database, tmp_path: Path) -> None:
    (tmp_path / "caller.bpmn").write_bytes(CALLER)
    with database.write() as session:
        deployed(session, PART)
        deployed(session, CALLER, {})
        deployed(session, LONGER)
        assert deployment.deploy_folder(session, tmp_path, handlers=HANDLERS, now=CAST_SINCE) == []


def test_processes_that_call_each_other_are_refused(database: Database) -> None:
    with database.write() as session:
        deployed(session, PART)
        deployed(session, OTHER)
        back = diagram(S, A, call("y", "other"), E, flows=["s > a", "a > y", "y > e"], process_id="part")
        assert "calls this one in turn" in refused(session, back)


def test_a_form_that_is_another_in_the_called_process_is_refused(database: Database) -> None:
    both = diagram(S, A, call("x", "part"), E, flows=["s > a", "a > x", "x > e"])
    forms = forms_of(both)
    forms["a"] = {**forms["a"], "properties": {"title": "another"}}
    with database.write() as session:
        deployed(session, PART)
        assert "“a” is another than the form of that name" in refused(session, both, forms)


def test_calls_that_make_the_diagram_too_large_are_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.write() as session:
        deployed(session, PART)
        twice = diagram(S, call("x", "part"), call("y", "part"), E, flows=["s > x", "x > y", "y > e"])
        monkeypatch.setattr(diagrams, "MAX_BYTES", len(twice))
        assert "more than" in refused(session, twice)


def test_what_is_called_keeps_its_lanes_and_decides_nothing_for_the_caller() -> None:
    theirs = PART.replace(
        b'wf:role="enterprise" wf:organisation="starter.organisation"',
        b'wf:role="authority" wf:organisation="basic.city"',
    )
    read = diagrams.read(inlined(CALLER, {}, {"part": (theirs, {})})[0])
    lanes = {name: read.elements[name].lane for name in ("x", "x-a")}
    assert {name: lane and (lane.role, lane.organisation) for name, lane in lanes.items()} == {
        "x": ("enterprise", "starter.organisation"),
        "x-a": ("authority", "basic.city"),
    }
    assert [end.id for end in read.elements.values() if end.outcome] == ["e"]


def test_a_called_process_asks_for_its_own_steps_whatever_the_caller_has() -> None:
    asks = diagram(
        S, A, gateway("exclusive", "g"), B, E, process_id="part",
        flows=["s > a", "a > g", "g > b if is_open('a')", "g > e else", "b > e"],
    )  # fmt: skip
    both = diagram(S, A, call("x", "part"), E, flows=["s > a", "a > x", "x > e"])
    written = inlined(both, {}, {"part": (asks, {})})[0]
    assert b"is_open('x-a')" in written
    assert b"is_open('a')" not in written


def test_the_drawing_shows_the_call_where_the_called_process_is_at_work(played: Any) -> None:
    outer = diagram(S, call("y", "other"), E, flows=["s > y", "y > e"])
    play: Play = played(outer, PART, OTHER)
    assert play.state == "y-x-a"
    with play.runtime.database.read() as session:
        case = case_file(session, play.runtime.definitions, play.id, play.actor, play.now)
        assert case.active == ("y",)
        assert drawing(session, play.id, play.actor) == outer
    play.does("y-x-a")
    with play.runtime.database.read() as session:
        case = case_file(session, play.runtime.definitions, play.id, play.actor, play.now)
    assert not any("-" in element for element in case.done)
    assert "y" in case.done
