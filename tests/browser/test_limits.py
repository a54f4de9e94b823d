"""An official pauses and extends a limit in the browser where the diagram allows it; the enterprise reads of it."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.casework import Case
from tests.engine.levers.test_limit_levers import deploy_levers

pytestmark = pytest.mark.browser


def test_an_official_pauses_and_extends_a_limit_and_the_enterprise_reads_why(
    somebody: Somebody, beside: Runtime
) -> None:
    deploy_levers(beside)
    case = Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    official, enterprise = somebody("guangzhou"), somebody("enterprise-a")

    official.go(f"/tasks/{case.task('审核材料').id}")
    official.page.get_by_text("延长期限").click()
    extending = official.page.locator("form[action$='/extend']")
    extending.get_by_role("textbox").first.fill("9")
    extending.get_by_role("button").click()
    expect(official.page.get_by_role("alert").first).to_be_visible()
    official.station("limits-refused")
    extending.get_by_role("textbox").nth(0).fill("2")
    extending.get_by_role("textbox").nth(1).fill("材料较多，需现场核查设备")
    extending.get_by_role("button").click()
    official.read("期限已延长")
    official.page.get_by_text("暂停计算期限").click()
    pausing = official.page.locator("form[action$='/pause']")
    pausing.get_by_role("textbox").first.fill("等待企业安排现场核查")
    official.station("limits-pausing")
    pausing.get_by_role("button").click()
    official.read("计时暂停")
    official.go("/inbox")
    official.read("计时暂停")
    official.station("limits-inbox")

    enterprise.go(f"/instances/{case.id}")
    enterprise.read("等待企业安排现场核查")
    enterprise.station("limits-case")
    enterprise.follow("打印时限记录")
    enterprise.station("limits-record")
