"""A form that is handed in twice does its thing once, and both times leads to the same page."""

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from engine import clock
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event, EventKind, Instance
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.web.conftest import logged_in
from web.assembly import create_app

ClientOf = Callable[[Actor], FlaskClient]
NEW = "/applications/new/onboarding"
PDF = b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_onboarding(runtime)
    return Case(runtime, begins=clock.now())


def key_in(page: TestResponse) -> str:
    found = re.search(r'name="_once" value="([^"]+)"', page.text)
    assert found, "the form carries no key"
    return found[1]


def _at_once(browsers: list[FlaskClient], address: str, data: dict[str, str]) -> list[TestResponse]:
    together = Barrier(len(browsers))

    def submit(browser: FlaskClient) -> TestResponse:
        together.wait(20)
        return browser.post(address, data=data)

    with ThreadPoolExecutor(len(browsers)) as pool:
        return list(pool.map(submit, browsers))


def _instances(runtime: Runtime) -> int:
    with runtime.database.read() as session:
        return session.scalar(select(func.count()).select_from(Instance)) or 0


def test_a_double_click_on_start_starts_one_application(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browsers = [client_of(cast.enterprise) for _ in range(3)]
    data = {"application.scenario": "first", "_once": key_in(browsers[0].get(NEW))}

    answers = _at_once(browsers, NEW, data)

    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert len({answer.location for answer in answers}) == 1
    assert _instances(case.runtime) == 1


def test_each_page_opened_has_a_key_of_its_own(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.enterprise)
    for _ in range(2):
        browser.post(NEW, data={"application.scenario": "first", "_once": key_in(browser.get(NEW))})
    assert _instances(case.runtime) == 2


def test_a_double_click_on_a_task_completes_it_and_nobody_hears_that_it_is_too_late(
    case: Case, cast: Cast, client_of: ClientOf
) -> None:
    case.goes("递交申请材料")
    address = f"/tasks/{case.task('审核材料').id}"
    browsers = [client_of(cast.guangzhou) for _ in range(3)]
    data = {"review.result": "pass", "_once": key_in(browsers[0].get(address))}

    answers = _at_once(browsers, address, data)

    assert [answer.status_code for answer in answers] == [302, 302, 302]
    assert len({answer.location for answer in answers}) == 1
    assert [task.name for task in case.tasks()] == ["下发测试密钥"]


def test_going_back_and_sending_again_leads_to_the_same_page(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.goes("递交申请材料")
    browser, address = client_of(cast.guangzhou), f"/tasks/{case.task('审核材料').id}"
    data = {"review.result": "pass", "_once": key_in(browser.get(address))}

    first = browser.post(address, data=data)
    again = browser.post(address, data=data)

    assert (first.status_code, first.location) == (again.status_code, again.location)
    assert "已提交：审核材料" in browser.get(again.location).text


def test_going_back_and_sending_something_else_is_refused_with_a_sentence(
    case: Case, cast: Cast, client_of: ClientOf
) -> None:
    browser = client_of(cast.enterprise)
    key = key_in(browser.get(NEW))
    browser.post(NEW, data={"application.scenario": "first", "_once": key})

    again = browser.post(NEW, data={"application.scenario": "connected", "_once": key})

    assert again.status_code == 409
    assert "这个页面已经提交过" in again.text
    assert _instances(case.runtime) == 1


def test_a_refused_page_keeps_its_key_and_can_be_corrected(case: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.enterprise)
    key = key_in(browser.get(NEW))

    refused = browser.post(NEW, data={"_once": key})

    assert refused.status_code == 422
    assert key_in(refused) == key
    assert browser.post(NEW, data={"application.scenario": "first", "_once": key}).status_code == 302


def test_files_sent_again_are_the_same_files(case: Case, cast: Cast, client_of: ClientOf) -> None:
    case.step(by="企业", starts="onboarding", fills={"application": "first"})
    case.step(by="企业", does="登录平台填写基本信息", fills={"basic": "first"})
    browser, address = client_of(cast.enterprise), f"/tasks/{case.task('递交材料').id}"
    key = key_in(browser.get(address))
    names = case.answers(materials="complete")["materials"]

    def hand_in() -> TestResponse:
        files = {f"materials.{name}": (io.BytesIO(PDF), f"{name}.pdf") for name in names}
        return browser.post(address, data={"_once": key, **files})

    first, again = hand_in(), hand_in()

    assert first.status_code == again.status_code == 302
    assert first.location == again.location


def test_a_complaint_sent_again_leads_to_the_same_page_though_none_is_awaited_any_more(
    case: Case, cast: Cast, client_of: ClientOf
) -> None:
    case.goes("收到测试密钥")
    browser, address = client_of(cast.enterprise), f"/instances/{case.id}/messages/complaint"
    data = {"_once": key_in(browser.get(address))}
    data |= {f"complaint.{key}": value for key, value in case.answers(complaint="key_unusable")["complaint"].items()}

    first, again = browser.post(address, data=data), browser.post(address, data=data)

    assert first.status_code == again.status_code == 302
    assert first.location == again.location
    assert browser.get(address).status_code == 409
    with case.runtime.database.read() as session:
        received = select(Event.sequence).where(Event.kind == EventKind.MESSAGE_RECEIVED)
        assert len(session.scalars(received).all()) == 1


def test_an_answer_lost_on_its_way_is_given_again_by_the_server_that_came_back(
    case: Case, cast: Cast, client_of: ClientOf, app: Flask
) -> None:
    """It died between commit and answer; the browser asks whether to send again, and is told that it is done."""
    case.goes("递交申请材料")
    browser, address = client_of(cast.guangzhou), f"/tasks/{case.task('审核材料').id}"
    data = {"review.result": "pass", "_once": key_in(browser.get(address))}
    lost = browser.post(address, data=data)

    came_back = create_app(app.extensions["settings"])
    came_back.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    answer = logged_in(came_back, cast.guangzhou).post(address, data=data)
    came_back.extensions["runtime"].database.close()

    assert (answer.status_code, answer.location) == (302, lost.location)


@pytest.mark.parametrize("key", ["", "x" * 65, "键", "a b"])
def test_a_form_without_a_usable_key_is_taken_as_it_is(case: Case, cast: Cast, client_of: ClientOf, key: str) -> None:
    browser = client_of(cast.enterprise)
    assert browser.post(NEW, data={"application.scenario": "first", "_once": key}).status_code == 302
