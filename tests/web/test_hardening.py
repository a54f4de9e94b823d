"""Whom a request is believed to come from and under which name, and how often things may be done."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import clock
from engine.people.accounts import Actor
from engine.people.tables import LoginSession
from engine.people.throttling import Rate
from engine.runtime.runtime import Runtime
from engine.scenarios.sampling import SMALL_FILES
from tests.casework import Case, deploy_onboarding
from tests.conftest import PASSWORD, Cast
from web import limits
from web.assembly import create_app
from web.settings import Network, Settings

ClientOf = Callable[[Actor], FlaskClient]
ONE = Rate(burst=1, every=timedelta(minutes=1))


@contextmanager
def started_with(app: Flask, **changes: object) -> Iterator[Flask]:
    settings: Settings = app.extensions["settings"]
    other = create_app(replace(settings, **changes))  # type: ignore[arg-type]
    other.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield other
    other.extensions["runtime"].database.close()


class TestProxies:
    NAMED: tuple[Network, ...] = (ip_network("10.0.0.5"), ip_network("10.1.0.0/16"), ip_network("fd00::/8"))

    @pytest.mark.parametrize(
        ("peer", "passed", "believed"),
        [
            ("10.0.0.5", "203.0.113.9", "203.0.113.9"),
            ("10.0.0.5", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("10.0.0.5", "198.51.100.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
            ("fd00::1", "2001:db8::1", "2001:db8::1"),
            ("10.0.0.6", "203.0.113.9", "10.0.0.6"),
            ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
            ("10.0.0.5", "", "10.0.0.5"),
        ],
        ids=["named", "forged before", "two in a row", "ipv6", "not quite named", "a stranger", "nothing said"],
    )
    def test_where_a_request_came_from_is_believed_of_named_proxies_only(
        self, app: Flask, runtime: Runtime, peer: str, passed: str, believed: str
    ) -> None:
        with started_with(app, trusted_proxies=self.NAMED) as behind:
            behind.test_client().post(
                "/login",
                data={"username": "guangzhou", "password": PASSWORD},
                headers={"X-Forwarded-For": passed, "X-Forwarded-Proto": "https"},
                environ_base={"REMOTE_ADDR": peer},
            )
        with runtime.database.read() as session:
            assert session.scalars(select(LoginSession.address)).one() == believed

    def test_https_in_front_of_a_named_proxy_makes_the_cookie_secure(self, app: Flask) -> None:
        told = {"X-Forwarded-Proto": "https"}
        with started_with(app, trusted_proxies=self.NAMED) as behind:
            for peer, secured in (("10.0.0.5", True), ("192.0.2.1", False)):
                answer = behind.test_client().get("/login", headers=told, environ_base={"REMOTE_ADDR": peer})
                assert ("Secure" in answer.headers["Set-Cookie"]) is secured
                assert ("Strict-Transport-Security" in answer.headers) is secured

    def test_without_a_named_proxy_nothing_is_believed(self, app: Flask) -> None:
        answer = app.test_client().get("/login", headers={"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.cn"})
        assert "Secure" not in answer.headers["Set-Cookie"]
        assert "evil.cn" not in answer.text


class TestHosts:
    def test_a_name_that_is_not_allowed_is_refused_without_a_word_of_it(self, app: Flask) -> None:
        with started_with(app, allowed_hosts=("onboarding.example.cn",)) as named:
            client = named.test_client()
            assert client.get("/login", base_url="http://onboarding.example.cn:8000").status_code == 200
            for host in ("evil.example", "onboarding.example.cn.evil.example", "x.onboarding.example.cn"):
                answer = client.get("/login", base_url=f"http://{host}")
                assert answer.status_code == 400
                assert host not in answer.text
                assert "不是本系统的网址" in answer.text

    def test_where_none_is_named_any_will_do(self, stranger: FlaskClient) -> None:
        assert stranger.get("/login", base_url="http://192.0.2.7:8000").status_code == 200


class TestLimits:
    @pytest.fixture
    def case(self, runtime: Runtime) -> Case:
        deploy_onboarding(runtime)
        return Case(runtime, begins=clock.now())

    def test_test_keys_are_asked_for_only_so_often(
        self, case: Case, client_of: ClientOf, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "REVEALS", ONE)
        case.goes("收到测试密钥")
        client = client_of(cast.enterprise)
        page = client.get(f"/instances/{case.id}").text
        address = f"/instances/{case.id}/keys/" + page.split(f"/instances/{case.id}/keys/")[1].split('"')[0]
        assert client.post(address).status_code == 200
        answer = client.post(address)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
        assert client_of(cast.enterprise_colleague).post(address).status_code == 409, "counted per person"

    def test_messages_are_taken_only_so_often(
        self, case: Case, client_of: ClientOf, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MESSAGES", ONE)
        case.goes("收到测试密钥")
        client, address = client_of(cast.enterprise), f"/instances/{case.id}/messages/complaint"
        assert client.post(address, data={"_add": "report.evidence"}).status_code == 200, "not sent yet"
        assert client.post(address).status_code == 422
        answer = client.post(address)
        assert answer.status_code == 429
        assert "秒后再试" in answer.text
        assert "您填写的内容仍在浏览器中" in answer.text

    def test_files_are_taken_only_so_often(
        self, case: Case, client_of: ClientOf, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "UPLOADS", ONE)
        case.step(by="企业", starts="onboarding", fills={"application": "first"})
        case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
        client = client_of(cast.enterprise)
        address = f"/tasks/{case.tasks()[0].id}"

        def upload() -> int:
            data = {"materials.licence": (io.BytesIO(SMALL_FILES[".pdf"]), "licence.pdf")}
            return client.post(address, data=data, content_type="multipart/form-data").status_code

        assert [upload(), upload()] == [422, 429], "the first one lacks the other files"


def test_every_answer_denies_what_no_page_uses(stranger: FlaskClient) -> None:
    headers = stranger.get("/login").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for feature in ("camera", "geolocation", "microphone", "usb", "payment"):
        assert f"{feature}=()" in headers["Permissions-Policy"]
