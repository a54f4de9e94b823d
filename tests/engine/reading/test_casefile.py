"""One application as its parties, the province and strangers read it; messages; what the platform told whom."""

import pytest

from engine.errors import NotFound, NothingWaits
from engine.keys import issuing
from engine.people.accounts import Actor
from engine.reading.applications import Standing, instances
from engine.reading.casefile import CaseFile, case_file, drawing
from engine.reading.menus import message_menus, startable
from engine.reading.message_box import message_box, message_form
from engine.reading.timeline import SENTENCES
from engine.runtime.tables import EventKind
from engine.telling.noticeboard import (
    authorities_with_warnings,
    count_unread,
    mark_all_read,
    mark_read,
    notices,
    warnings,
)
from tests.casework import Case
from tests.conftest import Cast


def read(case: Case, actor: Actor) -> CaseFile:
    with case.runtime.database.read() as session:
        return case_file(session, case.runtime.definitions, case.id, actor, case.now)


def test_it_says_what_it_waits_for_and_where_that_is_in_the_diagram(case: Case, cast: Cast) -> None:
    file = read(case.goes("递交申请材料"), cast.enterprise)

    (step,) = file.line.waiting
    assert (step.organisation.zh, step.name.zh) == ("广州市住房和城乡建设局", "审核材料")
    assert step.task_id is None  # not the enterprise's to open
    assert file.active == ("Review_Materials",)
    assert {"Submit_Materials", "Basic_First"} <= set(file.done)
    assert "Review_Materials" not in file.done
    assert read(case, cast.guangzhou).line.waiting[0].task_id == case.task("审核材料").id


