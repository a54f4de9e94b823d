"""故障: counted in the menu, alike ones together, retried or put away, one or many, in pages and by command."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import clock
from engine.errors import Broken
from engine.people.accounts import Actor
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from engine.runtime.tables import CommandDone, Incident, Instance
from handlers import HANDLERS
from tests.casework import Case, deploy_onboarding, open_incidents
from tests.conftest import Cast
from tests.web.conftest import menu
from web.scheduler import forget_old_keys

ClientOf = Callable[[Actor], FlaskClient]
DESK = "/admin/incidents"


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


@pytest.fixture
def failed(runtime: Runtime, cast: Cast) -> list[Case]:
    """Two applications whose test key could not be issued, because the handler failed."""
    deploy_onboarding(runtime)

    def fails(call: Any, **params: Any) -> Mapping[str, Any]:
        raise RuntimeError("the key service is away")

    broken = replace(runtime, handlers={**HANDLERS, "issue_test_key": fails})
    cases = []
    for _ in range(2):
        case = Case(runtime, begins=clock.now()).goes("递交申请材料")
        case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
        answers, task = case.answers(issue="thirty_days"), case.task("下发测试密钥")
        with pytest.raises(Broken):
            instances.complete(broken, task.id, answers, cast.guangzhou, case.now)
        cases.append(case)
    return cases


def opened(runtime: Runtime) -> list[Incident]:
    with runtime.database.read() as session:
        return open_incidents(session)


def test_the_menu_counts_them(admin: FlaskClient, client_of: ClientOf, cast: Cast, failed: list[Case]) -> None:
    assert "故障 (2 项待处理)" in menu(admin.get("/accounts").text)
    assert "故障" not in client_of(cast.guangzhou).get("/inbox").text


def test_alike_ones_stand_together_with_their_cause(admin: FlaskClient, failed: list[Case]) -> None:
    page = admin.get(DESK).text
    assert page.count('<section class="app-box') == 1
    assert "RuntimeError: the key service is away" in page
    assert "发放测试密钥" in page
    for case in failed:
        assert (case.instance().number or case.id) in page


def test_they_are_filtered_by_element_and_cause(admin: FlaskClient, failed: list[Case]) -> None:
    assert "共 2 条" in admin.get(f"{DESK}?element=Create_Test_Key&cause=service").text
    assert "没有符合条件的故障" in admin.get(f"{DESK}?cause=%25%00").text
    assert "没有符合条件的故障" in admin.get(f"{DESK}?element=Elsewhere").text
    assert "共 1 条" in admin.get(f"{DESK}?cause={failed[0].instance().number}").text


def test_the_chosen_one_is_retried(admin: FlaskClient, failed: list[Case], runtime: Runtime) -> None:
    first, second = opened(runtime)
    answer = admin.post(DESK, data={"act": "retry", "incident": [first.id]}, follow_redirects=True)
    assert "重试成功 1 条" in answer.text
    assert [each.id for each in opened(runtime)] == [second.id]
    history = admin.get(f"{DESK}?view=resolved").text
    assert "重试成功" in history
    assert second.id not in history


def test_all_that_match_are_retried_and_what_fails_is_counted(
    admin: FlaskClient, failed: list[Case], runtime: Runtime
) -> None:
    with runtime.database.write() as session:
        session.get_one(Instance, failed[0].id).state = b"unreadable"
    answer = admin.post(DESK, data={"act": "retry_all"})
    assert answer.status_code == 409
    assert "重试成功 1 条，仍未成功 1 条" in answer.text
    assert "Traceback" in answer.text  # an administrator's page
    assert {each.instance_id for each in opened(runtime)} == {failed[0].id}


def test_those_put_away_need_a_reason_which_is_kept(admin: FlaskClient, failed: list[Case], runtime: Runtime) -> None:
    ids = [each.id for each in opened(runtime)]
    refused = admin.post(DESK, data={"act": "resolve", "incident": ids, "reason": " "})
    assert refused.status_code == 422
    assert "请写明处理理由" in refused.text
    assert refused.text.count(" checked") == 2
    done = admin.post(DESK, data={"act": "resolve", "incident": ids, "reason": "已电话处理"}, follow_redirects=True)
    assert "已标记为处理完毕：2 条" in done.text
    assert "目前没有故障" in done.text
    assert "已电话处理" in admin.get(f"{DESK}?view=resolved").text


@pytest.mark.parametrize("act", ["retry", "resolve", "nonsense"])
def test_nothing_chosen_is_said(admin: FlaskClient, failed: list[Case], act: str) -> None:
    answer = admin.post(DESK, data={"act": act, "reason": "x"})
    assert answer.status_code == 422
    assert "请先选择故障" in answer.text


def test_one_that_does_not_exist_is_not_found(admin: FlaskClient) -> None:
    assert admin.post(f"{DESK}/0123/retry").status_code == 404


def test_nobody_else_acts_on_them(client_of: ClientOf, cast: Cast, failed: list[Case], runtime: Runtime) -> None:
    for act in ("retry", "retry_all", "resolve"):
        ids = [each.id for each in opened(runtime)]
        answer = client_of(cast.guangzhou).post(DESK, data={"act": act, "incident": ids, "reason": "x"})
        assert answer.status_code == 403
    assert len(opened(runtime)) == 2


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(app.cli, words)


def test_the_commands_list_retry_and_resolve(run: Callable[..., Result], failed: list[Case], runtime: Runtime) -> None:
    first, second = opened(runtime)
    assert "the key service is away" in run("incidents").output
    with runtime.database.write() as session:
        session.get_one(Instance, second.instance_id).state = b"unreadable"
    retried = run("retry", "--all")
    assert retried.exit_code == 1
    assert "重试成功 1 条，仍未成功 1 条" in retried.output
    assert run("resolve", *(each.id for each in opened(runtime)), "--reason", "已恢复备份").exit_code == 0
    assert run("incidents").output == ""
    history = run("incidents", "--all").output
    assert "重试成功" in history
    assert "已恢复备份" in history
    assert run("retry", first.id).exit_code == 0  # it is done
    assert run("retry", "0123").exit_code == 1
    assert run("retry").exit_code == 2


def test_only_an_administrators_account_may(run: Callable[..., Result], failed: list[Case]) -> None:
    for words in (["incidents"], ["retry", "--all"], ["resolve", "x", "--reason", "y"]):
        refused = run(*words, "--as", "guangzhou")
        assert refused.exit_code == 1
        assert "您的账号不能执行此操作" in refused.stderr


def test_keys_past_their_time_are_tidied_away(run: Callable[..., Result], runtime: Runtime, cast: Cast) -> None:
    deploy_onboarding(runtime)
    for key, days in (("old", 32), ("young", 1)):
        instances.start(
            runtime,
            process_id="onboarding",
            answers={"application": {"scenario": "first"}},
            actor=cast.enterprise,
            now=clock.now() - timedelta(days=days),
            once=key,
        )
    forget_old_keys(runtime)
    with runtime.database.read() as session:
        assert session.scalars(select(CommandDone.key)).all() == ["young"]
    assert "已清除标识 0 个" in run("tidy").output
