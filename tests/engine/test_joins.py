"""Where branches meet: a join waits for the branches of its own round, and what is newer counts."""

from datetime import UTC, datetime

from engine.definitions.specs import Compiled, compile_definition
from tests.engine.rules.builder import process
from tests.engine.runtime.walking import Walk

NOW = datetime(2026, 9, 18, 2, 0, tzinfo=UTC)
TASKS = "".join(f'<bpmn:userTask id="{name}"/>' for name in ("first", "a", "b", "decide"))
AGAIN = process(
    f'<bpmn:startEvent id="begin"/>{TASKS}<bpmn:exclusiveGateway id="again"/><bpmn:parallelGateway id="split"/>'
    '<bpmn:parallelGateway id="join"/>',
    "begin>first first>again again>split split>a split>b a>join b>join join>decide decide>again",
)


def walk(diagram: str) -> Walk:
    compiled: Compiled = compile_definition(diagram.encode(), {})
    walk = Walk(compiled, False, NOW)  # a join has to be right with all history before it as well
    walk.start({})
    return walk


def open_in(walk: Walk) -> list[str]:
    return [element for element, _ in walk.open_tasks]


def known(walk: Walk) -> dict[str, object]:
    ((_, data),) = walk.open_tasks
    return dict(data)


def test_in_a_loop_a_join_waits_for_the_branches_of_its_own_round() -> None:
    case = walk(AGAIN)
    case.complete("first", {})
    for _ in range(3):
        case.complete("a", {})
        assert open_in(case) == ["b"]
        case.complete("b", {})
        case.complete("decide", {})
        assert open_in(case) == ["a", "b"]
        case.complete("b", {})
        assert open_in(case) == ["a"]
        case.complete("a", {})
        case.complete("decide", {})


def test_the_branch_that_arrives_last_does_not_bring_back_what_it_set_out_with() -> None:
    case = walk(AGAIN)
    case.complete("first", {"shared": {"version": 1, "parts": ["x", "y"]}})
    case.complete("a", {"shared": {"version": 2, "parts": ["z"]}, "of_a": {"done": True}})
    case.complete("b", {"of_b": {"done": True}})

    assert known(case) == {
        "shared": {"version": 2, "parts": ["z"]},
        "of_a": {"done": True},
        "of_b": {"done": True},
    }


def test_where_both_branches_changed_the_same_the_later_one_counts_whole() -> None:
    case = walk(AGAIN)
    case.complete("first", {"shared": {"version": 1}})
    case.complete("b", {"shared": {"version": 2, "only_b": True}})
    case.complete("a", {"shared": {"version": 3}})

    assert known(case) == {"shared": {"version": 3}}


def test_a_sub_process_hands_on_what_each_of_its_branches_found_out() -> None:
    inside = (
        '<bpmn:subProcess id="sub"><bpmn:startEvent id="in"/><bpmn:parallelGateway id="fork"/><bpmn:userTask id="a"/>'
        '<bpmn:userTask id="b"/><bpmn:endEvent id="done_a"/><bpmn:endEvent id="done_b"/>'
        '<bpmn:sequenceFlow id="s1" sourceRef="in" targetRef="fork"/>'
        '<bpmn:sequenceFlow id="s2" sourceRef="fork" targetRef="a"/>'
        '<bpmn:sequenceFlow id="s3" sourceRef="fork" targetRef="b"/>'
        '<bpmn:sequenceFlow id="s4" sourceRef="a" targetRef="done_a"/>'
        '<bpmn:sequenceFlow id="s5" sourceRef="b" targetRef="done_b"/></bpmn:subProcess>'
    )
    drawn = process(
        f'<bpmn:startEvent id="begin"/><bpmn:userTask id="first"/>{inside}<bpmn:userTask id="after"/>'
        '<bpmn:endEvent id="end"/>',
        "begin>first first>sub sub>after after>end",
    )
    case = walk(drawn)
    case.complete("first", {"shared": {"version": 1}})
    case.complete("a", {"shared": {"version": 2}})
    case.complete("b", {"of_b": {"done": True}})

    assert open_in(case) == ["after"]
    assert known(case) == {"shared": {"version": 2}, "of_b": {"done": True}}
