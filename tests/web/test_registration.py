"""企业注册 on its pages: asking for an account, deciding, and the e-mail that lets the newcomer in."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import clock
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.telling import outbox
from tests.conftest import Cast
from tests.engine.membership.newcomers import CODE, NEWCOMER, registrations
from tests.receivers import mail_server
from tests.web.conftest import logged_in, menu
from web import senders
from web.assembly import create_app
from web.settings import MailServer, Settings

ClientOf = Callable[[Actor], FlaskClient]
PASSWORD = "tiger lantern 41"


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


@pytest.fixture
def asked(stranger: FlaskClient, runtime: Runtime) -> str:
    """The id of a registration that waits."""
    assert stranger.post("/register", data=NEWCOMER).location == "/register/received"
    return registrations(runtime)[0].id


class TestAsking:
    def test_the_log_in_page_leads_there(self, stranger: FlaskClient) -> None:
        assert 'href="/register"' in stranger.get("/login").text
        assert stranger.get("/register").status_code == 200
        assert "注册申请已提交" in stranger.get("/register/received").text

    def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(self, stranger: FlaskClient) -> None:
        answer = stranger.post("/register", data=NEWCOMER | {"code": "123"})
        assert answer.status_code == 422
        assert 'id="code-error"' in answer.text
        assert "应为 18 位" in answer.text
        assert 'value="刘思琪"' in answer.text

    def test_a_registered_enterprise_is_sent_to_its_own_manager_and_told_no_more(self, stranger: FlaskClient) -> None:
        answer = stranger.post("/register", data=NEWCOMER | {"code": "91440101MA5TRYA01X"})
        assert answer.status_code == 409
        assert "请向本企业的账号管理员索取账号" in answer.text
        assert "粤筑智联" not in answer.text
        assert "陈嘉欣" not in answer.text

    def test_who_asks_too_often_is_told_when_to_try_again(self, stranger: FlaskClient) -> None:
        for _ in range(5):
            stranger.post("/register", data=NEWCOMER)
        answer = stranger.post("/register", data=NEWCOMER)
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) > 0


class TestDeciding:
    def test_the_menu_counts_those_that_wait(self, admin: FlaskClient, asked: str, cast: Cast) -> None:
        assert "企业注册 (1 项待审核)" in menu(admin.get("/admin").text)
        page = admin.get("/admin/registrations").text
        assert f"/admin/registrations/{asked}" in page
        assert CODE in page

    @pytest.mark.parametrize("who", ["enterprise", "guangzhou_colleague", "analyst"])
    def test_it_is_nobody_elses_business(self, client_of: ClientOf, cast: Cast, asked: str, who: str) -> None:
        client, address = client_of(getattr(cast, who)), f"/admin/registrations/{asked}"
        assert [client.get(path).status_code for path in ("/admin/registrations", address)] == [403] * 2
        assert [client.post(f"{address}/{act}").status_code for act in ("approve", "reject")] == [403] * 2

    def test_without_a_mail_server_the_administrator_hands_the_link_over(
        self, app: Flask, admin: FlaskClient, asked: str, stranger: FlaskClient
    ) -> None:
        page = admin.post(f"/admin/registrations/{asked}/approve", data={"username": "liu.siqi"}).text
        found = re.search(r'id="link">http://localhost(/set-password/[\w-]+)<', page)
        assert found
        stranger.post(found[1], data={"new": PASSWORD, "again": PASSWORD})
        there = app.test_client()
        assert there.post("/login", data={"username": "liu.siqi", "password": PASSWORD}).status_code == 302
        assert "我的申请" in menu(there.get("/applications").text)

    def test_a_taken_user_name_is_refused_beside_its_field(self, admin: FlaskClient, asked: str) -> None:
        answer = admin.post(f"/admin/registrations/{asked}/approve", data={"username": "guangzhou"})
        assert answer.status_code == 409
        assert 'id="username-error"' in answer.text

    def test_who_decides_second_is_told_by_whom_it_was_decided(self, admin: FlaskClient, asked: str) -> None:
        address = f"/admin/registrations/{asked}"
        told = admin.post(f"{address}/reject", data={"reason": "名称不一致"}, follow_redirects=True)
        assert "已退回注册申请" in told.text
        answer = admin.post(f"{address}/approve", data={"username": "liu.siqi"})
        assert answer.status_code == 409
        assert "已由叶卫东于" in answer.text
        assert "名称不一致" in answer.text
        assert "通过注册" not in answer.text
        assert asked in admin.get("/admin/registrations?view=decided").text

    def test_a_reason_is_asked_for(self, admin: FlaskClient, asked: str) -> None:
        answer = admin.post(f"/admin/registrations/{asked}/reject", data={"reason": " "})
        assert answer.status_code == 422
        assert 'id="reason-error"' in answer.text


def test_the_link_arrives_by_e_mail_and_the_administrator_does_not_see_it(
    app: Flask, cast: Cast, stranger: FlaskClient, asked: str
) -> None:
    settings: Settings = app.extensions["settings"]
    with mail_server() as box:
        settings = replace(
            settings,
            public_url="https://onboarding.example.cn",
            mail=MailServer("127.0.0.1", box.port, "none", "platform@gd.example.cn"),
        )
        mailing = create_app(settings)
        mailing.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        address = f"/admin/registrations/{asked}/approve"
        answer = logged_in(mailing, cast.admin).post(address, data={"username": "liu.siqi"}, follow_redirects=True)
        assert "已发往企业的邮箱" in answer.text
        assert "/set-password/" not in answer.text
        outbox.deliver_due(mailing.extensions["runtime"], clock.now, senders.from_settings(settings))
        mailing.extensions["runtime"].database.close()
    (message,) = box.messages
    assert box.recipients == [NEWCOMER["email"]]
    assert message["Subject"] == "【联调对接】企业注册已通过 / Your enterprise is registered"
    lines = set(message.get_content().splitlines())
    links = [line.removeprefix("https://onboarding.example.cn") for line in lines if line.startswith("https://")]
    (link,) = links
    assert stranger.post(link, data={"new": PASSWORD, "again": PASSWORD}).location == "/login"


class TestCommands:
    def test_an_operator_lists_approves_and_rejects(self, app: Flask, stranger: FlaskClient, runtime: Runtime) -> None:
        def run(*words: str) -> str:
            done = app.test_cli_runner().invoke(args=[*words, "--as", "admin"])
            assert done.exit_code == 0, done.output
            return done.output

        stranger.post("/register", data=NEWCOMER)
        stranger.post("/register", data=NEWCOMER | {"email": "impostor@example.cn"})
        impostor, asked = registrations(runtime)
        assert asked.id in run("registrations")
        assert "/set-password/" in run("approve-registration", asked.id, "--username", "liu.siqi2")
        run("reject-registration", impostor.id, "--reason", "企业已注册")
        assert run("registrations") == ""
        assert "企业已注册" in run("registrations", "--decided")

    def test_nobody_but_an_administrator(self, app: Flask, asked: str) -> None:
        refused = app.test_cli_runner().invoke(args=["approve-registration", asked, "--as", "guangzhou"])
        assert refused.exit_code == 1
