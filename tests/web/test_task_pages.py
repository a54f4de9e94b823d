"""Working on tasks in a browser: what is refused comes back as it was typed, what is too late is said, what is
another's is not found."""

import io
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine import clock
from engine.people.accounts import Actor
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]
PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def case(runtime: Runtime) -> Case:
    """Begun now: the pages tell the time from the clock."""
    deploy_onboarding(runtime)
    return Case(runtime, begins=clock.now())


def upload(name: str) -> tuple[io.BytesIO, str]:
    return io.BytesIO(PDF), name


def where(response: TestResponse) -> str:
    return urlsplit(response.location).path


def test_an_enterprise_applies_step_by_step(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.enterprise)
    assert where(browser.get("/applications/new")) == "/applications/new/onboarding"

    started = browser.post("/applications/new/onboarding", data={"application.scenario": "first"})
    assert started.status_code == 302
    first = where(started)
    assert "登录平台填写基本信息" in browser.get(first).text

    basic = {f"basic.{key}": value for key, value in case.answers(basic="first")["basic"].items()}
    second = where(browser.post(first, data=basic))
    files = {f"materials.{key}": upload(f"{key}.pdf") for key in case.answers(materials="complete")["materials"]}
    handed_in = browser.post(second, data=files)
    assert where(handed_in).startswith("/instances/")
    page = browser.get(where(handed_in)).text
    assert "已提交：递交材料" in page
    assert "等待广州市住房和城乡建设局：审核材料" in page


def test_a_refused_page_keeps_what_was_typed(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    address = f"/tasks/{case.task('登录平台填写基本信息').id}"

    refused = client_of(cast.enterprise).post(address, data={"basic.company": "某某公司", "basic.mobile": "12"})

    assert refused.status_code == 422
    assert "请修改以下内容后再提交" in refused.text
    assert 'value="某某公司"' in refused.text
    assert 'value="12"' in refused.text
    assert case.task("登录平台填写基本信息").state == "open"


def test_a_refused_page_keeps_its_uploads(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    browser, address = client_of(cast.enterprise), f"/tasks/{case.task('递交材料').id}"

    refused = browser.post(address, data={"materials.licence": upload("执照.pdf")})
    assert refused.status_code == 422
    assert "执照.pdf" in refused.text
    kept = refused.text.split('name="materials.licence.file_id" value="')[1].split('"')[0]

    rest = {f"materials.{key}": upload(f"{key}.pdf") for key in ("manual", "test_report", "self_test", "commitment")}
    accepted = browser.post(address, data={"materials.licence.file_id": kept, **rest})
    assert accepted.status_code == 302
    assert "执照.pdf" in browser.get(where(accepted)).text


def test_adding_an_item_shows_the_page_again(case: Case, cast: Cast, client_of: ClientOf) -> None:
    address = f"/tasks/{case.goes('递交申请材料').task('审核材料').id}"
    typed = {"review.result": "fail", "review.problems.0.problem": "缺页", "_add": "review.problems"}

    page = client_of(cast.guangzhou).post(address, data=typed)

    assert page.status_code == 200
    assert "缺页" in page.text
    assert "review.problems.1.problem" in page.text


def test_what_was_handed_in_stands_beside_the_form(case: Case, cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.guangzhou).get(f"/tasks/{case.goes('递交申请材料').task('审核材料').id}").text
    assert "营业执照.pdf" in page
    assert "粤筑智联（演示）科技有限公司" in page
    assert "办理时间不超过3个工作日" in page  # the flowchart's box, in its own words


def test_a_task_done_meanwhile_answers_who_did_it(case: Case, cast: Cast, client_of: ClientOf) -> None:
    task = case.goes("递交申请材料").task("审核材料")
    instances.complete(case.runtime, task.id, case.answers(review="pass"), cast.guangzhou_colleague, clock.now())

    browser = client_of(cast.guangzhou)
    late = browser.post(f"/tasks/{task.id}", data={"review.result": "pass"})

    assert late.status_code == 409
    assert cast.guangzhou_colleague.name in late.text
    assert f"/instances/{case.id}" in late.text
    assert browser.get(f"/tasks/{task.id}").status_code == 200


def test_a_task_interrupted_by_a_complaint_says_so(case: Case, cast: Cast, client_of: ClientOf) -> None:
    task = case.goes("收到测试密钥").task("Test_Connection")
    case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})

    browser = client_of(cast.enterprise)
    late = browser.post(f"/tasks/{task.id}", data={"test_report.result": "通过"})

    assert late.status_code == 409
    assert "我的投诉" in late.text
    read = browser.get(f"/tasks/{task.id}")
    assert read.status_code == 200
    assert "不再需要办理" in read.text


def test_a_claimed_task_names_the_claimer_to_colleagues(case: Case, cast: Cast, client_of: ClientOf) -> None:
    address = f"/tasks/{case.goes('递交申请材料').task('审核材料').id}"
    mine, colleagues = client_of(cast.guangzhou), client_of(cast.guangzhou_colleague)

    assert mine.post(f"{address}/claim").status_code == 302
    assert cast.guangzhou.name in colleagues.get("/inbox").text
    assert "退回后，其他人才能办理" in colleagues.get(address).text
    for action in (f"{address}/claim", f"{address}/release", address):
        refused = colleagues.post(action, data={"review.result": "pass"})
        assert refused.status_code == 409
        assert cast.guangzhou.name in refused.text
    assert mine.post(f"{address}/release").status_code == 302
    assert colleagues.post(address, data={"review.result": "pass"}).status_code == 302


def test_anothers_task_is_not_found(case: Case, cast: Cast, client_of: ClientOf) -> None:
    address = f"/tasks/{case.goes('递交申请材料').task('审核材料').id}"
    for stranger in (cast.shenzhen, cast.enterprise, cast.guangzhou_support, cast.province, cast.analyst):
        browser = client_of(stranger)
        assert browser.get(address).status_code == 404
        assert browser.post(address, data={"review.result": "pass"}).status_code == 404
        assert browser.post(f"{address}/claim").status_code == 404


def test_the_inbox_lists_the_task_until_it_is_done(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.guangzhou)
    assert "目前没有需要本单位办理的事项" in browser.get("/inbox").text
    task = case.goes("递交申请材料").task("审核材料")
    assert "剩余 3 个工作日" in browser.get("/inbox").text

    following = browser.post(f"/tasks/{task.id}", data={"review.result": "pass"})
    assert where(following) == f"/tasks/{case.task('下发测试密钥').id}"  # the next one of the same application
    assert task.id in browser.get("/inbox?view=done").text
    assert "没有符合" in browser.get("/inbox?search=没有的").text
