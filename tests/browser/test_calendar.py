"""Next year's notice is entered: what was 暂定 becomes final, and everybody can read why."""

import re
from datetime import date, datetime, time, timedelta

import pytest
from playwright.sync_api import expect

from engine import clock
from engine.calendar.days import IN_LIBRARY
from engine.calendar.festivals import SPRING, by_law
from engine.clock import SHANGHAI
from engine.runtime.runtime import Runtime
from tests.browser.conftest import Somebody
from tests.casework import Case

pytestmark = pytest.mark.browser

YEAR = max(IN_LIBRARY.stop, clock.now().year + 1)  # one that is not announced, and not yet begun
EVE = (SPRING.falls(YEAR) or date.max) - timedelta(days=1)
SUNDAY = date(YEAR, 4, 17) + timedelta(days=6 - date(YEAR, 4, 17).weekday())  # to be worked; no festival is near
DAYS_OFF = {day: name.zh for day, name in by_law(YEAR).items()} | {EVE + timedelta(days=n): "春节" for n in range(8)}
NUMBER = f"国办发明电〔{YEAR - 1}〕测试号"


def begun(runtime: Runtime, day: date) -> Case:
    """A review that began at 10:00 that day, with 3 working days."""
    return Case(runtime, begins=datetime.combine(day, time(10), SHANGHAI)).goes("递交申请材料")


def test_a_provisional_date_becomes_final_with_the_notice(somebody: Somebody, beside: Runtime) -> None:
    longer, shorter = begun(beside, EVE - timedelta(days=2)), begun(beside, SUNDAY - timedelta(days=3))
    enterprise, admin, official = somebody("enterprise-a"), somebody("admin"), somebody("guangzhou")
    enterprise.go(f"/instances/{longer.id}")
    enterprise.read("暂定")
    enterprise.follow("为什么是这一天？")
    enterprise.read("最迟到")
    enterprise.station("calendar-1-provisional")

    admin.go("/admin/calendar")
    admin.station("calendar-2-empty")
    admin.press("录入放假通知")
    admin.press("预览")
    expect(admin.page.get_by_role("alert")).to_be_visible()
    admin.station("calendar-3-refused")
    admin.input("year").fill(str(YEAR))
    admin.input("days_off").fill("\n".join(f"{day} {name}" for day, name in sorted(DAYS_OFF.items())))
    admin.input("make_up_days").fill(f"{SUNDAY} 劳动节")
    admin.input("document").fill(NUMBER)
    admin.input("document_date").fill(f"{YEAR - 1}-11-04")
    admin.press("预览")
    admin.read("会变的期限：2 项")
    admin.read("延后")
    admin.read("提前，待主管部门确认")
    admin.station("calendar-4-preview")
    admin.press("返回修改")
    expect(admin.input("document")).to_have_value(NUMBER)
    admin.station("calendar-5-form")
    admin.press("预览")
    admin.press("发布")
    admin.read("日历第 1 版已发布")
    admin.station("calendar-6-published")

    enterprise.page.reload()
    expect(enterprise.content).not_to_contain_text("暂定")
    enterprise.read(NUMBER)
    enterprise.station("calendar-7-final")
    enterprise.go("/notices")
    enterprise.read("工作日历更新")

    official.go("/inbox")
    official.station("calendar-8-inbox")
    official.go(f"/tasks/{shorter.task('审核材料').id}")
    official.station("calendar-9-task")
    official.go("/inbox")
    official.follow("查看并确认")
    official.station("calendar-10-earlier")
    official.press(re.compile("^确认提前"))
    official.read("已确认期限提前")
    official.read("目前没有需要确认的期限")


def test_a_limit_is_tried_out_without_scripts(somebody: Somebody) -> None:
    analyst = somebody("analyst", javascript=False)
    analyst.page.get_by_role("contentinfo").get_by_role("link", name="期限试算").click()
    analyst.input("start").fill("2026-09-29")
    analyst.input("days").fill("5")
    analyst.input("region").select_option("440100")
    analyst.press("试算")
    analyst.read("截止：2026年10月12日 24:00")
    assert "start=2026-09-29&days=5&region=440100" in analyst.page.url
    analyst.station("calendar-11-what-if")
    analyst.page.emulate_media(media="print")
    expect(analyst.page.get_by_role("button", name="试算")).to_be_hidden()
    analyst.station("calendar-12-printed")
