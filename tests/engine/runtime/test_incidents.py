"""A handler that fails: everything is undone, an operator sees why, and trying again carries on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from engine.errors import Broken, NotAllowed
from engine.runtime import incidents, instances, timers
from engine.runtime.runtime import Runtime
from handlers import HANDLERS
from tests.casework import Case
from tests.conftest import Cast


class PlatformDown(RuntimeError):
    pass


def broken(runtime: Runtime, handler: str) -> Runtime:
    def fails(call: Any, **params: Any) -> Mapping[str, Any]:
        raise PlatformDown("密钥服务无响应")

    return replace(runtime, handlers={**HANDLERS, handler: fails})


def test_a_failing_handler_undoes_the_step_and_leaves_an_incident(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    task, before = case.task("下发测试密钥"), case.instance().revision
    answers = case.answers(issue="thirty_days")

    with pytest.raises(Broken) as refusal:
        instances.complete(broken(case.runtime, "issue_test_key"), task.id, answers, cast.guangzhou, case.now)

    assert "PlatformDown" not in refusal.value.text.zh
    assert case.instance().revision == before
    assert case.task("下发测试密钥").claimed_by is None
    with case.runtime.database.read() as session:
        (incident,) = incidents.open_incidents(session)
    assert (incident.element_id, incident.action) == ("Create_Test_Key", "complete")
    assert incident.cause == "PlatformDown: 密钥服务无响应"
    assert "Traceback" in incident.stack

    instances.complete(case.runtime, task.id, answers, cast.guangzhou, case.now)
    assert [t.name for t in case.tasks()] == ["使用测试密钥进行测试联调"]


def test_a_failing_limit_is_parked_until_retried_and_never_blocks_the_rest(
    runtime: Runtime, case: Case, cast: Cast
) -> None:
    case.goes("递交申请材料")
    due = case.task("审核材料").due_at
    assert due is not None
    failing = broken(runtime, "raise_warning")

    assert timers.fire_due(failing, due) == 0
    assert timers.fire_due(failing, due) == 0
    with runtime.database.read() as session:
        (incident,) = incidents.open_incidents(session)  # one, not one per tick
    healthy = Case(runtime).goes("递交申请材料")
    assert timers.fire_due(runtime, due) == 1
    assert len(healthy.tasks()) == 2
    assert len(case.tasks()) == 1

    with pytest.raises(NotAllowed):
        incidents.retry(runtime, incident.id, cast.guangzhou, due)
    incidents.retry(runtime, incident.id, cast.admin, due)

    assert sorted(task.name for task in case.tasks()) == ["审核材料", "核实并反馈情况"]
    with runtime.database.read() as session:
        assert incidents.open_incidents(session) == []


def test_a_retry_that_fails_again_leaves_the_incident_open(runtime: Runtime, case: Case, cast: Cast) -> None:
    due = case.goes("递交申请材料").task("审核材料").due_at
    assert due is not None
    failing = broken(runtime, "raise_warning")
    timers.fire_due(failing, due)
    with runtime.database.read() as session:
        (incident,) = incidents.open_incidents(session)

    with pytest.raises(Broken):
        incidents.retry(failing, incident.id, cast.admin, due)

    with runtime.database.read() as session:
        assert incident.id in {i.id for i in incidents.open_incidents(session)}
    assert timers.fire_due(failing, due) == 0


def test_a_start_that_fails_is_on_record_too(runtime: Runtime, case: Case, cast: Cast) -> None:
    """Nobody serves the city: the operator hears of it, the enterprise gets a sentence, and no instance is left."""
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    task = case.task("登录平台填写基本信息")
    elsewhere = {"basic": {**case.answers(basic="first")["basic"], "city": "445300"}}
    instances.complete(runtime, task.id, elsewhere, cast.enterprise, case.now)
    materials = case.answers(materials="complete")

    with pytest.raises(Broken):
        instances.complete(runtime, case.task("递交材料").id, materials, cast.enterprise, case.now)

    with runtime.database.read() as session:
        (incident,) = incidents.open_incidents(session)
    assert incident.element_id == "Review_Materials"
    assert "445300" in incident.cause
