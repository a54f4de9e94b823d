"""A trial's sample buttons: they fill in one form, keep the rest, hand nothing in, and exist only in a trial."""

from collections.abc import Callable
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient

from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]


def test_a_sample_fills_in_the_form_with_real_files_and_hands_nothing_in(
    runtime: Runtime, client_of: ClientOf, cast: Cast
) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime)
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    task = case.task("递交材料")

    page = client_of(cast.enterprise).post(f"/tasks/{task.id}", data={"_sample": "materials:complete"})

    assert page.status_code == 200
    assert page.text.count("materials.licence.file_id") >= 1
    assert "营业执照.pdf" in page.text
    assert case.task("递交材料").id == task.id


def test_a_sample_of_one_form_keeps_what_was_typed_into_another(
    runtime: Runtime, client_of: ClientOf, cast: Cast
) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    task = case.task("修改申请材料后再次提交")

    page = client_of(cast.enterprise).post(
        f"/tasks/{task.id}", data={"basic.product": "我改过的名称", "_sample": "materials:complete"}
    )

    assert "我改过的名称" in page.text
    assert "承诺书.pdf" in page.text


def test_an_unknown_sample_changes_nothing(runtime: Runtime, client_of: ClientOf, cast: Cast) -> None:
    deploy_onboarding(runtime)
    for pressed in ("", ":", "application", "application:none", "materials:complete", "x" * 5000):
        page = client_of(cast.enterprise).post("/applications/new/onboarding", data={"_sample": pressed})
        assert page.status_code in (200, 422)
        assert "checked" not in page.text


def test_there_are_no_samples_outside_a_trial(app: Flask, runtime: Runtime, client_of: ClientOf, cast: Cast) -> None:
    deploy_onboarding(runtime)
    client = client_of(cast.enterprise)
    assert "_sample" in client.get("/applications/new/onboarding").text
    app.extensions["runtime"] = replace(runtime, trial=False)

    assert "_sample" not in client.get("/applications/new/onboarding").text
    page = client.post("/applications/new/onboarding", data={"_sample": "application:first"})
    assert "checked" not in page.text
