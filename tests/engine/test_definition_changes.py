"""What is different between two versions, by element id, in words an analyst knows."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.definitions.changes import Change, Kind, changes
from engine.definitions.diagrams import DiagramUnreadable
from tests.engine.rules.builder import FORMS, GOOD, broken, form

EXPLAIN = '<bpmn:userTask id="Explain" name="核实并反馈情况" wf:form="explanation" />'


def _changes(diagram: str, forms: Mapping[str, Any] | None = None) -> dict[str, Change]:
    return {c.element_id: c for c in changes(GOOD.encode(), FORMS, diagram.encode(), FORMS if forms is None else forms)}


def _told(diagram: str) -> dict[str, tuple[str, str]]:
    """The aspects that changed at the only changed element."""
    (change,) = _changes(diagram).values()
    assert change.kind is Kind.CHANGED
    return {difference.aspect.zh: (difference.before, difference.after) for difference in change.differences}


def test_the_same_twice_has_no_changes() -> None:
    assert _changes(GOOD) == {}


def test_layout_and_white_space_are_no_change() -> None:
    assert _changes(GOOD.replace("  <bpmn:", "\t<bpmn:")) == {}


@pytest.mark.parametrize(
    ("diagram", "aspect", "before", "after"),
    [
        (broken("working_days(3)", "working_days(5)"), "时限", "working_days(3)", "working_days(5)"),
        (broken('name="核实并反馈情况"', 'name="反馈"'), "名称", "核实并反馈情况", "反馈"),
        (broken(EXPLAIN, EXPLAIN.replace("explanation", "review")), "填写的表单", "explanation", "review"),
        (broken("review.result == 'ok'", "True"), "条件", "review.result == 'ok'", "True"),
        (broken(' wf:shows="basic"', ""), "显示的表单", "basic", ""),
        (broken('cancelActivity="false"', 'cancelActivity="true"'), "是否中断", "false", "true"),
        (broken('targetRef="Explain"', 'targetRef="Verify"'), "终点", "Explain", "Verify"),
        (broken('wf:outcome="通过"', 'wf:outcome="同意"'), "办理结果", "通过", "同意"),
        (broken('wf:organisation="basic.city"', "wf:organisation=\"'440100'\""), "办理单位", "basic.city", "'440100'"),
        (broken("'许可：' + basic.company", "'好'"), "参数", "text = '许可：' + basic.company", "text = '好'"),
        (broken("<bpmn:flowNodeRef>Tell<", "<bpmn:flowNodeRef>X<"), "泳道", "平台", ""),
    ],
)
def test_a_changed_aspect_is_told_before_and_after(diagram: str, aspect: str, before: str, after: str) -> None:
    assert _told(diagram) == {aspect: (before, after)}


def test_a_task_moved_to_another_lane_is_a_change_of_its_lane() -> None:
    one = "<bpmn:flowNodeRef>Verify</bpmn:flowNodeRef>"
    moved = broken("<bpmn:flowNodeRef>Apply<", "<bpmn:flowNodeRef>Verify</bpmn:flowNodeRef><bpmn:flowNodeRef>Apply<")
    moved = moved[: moved.rindex(one)] + moved[moved.rindex(one) + len(one) :]
    assert _told(moved) == {"泳道": ("主管部门", "企业")}


def test_added_and_removed_elements_are_told_with_their_names() -> None:
    found = _changes(broken(EXPLAIN, EXPLAIN.replace('id="Explain"', 'id="Respond"')))
    assert (found["Respond"].kind, found["Explain"].kind) == (Kind.ADDED, Kind.REMOVED)
    assert found["Explain"].name.zh == "核实并反馈情况"


def test_an_element_that_became_another_kind_is_told() -> None:
    assert _told(broken(EXPLAIN, EXPLAIN.replace("userTask", "serviceTask")))["类型"] == ("用户任务", "服务任务")


def test_forms_and_their_fields_are_compared_too() -> None:
    forms = {**FORMS, "review": form("review", "result", "reason"), "extra": form("extra", "a")}
    del forms["complaint"]
    found = _changes(GOOD, forms)
    assert {key: change.kind for key, change in found.items()} == {
        "review.reason": Kind.ADDED,
        "extra": Kind.ADDED,
        "extra.a": Kind.ADDED,
        "complaint": Kind.REMOVED,
        "complaint.facts": Kind.REMOVED,
    }


def test_a_field_that_became_optional_is_told() -> None:
    forms = {**FORMS, "review": form("review", optional=("result",))}
    (difference,) = _changes(GOOD, forms)["review.result"].differences
    assert "required: True" in difference.before
    assert "required" not in difference.after


def test_a_field_that_became_personal_data_is_told_apart_from_its_content() -> None:
    forms = {**FORMS, "review": form("review", "result", checks={"result": {"personal": "name"}})}
    (difference,) = _changes(GOOD, forms)["review.result"].differences
    assert (difference.aspect.zh, difference.before, difference.after) == ("个人信息", "", "name")


def test_what_is_no_diagram_is_refused() -> None:
    with pytest.raises(DiagramUnreadable):
        changes(GOOD.encode(), FORMS, b"hello", FORMS)
