"""An administrator suspends, resumes and cancels a case in the browser; an applicant withdraws one without scripts."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.casework import Case

pytestmark = pytest.mark.browser


def test_a_case_is_suspended_resumed_and_cancelled(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("收到测试密钥")
    number = str(case.instance().number)
    admin, enterprise = somebody("admin"), somebody("enterprise-a")

    admin.go("/admin")
    admin.follow("案件处置")
    admin.page.get_by_role("searchbox").fill(number)
    admin.press("查询")
    admin.read("广州市住房和城乡建设局")
    admin.station("levers-cases")
    admin.page.get_by_role("row", name=number).get_by_role("link").first.click()
    admin.station("levers-case")
    admin.press("暂停办理")
    expect(admin.page.locator("#suspend-reason-error")).to_be_visible()
    admin.station("levers-refused")
    admin.page.locator("#suspend-reason").fill("企业被立案调查")
    admin.press("暂停办理")
    admin.read("已暂停办理")

    enterprise.go(f"/instances/{case.id}")
    enterprise.read("企业被立案调查")
    enterprise.station("levers-suspended")

    admin.page.locator("#resume-reason").fill("调查结束")
    admin.press("恢复办理")
    admin.page.locator("#cancel-reason").fill("企业已注销")
    admin.press("终止申请")
    admin.read("终止后不能恢复")
    admin.station("levers-confirm")
    admin.press("终止申请")
    admin.read("已终止")
    enterprise.go(f"/instances/{case.id}")
    enterprise.read("企业已注销")


def test_an_application_is_withdrawn_without_javascript(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    enterprise = somebody("enterprise-a", javascript=False)
    enterprise.go(f"/instances/{case.id}")
    enterprise.follow("撤回申请")
    enterprise.station("levers-withdraw")
    enterprise.page.locator("#withdraw-reason").fill("产品停产")
    enterprise.press("撤回申请")
    enterprise.read("已撤回")
    enterprise.read("产品停产")
