"""An enterprise nobody knows yet: it asks for an account, is approved, sets a password and starts an application."""

import pytest
from playwright.sync_api import expect

from engine.scenarios.reading import read_samples
from tests.browser.conftest import Somebody
from tests.casework import FOLDER
from tests.engine.membership.newcomers import CODE, NEWCOMER

pytestmark = pytest.mark.browser

SAMPLES = read_samples(FOLDER).answers
PASSWORD = "tiger lantern 41"


def test_a_new_enterprise_registers_is_approved_and_starts_an_application(somebody: Somebody) -> None:
    newcomer = somebody()
    newcomer.go("/login")
    newcomer.follow("注册企业")
    newcomer.station("registration-1-ask")
    for field, value in NEWCOMER.items():
        newcomer.input(field).fill(CODE[::-1] if field == "code" else value)
    newcomer.press("提交注册申请")
    expect(newcomer.page.get_by_role("alert")).to_contain_text("统一社会信用代码")
    newcomer.station("registration-2-wrong-code")
    newcomer.input("code").fill(CODE)
    newcomer.press("提交注册申请")
    newcomer.read("平台管理员审核通过后")
    newcomer.station("registration-3-received")

    admin = somebody("admin")
    admin.choose_in_menu("企业注册")
    admin.station("registration-4-list")
    admin.follow(NEWCOMER["name"])
    admin.read(CODE)
    admin.press("退回申请")
    expect(admin.page.get_by_role("alert")).to_contain_text("请写明处理理由")
    admin.station("registration-5-deciding")
    admin.press("通过注册")
    admin.read("7 天内有效")
    admin.station("registration-6-link")
    link = admin.page.locator("#link").inner_text().removeprefix(admin.address)
    admin.choose_in_menu("企业注册")
    admin.read("目前没有待审核的注册申请。")
    admin.follow("已处理")
    admin.station("registration-7-decided")

    newcomer.go(link)
    newcomer.input("new").fill(PASSWORD)
    newcomer.input("again").fill(PASSWORD)
    newcomer.press("设置密码")
    newcomer.input("username").first.fill(NEWCOMER["username"])
    newcomer.page.get_by_label("密码", exact=True).fill(PASSWORD)
    newcomer.press("登录")
    newcomer.choose_in_menu("我的申请")
    newcomer.press("发起申请")
    newcomer.fill("application", SAMPLES["application"]["first"])
    newcomer.press("继续")
    expect(newcomer.heading).to_have_text("登录平台填写基本信息")
