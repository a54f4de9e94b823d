"""The picture of the process can be read: nothing crosses, nothing is covered, everything stands where it works."""

import json
from itertools import combinations

import pytest

from engine.definitions import diagrams
from engine.definitions.deployment import read_forms
from engine.definitions.diagrams import WF
from engine.definitions.findings import Severity
from engine.definitions.lint import lint
from handlers import HANDLERS
from tests.bpmn.drawing import CONTAINERS, Drawing, Segment, kind, text_size
from tests.conftest import ROOT

FOLDER = ROOT / "bpmn" / "onboarding"
DIAGRAM = FOLDER / "onboarding.bpmn"


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return Drawing(DIAGRAM)


def test_every_element_is_drawn_once(drawing: Drawing) -> None:
    assert sorted(drawing.drawn_ids) == sorted(drawing.elements)


def test_no_two_shapes_overlap(drawing: Drawing) -> None:
    assert [
        (one, other)
        for (one, a), (other, b) in combinations(drawing.nodes.items(), 2)
        if a.overlaps(b) and drawing.host_of(one) != other and drawing.host_of(other) != one
    ] == []


def test_boundary_events_sit_on_the_border_of_their_task(drawing: Drawing) -> None:
    attached = {id_: host for id_ in drawing.nodes if (host := drawing.host_of(id_))}
    assert attached
    assert [
        id_ for id_, host in attached.items() if not drawing.boxes[host].has_on_border(drawing.boxes[id_].centre)
    ] == []


def test_everything_lies_in_its_lane_and_sub_process(drawing: Drawing) -> None:
    outside = [
        id_
        for id_ in drawing.boxes
        if (frame := drawing.lane_of.get(id_) or drawing.parent_of(id_)) in drawing.boxes
        and not drawing.boxes[frame].holds(drawing.boxes[id_])
    ]
    assert outside == []
    pool = drawing.boxes["Participant_Onboarding"]
    assert all(pool.holds(box) for box in (*drawing.boxes.values(), *drawing.labels.values()))


def test_flows_run_straight_and_dock_on_the_shapes_they_connect(drawing: Drawing) -> None:
    for flow in drawing.flows:
        assert all(segment.is_straight for segment in flow.segments), flow.id
        assert drawing.boxes[flow.source].has_on_border(flow.points[0]), flow.id
        assert drawing.boxes[flow.target].has_on_border(flow.points[-1]), flow.id


def test_no_flow_crosses_another(drawing: Drawing) -> None:
    assert [
        (one.id, other.id)
        for one, other in combinations(drawing.flows, 2)
        if any(a.touches(b) for a in one.segments for b in other.segments)
    ] == []


def test_no_flow_runs_through_a_shape(drawing: Drawing) -> None:
    through = [
        (flow.id, id_)
        for flow in drawing.flows
        for id_, box in drawing.boxes.items()
        if not _is_around(drawing, id_, flow.source) and any(segment.enters(box) for segment in flow.segments)
    ]
    assert through == []


def _is_around(drawing: Drawing, frame: str, id_: str) -> bool:
    """Pool and lanes lie under everything; a sub-process only under what is inside it."""
    return kind(drawing.elements[frame]) in CONTAINERS and (
        kind(drawing.elements[frame]) != "subProcess" or drawing.parent_of(id_) == frame
    )


def test_labels_keep_clear_of_shapes_lines_and_each_other(drawing: Drawing) -> None:
    lines = {flow.id: flow.segments for flow in drawing.flows} | _frames(drawing)
    touched = [
        (id_, other)
        for id_, label in drawing.labels.items()
        for other, segments in lines.items()
        if any(segment.enters(label) for segment in segments)
    ]
    covered = [
        (id_, other) for id_, label in drawing.labels.items() for other, b in drawing.nodes.items() if label.overlaps(b)
    ]
    stacked = [(one, other) for (one, a), (other, b) in combinations(drawing.labels.items(), 2) if a.overlaps(b)]
    assert (touched, covered, stacked) == ([], [], [])


def _frames(drawing: Drawing) -> dict[str, tuple[Segment, ...]]:
    """The borders of pool, lanes and sub-processes as lines that no label should sit on."""
    corners = {
        id_: ((b.left, b.top), (b.right, b.top), (b.right, b.bottom), (b.left, b.bottom), (b.left, b.top))
        for id_, b in drawing.boxes.items()
        if id_ not in drawing.nodes
    }
    return {id_: tuple(map(Segment, points, points[1:])) for id_, points in corners.items()}


def test_names_fit_where_they_are_written(drawing: Drawing) -> None:
    for id_, label in drawing.labels.items():
        width, height = text_size(drawing.name_of(id_), label.right - label.left)
        assert width <= label.right - label.left, id_
        assert height <= label.bottom - label.top, id_
    for id_, box in drawing.nodes.items():
        if kind(drawing.elements[id_]).endswith("Task"):
            # 20 pixels of padding and the icon above leave room for three lines.
            assert text_size(drawing.name_of(id_), box.right - box.left - 20, font=12)[1] <= 3 * 14.4, id_


def test_all_that_needs_a_name_beside_it_has_a_label(drawing: Drawing) -> None:
    inside = ("userTask", "serviceTask", "subProcess", "participant", "lane")
    named = {id_ for id_, node in drawing.elements.items() if node.get("name") and kind(node) not in inside}
    assert named == set(drawing.labels)


def test_it_is_read_from_left_to_right_and_only_loops_go_back(drawing: Drawing) -> None:
    back = [
        flow for flow in drawing.flows if drawing.boxes[flow.target].centre[0] < drawing.boxes[flow.source].centre[0]
    ]
    assert back
    assert [flow.id for flow in back if not drawing.reaches(flow.target, flow.source)] == []


def test_the_lint_finds_nothing_to_warn_of() -> None:
    findings = lint(DIAGRAM.read_bytes(), read_forms(FOLDER), HANDLERS)
    assert [f for f in findings if f.severity is not Severity.INFO] == []


def test_all_names_are_given_in_both_languages(drawing: Drawing) -> None:
    nameless = {"textAnnotation", "association"}
    lacking = [
        id_
        for id_, node in drawing.elements.items()
        if (node.get("name") or kind(node) != "sequenceFlow")
        and kind(node) not in nameless
        and not node.get(f"{{{WF}}}name_en")
    ]
    assert lacking == []
    assert all(e.basis for e in diagrams.read(DIAGRAM.read_bytes()).elements.values())


def test_the_descriptor_tells_editors_every_attribute_of_ours(drawing: Drawing) -> None:
    descriptor = json.loads((ROOT / "bpmn" / "workflow.moddle.json").read_text("utf-8"))
    assert descriptor["uri"] == WF
    allowed: dict[str, set[str]] = {}
    for type_ in descriptor["types"]:
        for extended in type_.get("extends", [f"wf:{type_['name']}"]):
            allowed.setdefault(extended.lower(), set()).update(p["name"] for p in type_["properties"])
    flow_elements = ("FlowNode", "SequenceFlow")
    for node in drawing.root.iter(f"{{{diagrams.BPMN}}}*"):
        used = {name.rpartition("}")[2] for name in map(str, node.attrib) if name.startswith(f"{{{WF}}}")}
        tag = kind(node)
        bases = ["SequenceFlow"] if tag == "sequenceFlow" else ["FlowNode"] if tag in diagrams.FLOW_NODES else []
        bases += ["FlowElement"] if set(bases) & set(flow_elements) else []
        known = set().union(*(allowed.get(f"bpmn:{b}".lower(), set()) for b in (tag, *bases)))
        assert used <= known, node.get("id")
