"""Scenario one from the first page to 联调成功, with a mistake on the way, each person at a browser of their own."""

import re

import pytest
from playwright.sync_api import expect

from engine.scenarios.reading import read_samples
from tests.browser.conftest import Somebody
from tests.browser.person import PROGRAM, Person, document, drawn_as
from tests.casework import FOLDER

pytestmark = pytest.mark.browser

SAMPLES = read_samples(FOLDER).answers
WRONG_CODE = "91440101MA5TRYA01Y"  # the check character is wrong


def _applies(enterprise: Person) -> None:
    enterprise.choose_in_menu("我的申请")
    enterprise.press("发起申请")
    enterprise.fill("application", SAMPLES["application"]["first"])
    enterprise.press("继续")
    expect(enterprise.heading).to_have_text("登录平台填写基本信息")


def _mistypes_the_credit_code(enterprise: Person) -> None:
    enterprise.fill("basic", {**SAMPLES["basic"]["first"], "uscc": WRONG_CODE})
    enterprise.press("提交")
    summary = enterprise.page.get_by_role("alert")
    expect(summary).to_contain_text("统一社会信用代码")
    expect(summary.get_by_role("listitem")).to_have_count(1)
    expect(enterprise.page).to_have_title("出错：登录平台填写基本信息 – 实名制软硬件设备联调对接")
    code = enterprise.input("basic.uscc")
    expect(code).to_have_value(WRONG_CODE)
    expect(code).to_have_accessible_description(re.compile("错误.*统一社会信用代码第 18 位校验码不正确，请核对。"))
    expect(enterprise.input("basic.product")).to_have_value("智筑实名制考勤一体机")
    expect(enterprise.input("basic.city")).to_have_value("440100")
    summary.get_by_role("link").click()
    expect(code).to_be_focused()
    enterprise.station("success-1-wrong-code")
    enterprise.answer("basic.uscc", SAMPLES["basic"]["first"]["uscc"])
    enterprise.press("提交")


def _uploads_a_program_among_the_materials(enterprise: Person) -> None:
    expect(enterprise.heading).to_have_text("递交材料")
    complete = SAMPLES["materials"]["complete"]
    enterprise.fill("materials", {name: value for name, value in complete.items() if name != "test_report"})
    kept = enterprise.page.locator(".app-files__item")
    expect(kept).to_have_count(4)
    enterprise.input("materials.test_report").set_input_files(document("检测报告.pdf", PROGRAM))
    question = enterprise.page.locator('[data-upload="materials.test_report"]')
    expect(question.locator(".govuk-error-message")).to_contain_text("检测报告.pdf")
    enterprise.press("提交")
    summary = enterprise.page.get_by_role("alert")
    expect(summary.get_by_role("listitem")).to_have_count(1)
    expect(summary).to_contain_text("检测报告")
    expect(kept).to_have_count(4)
    enterprise.station("success-2-wrong-file")
    enterprise.answer("materials.test_report", {"file": "检测报告.pdf"})
    enterprise.press("提交")


def test_an_application_succeeds(somebody: Somebody) -> None:
    enterprise = somebody("enterprise-a")
    _applies(enterprise)
    _mistypes_the_credit_code(enterprise)
    _uploads_a_program_among_the_materials(enterprise)

    # The enterprise sees where its application stands.
    enterprise.read("已提交：递交材料")
    enterprise.read("等待广州市住房和城乡建设局：审核材料")
    enterprise.read("剩余 3 个工作日")
    expect(drawn_as(enterprise.page, "Review_Materials")).to_contain_class("is-active")
    expect(drawn_as(enterprise.page, "Submit_Materials")).to_contain_class("is-done")
    expect(drawn_as(enterprise.page, "Test_Connection")).not_to_contain_class("is-active")
    expect(enterprise.page.locator(".app-timeline__entry").first).to_contain_text("审核材料")
    enterprise.station("success-3-in-review")
    instance = enterprise.page.url.removeprefix(enterprise.address)

    # The official of the city finds it, takes it on and decides; nobody else's city does.
    official = somebody("guangzhou")
    row = official.page.get_by_role("row").filter(has_text="智筑实名制考勤一体机")
    expect(row).to_contain_text("剩余 3 个工作日")
    expect(row).to_contain_text("未签收")
    official.station("success-4-inbox")
    row.get_by_role("link", name="审核材料").click()
    task = official.page.url.removeprefix(official.address)

    neighbour = somebody("shenzhen")
    neighbour.read("目前没有需要本单位办理的事项")
    assert (neighbour.go(task), neighbour.go(instance)) == (404, 404)
    neighbour.read("不属于您所在的单位")
    neighbour.station("success-5-not-found")

    official.press("签收")
    expect(official.page.locator(".app-facts")).to_contain_text("我")
    beside = official.page.get_by_role("region", name="已提交的材料和意见")
    for material in ("营业执照", "产品说明书", "检测报告", "接口自测报告V1.3", "承诺书"):
        expect(beside.get_by_role("link", name=f"{material}.pdf", exact=True)).to_be_visible()
    with official.page.expect_download() as download:
        beside.get_by_role("link", name="承诺书.pdf").click()
    assert download.value.suggested_filename == "承诺书.pdf"
    form = official.page.get_by_role("region", name="填写")
    left, right = beside.bounding_box(), form.bounding_box()
    assert left
    assert right
    assert left["x"] + left["width"] <= right["x"], "the materials stand beside the form"
    official.station("success-6-review")
    official.fill("review", SAMPLES["review"]["pass"])
    official.press("提交")
    expect(official.heading).to_have_text("下发测试密钥")
    official.fill("issue", SAMPLES["issue"]["thirty_days"])
    official.press("提交")
    official.read("等待粤筑智联（演示）科技有限公司：使用测试密钥进行测试联调")

    # The key is shown to the enterprise, once.
    enterprise.page.reload()
    enterprise.press("查看密钥（只显示一次）")
    enterprise.station("success-7-before-the-key")
    question = enterprise.page.url.removeprefix(enterprise.address)
    enterprise.press("现在显示密钥")
    key = enterprise.page.locator(".app-secret").inner_text()
    assert len(key) >= 20
    enterprise.station("success-8-the-key")
    enterprise.go(question)
    enterprise.read("该密钥已经显示过，不能再次显示。")
    expect(enterprise.page.get_by_role("button", name="现在显示密钥")).to_have_count(0)
    assert key not in enterprise.page.content()

    enterprise.follow("返回申请")
    enterprise.press("办理：使用测试密钥进行测试联调")
    enterprise.fill("test_report", SAMPLES["test_report"]["done"])
    enterprise.station("success-9-test-report")
    enterprise.press("提交")
    enterprise.read("等待广州市住房和城乡建设局：确认是否完成测试联调")

    official.choose_in_menu("待办")
    official.follow("确认是否完成测试联调")
    expect(official.page.get_by_role("link", name="联调报告.pdf")).to_be_visible()
    official.fill("confirmation", SAMPLES["confirmation"]["success"])
    official.press("提交")
    for person in (official, enterprise):
        person.go(instance)
        person.read("办理结果：联调成功。")
        expect(drawn_as(person.page, "End_Success")).to_contain_class("is-done")
        assert key not in person.page.content()
    enterprise.station("success-10-passed")
    enterprise.choose_in_menu("我的申请")
    expect(enterprise.page.get_by_role("row").filter(has_text="智筑实名制考勤一体机")).to_contain_text("联调成功")
    enterprise.station("success-11-applications")