def test_the_history_names_the_own_side_and_only_the_organisation_of_the_other(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    for reader, stranger in ((cast.enterprise, cast.guangzhou), (cast.guangzhou, cast.enterprise)):
        told = "".join(entry.sentence.zh for entry in read(case, reader).timeline)
        assert reader.name in told
        assert stranger.name not in told
    supervised = "".join(entry.sentence.zh + entry.sentence.en for entry in read(case, cast.province).timeline)
    assert cast.enterprise.name not in supervised
    assert cast.guangzhou.name not in supervised


def test_every_kind_of_event_is_told_or_only_drawn_or_told_by_another() -> None:
    moved = {kind for kind in SENTENCES if kind.startswith("limit_")}  # by a newer calendar
    assert len(moved) == 4
    clocks = {kind for kind in EventKind if kind.startswith("limit_")} - moved  # for the reckoning of days
    assert set(EventKind) - set(SENTENCES) == {EventKind.PASSED, EventKind.KEY_ISSUED, EventKind.KEY_USED, *clocks}


def test_strangers_find_nothing(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    strangers = (cast.other_enterprise, cast.shenzhen, cast.guangzhou_support, cast.analyst, cast.admin)
    for stranger in strangers:
        with pytest.raises(NotFound):
            read(case, stranger)
        with case.runtime.database.read() as session:
            assert instances(session, case.runtime.definitions, stranger, case.now).total == 0
            with pytest.raises(NotFound):
                drawing(session, case.id, stranger)
            with pytest.raises(NotFound):
                message_form(session, case.runtime.definitions, case.id, "complaint", stranger, case.now)


def test_only_the_enterprise_may_have_its_key_shown_and_once(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    assert [key.may_reveal for key in read(case, cast.guangzhou).keys] == [False]
    (key,) = read(case, cast.enterprise).keys
    assert key.may_reveal
    issuing.reveal(case.runtime, key.id, cast.enterprise, case.now)
    (key,) = read(case, cast.enterprise).keys
    assert not key.may_reveal
    assert key.revealed_at == case.now


def test_replaced_answers_stay_and_the_newest_counts(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
    materials = [answer for answer in read(case, cast.guangzhou).answers if answer.name == "materials"]
    assert [answer.newest for answer in materials] == [False, True]


def test_lists_can_be_narrowed_down(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    case.step(by="企业", does="Test_Connection", fills={"test_report": "done"})
    case.step(by="主管部门", does="Confirm_Test", fills={"confirmation": "success"})
    other = Case(case.runtime).goes("递交申请材料")
    definitions = case.runtime.definitions
    with case.runtime.database.read() as session:
        closed = instances(session, definitions, cast.province, case.now, standing=Standing.CLOSED).items
        assert [(line.id, line.outcome.zh if line.outcome else None) for line in closed] == [(case.id, "联调成功")]
        still = instances(session, definitions, cast.enterprise, case.now, standing=Standing.OPEN).items
        assert [line.id for line in still] == [other.id]
        assert instances(session, definitions, cast.guangzhou, case.now, search="考勤一体机").total == 2
        assert instances(session, definitions, cast.guangzhou, case.now, search="没有的").total == 0


def test_a_complaint_is_offered_exactly_while_the_diagram_waits_for_it(case: Case, cast: Cast) -> None:
    definitions = case.runtime.definitions
    case.goes("递交申请材料")
    with case.runtime.database.read() as session:
        assert message_box(session, definitions, "complaint", cast.enterprise, case.now).welcome == ()
        with pytest.raises(NothingWaits):
            message_form(session, definitions, case.id, "complaint", cast.enterprise, case.now)
    case.step(by="主管部门", does="审核材料", fills={"review": "pass"})
    case.step(by="主管部门", does="下发测试密钥", fills={"issue": "thirty_days"})
    with case.runtime.database.read() as session:
        box = message_box(session, definitions, "complaint", cast.enterprise_colleague, case.now)
        assert (box.menu.zh, [line.id for line in box.welcome], box.sent) == ("我的投诉", [case.id], ())
        assert message_box(session, definitions, "complaint", cast.other_enterprise, case.now).welcome == ()
        for stranger in (cast.guangzhou, cast.province):
            with pytest.raises(NotFound):
                message_box(session, definitions, "complaint", stranger, case.now)
    case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    with case.runtime.database.read() as session:
        box = message_box(session, definitions, "complaint", cast.enterprise, case.now)
        assert (box.welcome, [sent.by for sent in box.sent]) == ((), [cast.enterprise.name])
        assert message_box(session, definitions, "complaint", cast.other_enterprise, case.now).sent == ()


def test_menus_come_from_the_diagram_in_force(case: Case, cast: Cast) -> None:
    definitions = case.runtime.definitions
    with case.runtime.database.read() as session:
        assert [menu.menu.zh for menu in message_menus(session, definitions, cast.enterprise.role)] == ["我的投诉"]
        assert message_menus(session, definitions, cast.guangzhou.role) == ()
        assert [form.process_id for form in startable(session, definitions, cast.enterprise)] == ["onboarding"]
        assert startable(session, definitions, cast.guangzhou) == ()


def test_the_province_reads_each_warning_once_and_others_read_their_own(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    with case.runtime.database.read() as session:
        (warning,) = warnings(session, cast.province).items
        assert "广州市住房和城乡建设局" in {recipient.zh for recipient in warning.recipients}
        assert len(warning.recipients) > 1
        assert [name.zh for _, name in authorities_with_warnings(session, cast.province)] == ["广州市住房和城乡建设局"]
        guangzhou = cast.guangzhou.organisation_id
        assert warnings(session, cast.province, authority_id=guangzhou).total == 1
        assert warnings(session, cast.province, authority_id=cast.shenzhen.organisation_id).total == 0
        assert [line.own for line in warnings(session, cast.guangzhou).items] == [True]
        for stranger in (cast.shenzhen, cast.other_enterprise, cast.analyst):
            assert warnings(session, stranger).total == 0
            assert notices(session, stranger).total == 0


def test_a_notice_is_marked_as_read_by_its_own_organisation_alone(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    with case.runtime.database.write() as session:
        before = count_unread(session, cast.guangzhou, 9)
        notice = notices(session, cast.guangzhou, unread_only=True).items[0]
        for stranger in (cast.shenzhen, cast.province):
            with pytest.raises(NotFound):
                mark_read(session, notice.id, stranger, case.now)
        mark_read(session, notice.id, cast.guangzhou, case.now)
        assert count_unread(session, cast.guangzhou, 9) == before - 1
        assert mark_all_read(session, cast.guangzhou, case.now) == before - 1
        assert notices(session, cast.guangzhou, unread_only=True).total == 0
        assert count_unread(session, cast.enterprise, 9) > 1
        assert count_unread(session, cast.enterprise, 1) == 1, "counting ends where nobody would look any further"
