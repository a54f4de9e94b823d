"""我的账号, the accounts of an organisation, and the second factor, in the browser of those who use them."""

import pyotp
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Somebody

pytestmark = pytest.mark.browser


def test_a_manager_makes_an_account_whose_person_sets_the_password_and_logs_in(somebody: Somebody) -> None:
    manager = somebody("guangzhou2")
    manager.page.get_by_role("link", name="我的账号").click()
    manager.read("已登录的设备")
    manager.station("accounts-1-own")
    manager.follow("管理本单位的账号")
    manager.read("guangzhou2")
    manager.station("accounts-2-list")
    manager.press("开立账号")
    manager.press("开立账号")
    expect(manager.page.get_by_role("alert")).to_contain_text("请填写姓名。")
    manager.station("accounts-3-refused")
    manager.input("name").fill("张三")
    manager.input("username").fill("zhang.san")
    manager.press("开立账号")
    manager.read("24 小时内有效")
    manager.station("accounts-4-link")
    link = manager.page.locator("#link").inner_text().removeprefix(manager.address)

    newcomer = somebody(javascript=False)
    newcomer.go(link)
    for password in ("zhang.san 123", "tiger lantern 41"):
        newcomer.input("new").fill(password)
        newcomer.input("again").fill(password)
        newcomer.press("设置密码")
    newcomer.read("密码已设置，请登录。")
    newcomer.input("username").first.fill("zhang.san")
    newcomer.page.get_by_label("密码", exact=True).fill("tiger lantern 41")
    newcomer.press("登录")
    expect(newcomer.page.get_by_role("button", name="退出登录")).to_be_visible()


def test_a_second_factor_is_set_up_with_the_code_of_an_authenticator(somebody: Somebody) -> None:
    official = somebody("shenzhen")
    official.go("/account/second-factor")
    official.station("accounts-5-set-up")
    secret = official.page.locator("#secret").inner_text().replace(" ", "")
    official.input("code").fill(pyotp.TOTP(secret).now())
    official.press("启用")
    official.read("两步验证已启用，请保存恢复码")
    official.station("accounts-6-recovery-codes")
    recovery = official.page.locator("#recovery li").first.inner_text()
    official.press("已保存，继续")

    again = somebody()
    again.go("/login")
    again.input("username").first.fill("shenzhen")
    again.page.get_by_label("密码", exact=True).fill("lianban-2026")
    again.press("登录")
    again.read("输入验证码")
    again.station("accounts-7-code")
    again.input("code").fill(recovery)
    again.press("登录")
    expect(again.page.get_by_role("button", name="退出登录")).to_be_visible()
