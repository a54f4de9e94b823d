"""What a sign-on is worth here: second factors, proving it once more, and ends that come from the provider."""

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine import clock
from engine.people.accounts import Actor
from engine.people.tables import LoginSession, SignOnLink
from engine.people.throttling import Rate
from tests.conftest import PASSWORD, Cast
from tests.provider import TestProvider, new_key, running_provider, signed
from tests.web.conftest import logged_in
from tests.web.signing_on import events, is_logged_in, path_of, sign_on, with_signon
from tests.web.test_second_factor import code_of, set_up
from web import signon
from web.pages import signon as signon_pages
from web.proof import RECENT

NEEDS_PROOF = "/account/second-factor"


@pytest.fixture
def provider(cast: Cast) -> Iterator[TestProvider]:
    with running_provider() as provider:
        provider.username = cast.enterprise.username
        yield provider


@pytest.fixture
def signing_on(app: Flask, provider: TestProvider) -> Iterator[Flask]:
    with with_signon(app, provider, second_factor=frozenset({"otp", "hwk"})) as app:
        yield app


@pytest.fixture
def browser(signing_on: Flask) -> FlaskClient:
    return signing_on.test_client()


def sessions(app: Flask) -> list[LoginSession]:
    with app.extensions["runtime"].database.read() as reading:
        return list(reading.scalars(select(LoginSession).order_by(LoginSession.started_at)))


def grows_old(app: Flask) -> None:
    before = clock.now() - RECENT - timedelta(seconds=1)
    with app.extensions["runtime"].database.write() as writing:
        writing.execute(update(LoginSession).values(started_at=before, proven_at=before))


class TestSecondFactors:
    def test_what_the_provider_asked_for_need_not_be_asked_for_again(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider, cast: Cast
    ) -> None:
        provider.username, provider.changes = cast.guangzhou.username, {"amr": ["pwd", "otp"], "sid": "s1"}
        assert sign_on(browser, provider).location == "/"
        (login,) = sessions(signing_on)
        assert (login.two_factors, login.proven_by, login.signon_sid) == (True, "signon_2f", "s1")

    @pytest.mark.parametrize("amr", [["pwd"], [], [["otp"]], None])
    def test_anything_else_stands_for_one(
        self, browser: FlaskClient, provider: TestProvider, cast: Cast, amr: Any
    ) -> None:
        provider.username, provider.changes = cast.guangzhou.username, {"amr": amr}
        assert sign_on(browser, provider).location == "/login/set-up"
        assert not is_logged_in(browser)

    def test_where_it_needs_none_it_is_kept_how_somebody_came(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider
    ) -> None:
        sign_on(browser, provider)
        (login,) = sessions(signing_on)
        assert (login.two_factors, login.proven_by, login.signon_sid) == (False, "signon", "")


