"""A handler that fails: everything is undone, an operator sees why, and trying again carries on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.definitions.deployment import read_forms
from engine.definitions.tables import DefinitionInForce, DefinitionVersion
from engine.errors import Broken, NotAllowed
from engine.levers import incidents
from engine.levers.incidents import AlreadyResolved, Retried
from engine.reading.incident_desk import desk
from engine.runtime import instances, timers
from engine.runtime.reasons import ReasonMissing
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Instance
from handlers import HANDLERS
from tests.casework import FOLDER, Case, open_incidents
from tests.conftest import CAST_SINCE, Cast


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
        (incident,) = open_incidents(session)
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
        (incident,) = open_incidents(session)  # one, not one per tick
    healthy = Case(runtime).goes("递交申请材料")
    assert timers.fire_due(runtime, due) == 1
    assert len(healthy.tasks()) == 2
    assert len(case.tasks()) == 1

    with pytest.raises(NotAllowed):
        incidents.retry(runtime, incident.id, cast.guangzhou, due)
    incidents.retry(runtime, incident.id, cast.admin, due)

    assert sorted(task.name for task in case.tasks()) == ["审核材料", "核实并反馈情况"]
    with runtime.database.read() as session:
        assert open_incidents(session) == []


def test_a_retry_that_fails_again_leaves_the_incident_open(runtime: Runtime, case: Case, cast: Cast) -> None:
    due = case.goes("递交申请材料").task("审核材料").due_at
    assert due is not None
    failing = broken(runtime, "raise_warning")
    timers.fire_due(failing, due)
    with runtime.database.read() as session:
        (incident,) = open_incidents(session)

    with pytest.raises(Broken):
        incidents.retry(failing, incident.id, cast.admin, due)

    with runtime.database.read() as session:
        assert incident.id in {i.id for i in open_incidents(session)}
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
        (incident,) = open_incidents(session)
    assert incident.element_id == "Review_Materials"
    assert "445300" in incident.cause


def _two_overdue(runtime: Runtime, case: Case, failing: Runtime) -> tuple[Case, Case, datetime]:
    """Two applications whose review ran out of time while nobody could be warned of it."""
    other = Case(runtime).goes("递交申请材料")
    due = case.goes("递交申请材料").task("审核材料").due_at
    assert due is not None
    assert timers.fire_due(failing, due) == 0
    return case, other, due


def _open(runtime: Runtime) -> list[Incident]:
    with runtime.database.read() as session:
        return open_incidents(session)


def test_the_same_failure_again_is_counted_not_added(runtime: Runtime, case: Case, cast: Cast) -> None:
    failing = broken(runtime, "raise_warning")
    *_, due = _two_overdue(runtime, case, failing)
    first = _open(runtime)[0]

    for _ in range(2):
        with pytest.raises(Broken):
            incidents.retry(failing, first.id, cast.admin, due + timedelta(hours=1))

    again = next(incident for incident in _open(runtime) if incident.id == first.id)
    assert len(_open(runtime)) == 2
    assert (again.times, again.at, again.last_at) == (3, due, due + timedelta(hours=1))


def test_many_are_retried_and_one_that_fails_does_not_hold_up_the_rest(
    runtime: Runtime, case: Case, cast: Cast
) -> None:
    one, other, due = _two_overdue(runtime, case, broken(runtime, "raise_warning"))
    with runtime.database.write() as session:
        session.get_one(Instance, one.id).state = b"unreadable"
    ids = [incident.id for incident in _open(runtime)]

    assert incidents.retry_many(runtime, [*ids, "no such"], cast.admin, due) == Retried(succeeded=1, failed=2)

    assert sorted(task.name for task in other.tasks()) == ["审核材料", "核实并反馈情况"]
    assert {incident.instance_id for incident in _open(runtime)} == {one.id}


def test_resolving_keeps_who_and_why_and_lets_the_clock_try_again(runtime: Runtime, case: Case, cast: Cast) -> None:
    failing = broken(runtime, "raise_warning")
    one, _, due = _two_overdue(runtime, case, failing)
    (incident,) = [each for each in _open(runtime) if each.instance_id == one.id]

    assert incidents.resolve(runtime, [incident.id], " 服务已恢复 ", cast.admin, due) == 1

    with runtime.database.read() as session:
        resolved = desk(session, runtime.definitions, cast.admin, resolved=True).groups[0].lines[0]
    assert (resolved.id, resolved.reason, resolved.resolved_at) == (incident.id, "服务已恢复", due)
    assert resolved.resolved_by == cast.admin.name
    with pytest.raises(AlreadyResolved):
        incidents.resolve(runtime, [incident.id], "again", cast.admin, due)
    with pytest.raises(AlreadyResolved):
        incidents.retry(runtime, incident.id, cast.admin, due)
    assert timers.fire_due(runtime, due) == 1
    assert sorted(task.name for task in one.tasks()) == ["审核材料", "核实并反馈情况"]


@pytest.mark.parametrize("reason", ["", "  ", "长" * 501, "a\x00b"])
def test_resolving_needs_a_reason(runtime: Runtime, case: Case, cast: Cast, reason: str) -> None:
    *_, due = _two_overdue(runtime, case, broken(runtime, "raise_warning"))
    with pytest.raises(ReasonMissing):
        incidents.resolve(runtime, [_open(runtime)[0].id], reason, cast.admin, due)
    assert len(_open(runtime)) == 2


def test_only_an_administrator_sees_or_touches_them(runtime: Runtime, case: Case, cast: Cast) -> None:
    *_, due = _two_overdue(runtime, case, broken(runtime, "raise_warning"))
    ids = [incident.id for incident in _open(runtime)]
    with pytest.raises(NotAllowed):
        incidents.retry_many(runtime, ids, cast.guangzhou, due)
    with pytest.raises(NotAllowed):
        incidents.resolve(runtime, ids, "no reason", cast.guangzhou, due)
    with runtime.database.read() as session, pytest.raises(NotAllowed):
        desk(session, runtime.definitions, cast.province)


def test_equal_causes_stand_together_and_can_be_filtered(runtime: Runtime, case: Case, cast: Cast) -> None:
    *_, due = _two_overdue(runtime, case, broken(runtime, "raise_warning"))
    third = Case(runtime).goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    task = third.task("下发测试密钥").id
    with pytest.raises(Broken):
        instances.complete(
            broken(runtime, "issue_test_key"), task, third.answers(issue="thirty_days"), cast.guangzhou, due
        )
    with runtime.database.read() as session:
        assert incidents.count_open(session) == 3
        everything = desk(session, runtime.definitions, cast.admin)
        of_keys = desk(session, runtime.definitions, cast.admin, element="Create_Test_Key")
        of_cause = desk(session, runtime.definitions, cast.admin, cause="密钥服务")
        of_none = desk(session, runtime.definitions, cast.admin, cause="%")
    assert [len(group.lines) for group in everything.groups] == [2, 1]
    assert [id_ for id_, _ in everything.elements] == sorted({"Create_Test_Key", everything.groups[0].element_id or ""})
    assert [line.instance_id for group in of_keys.groups for line in group.lines] == [third.id]
    assert (of_cause.total, of_none.total) == (3, 0)


def _put_in_force(runtime: Runtime, xml: str) -> None:
    """A diagram that the gate would not let through, as an older gate may have."""
    version = DefinitionVersion(
        process_id="onboarding",
        number=99,
        name="",
        sha256="unchecked",
        diagram=xml.encode(),
        forms=read_forms(FOLDER),
        deployed_at=CAST_SINCE,
    )
    with runtime.database.write() as session:
        session.add(version)
        session.flush()
        session.get_one(DefinitionInForce, "onboarding").version_id = version.id


def test_a_diagram_that_goes_round_by_itself_is_stopped_and_on_record(runtime: Runtime, case: Case) -> None:
    xml = (FOLDER / "onboarding.bpmn").read_text("utf-8")
    _put_in_force(runtime, xml.replace('targetRef="Explain_Overdue"', 'targetRef="Warn_Review_Overdue"'))
    due = case.goes("递交申请材料").task("审核材料").due_at
    assert due is not None

    assert timers.fire_due(runtime, due) == 0

    with runtime.database.read() as session:
        (incident,) = session.scalars(select(Incident)).all()
    assert "RunawayLoop" in incident.cause
    assert [task.name for task in case.tasks()] == ["审核材料"]


def test_a_number_that_cannot_be_worked_out_is_not_the_senders_fault(runtime: Runtime, case: Case, cast: Cast) -> None:
    xml = (FOLDER / "onboarding.bpmn").read_text("utf-8")
    _put_in_force(runtime, xml.replace('wf:number="basic.city"', 'wf:number="basic.connected_city"'))
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})

    with pytest.raises(Broken):
        instances.complete(
            runtime, case.task("递交材料").id, case.answers(materials="complete"), cast.enterprise, case.now
        )

    with runtime.database.read() as session:
        (incident,) = session.scalars(select(Incident)).all()
    assert incident.element_id == "Submit_Materials"
