"""A small sound process with a bit of everything, to be broken in one place at a time."""

from collections.abc import Mapping
from typing import Any

from engine.definitions.findings import Finding
from engine.definitions.lint import lint

HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:wf="urn:x-realname:workflow:1" '
    'id="Definitions_1" targetNamespace="urn:test">\n'
)
TAIL = "</bpmn:definitions>\n"

# start → apply → approval [ review → end ] → decide → ok → tell → end
#                    ├ timer (beside) → explain → end            └ otherwise → apply
#                    └ complaint → verify → end
GOOD = (
    HEAD
    + """
  <bpmn:process id="permit" name="许可" isExecutable="true" wf:name_en="Permit" wf:subject="basic.company">
    <bpmn:laneSet id="Lanes">
      <bpmn:lane id="Lane_Enterprise" name="企业" wf:role="enterprise" wf:organisation="starter.organisation">
        <bpmn:flowNodeRef>Begin</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Apply</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="Lane_Authority" name="主管部门" wf:role="authority" wf:organisation="basic.city">
        <bpmn:flowNodeRef>Approval</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Explain</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Verify</bpmn:flowNodeRef>
      </bpmn:lane>
      <bpmn:lane id="Lane_Platform" name="平台">
        <bpmn:flowNodeRef>Decide</bpmn:flowNodeRef>
        <bpmn:flowNodeRef>Tell</bpmn:flowNodeRef>
      </bpmn:lane>
    </bpmn:laneSet>
    <bpmn:startEvent id="Begin" name="开始" wf:form="scenario" />
    <bpmn:userTask id="Apply" name="申请" wf:name_en="Apply" wf:form="basic" wf:number="basic.city" />
    <bpmn:subProcess id="Approval" name="审批">
      <bpmn:startEvent id="Approval_Begin" />
      <bpmn:userTask id="Review" name="审核材料" wf:name_en="Review" wf:form="review" wf:shows="basic" />
      <bpmn:endEvent id="Approval_End" />
      <bpmn:sequenceFlow id="Flow_In_1" sourceRef="Approval_Begin" targetRef="Review" />
      <bpmn:sequenceFlow id="Flow_In_2" sourceRef="Review" targetRef="Approval_End" />
    </bpmn:subProcess>
    <bpmn:boundaryEvent id="Overdue" name="超期" attachedToRef="Approval" cancelActivity="false">
      <bpmn:timerEventDefinition>
        <bpmn:timeDuration xsi:type="bpmn:tFormalExpression">working_days(3)</bpmn:timeDuration>
      </bpmn:timerEventDefinition>
    </bpmn:boundaryEvent>
    <bpmn:userTask id="Explain" name="核实并反馈情况" wf:form="explanation" />
    <bpmn:endEvent id="End_Explained" />
    <bpmn:boundaryEvent id="Complained" name="投诉" attachedToRef="Approval">
      <bpmn:messageEventDefinition messageRef="Message_Complaint" />
    </bpmn:boundaryEvent>
    <bpmn:userTask id="Verify" name="核实情况" wf:form="explanation" wf:shows="complaint" />
    <bpmn:endEvent id="End_Verified" wf:outcome="已核实" wf:outcome_en="Verified" />
    <bpmn:exclusiveGateway id="Decide" name="结论" default="Flow_Again" />
    <bpmn:serviceTask id="Tell" name="通知" wf:handler="tell" wf:result="told">
      <bpmn:extensionElements>
        <wf:param name="text" value="'许可：' + basic.company" />
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:endEvent id="End_Granted" name="通过" wf:outcome="通过" wf:outcome_en="Granted" />
    <bpmn:sequenceFlow id="Flow_1" sourceRef="Begin" targetRef="Apply" />
    <bpmn:sequenceFlow id="Flow_2" sourceRef="Apply" targetRef="Approval" />
    <bpmn:sequenceFlow id="Flow_3" sourceRef="Approval" targetRef="Decide" />
    <bpmn:sequenceFlow id="Flow_Ok" name="符合" sourceRef="Decide" targetRef="Tell">
      <bpmn:conditionExpression xsi:type="bpmn:tFormalExpression">review.result == 'ok'</bpmn:conditionExpression>
    </bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="Flow_Again" name="不符合" sourceRef="Decide" targetRef="Apply" />
    <bpmn:sequenceFlow id="Flow_4" sourceRef="Tell" targetRef="End_Granted" />
    <bpmn:sequenceFlow id="Flow_5" sourceRef="Overdue" targetRef="Explain" />
    <bpmn:sequenceFlow id="Flow_6" sourceRef="Explain" targetRef="End_Explained" />
    <bpmn:sequenceFlow id="Flow_7" sourceRef="Complained" targetRef="Verify" />
    <bpmn:sequenceFlow id="Flow_8" sourceRef="Verify" targetRef="End_Verified" />
  </bpmn:process>
  <bpmn:message id="Message_Complaint" name="complaint" wf:form="complaint" wf:lane="Lane_Enterprise" />
"""
    + TAIL
)