class TestProvingItOnceMore:
    @pytest.fixture(autouse=True)
    def _signed_on(self, browser: FlaskClient, signing_on: Flask, provider: TestProvider) -> None:
        sign_on(browser, provider)
        grows_old(signing_on)

    def prove(self, browser: FlaskClient, provider: TestProvider) -> Any:
        leaving = browser.get("/signon", query_string={"again": "1", "next": NEEDS_PROOF}).location
        assert "prompt=login" in leaving
        assert "max_age=0" in leaving
        return browser.get(path_of(provider.grant(leaving)))

    def test_who_has_no_password_proves_it_at_the_provider(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider, cast: Cast
    ) -> None:
        asked = browser.get(NEEDS_PROOF).location
        assert "/signon?again=1&amp;next=/account/second-factor" in browser.get(asked).text
        assert self.prove(browser, provider).location == NEEDS_PROOF
        assert browser.get(NEEDS_PROOF).status_code == 200
        assert events(signing_on)[-1] == ("proven_again", cast.enterprise.account_id, {})

    @pytest.mark.parametrize("at", [None, -3600, "now"])
    def test_a_provider_that_did_not_ask_again_proves_nothing(
        self, browser: FlaskClient, provider: TestProvider, at: Any
    ) -> None:
        moment = int(clock.now().timestamp())
        provider.changes = {"auth_time": moment + at if isinstance(at, int) else at}
        answer = self.prove(browser, provider)
        assert answer.location == f"/proof?next={NEEDS_PROOF}"
        assert "统一身份认证没有成功" in browser.get(answer.location).text
        assert browser.get(NEEDS_PROOF).status_code == 303

    def test_somebody_else_at_the_provider_proves_nothing(self, browser: FlaskClient, provider: TestProvider) -> None:
        provider.subject = "somebody else"
        self.prove(browser, provider)
        assert browser.get(NEEDS_PROOF).status_code == 303

    def test_of_two_factors_the_code_is_still_owed(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider
    ) -> None:
        assert self.prove(browser, provider).location == NEEDS_PROOF
        secret, _ = set_up(browser, NEEDS_PROOF)
        grows_old(signing_on)
        assert self.prove(browser, provider).location == NEEDS_PROOF
        asked = browser.get(NEEDS_PROOF).location
        page = browser.get(asked).text
        assert 'name="code"' in page
        assert 'name="password"' not in page
        assert browser.post(asked, data={"code": "000000"}).status_code == 422
        assert browser.post(asked, data={"code": code_of(secret, ahead=1)}).location == NEEDS_PROOF
        assert browser.get("/account/second-factor/remove").status_code == 200


class TestEnds:
    @pytest.mark.parametrize("says", [{}, {"sid": "s1"}, {"sub": None, "sid": "s1"}], ids=str)
    def test_who_logs_out_at_the_provider_is_logged_out_here(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider, cast: Cast, says: dict[str, Any]
    ) -> None:
        provider.changes = {"sid": "s1"}
        sign_on(browser, provider)
        with_password = logged_in(signing_on, cast.enterprise)
        off = signing_on.test_client().post("/signon/off", data={"logout_token": provider.logout_token(**says)})
        assert (off.status_code, off.headers["Cache-Control"]) == (200, "no-store")
        assert (is_logged_in(browser), is_logged_in(with_password)) == (False, True)
        assert events(signing_on)[-1] == ("signed_off", None, {"account_ids": [cast.enterprise.account_id]})

    def test_another_session_of_the_same_person_goes_on(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider
    ) -> None:
        provider.changes = {"sid": "s1"}
        sign_on(browser, provider)
        token = provider.logout_token(sid="s2")
        assert signing_on.test_client().post("/signon/off", data={"logout_token": token}).status_code == 200
        assert is_logged_in(browser)

    @pytest.mark.parametrize(
        "says",
        [
            {"iss": "https://elsewhere.example"},
            {"aud": "another client"},
            {"nonce": "a token of another kind"},
            {"events": None},
            {"events": {}},
            {"events": {"http://schemas.openid.net/event/backchannel-logout": "yes"}},
            {"sub": None},
            {"sub": ""},
            {"sid": 7},
            {"exp": 1},
            *({each: None} for each in ("iss", "aud", "iat", "exp", "jti")),
        ],
        ids=",".join,
    )
    def test_what_is_no_word_of_that_ends_nothing(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider, says: dict[str, Any]
    ) -> None:
        sign_on(browser, provider)
        token = provider.logout_token(**says)
        assert signing_on.test_client().post("/signon/off", data={"logout_token": token}).status_code == 400
        assert is_logged_in(browser)

    def test_who_can_t_sign_for_the_provider_ends_nothing(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider
    ) -> None:
        sign_on(browser, provider)
        provider.sign = lambda _key, claims: signed(new_key(), claims)
        for token in (provider.logout_token(), "", "not a token"):
            assert signing_on.test_client().post("/signon/off", data={"logout_token": token}).status_code == 400
        assert is_logged_in(browser)

    def test_logging_out_here_leads_to_the_provider_s_way_out(
        self, browser: FlaskClient, provider: TestProvider
    ) -> None:
        sign_on(browser, provider)
        page = browser.get(browser.post("/logout").location).text
        assert "同时退出统一身份认证" in page
        way_out = browser.get("/signon/out").location
        assert way_out.startswith(f"{provider.issuer}/out?client_id=")
        assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%2Flogin" in way_out

    def test_who_came_with_a_password_is_not_asked(self, signing_on: Flask, cast: Cast) -> None:
        browser = logged_in(signing_on, cast.enterprise)
        assert "同时退出统一身份认证" not in browser.get(browser.post("/logout").location).text


