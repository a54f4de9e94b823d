"""An analyst changes the process: a further approval in the authority's lane, and four working days instead of three.

Nothing but the diagram and a form changes; no code knows of either.
"""

from engine.definitions.deployment import deploy, read_forms
from engine.runtime.runtime import Runtime
from handlers import HANDLERS
from tests.casework import FOLDER, Case, deploy_onboarding
from tests.conftest import CAST_SINCE, Cast

APPROVAL = """
      <bpmn:userTask id="Approve_Issue" name="负责人复核" wf:name_en="Approve" wf:form="approval">
        <bpmn:incoming>Flow_Meeting</bpmn:incoming>
        <bpmn:outgoing>Flow_Approved</bpmn:outgoing>
      </bpmn:userTask>
      <bpmn:sequenceFlow id="Flow_Approved" sourceRef="Approve_Issue" targetRef="Issue_Test_Key" />
"""
APPROVAL_FORM = {
    "type": "default",
    "id": "approval",
    "schemaVersion": 19,
    "properties": {"title": "负责人复核", "title_en": "Approval"},
    "components": [
        {
            "type": "textarea",
            "id": "approval_opinion",
            "key": "opinion",
            "label": "复核意见",
            "validate": {"required": True},
            "properties": {"label_en": "Opinion"},
        }
    ],
}


def changed_diagram() -> bytes:
    xml = (FOLDER / "onboarding.bpmn").read_text("utf-8")
    for old, new in (
        ("working_days(3)<", "working_days(4)<"),
        (
            'sourceRef="Gateway_Meets_Requirements" targetRef="Issue_Test_Key"',
            'sourceRef="Gateway_Meets_Requirements" targetRef="Approve_Issue"',
        ),
        ("<bpmn:incoming>Flow_Meeting</bpmn:incoming>", "<bpmn:incoming>Flow_Approved</bpmn:incoming>"),
        ('      <bpmn:userTask id="Issue_Test_Key"', APPROVAL + '      <bpmn:userTask id="Issue_Test_Key"'),
    ):
        assert xml.count(old) == 1, old
        xml = xml.replace(old, new)
    return xml.encode()


def deploy_changed(runtime: Runtime) -> None:
    forms = {**read_forms(FOLDER), "approval": APPROVAL_FORM}
    with runtime.database.write() as session:
        deploy(session, diagram=changed_diagram(), forms=forms, handlers=HANDLERS, by=None, now=CAST_SINCE)


def test_the_new_task_reaches_the_right_inbox_under_the_new_limit(runtime: Runtime, cast: Cast) -> None:
    deploy_onboarding(runtime)
    deploy_changed(runtime)
    case = Case(runtime).goes("递交申请材料")
    case.step(expect={"due": {"审核材料": "2026-09-23"}})
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})

    task = case.task("负责人复核")

    assert task.organisation_id == cast.guangzhou.organisation_id
    assert task.element_id == "Approve_Issue"
    case.step(expect={"waiting": {"主管部门": ["负责人复核"]}, "due": {"负责人复核": "2026-09-23"}})
    case.step(at="2026-09-23 23:59", expect={"warnings": 0})
    case.step(at="2026-09-24 00:00", expect={"warnings": 1})
    case.step(by="主管部门同事", does="负责人复核", fills={"approval": {"opinion": "同意下发。"}})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    case.step(expect={"keys": {"issued": 1, "valid": 1}})


def test_an_instance_stays_on_the_version_it_started_on(runtime: Runtime) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    deploy_changed(runtime)

    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})

    case.step(expect={"waiting": {"主管部门": ["下发测试密钥"]}, "due": {"下发测试密钥": "2026-09-22"}})
