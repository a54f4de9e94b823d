"""Pages that no story leads through: as those see them who may, at a desk and on a phone, with heading and a way on."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from engine import clock
from engine.people.accounts import actor_named
from engine.people.tables import LoginSession
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from tests.browser.conftest import Somebody
from tests.browser.person import Person
from tests.casework import Case
from tests.provider import CLIENT, SECRET, TestProvider, running_provider
from tests.serving import Server
from web.proof import RECENT

pytestmark = pytest.mark.browser

# By whom: address and what the page says.
PAGES = {
    "": [("/forgotten", "忘记密码"), ("/register/received", "注册申请已提交")],
    "enterprise-a": [
        ("/account/email", "电子邮箱"),
        ("/account/password", "修改密码"),
        ("/account/data", "我的数据"),
        ("/proof", "确认是您本人"),
        ("/deadlines", "期限试算"),
        ("/notices", "通知"),
    ],
    "guangzhou2": [("/systems", "接入系统"), ("/accounts/new", "开立账号"), ("/deadlines/earlier", "期限")],
    "admin": [
        ("/admin/organisations", "单位"),
        ("/admin/organisations/new", "登记单位"),
        ("/admin/retention", "资料保存"),
        ("/admin/contacts", "通知渠道"),
        ("/admin/incidents", "故障"),
        ("/systems", "接入系统"),
        ("/definitions", "流程"),
    ],
    "province": [("/warnings", "预警"), ("/applications", "申请")],
}


@pytest.fixture(scope="module")
def provider() -> Iterator[TestProvider]:
    with running_provider() as provider:
        provider.username = "enterprise-a2"
        yield provider


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, provider: TestProvider) -> Iterator[Server]:
    """With an OpenID provider, which it knows under its own address."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(sqlite_template, folder / "onboarding.db")
    settings = {
        "PUBLIC_URL": "http://127.0.0.1:{port}",
        "SIGNON_ISSUER": provider.issuer,
        "SIGNON_CLIENT_ID": CLIENT,
        "SIGNON_CLIENT_SECRET": SECRET,
        "SIGNON_USERNAME_CLAIM": "preferred_username",
    }
    server = Server(folder, settings).start()
    yield server
    server.stop()


@pytest.mark.parametrize("username", PAGES)
def test_each_page_is_whole(somebody: Somebody, username: str) -> None:
    person = somebody(username)
    for address, says in PAGES[username]:
        assert person.go(address) == 200, address
        name = address.strip("/").replace("/", "-")
        person.station(f"quiet-{username or 'nobody'}-{name}")
        is_whole(person, says)


def is_whole(person: Person, says: str) -> None:
    expect(person.heading).to_have_count(1)
    person.read(says)
    assert person.page.title(), person.page.url
    ways = person.page.locator("main a[href], .govuk-back-link, nav a[href], header a[href]")
    assert ways.count() > 0, person.page.url


def test_a_key_is_revoked_after_a_reason(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("收到测试密钥")
    official = somebody("guangzhou")
    official.go(f"/instances/{case.id}")
    official.page.get_by_role("link", name="作废密钥").click()
    official.press("作废测试密钥")
    expect(official.page.locator(".govuk-error-summary")).to_be_focused()
    official.station("quiet-revoking-refused")
    official.input("reason").fill("设备失窃，密钥可能已泄露")
    official.press("作废测试密钥")
    official.read("密钥已作废，双方已收到通知。")
    official.read("设备失窃，密钥可能已泄露")
    official.station("quiet-revoked")
    with beside.database.read() as session:
        assert session.scalars(select(IssuedKey.revoked_at).where(IssuedKey.instance_id == case.id)).one()


def test_a_head_hands_a_task_over(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    task = case.task("审核材料")
    with beside.database.read() as session:
        claimant = actor_named(session, "guangzhou")
    instances.claim(beside, task.id, claimant, case.now)
    head = somebody("guangzhou2")
    head.go(f"/tasks/{task.id}")
    head.read("何敏")
    head.station("quiet-handing-over")


def test_a_system_gets_its_credential_once(somebody: Somebody) -> None:
    manager = somebody("shenzhen2")
    manager.go("/systems")
    manager.input("name").fill("深圳市实名制管理系统")
    manager.page.locator("main form button").first.click()
    manager.read("rnsys_")
    manager.station("quiet-credential")


def test_somebody_signs_on_proves_it_again_and_leaves(
    somebody: Somebody, beside: Runtime, provider: TestProvider
) -> None:
    """The way through the provider, whose own page gives what was asked for at once."""
    person = somebody()
    sites = person.problems
    person.go("/login")
    person.station("quiet-login-with-sign-on")
    person.page.get_by_role("button", name="统一身份认证登录").click()
    expect(person.page.get_by_role("button", name="退出登录")).to_be_visible()
    person.go("/account")
    person.read("已于")
    person.station("quiet-account-linked")
    before = clock.now() - 2 * RECENT
    with beside.database.write() as session:
        session.execute(update(LoginSession).values(proven_at=before))
    person.go("/account/second-factor")
    person.station("quiet-proof-with-sign-on")
    person.page.get_by_role("link", name="没有密码？").click()
    person.read("身份验证器")
    person.press("退出登录")
    person.read("同时退出统一身份认证")
    person.station("quiet-logged-out")
    sites[:] = [problem for problem in sites if provider.issuer not in problem]

    admin = somebody("admin")
    admin.go("/accounts")
    admin.page.get_by_role("link", name="enterprise-a2").click()
    admin.read("解除关联")
    admin.station("quiet-account-to-unlink")
    admin.page.get_by_role("link", name="删除个人信息").click()
    admin.station("quiet-erasing")
