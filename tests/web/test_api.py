"""The interface for machines: JSON in and out, a credential in a header, and no way in by a browser's cookie."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import clock
from engine.keys import issuing
from engine.keys.verifying import FIELDS, Presented, Result
from engine.people import systems
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

VERIFY = "/api/v1/test-keys/verify"
ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def credential(runtime: Runtime, cast: Cast) -> str:
    with runtime.database.write() as session:
        return systems.issue(session, cast.admin, name="system", city="440100", now=clock.now())[1]


@pytest.fixture
def question(runtime: Runtime, cast: Cast) -> dict[str, str]:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("收到测试密钥")
    with runtime.database.read() as session:
        key = session.scalars(select(IssuedKey)).one()
    secret = issuing.reveal(runtime, key.id, cast.enterprise, case.now)
    asked = {
        "key_id": key.id,
        "method": "GET",
        "path": "/",
        "timestamp": str(int(clock.now().timestamp())),
        "nonce": "0123456789abcdef",
        "body_sha256": hashlib.sha256(b"").hexdigest(),
        "signature": "0" * 64,
    }
    signed = Presented.checked(asked).signed
    return asked | {"signature": hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()}


def ask(client: FlaskClient, credential: str, body: Any, **headers: str) -> TestResponse:
    return client.post(VERIFY, json=body, headers={"Authorization": f"Bearer {credential}", **headers})


def is_problem(answer: TestResponse, status: int) -> bool:
    return (answer.status_code, answer.mimetype, answer.get_json()["status"]) == (
        status,
        "application/problem+json",
        status,
    )


def test_a_genuine_request_is_valid_without_any_token_of_a_form(
    app: Flask, stranger: FlaskClient, credential: str, question: dict[str, str]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    answer = ask(stranger, credential, question)
    told = answer.get_json()
    assert (answer.status_code, told["result"], told["valid"]) == (200, "valid", True)
    assert told["expires_at"].endswith("+08:00")
    assert answer.headers["Cache-Control"] == "no-store"
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control") or name == "Set-Cookie"]
    english = ask(stranger, credential, question, **{"Accept-Language": "en-GB, zh;q=0.5"}).get_json()
    assert (english["result"], english["valid"]) == ("nonce_replayed", False)
    assert english["detail"].isascii()
    assert "enterprise" not in english


def test_a_browser_that_is_logged_in_is_nobody_here(client_of: ClientOf, cast: Cast, question: dict[str, str]) -> None:
    answer = client_of(cast.admin).post(VERIFY, json=question)
    assert is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic cm5zeXM6eA=="])
def test_another_credential_is_refused(stranger: FlaskClient, header: str) -> None:
    assert is_problem(stranger.post(VERIFY, json={}, headers={"Authorization": header}), 401)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": "{}", "content_type": "text/plain"}, 415),
        ({"data": "{", "content_type": "application/json"}, 422),
        ({"data": "[" * 8000, "content_type": "application/json"}, 422),
        ({"data": '{"timestamp": ' + "1" * 9000 + "}", "content_type": "application/json"}, 422),
        ({"data": " " * 20_000, "content_type": "application/json"}, 413),
        ({"json": {"nonce": ["x"]}}, 422),
    ],
    ids=["no json", "half of it", "deep", "a long number", "large", "fields"],
)
def test_what_can_not_be_read_is_refused_as_json(
    stranger: FlaskClient, credential: str, sent: dict[str, Any], status: int
) -> None:
    answer = stranger.post(VERIFY, headers={"Authorization": f"Bearer {credential}"}, **sent)
    assert is_problem(answer, status)
    if status == 422:
        assert answer.get_json()["errors"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", VERIFY, 405), ("GET", "/api/v1/nothing", 404)])
def test_no_refusal_is_a_page(stranger: FlaskClient, method: str, path: str, status: int) -> None:
    assert is_problem(stranger.open(path, method=method), status)


def test_the_description_says_what_the_engine_goes_by(stranger: FlaskClient) -> None:
    told = stranger.get("/api/v1/openapi.json").get_json()
    assert list(told["paths"]) == [VERIFY]
    schemas = told["components"]["schemas"]
    assert {name: f"^{pattern}$" for name, pattern in FIELDS.items()} == {
        name: field["pattern"] for name, field in schemas["Question"]["properties"].items()
    }
    assert schemas["Verdict"]["properties"]["result"]["enum"] == list(Result)


def test_a_city_s_manager_issues_a_credential_which_is_shown_once(
    app: Flask, client_of: ClientOf, cast: Cast, question: dict[str, str], stranger: FlaskClient
) -> None:
    manager = client_of(cast.guangzhou_colleague)
    page = manager.post("/systems", data={"name": "正式环境"})
    assert page.headers["Cache-Control"] == "no-store"
    credential = page.text.split("rnsys_")[1].split("<")[0]
    assert ask(stranger, f"rnsys_{credential}", question).get_json()["valid"]
    listed = manager.get("/systems").text
    assert "正式环境" in listed
    assert credential not in listed
    assert f"••••{credential[-4:]}" in listed
    address = listed.split('/revoke"')[0].rsplit('action="', 1)[1] + "/revoke"
    assert manager.post(address).status_code == 302
    assert is_problem(ask(stranger, f"rnsys_{credential}", question), 401)
    assert "已作废" in manager.get("/systems").text
    assert manager.post("/systems", data={"name": ""}).status_code == 422