def form(
    name: str, *required: str, optional: tuple[str, ...] = (), checks: Mapping[str, dict[str, str]] | None = None
) -> dict[str, Any]:
    """A form of text fields; `checks` has the properties of some, by key."""
    made: dict[str, Any] = {
        "type": "default",
        "id": name,
        "schemaVersion": 19,
        "properties": {"title": name},
        "components": [
            {"type": "textfield", "id": f"{name}_{key}", "key": key, "label": key, "validate": {"required": True}}
            for key in required
        ]
        + [{"type": "textfield", "id": f"{name}_{key}", "key": key, "label": key} for key in optional],
    }
    for component in made["components"]:
        component["properties"] = (checks or {}).get(component["key"], {})
    return made


FORMS = {
    "scenario": form("scenario", "kind"),
    "basic": form("basic", "company", "city", optional=("remark",)),
    "review": form("review", "result"),
    "explanation": form("explanation", "findings"),
    "complaint": form("complaint", "facts"),
}

# For diagrams that name them.
ALSO = {
    "contact": form("contact", "phone", checks={"phone": {"check": "phone"}}),
    "address": form("address", "email", checks={"email": {"check": "email"}}),
    "marked": form("marked", "phone", checks={"phone": {"check": "phone", "personal": "phone"}}),
    "hotline": form("hotline", "phone", checks={"phone": {"check": "phone", "personal": "false"}}),
}


def tell(call: object, *, text: str, text_en: str = "") -> None:
    """A handler with a required and an optional parameter."""


HANDLERS = {"tell": tell}


def broken(old: str, new: str, diagram: str = GOOD) -> str:
    """The sound process with one passage replaced, which must be in it exactly once."""
    assert diagram.count(old) == 1, f"{diagram.count(old)} times in the diagram: {old}"
    return diagram.replace(old, new)


def found(diagram: str, forms: Mapping[str, Any] = FORMS) -> list[Finding]:
    named = {name: schema for name, schema in ALSO.items() if f'"{name}"' in diagram}
    return lint(diagram.encode(), {**forms, **named}, HANDLERS)


def process(body: str, flows: str) -> str:
    """A whole process from nodes and flows such as "start>a a>b": for what is about the drawing alone."""
    drawn = "".join(
        f'<bpmn:sequenceFlow id="f{number}" sourceRef="{source}" targetRef="{target}" />'
        for number, (source, target) in enumerate(flow.split(">") for flow in flows.split())
    )
    return f'{HEAD}<bpmn:process id="drawn" isExecutable="true">{body}{drawn}</bpmn:process>{TAIL}'


def said_by(rule: str, diagram: str, forms: Mapping[str, Any] = FORMS) -> dict[str | None, Finding]:
    """What one rule says, by element; every sentence is there in both languages and filled in."""
    findings = [finding for finding in found(diagram, forms) if finding.rule == rule]
    for finding in findings:
        for sentence in (finding.message.zh, finding.message.en):
            assert sentence.strip(), finding
            assert "{" not in sentence, finding
        assert "检查时出错" not in finding.message.zh, finding
    return {finding.element_id: finding for finding in findings}
