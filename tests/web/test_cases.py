"""案件处置: an operator finds a case, sees where it stands, and pulls a lever; an applicant withdraws."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from lxml import html

from engine import clock
from engine.clock import SHANGHAI
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EndedEarly
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_onboarding(runtime)
    return Case(runtime, begins=clock.now()).goes("收到测试密钥")


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


def address(case: Case, lever: str = "") -> str:
    return f"/admin/cases/{case.id}" + (f"/{lever}" if lever else "")


def error_at(page: str) -> str:
    """The field an error stands beside; the summary links to it."""
    tree = html.fromstring(page)
    (link,) = (a.get("href", "") for a in tree.iterfind(".//ul[@class='govuk-list govuk-error-summary__list']//a"))
    (message,) = (p.get("id", "") for p in tree.iterfind(".//p[@class='govuk-error-message']"))
    assert message == f"{link[1:]}-error"
    return link[1:]


def test_cases_are_found_by_number_with_their_city_and_standing(admin: FlaskClient, case: Case) -> None:
    number = str(case.instance().number)
    page = admin.get("/admin/cases", query_string={"search": number}).text
    assert number in page
    assert "广州市住房和城乡建设局" in page
    assert "办理中" in page
    assert "没有符合条件的申请" in admin.get("/admin/cases?search=nothing").text


def test_a_case_shows_its_steps_and_limits_but_no_answers(admin: FlaskClient, case: Case) -> None:
    page = admin.get(address(case)).text
    assert 'data-active="Test_Connection"' in page
    assert "使用测试密钥进行测试联调" in page
    assert "超过5个工作日" in page
    assert "91440101" not in page, "the credit code is an answer"


@pytest.mark.parametrize("part", ["enterprise", "guangzhou", "guangzhou_support", "province", "analyst"])
def test_nobody_else_sees_or_pulls_anything(client_of: ClientOf, cast: Cast, case: Case, part: str) -> None:
    client = client_of(getattr(cast, part))
    for answer in (client.get("/admin/cases"), client.get(address(case))):
        assert answer.status_code == 403
    for lever in ("suspend", "resume", "move", "deadline", "correct"):
        given = {"reason": "理由", "to": "x y", "ends": "2099-01-01", "variable": "basic.city", "value": "x"}
        assert client.post(address(case, lever), data=given).status_code == 403
    for given in ({"reason": "理由"}, {"reason": "理由", "confirmed": "yes"}):
        assert client.post(address(case, "cancel"), data=given).status_code == 403
    assert case.instance().suspended_at is None
    assert case.instance().closed_at is None


def test_suspending_and_resuming(admin: FlaskClient, client_of: ClientOf, cast: Cast, case: Case) -> None:
    page = admin.post(address(case, "suspend"), data={"reason": "企业被立案调查"}, follow_redirects=True).text
    assert "已暂停办理" in page
    enterprise = client_of(cast.enterprise)
    told = enterprise.get(f"/instances/{case.id}").text
    assert "起暂停办理，期限停止计算。理由：企业被立案调查" in told
    assert "撤回申请" not in told
    answer = enterprise.post(f"/tasks/{case.task('Test_Connection').id}", data={"test_report.result": "done"})
    assert answer.status_code in (409, 422)
    page = admin.post(address(case, "resume"), data={"reason": "调查结束"}, follow_redirects=True).text
    assert "已恢复办理" in page
    assert case.instance().suspended_at is None


def test_a_lever_sent_twice_acts_once(admin: FlaskClient, case: Case) -> None:
    given = {"reason": "核查", "_once": "the-same-key"}
    for _ in range(2):
        assert admin.post(address(case, "suspend"), data=given).status_code == 302


def test_moving_offers_the_steps_one_can_go_to(admin: FlaskClient, case: Case) -> None:
    tree = html.fromstring(admin.get(address(case)).text)
    offered = {option.text: option.get("value", "") for option in tree.iterfind(".//select[@name='to']//option")}
    to = offered["确认是否完成测试联调（Confirm_Test）"]
    assert admin.post(address(case, "move"), data={"to": to, "reason": "线下已测"}).status_code == 302
    assert [t.element_id for t in case.tasks()] == ["Confirm_Test"]
    late = admin.post(address(case, "move"), data={"to": to, "reason": "又一次"})
    assert late.status_code == 409


def test_a_deadline_is_changed_and_shown(admin: FlaskClient, case: Case) -> None:
    choice = html.fromstring(admin.get(address(case)).text).find(".//select[@name='timer']/option")
    assert choice is not None
    timer = choice.get("value")
    given = {"timer": timer, "ends": "2099-12-31", "reason": "台风", "basis": "粤建1号"}
    page = admin.post(address(case, "deadline"), data=given, follow_redirects=True).text
    assert "期限已更改" in page
    assert case.task("Test_Connection").due_at == datetime(2100, 1, 1, tzinfo=SHANGHAI)


def test_a_variable_is_corrected(admin: FlaskClient, case: Case) -> None:
    given = {"variable": "basic.product", "value": "工地宝 2 代", "reason": "笔误"}
    page = admin.post(address(case, "correct"), data=given, follow_redirects=True).text
    assert "办理数据已更正" in page


@pytest.mark.parametrize(
    ("lever", "given", "field"),
    [
        ("suspend", {}, "suspend-reason"),
        ("cancel", {}, "cancel-reason"),
        ("cancel", {"confirmed": "yes"}, "cancel-reason"),
        ("move", {"reason": "理由"}, "move-to"),
        ("deadline", {"ends": "明天", "reason": "理由"}, "deadline-ends"),
        ("correct", {"variable": "basic.nothing", "value": "x", "reason": "理由"}, "correct-variable"),
        ("correct", {"variable": "key.issued_at", "value": "x", "reason": ""}, "correct-reason"),
    ],
    ids=lambda given: "-".join(given) if isinstance(given, dict) else str(given),
)
def test_what_is_wrong_is_said_beside_its_field(
    admin: FlaskClient, case: Case, lever: str, given: dict[str, str], field: str
) -> None:
    answer = admin.post(address(case, lever), data=given)
    assert answer.status_code == 422
    assert error_at(answer.text) == field
    if given.get("reason"):
        assert given["reason"] in answer.text, "what was written is kept"


def test_cancelling_asks_once_more(admin: FlaskClient, client_of: ClientOf, cast: Cast, case: Case) -> None:
    asked = admin.post(address(case, "cancel"), data={"reason": "重复申请"})
    assert asked.status_code == 200
    assert "终止后不能恢复" in asked.text
    assert "重复申请" in asked.text
    assert case.instance().closed_at is None
    page = admin.post(
        address(case, "cancel"), data={"reason": "重复申请", "confirmed": "yes"}, follow_redirects=True
    ).text
    assert "已终止" in page
    assert case.instance().ended_early == EndedEarly.CANCELLED
    told = client_of(cast.guangzhou).get(f"/instances/{case.id}").text
    assert "终止。理由：重复申请" in told
    assert "已终止" in client_of(cast.guangzhou).get("/applications").text


def test_the_applicant_withdraws_with_a_reason(client_of: ClientOf, cast: Cast, case: Case) -> None:
    enterprise, page = client_of(cast.enterprise), f"/instances/{case.id}/withdrawal"
    assert page in enterprise.get(f"/instances/{case.id}").text
    assert "不能恢复" in enterprise.get(page).text
    wrong = enterprise.post(page, data={"reason": " "})
    assert wrong.status_code == 422
    assert error_at(wrong.text) == "withdraw-reason"
    told = enterprise.post(page, data={"reason": "产品停产"}, follow_redirects=True).text
    assert "撤回。理由：产品停产" in told
    assert case.instance().ended_early == EndedEarly.WITHDRAWN
    assert "已撤回" in enterprise.get("/applications").text
    assert enterprise.get(page).status_code == 404


def test_nobody_else_withdraws(client_of: ClientOf, cast: Cast, case: Case) -> None:
    page = f"/instances/{case.id}/withdrawal"
    for actor, status in ((cast.guangzhou, 403), (cast.other_enterprise, 404), (cast.admin, 403)):
        client = client_of(actor)
        assert client.get(page).status_code == 404
        assert client.post(page, data={"reason": "不办了"}).status_code == status
    assert case.instance().closed_at is None


def test_an_address_that_is_no_lever_or_no_case_is_not_found(admin: FlaskClient, case: Case) -> None:
    assert admin.post(address(case, "explode"), data={"reason": "理由"}).status_code == 404
    assert admin.get("/admin/cases/" + "0" * 32).status_code == 404
