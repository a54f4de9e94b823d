"""我的投诉: offered from the key on, and then all the way to 整改后联调成功."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from engine.scenarios.reading import read_samples
from tests.browser.conftest import Somebody
from tests.browser.person import Person
from tests.casework import FOLDER, Case

pytestmark = pytest.mark.browser

SAMPLES = read_samples(FOLDER).answers


def _does(person: Person, task: str, form: str, sample: str) -> None:
    """Opens the only task of that name in the inbox and hands it in."""
    person.choose_in_menu("待办")
    person.follow(task)
    person.fill(form, SAMPLES[form][sample])
    person.press("提交")


def test_a_founded_complaint_leads_to_a_new_key(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    enterprise, official = somebody("enterprise-a"), somebody("guangzhou")

    enterprise.choose_in_menu("我的投诉")
    enterprise.read("目前没有可以提交的申请")
    enterprise.go(f"/instances/{case.id}")
    complain = enterprise.content.get_by_role("button", name="我的投诉")
    expect(complain).to_have_count(0)
    assert enterprise.go(f"/instances/{case.id}/messages/complaint") == 409

    _does(official, "审核材料", "review", "pass")
    official.fill("issue", SAMPLES["issue"]["thirty_days"])
    official.press("提交")

    # The key is there: now a complaint is taken, with its evidence.
    enterprise.go(f"/instances/{case.id}")
    enterprise.press("查看密钥（只显示一次）")
    enterprise.press("现在显示密钥")
    first_key = enterprise.page.locator(".app-secret").inner_text()
    enterprise.press("已保存，返回申请")
    complain.click()
    enterprise.fill("complaint", {**SAMPLES["complaint"]["barrier"], "phone": "12345"})
    enterprise.press("提交")
    expect(enterprise.page.get_by_role("alert")).to_contain_text("电话")
    expect(enterprise.page.get_by_role("link", name="接口返回截图.png")).to_be_visible()
    enterprise.station("complaint-1-form")
    enterprise.answer("complaint.phone", SAMPLES["complaint"]["barrier"]["phone"])
    enterprise.press("提交")
    enterprise.read("已提交：我的投诉")
    enterprise.read("等待广州市住房和城乡建设局：核实情况")
    expect(complain).to_have_count(0)
    enterprise.station("complaint-2-filed")
    enterprise.choose_in_menu("我的投诉")
    expect(enterprise.page.get_by_role("row").filter(has_text="智筑实名制考勤一体机")).to_contain_text("办理中")
    enterprise.station("complaint-3-mine")

    province = somebody("province")
    province.choose_in_menu("预警")
    province.read("智筑实名制考勤一体机")
    province.read("投诉")
    province.station("complaint-4-warning")

    official.choose_in_menu("待办")
    official.follow("核实情况")
    expect(official.page.get_by_role("link", name="接口返回截图.png")).to_be_visible()
    official.station("complaint-5-verify")
    official.fill("verification", SAMPLES["verification"]["founded"])
    official.press("提交")
    expect(official.heading).to_have_text("组织技术支持单位限期整改")
    official.fill("rectification", SAMPLES["rectification"]["two_days"])
    official.press("提交")
    official.read("等待广州市实名制系统技术支持单位：重新提供测试密钥或接口")

    support = somebody("support-guangzhou")
    expect(support.page.get_by_role("row").filter(has_text="重新提供测试密钥或接口")).to_contain_text("剩余 2 个工作日")
    support.follow("重新提供测试密钥或接口")
    expect(support.input("remedy.valid_days")).to_be_hidden()
    support.fill("remedy", SAMPLES["remedy"]["key"])
    expect(support.input("remedy.valid_days")).to_be_visible()
    support.station("complaint-6-remedy")
    support.press("提交")
    support.read("已提交：重新提供测试密钥或接口")

    # The old key is revoked, the new one can be looked at once, and the test is done again.
    enterprise.go(f"/instances/{case.id}")
    keys = enterprise.page.locator(".app-key")
    expect(keys).to_have_count(2)
    expect(keys.filter(has_text="已作废")).to_have_count(1)
    expect(keys.filter(has_text="已作废")).to_contain_text(first_key[-4:])
    enterprise.station("complaint-7-two-keys")
    enterprise.press("查看密钥（只显示一次）")
    enterprise.press("现在显示密钥")
    second_key = enterprise.page.locator(".app-secret")
    expect(second_key).to_be_visible()
    expect(second_key).not_to_have_text(first_key)
    _does(enterprise, "在5个工作日内完成测试联调", "retest_report", "done")
    _does(official, "确认是否完成测试联调", "retest_confirmation", "success")
    for person in (official, enterprise):
        person.go(f"/instances/{case.id}")
        person.read("办理结果：整改后联调成功。")
    enterprise.station("complaint-8-passed")
