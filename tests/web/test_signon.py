"""Single sign-on, against a provider that signs real tokens."""

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from engine import clock
from engine.people.tables import Account, SignOnLink
from tests.conftest import PASSWORD, Cast
from tests.provider import CLIENT, SECRET, Key, TestProvider, new_key, running_provider, signed
from tests.web.signing_on import events, is_logged_in, path_of, sign_on, with_signon
from web.settings import SettingRefused, Settings


@pytest.fixture
def provider(cast: Cast) -> Iterator[TestProvider]:
    with running_provider() as provider:
        provider.username = cast.enterprise.username
        yield provider


@pytest.fixture
def signing_on(app: Flask, provider: TestProvider) -> Iterator[Flask]:
    with with_signon(app, provider) as app:
        yield app


@pytest.fixture
def browser(signing_on: Flask) -> FlaskClient:
    return signing_on.test_client()


def test_a_person_signs_on_and_is_led_to_the_page_that_was_wanted(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask, cast: Cast
) -> None:
    page = browser.get("/login?next=/account").text
    assert "粤政易登录" in page
    assert 'href="/signon?next=/account"' in page
    assert sign_on(browser, provider, "/account").location == "/account"
    assert is_logged_in(browser)
    who = cast.enterprise.account_id
    assert events(signing_on)[-2:] == [("sign_on_linked", who, {}), ("logged_in", who, {})]


def test_nobody_is_led_to_another_site(browser: FlaskClient, provider: TestProvider) -> None:
    assert sign_on(browser, provider, "https://elsewhere.example/").location == "/"


def test_an_official_is_asked_for_the_second_factor_after_the_provider(
    browser: FlaskClient, provider: TestProvider, cast: Cast
) -> None:
    provider.username = cast.guangzhou.username
    assert sign_on(browser, provider).location == "/login/set-up"
    assert not is_logged_in(browser)


def test_a_link_holds_when_the_user_name_changes_at_the_provider(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask, cast: Cast
) -> None:
    sign_on(browser, provider)
    provider.username = cast.guangzhou.username
    sign_on(signing_on.test_client(), provider)
    with signing_on.extensions["runtime"].database.read() as reading:
        assert reading.scalars(select(SignOnLink.account_id)).all() == [cast.enterprise.account_id]


def test_somebody_else_with_a_linked_accounts_user_name_is_refused(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask, cast: Cast
) -> None:
    sign_on(browser, provider)
    provider.subject = "somebody else"
    other = signing_on.test_client()
    answer = sign_on(other, provider)
    assert answer.status_code == 403
    assert "没有可供您使用的本平台账号" in answer.text
    assert not is_logged_in(other)
    assert events(signing_on)[-1] == ("sign_on_refused", None, {"account_id": cast.enterprise.account_id})


@pytest.mark.parametrize("username", ["nobody-of-this-name", ""])
def test_nobody_gets_an_account_by_signing_on(browser: FlaskClient, provider: TestProvider, username: str) -> None:
    provider.username = username
    assert sign_on(browser, provider).status_code == 403


@pytest.mark.parametrize("linked", [True, False])
def test_a_deactivated_account_stays_out(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask, cast: Cast, linked: bool
) -> None:
    if linked:
        sign_on(browser, provider)
    with signing_on.extensions["runtime"].database.write() as writing:
        writing.execute(update(Account).where(Account.id == cast.enterprise.account_id).values(active=False))
    other = signing_on.test_client()
    assert sign_on(other, provider).status_code == 403
    assert not is_logged_in(other)


@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_the_providers_keys_may_change_at_any_time(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask, kind: str
) -> None:
    sign_on(browser, provider)
    provider.rotate(kind)
    other = signing_on.test_client()
    assert sign_on(other, provider).location == "/"
    assert is_logged_in(other)


def refused(browser: FlaskClient, answer: TestResponse) -> bool:
    return answer.status_code == 422 and "统一身份认证没有成功" in answer.text and not is_logged_in(browser)


NOW = int(clock.now().timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another client"},
        {"aud": "another client", "azp": CLIENT},
        {"aud": [CLIENT, "another client"]},  # and nobody named as the one it is for
        {"azp": "another client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": NOW - 120},
        {"iat": NOW + 3600, "exp": NOW + 7200},
        {"nbf": NOW + 3600},
        *({each: None} for each in ("iss", "aud", "exp", "iat", "sub")),
        {"sub": ""},
        {"sub": 7},
        {"amr": "otp"},
        {"at_hash": "of another token"},
    ],
    ids=",".join,  # the claims; the moment would differ between processes
)
def test_a_token_that_says_the_wrong_thing_is_refused(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask, changes: dict[str, Any]
) -> None:
    provider.changes = changes
    assert refused(browser, sign_on(browser, provider))
    assert events(signing_on)[-1] == ("sign_on_refused", None, {"account_id": None})


