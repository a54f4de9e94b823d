"""Who reads personal data in clear, who masked, and what only those read to whom it is confided."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from engine.definitions.deployment import deploy, read_forms
from engine.errors import Broken, NotFound
from engine.levers.correcting import correct_variable
from engine.people.accounts import Actor
from engine.reading.answered import CONFIDENTIAL, AnsweredForm
from engine.reading.attachments import readable_file
from engine.reading.casefile import case_file
from engine.reading.taskfile import task_file
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Answer, Intervention, Party
from engine.telling.tables import Notice
from handlers import HANDLERS
from tests.casework import FOLDER, Case, open_incidents
from tests.conftest import CAST_SINCE, Cast

PERSONAL = {"陈志远", "李晓彤", "13800138000", "lixiaotong@example.com"}


def read(case: Case, reader: Actor) -> dict[str, AnsweredForm]:
    with case.runtime.database.read() as session:
        file = case_file(session, case.runtime.definitions, case.id, reader, case.now)
    return {each.name: each for each in file.answers if each.newest}


def on_task(case: Case, name: str, reader: Actor) -> dict[str, AnsweredForm]:
    with case.runtime.database.read() as session:
        file = task_file(session, case.runtime.definitions, case.task(name).id, reader, case.now)
    return {each.name: each for each in file.shown}


def told(case: Case) -> Iterator[str]:
    with case.runtime.database.read() as session:
        for notice in session.scalars(select(Notice).where(Notice.instance_id == case.id)):
            yield from (notice.text, notice.text_en)


def test_who_works_on_an_application_reads_clear_and_who_supervises_masked(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    for reader in (cast.enterprise, cast.enterprise_colleague, cast.guangzhou):
        assert set(map(str, read(case, reader)["basic"].data.values())) >= PERSONAL
    assert set(map(str, on_task(case, "审核材料", cast.guangzhou)["basic"].data.values())) >= PERSONAL
    supervised = read(case, cast.province)["basic"].data
    assert not PERSONAL & set(map(str, supervised.values()))
    assert (supervised["contact"], supervised["mobile"]) == ("李**", "138****8000")
    assert supervised["email"] == "l***@example.com"
    assert supervised["product"] == "智筑实名制考勤一体机"


def test_what_a_diagram_tells_in_lists_notices_and_registers_is_masked(runtime: Runtime, case: Case) -> None:
    drawn = (FOLDER / "onboarding.bpmn").read_text("utf-8")
    drawn = drawn.replace("basic.company + ' · ' + basic.product", "basic.contact + basic.mobile")
    drawn = drawn.replace('name="product" value="basic.product"', 'name="product" value="basic.contact"')
    drawn = drawn.replace("basic.company + '的' + basic.product", "basic.contact + basic.email")
    with runtime.database.write() as session:
        deploy(
            session,
            diagram=drawn.encode(),
            forms=read_forms(FOLDER),
            handlers=HANDLERS,
            by=None,
            now=CAST_SINCE,
        )
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    assert case.instance().subject == "李**138****8000"
    assert any(text.startswith("李**l***@example.com") for text in told(case))
    assert not [text for text in told(case) if any(value in text for value in PERSONAL)]


class Rude(RuntimeError):
    pass


def test_an_incident_names_nobody(case: Case, cast: Cast) -> None:
    """What an application is known to say of people, and what looks like it though nobody handed it in before."""

    def fails(call: Any, **params: Any) -> Mapping[str, Any]:
        raise Rude("李晓彤 13800138000 <other@example.cn> 没有回应")

    case.goes("递交申请材料").step(by="主管部门", does="审核材料", fills={"review": "pass"})
    failing = replace(case.runtime, handlers={**HANDLERS, "issue_test_key": fails})
    answers = case.answers(issue="thirty_days")
    with pytest.raises(Broken):
        instances.complete(failing, case.task("下发测试密钥").id, answers, cast.guangzhou, case.now)
    with case.runtime.database.read() as session:
        (incident,) = open_incidents(session)
    assert incident.cause == "Rude: 李** 138****8000 <o***@example.cn> 没有回应"
    assert "Rude: 李** 138****8000" in incident.stack
    assert not [value for value in (*PERSONAL, "other@") if value in incident.stack]


def test_a_statement_that_fails_does_not_repeat_what_it_was_to_write(runtime: Runtime, cast: Cast) -> None:
    row = Answer(instance_id="no such", form="basic", by=cast.enterprise.account_id, at=CAST_SINCE)
    row.data = {"mobile": "13800138000"}
    with pytest.raises(IntegrityError) as failed, runtime.database.write() as session:
        session.add(row)
    assert "13800138000" not in str(failed.value)


def test_a_correction_keeps_that_a_telephone_changed_but_not_to_which(case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")
    correct_variable(case.runtime, case.id, "basic.mobile", "13900139000", "号码写错", cast.admin, case.now)
    correct_variable(case.runtime, case.id, "basic.product", "考勤机", "名称写错", cast.admin, case.now)
    with case.runtime.database.read() as session:
        mobile, product = session.scalars(select(Intervention).order_by(Intervention.at, Intervention.id)).all()
    if mobile.details["variable"] != "basic.mobile":
        mobile, product = product, mobile
    assert mobile.details == {"variable": "basic.mobile", "before": ["138****8000"], "after": "139****9000"}
    assert product.details["after"] == "考勤机"


class TestAComplaint:
    @pytest.fixture
    def case(self, case: Case) -> Case:
        return case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})

    def test_is_read_by_its_sender_and_by_the_officials_it_is_confided_to(self, case: Case, cast: Cast) -> None:
        for reader in (cast.enterprise, cast.enterprise_colleague, cast.guangzhou, cast.guangzhou_colleague):
            complaint = read(case, reader)["complaint"]
            assert complaint.hidden is None
            assert complaint.data["facts"]
        assert on_task(case, "核实情况", cast.guangzhou)["complaint"].data["phone"]

    def test_is_known_to_the_province_but_not_what_it_says(self, case: Case, cast: Cast) -> None:
        complaint = read(case, cast.province)["complaint"]
        assert (complaint.hidden, complaint.data) == (CONFIDENTIAL, {})
        assert complaint.by.zh == "粤筑智联（演示）科技有限公司"
        with case.runtime.database.read() as session:
            file = case_file(session, case.runtime.definitions, case.id, cast.province, case.now)
        assert any("我的投诉" in entry.sentence.zh for entry in file.timeline)
        assert [step.name.zh for step in file.line.waiting] == ["核实情况"]

    def test_never_reaches_the_support_unit(self, case: Case, cast: Cast) -> None:
        case.step(by="主管部门", does="核实情况", fills={"verification": "founded"})
        case.step(by="主管部门", does="组织技术支持单位限期整改", fills={"rectification": "two_days"})
        assert {"basic", "rectification"} <= set(on_task(case, "Provide_Remedy", cast.guangzhou_support))
        assert "complaint" not in on_task(case, "Provide_Remedy", cast.guangzhou_support)

    def test_is_not_read_by_another_citys_authority_that_comes_to_take_part(self, case: Case, cast: Cast) -> None:
        """Being a party is not enough: only the lane it is confided to."""
        with case.runtime.database.write() as session:
            session.add(
                Party(instance_id=case.id, role=cast.shenzhen.role, organisation_id=cast.shenzhen.organisation_id)
            )
        assert read(case, cast.shenzhen)["complaint"].hidden == CONFIDENTIAL
        assert read(case, cast.shenzhen)["basic"].hidden is None


def test_files_of_a_complaint_are_kept_with_it(case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")
    answers = case.answers(complaint="barrier")
    assert answers["complaint"]["evidence"], "the sample attaches a file"
    instances.send_message(case.runtime, case.id, "complaint", answers, cast.enterprise, case.now)
    file_id = answers["complaint"]["evidence"][0]["file_id"]
    licence = read(case, cast.province)["materials"].data["licence"]["file_id"]

    def opens(reader: Actor, file: str) -> bool:
        with case.runtime.database.read() as session:
            try:
                return bool(readable_file(session, case.runtime.definitions, file, reader, case.now))
            except NotFound:
                return False

    assert opens(cast.enterprise, file_id)
    assert opens(cast.guangzhou, file_id)
    assert not opens(cast.province, file_id)
    assert not opens(cast.guangzhou_support, file_id)
    assert opens(cast.province, licence)
