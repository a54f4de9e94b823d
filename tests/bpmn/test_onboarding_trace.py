"""Each of the flowchart's sixteen boxes keeps its words, its elements and its scenarios.

The table in bpmn/onboarding/README.md is the map; this holds it against the diagram and the scenarios.
"""

import re
from dataclasses import dataclass

import pytest
import yaml

from engine.definitions.diagrams import BPMN, WF, parse_xml
from tests.conftest import ROOT

FOLDER = ROOT / "bpmn" / "onboarding"
BOXES = tuple(f"F{number}" for number in range(1, 17))


@dataclass(frozen=True, slots=True)
class Row:
    texts: tuple[str, ...]
    elements: tuple[str, ...]
    scenarios: tuple[str, ...]


def read_table() -> dict[str, Row]:
    rows = re.findall(
        r"^\| (F\d+) \| (.+?) \| (.+?) \| (.+?) \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE
    )
    return {
        box: Row(tuple(text.split("<br>")), tuple(_code(elements)), tuple(_code(scenarios)))
        for box, text, elements, scenarios in rows
    }


def _code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


TABLE = read_table()
DRAWN = {node.get("id"): node for node in parse_xml((FOLDER / "onboarding.bpmn").read_bytes()).iter() if node.get("id")}
SCENARIOS = {p.stem: yaml.safe_load(p.read_text("utf-8")) for p in (FOLDER / "scenarios").glob("*.yaml")}


def test_the_table_has_every_box() -> None:
    assert tuple(TABLE) == BOXES


@pytest.mark.parametrize("box", BOXES)
def test_elements_of_a_box_stand_in_the_diagram_and_name_it(box: str) -> None:
    for id_ in TABLE[box].elements:
        assert id_ in DRAWN, f"{box}: {id_} is not in the diagram"
        assert box in (DRAWN[id_].get(f"{{{WF}}}basis") or "").split(), f"{id_} does not name {box}"


@pytest.mark.parametrize("box", BOXES)
def test_words_of_a_box_are_found_again_in_the_diagram(box: str) -> None:
    documentation = "\n".join(
        d.text or "" for id_ in TABLE[box].elements for d in DRAWN[id_].findall(f"{{{BPMN}}}documentation")
    )
    for text in TABLE[box].texts:
        assert text in documentation.split("\n")


@pytest.mark.parametrize("box", BOXES)
def test_a_box_is_proved_by_its_scenarios(box: str) -> None:
    row = TABLE[box]
    for name in row.scenarios:
        assert name in SCENARIOS, f"scenarios/{name}.yaml is missing"
        assert box in SCENARIOS[name]["proves"], f"{name} does not say it proves {box}"
    # Flows are no visits, so boxes F1 and F2 are proved by the tasks behind them.
    visits = {id_ for name in row.scenarios for id_ in SCENARIOS[name]["visits"]}
    assert visits & set(row.elements), f"no scenario of {box} visits any of its elements"


def test_no_scenario_is_left_out_of_the_table() -> None:
    assert {name for row in TABLE.values() for name in row.scenarios} == set(SCENARIOS)


def test_what_a_scenario_visits_is_in_the_diagram() -> None:
    visited = {id_ for scenario in SCENARIOS.values() for id_ in scenario["visits"]}
    assert visited <= set(DRAWN)


def test_the_diagram_names_all_boxes_and_no_others() -> None:
    grounds = {id_: basis.split() for id_, node in DRAWN.items() if (basis := node.get(f"{{{WF}}}basis"))}
    assert {box for boxes in grounds.values() for box in boxes} == set(BOXES)