def coded(content: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(_key: Key, claims: dict[str, Any]) -> str:
    return f"{coded({'alg': 'none'})}.{coded(claims)}."


def signed_with_the_public_key(key: Key, claims: dict[str, Any]) -> str:
    """By hand: the library refuses to."""
    start = f"{coded({'alg': 'HS256', 'kid': key.kid})}.{coded(claims)}"
    signature = hmac.digest(key.as_pem(private=False), start.encode(), "sha256")
    return f"{start}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def signed_with_the_client_secret(_key: Key, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])


def signed_with_an_unknown_key(_key: Key, claims: dict[str, Any]) -> str:
    return signed(new_key(), claims)


def tampered_with(key: Key, claims: dict[str, Any]) -> str:
    header, _, signature = signed(key, claims | {"sub": "another"}).split(".")
    return f"{header}.{coded(claims)}.{signature}"


@pytest.mark.filterwarnings("ignore")  # of a key as weak as an attacker's
@pytest.mark.parametrize(
    "sign",
    [
        unsigned,
        signed_with_the_public_key,
        signed_with_the_client_secret,
        signed_with_an_unknown_key,
        tampered_with,
        lambda _key, _claims: "not a token",
    ],
)
def test_a_token_the_provider_did_not_sign_is_refused(browser: FlaskClient, provider: TestProvider, sign: Any) -> None:
    provider.sign = sign
    assert refused(browser, sign_on(browser, provider))


def test_what_comes_back_must_belong_to_what_this_browser_asked(
    browser: FlaskClient, provider: TestProvider, signing_on: Flask
) -> None:
    stolen = path_of(provider.grant(browser.get("/signon").location))
    other = signing_on.test_client()
    assert refused(other, other.get(stolen))  # never asked
    other.get("/signon")
    assert refused(other, other.get(stolen))  # asked under another state
    assert browser.get(stolen).location == "/"


def test_a_code_is_worth_something_once(browser: FlaskClient, provider: TestProvider, signing_on: Flask) -> None:
    used = path_of(provider.grant(browser.get("/signon").location))
    assert browser.get(used).location == "/"
    assert browser.get(used).status_code == 422
    other = signing_on.test_client()
    state = provider.grant(other.get("/signon").location).partition("&state=")[2]
    assert refused(other, other.get(used.partition("&state=")[0] + "&state=" + state))  # refused by the provider


def test_an_answer_in_another_issuers_name_is_refused(browser: FlaskClient, provider: TestProvider) -> None:
    back = path_of(provider.grant(browser.get("/signon").location))
    assert refused(browser, browser.get(back + "&iss=https://elsewhere.example"))


def test_who_cancels_at_the_provider_reads_what_to_do(browser: FlaskClient, provider: TestProvider) -> None:
    back = provider.grant(browser.get("/signon").location)
    state = back.partition("&state=")[2]
    assert refused(browser, browser.get(f"/signon/back?error=access_denied&state={state}"))


def test_while_the_provider_is_away_the_password_works(
    browser: FlaskClient, provider: TestProvider, cast: Cast
) -> None:
    back = path_of(provider.grant(browser.get("/signon").location))
    provider.status = 503
    for answer in (browser.get(back), browser.application.test_client().get("/signon")):
        if answer.status_code != 302:  # what the provider said about itself is known for a while
            assert answer.status_code == 503
            assert "暂时连不上统一身份认证服务" in answer.text
    assert not is_logged_in(browser)
    browser.post("/login", data={"username": cast.enterprise.username, "password": PASSWORD})
    assert is_logged_in(browser)


def test_without_a_provider_there_is_no_button_and_no_address(stranger: FlaskClient) -> None:
    assert "/signon" not in stranger.get("/login").text
    assert stranger.get("/signon").status_code == 404


COMPLETE = {
    "PUBLIC_URL": "https://onboarding.example.cn",
    "SIGNON_ISSUER": "https://id.example.cn",
    "SIGNON_CLIENT_ID": CLIENT,
    "SIGNON_CLIENT_SECRET": SECRET,
    "SIGNON_USERNAME_CLAIM": "employee",
}


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: ""} for name in COMPLETE if name != "SIGNON_ISSUER"),
        {"SIGNON_ISSUER": "http://id.example.cn"},
        {"SIGNON_SCOPES": "profile"},
        {"SIGNON_CLIENT_SECRET": "", "SIGNON_CLIENT_SECRET_FILE": "/nowhere"},
    ],
    ids=str,
)
def test_half_a_configuration_is_refused(tmp_path: Any, wrong: dict[str, str]) -> None:
    place = {"DATA_DIR": str(tmp_path)}
    assert Settings.from_environment(COMPLETE | place).signon
    with pytest.raises(SettingRefused):
        Settings.from_environment(COMPLETE | place | wrong)
