"""The forms of the onboarding process: what each box of the flowchart asks for, and what it lets pass."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.definitions.forms import Field, Form, parse_forms
from engine.definitions.validation import validate
from engine.errors import FormRefused

FOLDER = Path(__file__).resolve().parents[2] / "bpmn" / "onboarding" / "forms"
SCHEMAS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}
FORMS = parse_forms(SCHEMAS)

FIRST = {"application": {"scenario": "first"}}
CONNECTED = {"application": {"scenario": "connected"}}
FILE = {"file_id": "f1", "name": "材料.pdf", "size": 2048, "sha256": "0f" * 32}
BASIC = {
    "company": "广州甲科技有限公司",
    "uscc": "91440300708461136T",
    "legal_representative": "王一",
    "contact": "李二",
    "mobile": "13800138000",
    "email": "li@example.com",
    "product": "人脸考勤终端",
    "product_type": "both",
    "model": "K-1",
    "version": "2.0",
    "city": "440100",
}
SECOND_CITY = {"connected_city": "440300", "connected_on": "2026-05-06", "connected_proof": FILE}
FUNCTIONS = {"today": lambda: "2026-09-18"}


def accepted(name: str, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return validate([FORMS[name]], {name: answers}, data or {}, functions=FUNCTIONS)[name]


def refused(name: str, answers: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> dict[str, str]:
    """The Chinese sentences by field."""
    with pytest.raises(FormRefused) as wrong:
        accepted(name, answers, data)
    return {path.removeprefix(f"{name}."): text.zh for path, text in wrong.value.errors.items()}


def all_fields(form: Form) -> Iterator[Field]:
    for field in form.fields:
        yield field
        yield from field.fields


def without(answers: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in answers.items() if key not in keys}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_word_of_a_form_is_there_in_english(name: str) -> None:
    form = FORMS[name]
    texts = [form.title, *(rule.message for rule in form.rules)]
    for field in all_fields(form):
        texts += [field.label, *(option.label for option in field.options)]
        texts += [field.description] if field.description.zh else []
    assert [text.zh for text in texts if not text.en or text.en == text.zh] == []


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_rule_speaks_to_a_field(name: str) -> None:
    assert all(rule.field for rule in FORMS[name].rules)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_file_is_written_as_the_form_js_editor_writes_it(name: str) -> None:
    assert SCHEMAS[name]["schemaVersion"] == 19
    ids = [one["id"] for top in SCHEMAS[name]["components"] for one in (top, *top.get("components", []))]
    assert len(set(ids)) == len(ids)


FLOWCHART = {
    "application": ["计划在A市开展业务并对接市级实名制系统", "实名制软硬件已在B市实现数据对接"],
    "basic": ["填写基本信息", "http://ygcxjg.zfcxjst.gd.gov.cn"],
    "materials": ["根据系统提示向A市住房城乡建设领域主管部门递交材料", "办理时间不超过3个工作日"],
    "review": ["注明实名制软硬件企业存在的具体问题", "一次性告知"],
    "issue": ["A市住房城乡建设领域主管部门需在系统内下发测试密钥"],
    "explanation": ["办理时间超过规定时限仍未审核回复的", "由A市住房城乡建设领域主管部门核实并反馈情况"],
    "test_report": ["使用测试密钥与A市实名制管理系统进行测试联调", "软件接口测试联调时间不超过5个工作日"],
    "confirmation": ["选择“联调成功”"],
    "extension": ["选择“联调延期”", "《广东省建筑工人管理服务信息平台数据接口标准》（V1.3版）"],
    "complaint": ["因测试密钥不可用，或存在技术壁垒等原因无法接入A市实名制管理系统"],
    "verification": ["自动进行预警，由A市住房城乡建设领域主管部门核实情况"],
    "findings": ["投诉情况不属实，A市住房城乡建设领域主管部门在“广东省建筑工人管理服务信息平台”填写核实情况"],
    "rectification": ["组织技术支持单位限期整改，重新提供测试密钥或接口，在5个工作日内完成测试联调"],
}


@pytest.mark.parametrize("name", sorted(FLOWCHART))
def test_the_flowcharts_words_stand_on_the_page_that_carries_them_out(name: str) -> None:
    words = "\n".join(
        text.zh
        for field in FORMS[name].fields
        for text in (field.label, field.description, *(option.label for option in field.options))
    )
    assert [phrase for phrase in FLOWCHART[name] if phrase not in words] == []


def test_the_complaint_bears_the_title_of_the_provinces_model() -> None:
    assert FORMS["complaint"].title.zh == "广东省实名制管理数据对接违法违规行为举报表"


def test_an_application_is_one_of_two_cases() -> None:
    assert accepted("application", {"scenario": "connected"}) == {"scenario": "connected"}
    assert refused("application", {}) == {"scenario": "请选择“申请情形”。"}


def test_there_are_guangdongs_21_cities_to_choose_from() -> None:
    city = FORMS["basic"].field("city")
    assert city is not None
    assert len({option.value for option in city.options}) == 21
    assert all(option.value.startswith("44") and option.value.endswith("00") for option in city.options)
    assert city.option("440100").zh == "广州市"
    assert city.option("445300").zh == "云浮市"


def test_a_first_application_is_not_asked_for_a_second_city() -> None:
    assert accepted("basic", {**BASIC, **SECOND_CITY}, FIRST) == BASIC


def test_an_enterprise_connected_elsewhere_says_where_when_and_how() -> None:
    assert list(refused("basic", BASIC, CONNECTED)) == ["connected_city", "connected_on", "connected_proof"]
    assert accepted("basic", {**BASIC, **SECOND_CITY}, CONNECTED) == {**BASIC, **SECOND_CITY}


def test_the_two_cities_differ() -> None:
    same = {**BASIC, **SECOND_CITY, "connected_city": "440100"}
    assert refused("basic", same, CONNECTED) == {"connected_city": "已对接城市（B市）不能与拟对接城市（A市）相同。"}


def test_a_connection_is_not_completed_in_the_future() -> None:
    later = {**BASIC, **SECOND_CITY, "connected_on": "2026-09-19"}
    assert refused("basic", later, CONNECTED) == {"connected_on": "对接完成日期不能晚于今天。"}


def test_codes_and_numbers_of_the_enterprise_are_checked() -> None:
    wrong = {**BASIC, "uscc": "91440300708461136X", "mobile": "12345", "email": "li"}
    assert list(refused("basic", wrong, FIRST)) == ["uscc", "mobile", "email"]


def test_the_city_is_fixed_once_the_review_has_begun() -> None:
    data = {**FIRST, "basic": BASIC, "review": {"result": "fail"}}
    assert accepted("basic", {**BASIC, "city": "440300", "model": "K-2"}, data) == {**BASIC, "model": "K-2"}


def test_all_five_materials_are_due_and_must_be_documents() -> None:
    five = dict.fromkeys(["licence", "manual", "test_report", "self_test", "commitment"], FILE)
    assert accepted("materials", five) == five
    assert list(refused("materials", {})) == list(five)
    program = {**FILE, "name": "setup.exe"}
    assert refused("materials", {**five, "licence": program}) == {
        "licence": "“营业执照”只接受 .pdf、.jpg、.jpeg、.png 文件。"
    }
    assert refused("materials", {**five, "licence": {**FILE, "size": 20 * 1024 * 1024 + 1}}) == {
        "licence": "“营业执照”的文件不能超过 20 MB。"
    }


def test_a_review_that_passes_names_no_problems() -> None:
    assert accepted("review", {"result": "pass", "problems": [{"field": "basic.model"}]}) == {"result": "pass"}


def test_a_review_that_fails_names_at_least_one_problem() -> None:
    assert refused("review", {"result": "fail"}) == {"problems": "请至少填写一项“存在的具体问题”。"}


def test_each_problem_is_tied_to_a_piece_of_information_or_a_material() -> None:
    problem = {"field": "materials.licence", "problem": "执照已过期"}
    assert accepted("review", {"result": "fail", "problems": [problem]})["problems"] == [problem]
    assert list(refused("review", {"result": "fail", "problems": [{"problem": "不清楚"}]})) == ["problems.0.field"]
    assert list(refused("review", {"result": "fail", "problems": [{**problem, "field": "issue.endpoint"}]})) == [
        "problems.0.field"
    ]


def test_a_key_is_valid_for_a_number_of_days_and_is_never_typed() -> None:
    days = FORMS["issue"].field("valid_days")
    assert days is not None
    assert days.default == 30
    answers = {"endpoint": "https://a.example.cn/api", "valid_days": "365"}
    assert accepted("issue", {**answers, "key": "secret"}) == {**answers, "valid_days": 365}
    assert list(refused("issue", {"endpoint": "a.example.cn", "valid_days": 366})) == ["endpoint", "valid_days"]


@pytest.mark.parametrize("name", ["test_report", "retest_report"])
def test_a_test_is_reported_once_it_is_done(name: str) -> None:
    report = {"result": "全部通过", "tested_on": "2026-09-18", "report": FILE}
    assert accepted(name, report) == report
    assert refused(name, {**report, "tested_on": "2026-09-19"}) == {"tested_on": "联调完成日期不能晚于今天。"}


@pytest.mark.parametrize("name", ["confirmation", "retest_confirmation"])
def test_who_does_not_confirm_says_what_is_missing(name: str) -> None:
    assert accepted(name, {"result": "success"}) == {"result": "success"}
    assert list(refused(name, {"result": "missing"})) == ["missing"]
    missing = {"result": "missing", "missing": [{"what": "考勤接口日志"}]}
    assert accepted(name, missing) == missing


def test_a_postponement_names_what_does_not_conform() -> None:
    assert accepted("extension", {"result": "success"}) == {"result": "success"}
    assert list(refused("extension", {"result": "extended", "problems": [{"problem": "缺字段"}]})) == [
        "problems.0.interface"
    ]


def test_an_explanation_promises_a_day_that_is_still_to_come() -> None:
    words = {"reason": "人员出差", "measures": "已另行安排"}
    assert accepted("explanation", {**words, "expected_on": "2026-09-18"})
    assert list(refused("explanation", {**words, "expected_on": "2026-09-17"})) == ["expected_on"]


def test_a_complaint_may_come_without_evidence_but_not_without_facts() -> None:
    report = {
        "reporter": "广州甲科技有限公司",
        "contact": "李二",
        "phone": "020-12345678",
        "reported": "某技术支持单位",
        "category": "key_unusable",
        "facts": "密钥无法通过验证",
        "request": "重新提供密钥",
    }
    assert accepted("complaint", report) == report
    assert accepted("complaint", {**report, "evidence": [FILE]})["evidence"] == [FILE]
    assert list(refused("complaint", without(report, "facts"))) == ["facts"]


def test_a_founded_complaint_needs_its_grounds() -> None:
    assert accepted("verification", {"result": "unfounded"}) == {"result": "unfounded"}
    assert list(refused("verification", {"result": "founded"})) == ["findings"]
    assert list(refused("findings", {})) == ["statement"]


def test_a_rectification_takes_from_1_to_60_working_days() -> None:
    assert accepted("rectification", {"requirement": "修复接口", "days": "60"})["days"] == 60
    for days in ("0", "61", "2.5"):
        assert list(refused("rectification", {"requirement": "修复接口", "days": days})) == ["days"]


def test_a_remedy_is_a_new_key_a_new_interface_or_both() -> None:
    done = {"explanation": "已更换"}
    key = {**done, "kind": "key", "valid_days": 30}
    interface = {**done, "kind": "interface", "endpoint": "http://10.1.2.3/api"}
    assert accepted("remedy", key) == key
    assert accepted("remedy", {**interface, "valid_days": 30}) == interface
    assert accepted("remedy", {**key, **interface, "kind": "both"})["valid_days"] == 30
    assert list(refused("remedy", {**done, "kind": "key"})) == ["valid_days"]
    assert list(refused("remedy", {**done, "kind": "interface"})) == ["endpoint"]
    assert list(refused("remedy", {**done, "kind": "both"})) == ["endpoint", "valid_days"]


def test_a_case_that_stays_open_after_rectification_ends_with_reasons() -> None:
    assert accepted("conclusion", {"result": "success", "reasons": "x"}) == {"result": "success"}
    assert list(refused("conclusion", {"result": "failed"})) == ["reasons"]


def test_what_is_said_of_people_is_marked_as_personal() -> None:
    personal = {
        f"{form.name}.{field.key}": field.personal for form in FORMS.values() for field in form.fields if field.personal
    }
    assert personal == {
        "basic.legal_representative": "name",
        "basic.contact": "name",
        "basic.mobile": "phone",
        "basic.email": "email",
        "complaint.contact": "name",
        "complaint.phone": "phone",
    }