class TestUnlinking:
    def test_an_administrator_lets_another_person_have_the_account(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider, cast: Cast
    ) -> None:
        sign_on(browser, provider)
        assert "统一身份认证" in browser.get("/account").text
        admin = logged_in(signing_on, cast.admin)
        address = f"/accounts/{cast.enterprise.account_id}"
        assert "解除关联" in admin.get(address).text
        assert admin.post(f"{address}/unlink").location == address
        assert not is_logged_in(browser)
        assert "解除关联" not in admin.get(address).text
        facts = {"account_id": cast.enterprise.account_id}
        assert events(signing_on)[-1] == ("sign_on_unlinked", cast.admin.account_id, facts)
        provider.subject = "the next person"
        assert sign_on(signing_on.test_client(), provider).location == "/"

    @pytest.mark.parametrize("who", ["shenzhen", "guangzhou"])
    def test_others_may_not(
        self, browser: FlaskClient, signing_on: Flask, provider: TestProvider, cast: Cast, who: str
    ) -> None:
        sign_on(browser, provider)
        actor: Actor = getattr(cast, who)
        answer = logged_in(signing_on, actor).post(f"/accounts/{cast.enterprise.account_id}/unlink")
        assert answer.status_code in (403, 404)
        with signing_on.extensions["runtime"].database.read() as reading:
            assert len(reading.scalars(select(SignOnLink)).all()) == 1


class TestTheProviderAway:
    """Nothing listens, nobody answers, or it is broken: a sentence, at once, and the password works."""

    def is_told(self, app: Flask, cast: Cast) -> None:
        browser = app.test_client()
        answer = browser.get("/signon")
        assert answer.status_code == 503
        assert "暂时连不上统一身份认证服务" in answer.text
        browser.post("/login", data={"username": cast.enterprise.username, "password": PASSWORD})
        assert is_logged_in(browser)

    def test_nothing_listens(self, app: Flask, provider: TestProvider, cast: Cast) -> None:
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", 0))  # and never listens
            with with_signon(app, replace(provider, port=taken.getsockname()[1])) as app:
                self.is_told(app, cast)

    def test_nobody_answers(
        self, app: Flask, provider: TestProvider, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signon, "_WAITS", 0.2)
        with (
            closing(socket.create_server(("127.0.0.1", 0))) as silent,
            with_signon(app, replace(provider, port=silent.getsockname()[1])) as app,
        ):
            self.is_told(app, cast)

    def test_it_is_broken(self, signing_on: Flask, provider: TestProvider, cast: Cast) -> None:
        provider.status = 500
        self.is_told(signing_on, cast)

    def test_it_breaks_in_between(self, browser: FlaskClient, provider: TestProvider) -> None:
        back = path_of(provider.grant(browser.get("/signon").location))
        provider.status = 500
        answer = browser.get(back)
        assert answer.status_code == 503
        assert not is_logged_in(browser)

    def test_its_way_out_and_its_word_have_to_wait(self, signing_on: Flask, provider: TestProvider) -> None:
        token = provider.logout_token()
        provider.status = 500
        stranger = signing_on.test_client()
        assert stranger.get("/signon/out").status_code == 503
        assert stranger.post("/signon/off", data={"logout_token": token}).status_code == 503


def test_an_address_that_tries_again_and_again_has_to_wait(
    browser: FlaskClient, provider: TestProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signon_pages, "FROM_ONE_ADDRESS", Rate(burst=2, every=timedelta(minutes=1)))
    for _ in range(2):
        assert browser.get("/signon/back?code=x&state=y").status_code == 422
    answer = sign_on(browser, provider)
    assert answer.status_code == 429
    assert not is_logged_in(browser)
