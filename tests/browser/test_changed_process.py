"""An analyst changes the process by handing in a diagram, and can't break it by handing in a bad one."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.browser.person import changed_copy, document, drawn_as
from tests.casework import FOLDER, Case

pytestmark = pytest.mark.browser

DIAGRAM = FOLDER / "onboarding.bpmn"


def test_a_limit_is_changed_for_new_applications_only(somebody: Somebody, beside: Runtime) -> None:
    Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    analyst, official = somebody("analyst"), somebody("guangzhou")
    analyst.station("process-1-versions")
    analyst.press("上传流程图")
    analyst.input("files").set_input_files(
        document("onboarding.bpmn", changed_copy(DIAGRAM, ("working_days(3)", "working_days(4)")))
    )
    analyst.input("note").fill("审核时限由3个工作日改为4个工作日")
    analyst.station("process-2-upload")
    analyst.press("检查")
    changes = analyst.page.get_by_role("table", name="改动").get_by_role("row")
    expect(changes).to_have_count(2)  # the heading's and one more
    expect(changes.last).to_contain_text("Review_Overdue")
    expect(changes.last.get_by_role("deletion")).to_have_text("working_days(3)")
    expect(changes.last.get_by_role("insertion")).to_have_text("working_days(4)")
    expect(drawn_as(analyst.page, "Review_Overdue")).to_contain_class("is-active")
    expect(analyst.heading).to_contain_text("未启用")
    analyst.station("process-3-changes")
    analyst.press("启用这个版本")
    expect(analyst.heading).to_contain_text("启用中")

    Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    official.page.reload()
    reviews = official.page.get_by_role("row").filter(has=official.page.get_by_role("link", name="审核材料"))
    expect(reviews.filter(has_text="剩余 3 个工作日")).to_have_count(1)
    expect(reviews.filter(has_text="剩余 4 个工作日")).to_have_count(1)
    analyst.choose_in_menu("流程定义")
    analyst.station("process-4-put-in-force")


def test_a_broken_diagram_is_refused_with_the_place(somebody: Somebody) -> None:
    analyst = somebody("analyst")
    versions = analyst.content.inner_text()
    analyst.press("上传流程图")
    broken = changed_copy(
        DIAGRAM, ('wf:handler="issue_test_key"', 'wf:handler="issue_key"'), ("working_days(3)", "working_days(three)")
    )
    analyst.input("files").set_input_files(document("onboarding.bpmn", broken))
    analyst.press("检查")
    expect(analyst.page.get_by_role("alert")).to_contain_text("没有保存；正在使用的版本不受影响")
    findings = analyst.page.get_by_role("table", name="检查结果").get_by_role("row").filter(has_text="错误")
    expect(findings.filter(has_text="Review_Overdue")).to_contain_text("超过3个工作日仍未审核回复")
    expect(findings.filter(has_text="Create_Test_Key")).to_contain_text("发放测试密钥")
    expect(drawn_as(analyst.page, "Create_Test_Key")).to_contain_class("is-active")
    analyst.station("process-5-refused")
    analyst.choose_in_menu("流程定义")
    assert analyst.content.inner_text() == versions
