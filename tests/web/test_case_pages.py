"""One application, its test key, complaints, notices and warnings, in a browser."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from engine import clock
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import IssuedKey
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def case(runtime: Runtime) -> Case:
    """Begun now: the pages tell the time from the clock."""
    deploy_onboarding(runtime)
    return Case(runtime, begins=clock.now())


def test_the_page_says_where_it_stands_and_lights_the_step(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("递交申请材料")
    for reader in (cast.enterprise, cast.guangzhou, cast.province):
        browser = client_of(reader)
        page = browser.get(f"/instances/{case.id}").text
        assert "等待广州市住房和城乡建设局：审核材料" in page
        assert 'data-active="Review_Materials"' in page
        assert "第 1 版" in page
        diagram = browser.get(f"/instances/{case.id}/diagram.bpmn")
        assert (diagram.status_code, diagram.mimetype) == (200, "application/xml")
        assert b"Review_Materials" in diagram.data


def test_strangers_find_neither_the_page_nor_what_hangs_on_it(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("收到测试密钥")
    key = issued_key(case)
    for stranger in (cast.other_enterprise, cast.shenzhen, cast.guangzhou_support, cast.analyst, cast.admin):
        browser = client_of(stranger)
        for address in ("", "/diagram.bpmn", f"/keys/{key}", "/messages/complaint"):
            assert browser.get(f"/instances/{case.id}{address}").status_code == 404
        assert browser.post(f"/instances/{case.id}/keys/{key}").status_code == 404
        assert browser.post(f"/instances/{case.id}/messages/complaint").status_code == 404


def test_a_support_unit_has_no_list_of_applications(cast: Cast, client_of: ClientOf) -> None:
    assert client_of(cast.guangzhou_support).get("/applications").status_code == 403
    assert client_of(cast.guangzhou).get("/applications/new").status_code == 403


def test_an_application_can_be_found_in_the_list(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.enterprise)
    assert "还没有申请" in browser.get("/applications").text
    case.goes("递交申请材料")
    assert f"/instances/{case.id}" in browser.get("/applications?view=open&search=考勤一体机").text
    assert f"/instances/{case.id}" not in browser.get("/applications?view=closed").text
    assert f"/instances/{case.id}" not in client_of(cast.other_enterprise).get("/applications").text


def issued_key(case: Case) -> str:
    with case.runtime.database.read() as session:
        return session.query(IssuedKey).filter_by(instance_id=case.id).one().id


def test_the_key_is_shown_once_after_a_confirmation(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("收到测试密钥")
    browser, address = client_of(cast.enterprise), f"/instances/{case.id}/keys/{issued_key(case)}"
    assert "rntest_" not in browser.get(f"/instances/{case.id}").text
    assert "密钥只显示这一次" in browser.get(address).text

    shown = browser.post(address)
    assert "rntest_" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"

    assert browser.post(address).status_code == 409
    assert "rntest_" not in browser.get(address).text
    assert "不能再次显示" in browser.get(f"/instances/{case.id}").text


def test_the_authority_sees_that_a_key_was_issued_but_not_the_key(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("收到测试密钥")
    browser = client_of(cast.guangzhou)
    assert "尚未查看" in browser.get(f"/instances/{case.id}").text
    assert browser.post(f"/instances/{case.id}/keys/{issued_key(case)}").status_code == 404


def test_a_complaint_can_be_filed_while_a_test_is_under_way(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.enterprise)
    assert "目前没有可以提交的申请" in browser.get("/mine/complaint").text
    case.goes("收到测试密钥")
    address = f"/instances/{case.id}/messages/complaint"
    assert address in browser.get("/mine/complaint").text
    assert address in browser.get(f"/instances/{case.id}").text

    refused = browser.post(address, data={"complaint.facts": "密钥无效"})
    assert refused.status_code == 422
    assert "密钥无效" in refused.text

    answers = case.answers(complaint="key_unusable")["complaint"]
    filed = browser.post(address, data={f"complaint.{key}": value for key, value in answers.items()})
    assert filed.location == f"/instances/{case.id}"
    assert cast.enterprise.name in browser.get("/mine/complaint").text
    assert address not in browser.get(f"/instances/{case.id}").text


def test_a_complaint_nobody_waits_for_says_so(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("递交申请材料")
    browser, address = client_of(cast.enterprise), f"/instances/{case.id}/messages/complaint"
    for answer in (browser.get(address), browser.post(address, data={"complaint.facts": "密钥无效"})):
        assert answer.status_code == 409
        assert "目前不接收“我的投诉”" in answer.text
        assert f"/instances/{case.id}" in answer.text
    assert client_of(cast.guangzhou).get("/mine/complaint").status_code == 404
    assert browser.get("/mine/unheard-of").status_code == 404


def test_a_confidential_complaint_is_shown_as_such_to_the_province(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    written = case.answers(complaint="key_unusable")["complaint"]["facts"]
    province = client_of(cast.province).get(f"/instances/{case.id}").text
    assert "保密：只有提交单位和负责核实的单位可以查看内容。" in province
    assert "广东省实名制管理数据对接违法违规行为举报表" in province
    assert written not in province
    assert "13800138000" not in province
    assert "138****8000" in province
    official = client_of(cast.guangzhou).get(f"/instances/{case.id}").text
    assert written in official
    assert "保密：" not in official


def test_a_warning_reaches_the_city_and_the_province(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    province = client_of(cast.province)
    assert province.get("/warnings").text.count("app-notice__text") == 1
    assert "目前没有预警" in province.get(f"/warnings?authority={cast.shenzhen.organisation_id}").text
    assert "目前没有预警" in client_of(cast.shenzhen).get("/warnings").text
    assert "预警" in client_of(cast.guangzhou).get("/notices").text


def test_notices_can_be_marked_as_read(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("收到测试密钥").step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    browser = client_of(cast.guangzhou)
    unread = browser.get("/notices?view=unread").text
    mark = "/notices/" + unread.split('action="/notices/')[2].split('"')[0]  # the first marks all of them
    assert client_of(cast.shenzhen).post(mark).status_code == 404
    assert browser.post(mark).status_code == 302
    assert mark not in browser.get("/notices").text
    browser.post("/notices/read")
    assert "没有未读的通知" in browser.get("/notices?view=unread").text
