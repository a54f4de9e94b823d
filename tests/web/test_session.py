"""Logging in and out, and what a page may be asked for by whom."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.people.accounts import Actor
from engine.people.tables import Account
from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding
from tests.conftest import PASSWORD, Cast
from tests.web.conftest import menu
from web.session import safe_next

ClientOf = Callable[[Actor], FlaskClient]


def log_in(client: FlaskClient, username: str, password: str = PASSWORD, then: str = "") -> str | None:
    answer = client.post("/login", data={"username": username, "password": password, "next": then})
    return answer.location if answer.status_code == 302 else None


def test_who_is_not_logged_in_is_led_to_the_log_in_page_and_back(stranger: FlaskClient) -> None:
    answer = stranger.get("/inbox?view=done")
    assert answer.status_code == 302
    address = urlsplit(answer.location)
    assert address.path == "/login"
    assert log_in(stranger, "guangzhou", then=parse_qs(address.query)["next"][0]) == "/inbox?view=done"
    assert stranger.get("/inbox?view=done").status_code == 200


def test_every_page_but_the_way_in_needs_somebody_logged_in(app: Flask) -> None:
    public = {name for name, view in app.view_functions.items() if getattr(view, "is_public", False)}
    ways_in = ("session.", "registration.", "forgotten.")
    assert {name for name in public if not name.startswith(ways_in)} == {
        *("api.openapi", "api.verify_test_key"),  # a header says who asks
        *("own_address.confirm", "own_address.confirmed"),  # a link that works once
        *("signon.begin", "signon.back", "signon.out", "signoff.sign_off"),  # the provider says who it is
    }
    assert public >= {"session.log_in", "session.check_login", "session.logout", "session.choose_language"}


@pytest.mark.parametrize("username", ["enterprise-a", "nobody-of-that-name"])
def test_a_wrong_password_and_an_unknown_name_are_told_alike(stranger: FlaskClient, username: str) -> None:
    answer = stranger.post("/login", data={"username": username, "password": "wrong password"})
    assert answer.status_code == 422
    assert "用户名或密码不正确。" in answer.text


def test_a_refused_log_in_keeps_the_name_and_the_way(stranger: FlaskClient) -> None:
    answer = stranger.post("/login", data={"username": "guangzhou", "password": "no", "next": "/notices"})
    assert answer.status_code == 422
    assert 'value="guangzhou"' in answer.text
    assert 'name="next" value="/notices"' in answer.text


def test_logging_in_leads_to_the_first_page_of_the_role(app: Flask) -> None:
    first = {"enterprise-a": "/applications", "guangzhou": "/inbox", "support-guangzhou": "/inbox"}
    first |= {"province": "/warnings", "analyst": "/definitions", "admin": "/admin"}
    for username, page in first.items():
        client = app.test_client()
        assert log_in(client, username) == "/"
        assert client.get("/").location == page


def test_logging_in_drops_what_the_cookie_held_before(app: Flask, stranger: FlaskClient) -> None:
    with stranger.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
    log_in(stranger, "enterprise-a")
    with stranger.session_transaction() as cookie:
        assert "planted" not in cookie


def test_logging_out_ends_the_session_and_empties_the_browsers_cache(client_of: ClientOf, cast: Cast) -> None:
    client = client_of(cast.enterprise)
    answer = client.post("/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert client.get("/applications").status_code == 302


def test_logging_out_can_not_be_done_by_a_link(client_of: ClientOf, cast: Cast) -> None:
    client = client_of(cast.enterprise)
    assert client.get("/logout").status_code == 405
    assert client.get("/applications").status_code == 200


def test_a_disabled_account_is_logged_out_at_its_next_request(
    client_of: ClientOf, cast: Cast, runtime: Runtime
) -> None:
    client = client_of(cast.enterprise)
    assert client.get("/applications").status_code == 200
    with runtime.database.write() as session:
        session.get_one(Account, cast.enterprise.account_id).active = False
    assert client.get("/applications").status_code == 302


def test_posting_after_the_login_ran_out_says_so_and_leads_back_to_the_form(stranger: FlaskClient) -> None:
    answer = stranger.post(
        "/applications/new/onboarding", headers={"Referer": "http://localhost/applications/new/onboarding"}
    )
    assert answer.status_code == 401
    assert "登录已过期，内容没有提交。" in answer.text
    assert 'href="/login?next=/applications/new/onboarding"' in answer.text


def test_an_expired_login_is_told_before_an_expired_token(app: Flask, stranger: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert stranger.post("/applications/new/onboarding").status_code == 401


def test_a_form_from_an_earlier_login_is_refused_with_a_way_on(app: Flask, client_of: ClientOf, cast: Cast) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client_of(cast.enterprise).post("/applications/new/onboarding")
    assert answer.status_code == 400
    assert "页面已过期，请返回重试，您填写的内容仍在浏览器中。" in answer.text


def test_a_form_opened_earlier_can_get_the_token_of_the_present_login(app: Flask, stranger: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    token = stranger.get("/token").get_json()["token"]
    form = {"username": "enterprise-a", "password": PASSWORD, "csrf_token": token}
    assert stranger.post("/login", data=form).status_code == 302


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "evil", "", "/\t/evil.example"],
)
def test_a_log_in_never_leads_to_another_site(stranger: FlaskClient, address: str) -> None:
    assert safe_next(address) == "/"
    assert log_in(stranger, "enterprise-a", then=address) == "/"


def test_the_header_names_the_person_and_the_organisation(client_of: ClientOf, cast: Cast) -> None:
    page = client_of(cast.enterprise).get("/applications").text
    assert "陈嘉欣 · 粤筑智联（演示）科技有限公司" in page


def test_the_menu_is_the_roles_own(client_of: ClientOf, cast: Cast) -> None:
    def seen_by(actor: Actor) -> set[str]:
        return set(menu(client_of(actor).get("/notices").text))

    assert {"我的申请", "待办", "通知"} <= seen_by(cast.enterprise)
    assert {"待办", "申请", "通知"} <= seen_by(cast.guangzhou)
    assert {"待办", "通知"} <= seen_by(cast.guangzhou_support)
    assert "申请" not in seen_by(cast.guangzhou_support)
    assert seen_by(cast.province) == {"预警", "申请", "通知"}


def test_the_menu_counts_what_waits(runtime: Runtime, client_of: ClientOf, cast: Cast) -> None:
    """To be seen and, with a word on what is counted, to be heard; nothing where nothing waits."""
    deploy_onboarding(runtime)
    case = Case(runtime)
    for _ in range(2):
        case.goes("收到测试密钥")
    enterprise, official = client_of(cast.enterprise), client_of(cast.guangzhou)

    assert {"待办 (2 项待办理)", "通知 (2 条未读)", "我的申请"} <= set(menu(enterprise.get("/files/none").text))
    assert {"待办", "通知"} <= set(menu(official.get("/inbox").text))
    enterprise.post("/language", data={"language": "en"})
    assert {"To do (2 waiting)", "Notices (2 unread)"} <= set(menu(enterprise.get("/applications").text))
    enterprise.post("/notices/read")
    assert "Notices" in menu(enterprise.get("/applications").text)


def test_a_trial_says_so_with_its_time_and_lists_its_people(stranger: FlaskClient) -> None:
    page = stranger.get("/login").text
    assert "流程时间：" in page
    assert "enterprise-a2" in page
    assert PASSWORD in page
