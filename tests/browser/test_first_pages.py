"""The pages the stories pass by too quickly: logging in, and what the menu of each role leads to."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Somebody

pytestmark = pytest.mark.browser


def test_a_wrong_password_is_refused_and_the_name_kept(somebody: Somebody) -> None:
    stranger = somebody()
    assert stranger.go("/instances/somewhere") == 200
    expect(stranger.heading).to_have_text("登录")
    stranger.station("first-1-login")
    stranger.page.get_by_label("用户名").fill("guangzhou")
    stranger.page.get_by_label("密码", exact=True).fill("wrong")
    stranger.press("登录")
    expect(stranger.page.get_by_role("alert")).to_be_visible()
    expect(stranger.input("username").first).to_have_value("guangzhou")
    stranger.station("first-2-login-refused")


@pytest.mark.parametrize("username", ["enterprise-b", "shenzhen", "support-shenzhen", "province", "analyst", "admin"])
def test_every_item_of_the_menu_opens_a_page_of_its_own(somebody: Somebody, username: str) -> None:
    person = somebody(username)
    menu = person.page.get_by_role("navigation", name="主导航").get_by_role("link")
    for place, item in enumerate(menu.all_inner_texts()):
        menu.nth(place).click()
        expect(person.page.get_by_role("navigation", name="主导航").get_by_role("link", name=item)).to_have_attribute(
            "aria-current", "page"
        )
        person.station(f"first-3-{username}-{place + 1}")


def test_after_logging_out_the_back_button_shows_nothing(somebody: Somebody) -> None:
    official = somebody("guangzhou")
    official.choose_in_menu("申请")
    official.press("退出登录")
    official.page.go_back()
    expect(official.page.get_by_role("button", name="退出登录")).to_have_count(0)
    expect(official.heading).to_have_text("登录")
