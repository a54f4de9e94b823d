"""Changing a running deadline and correcting a variable of one application."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from engine.clock import SHANGHAI
from engine.errors import NotAllowed
from engine.levers import interventions
from engine.levers.correcting import Compound, NoAnswer, NoSuchVariable, OtherType, ValueTooLong, correct_variable
from engine.levers.deadlines import LimitOver, PastDeadline, change_deadline
from engine.reading.casefile import case_file
from engine.runtime import checking, state, timers
from engine.runtime.reasons import BasisTooLong
from engine.runtime.suspension import Suspended
from engine.runtime.tables import Event, EventKind, Intervention, Timer
from engine.telling.tables import Notice
from engine.trust import verification
from tests.casework import Case
from tests.conftest import Cast

LATER = datetime(2026, 10, 15, 0, 0, tzinfo=SHANGHAI)  # 24:00 on the 14th


@pytest.fixture(autouse=True)
def all_in_order(case: Case) -> object:
    """Whatever was changed: rows and state agree, and the audit trail holds."""
    yield
    with case.runtime.database.read() as session:
        assert checking.check(session, case.runtime.definitions) == []
    assert verification.verify(case.runtime.database).flaws == ()


def limit(case: Case, element_id: str) -> Timer:
    with case.runtime.database.read() as session:
        query = select(Timer).where(Timer.instance_id == case.id, Timer.element_id == element_id)
        return session.scalars(query.order_by(Timer.state.desc())).first() or pytest.fail("no such limit")


def change(case: Case, cast: Cast, element_id: str, ends: datetime, **more: Any) -> None:
    timer_id = limit(case, element_id).id
    change_deadline(case.runtime, case.id, timer_id, ends, "台风停工", cast.admin, case.now, **more)


def correct(case: Case, cast: Cast, variable: str, value: Any) -> None:
    correct_variable(case.runtime, case.id, variable, value, "企业填错", cast.admin, case.now)


def known(case: Case) -> list[dict[str, Any]]:
    """What each open task knows."""
    instance = case.instance()
    with case.runtime.database.read() as session:
        workflow = state.load(instance.state, case.runtime.definitions.get(session, instance.version_id))
    return [task.data for task in workflow.get_tasks(manual=True) if task.id.hex in {t.id for t in case.tasks()}]


def test_a_limit_ends_when_it_was_changed_to_and_not_before(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    before = limit(case, "Review_Overdue").due_at
    change(case, cast, "Review_Overdue", LATER, basis="粤建〔2026〕1号")
    assert limit(case, "Review_Overdue").due_at == LATER
    assert case.task("审核材料").due_at == LATER
    assert timers.fire_due(case.runtime, before) == 0
    assert timers.fire_due(case.runtime, LATER) == 1
    assert {t.element_id for t in case.tasks()} == {"Review_Materials", "Explain_Overdue"}
    with case.runtime.database.read() as session:
        (row,) = session.scalars(select(Intervention)).all()
        file = case_file(session, case.runtime.definitions, case.id, cast.enterprise, case.now)
        notices = session.scalars(select(Notice).where(Notice.text.contains("台风停工"))).all()
    assert (row.basis, row.details["due_at"]["before"]) == ("粤建〔2026〕1号", before.isoformat())
    told = [e.sentence.zh for e in file.timeline if e.kind is EventKind.DEADLINE_CHANGED]
    assert len(told) == 1
    assert "改至 2026-10-14 24:00，理由：台风停工" in told[0]
    assert {n.organisation_id for n in notices} == {cast.enterprise.organisation_id, cast.guangzhou.organisation_id}


def test_a_limit_can_be_brought_forward(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    change(case, cast, "Test_Overdue", case.now + timedelta(hours=1))
    assert timers.fire_due(case.runtime, case.now + timedelta(hours=1)) == 1
    assert [t.element_id for t in case.tasks()] == ["Decide_Extension"]


def test_steps_that_share_a_limit_share_its_change_however_often(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    change(case, cast, "Test_Overdue", LATER)
    change(case, cast, "Test_Overdue", LATER + timedelta(days=1))
    case.step(by="企业", does="使用测试密钥进行测试联调", fills={"test_report": "done"})
    assert limit(case, "Confirm_Overdue").due_at == LATER + timedelta(days=1)
    change(case, cast, "Confirm_Overdue", LATER)
    case.step(by="主管部门", does="确认是否完成测试联调", fills={"confirmation": "missing"})
    assert case.task("使用测试密钥进行测试联调").due_at == LATER


def test_a_changed_date_stays_when_the_case_is_suspended_and_resumed(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    change(case, cast, "Review_Overdue", LATER)
    interventions.suspend(case.runtime, case.id, "查", cast.admin, case.now)
    with pytest.raises(Suspended):
        change(case, cast, "Review_Overdue", LATER)
    interventions.resume(case.runtime, case.id, "完", cast.admin, LATER + timedelta(days=1))
    assert {t.element_id for t in case.tasks()} == {"Review_Materials", "Explain_Overdue"}, "it had passed meanwhile"


def test_what_is_no_deadline_is_refused(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    with pytest.raises(PastDeadline):
        change(case, cast, "Review_Overdue", case.now)
    with pytest.raises(BasisTooLong):
        change(case, cast, "Review_Overdue", LATER, basis="长" * 501)
    timer_id = limit(case, "Review_Overdue").id
    with pytest.raises(NotAllowed):
        change_deadline(case.runtime, case.id, timer_id, LATER, "理由", cast.guangzhou, case.now)
    case.step(after="3 working days")
    with pytest.raises(LimitOver):
        change(case, cast, "Review_Overdue", LATER)


def test_a_corrected_variable_is_what_the_diagram_goes_by(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    correct(case, cast, "basic.city", "440300")
    assert [data["basic"]["city"] for data in known(case)] == ["440300"]
    case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
    with case.runtime.database.read() as session:
        (row,) = session.scalars(select(Intervention)).all()
        event = session.scalars(select(Event).where(Event.kind == EventKind.VARIABLE_CORRECTED)).one()
    assert row.details == {"variable": "basic.city", "before": ["440100"], "after": "440300"}
    assert "440300" not in str(event.details), "values may be personal"


def test_a_correction_reaches_all_branches_and_lasts(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料").step(after="3 working days")
    correct(case, cast, "basic.product", "工地宝 2 代")
    assert [data["basic"]["product"] for data in known(case)] == ["工地宝 2 代"] * 2
    case.step(by="主管部门", does="核实并反馈情况", fills={"explanation": "busy"})
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    assert [data["basic"]["product"] for data in known(case)] == ["工地宝 2 代"]
    assert "工地宝 2 代" in case.instance().subject


@pytest.mark.parametrize(
    ("variable", "value", "refusal"),
    [
        ("basic.nothing", "x", NoSuchVariable),
        ("basic.city.deeper", "x", NoSuchVariable),
        ("", "x", NoSuchVariable),
        ("basic", "x", Compound),
        ("basic.city", 440300, OtherType),
        ("basic.city", None, OtherType),
        ("basic.city", True, OtherType),
        ("basic.city", "长" * 2001, ValueTooLong),
        ("basic.city", "珠海", NoAnswer),
        ("basic.city", "999999", NoAnswer),
        ("basic.company", "", NoAnswer),
    ],
)
def test_what_would_not_fit_is_refused(
    case: Case, cast: Cast, variable: str, value: Any, refusal: type[Exception]
) -> None:
    case.goes("递交申请材料")
    with pytest.raises(refusal):
        correct(case, cast, variable, value)
    assert [data["basic"]["city"] for data in known(case)] == ["440100"]


def test_only_an_administrator_corrects(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    for actor in (cast.enterprise, cast.guangzhou, cast.analyst):
        with pytest.raises(NotAllowed):
            correct_variable(case.runtime, case.id, "basic.city", "440300", "理由", actor, case.now)
