"""运维: only administrators get in; the trial's clock moves forward; failures can be tried again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import clock
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.trial import process_now
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


@pytest.mark.parametrize("path", ["/admin", "/accounts", "/admin/incidents"])
@pytest.mark.parametrize("who", ["enterprise", "guangzhou", "guangzhou_support", "province", "analyst"])
def test_nobody_but_an_administrator_gets_in(client_of: ClientOf, cast: Cast, who: str, path: str) -> None:
    assert client_of(getattr(cast, who)).get(path).status_code == 403


def test_nobody_but_an_administrator_moves_the_clock(client_of: ClientOf, cast: Cast, runtime: Runtime) -> None:
    answer = client_of(cast.enterprise).post("/admin/clock", data={"working_days": "3"})
    assert answer.status_code == 403
    now = clock.now()
    assert process_now(runtime, now) == now


def test_moving_the_clock_moves_process_time_and_says_so(admin: FlaskClient, runtime: Runtime) -> None:
    answer = admin.post("/admin/clock", data={"working_days": "3"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "流程时间现在是" in answer.text
    now = clock.now()
    assert process_now(runtime, now) - now > timedelta(days=2)


@pytest.mark.parametrize("days", ["0", "31", "-3", "three", ""])
def test_a_step_that_makes_no_sense_is_refused_with_the_page_kept(
    admin: FlaskClient, runtime: Runtime, days: str
) -> None:
    answer = admin.post("/admin/clock", data={"working_days": days})
    assert answer.status_code == 422
    assert "1 至 30 个工作日" in answer.text
    now = clock.now()
    assert process_now(runtime, now) == now


def test_outside_a_trial_there_is_no_clock_to_move(app: Flask, admin: FlaskClient) -> None:
    app.extensions["runtime"] = replace(app.extensions["runtime"], trial=False)
    assert "拨快流程时钟" not in admin.get("/admin").text
    assert admin.post("/admin/clock", data={"working_days": "3"}).status_code == 403


def test_accounts_are_found_by_name_or_organisation(admin: FlaskClient) -> None:
    everyone = admin.get("/accounts").text
    assert "enterprise-a" in everyone
    assert "guangzhou2" in everyone
    found = admin.get("/accounts?search=广州市住房").text
    assert "guangzhou2" in found
    assert "enterprise-a" not in found
    assert "没有符合" in admin.get("/accounts?search=%25").text


def test_pages_show_no_password_hash(admin: FlaskClient) -> None:
    assert "argon2" not in admin.get("/accounts").text


def test_the_next_limit_is_shown(admin: FlaskClient, runtime: Runtime) -> None:
    deploy_onboarding(runtime)
    Case(runtime, begins=datetime(2026, 9, 18, 2, 0, tzinfo=UTC)).goes("递交申请材料")
    assert "2026年9月23日 00:00" in admin.get("/admin").text
