"""The trial's clock moves on, and a review nobody did is overdue."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.browser.person import drawn_as
from tests.casework import Case

pytestmark = pytest.mark.browser


def test_three_working_days_later_the_review_is_overdue(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    official, province, admin = somebody("guangzhou"), somebody("province"), somebody("admin")
    review = official.page.get_by_role("row").filter(has=official.page.get_by_role("link", name="审核材料"))
    expect(review).to_contain_text("剩余 3 个工作日")
    province.read("目前没有预警")

    admin.station("overdue-1-clock")
    admin.press("前进 3 个工作日")
    admin.read("流程时间现在是")

    official.page.reload()
    expect(review).to_contain_text("已超期")
    official.station("overdue-2-inbox")
    province.page.reload()
    province.read("智筑实名制考勤一体机")
    province.read("审核")
    province.read("广州市住房和城乡建设局")
    province.station("overdue-3-warnings")
    province.content.get_by_role("link", name="智筑实名制考勤一体机").first.click()
    for waiting in ("Review_Materials", "Explain_Overdue"):
        expect(drawn_as(province.page, waiting)).to_contain_class("is-active")
    province.station("overdue-4-instance")

    official.follow("核实并反馈情况")
    official.station("overdue-5-explanation")
    official.fill("explanation", {**case.samples.answers["explanation"]["busy"], "expected_on": "2099-12-31"})
    official.press("提交")
    official.read("已提交：核实并反馈情况")
    official.choose_in_menu("通知")
    official.read("未读")
    official.station("overdue-6-notices")
    official.press("全部标为已读")
    expect(official.content).not_to_contain_text("标为已读")


def test_who_is_no_administrator_moves_no_clock(somebody: Somebody) -> None:
    assert somebody("guangzhou").go("/admin") == 403
