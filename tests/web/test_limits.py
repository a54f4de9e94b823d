"""时限记录 on a case's page, and an official's levers on a task's page, where the diagram offers them."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine import clock
from engine.levers import interventions
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Timer, TimerState
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.engine.levers.test_limit_levers import deploy_levers

ClientOf = Callable[[Actor], FlaskClient]
SAID = {"reason": "需现场核查设备", "basis": "《办法》第八条"}


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_levers(runtime)
    return Case(runtime, begins=clock.now()).goes("递交申请材料")


def limit(case: Case) -> Timer:
    with case.runtime.database.read() as session:
        return session.scalars(select(Timer).where(Timer.instance_id == case.id)).one()


def address(case: Case, lever: str) -> str:
    return f"/tasks/{case.task('审核材料').id}/limits/{limit(case).id}/{lever}"


def text(page: str) -> str:
    """What a page says, without its markup and spaces."""
    (main,) = html.fromstring(page).iterfind(".//main")
    return "".join("".join(map(str, main.itertext())).split())


def folded(page: str) -> bool:
    return any(True for _ in html.fromstring(page).iterfind(".//section[@aria-labelledby='limits']//details"))


def test_an_official_pauses_resumes_and_extends_and_both_sides_read_it(
    case: Case, cast: Cast, client_of: ClientOf
) -> None:
    official = client_of(cast.guangzhou)
    task = f"/tasks/{case.task('审核材料').id}"
    assert 'value="F5"' in official.get(task).text, "the diagram's ground is there to begin with"
    paused = official.post(address(case, "pause"), data=SAID, follow_redirects=True).text
    assert "期限已暂停计算" in paused
    assert "计时暂停" in paused
    assert "计时暂停" in official.get("/inbox").text
    assert "计时暂停" in client_of(cast.enterprise).get("/applications").text
    assert "期限已恢复计算" in official.post(address(case, "resume"), data=SAID, follow_redirects=True).text
    assert "期限已延长" in official.post(address(case, "extend"), data=SAID | {"days": "2"}, follow_redirects=True).text
    for reader in (cast.enterprise, cast.guangzhou, cast.province):
        for page in (f"/instances/{case.id}", f"/instances/{case.id}/limits"):
            told = text(client_of(reader).get(page).text)
            assert "时限记录" in told
            assert "延长2个工作日" in told
            assert "；理由：需现场核查设备；依据：《办法》第八条" in told
            assert "主管部门0个" in told


def test_what_was_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    case: Case, cast: Cast, client_of: ClientOf
) -> None:
    official = client_of(cast.guangzhou)
    for sent, field in (
        (SAID | {"days": "9"}, "days"),
        (SAID | {"days": "two"}, "days"),
        (SAID | {"days": "1", "reason": ""}, "reason"),
        (SAID | {"days": "1", "basis": "长" * 501}, "basis"),
    ):
        answer = official.post(address(case, "extend"), data=sent)
        assert answer.status_code == 422
        page = html.fromstring(answer.text)
        (error,) = page.iterfind(".//p[@class='govuk-error-message']")
        assert error.get("id") == f"extend-{limit(case).id}-{field}-error"
        (basis,) = page.iterfind(f".//input[@id='extend-{limit(case).id}-basis']")
        assert basis.get("value") == sent["basis"]
    assert "extended" not in limit(case).limit


def test_nobody_else_has_the_levers(case: Case, cast: Cast, client_of: ClientOf) -> None:
    for lever in ("pause", "resume", "extend"):
        assert client_of(cast.shenzhen).post(address(case, lever), data=SAID | {"days": "1"}).status_code == 404
        for stranger in (cast.enterprise, cast.province, cast.guangzhou_support, cast.admin):
            assert client_of(stranger).post(address(case, lever), data=SAID | {"days": "1"}).status_code == 403
    assert client_of(cast.guangzhou).post(address(case, "stretch"), data=SAID).status_code == 404
    assert client_of(cast.enterprise).get(f"/tasks/{case.task('审核材料').id}").status_code == 404
    assert limit(case).state == TimerState.WAITING
    for stranger in (cast.shenzhen, cast.other_enterprise, cast.guangzhou_support, cast.admin):
        assert client_of(stranger).get(f"/instances/{case.id}/limits").status_code == 404


def test_without_the_attribute_no_lever_is_shown_or_accepted(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("递交申请材料")
    official = client_of(cast.guangzhou)
    page = official.get(f"/tasks/{case.task('审核材料').id}").text
    assert "暂停计算" not in page
    assert "延长期限" not in page
    for lever in ("pause", "extend"):
        assert official.post(address(case, lever), data=SAID | {"days": "1"}).status_code == 409
    assert "时限记录" in official.get(f"/instances/{case.id}").text


def test_lists_say_that_a_case_is_suspended(case: Case, cast: Cast, client_of: ClientOf) -> None:
    interventions.suspend(case.runtime, case.id, "立案", cast.admin, clock.now())
    assert "已暂停办理" in client_of(cast.guangzhou).get("/inbox").text
    assert "已暂停办理" in client_of(cast.enterprise).get("/applications").text
    task = client_of(cast.guangzhou).get(f"/tasks/{case.task('审核材料').id}").text
    assert "暂停计算" not in task
    assert "该申请已由管理员暂停办理" in task
    assert "提交</button>" not in task


def test_a_long_record_is_folded_and_reads_in_english(case: Case, cast: Cast, client_of: ClientOf) -> None:
    page = f"/instances/{case.id}"
    browser = client_of(cast.enterprise)
    assert not folded(browser.get(page).text)
    for _ in range(3):
        case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
        case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
    assert folded(browser.get(page).text)
    assert "<details" not in browser.get(f"{page}/limits").text
    browser.set_cookie("language", "en")
    told = text(browser.get(f"{page}/limits").text)
    assert "Doneintime" in told
    assert "时限" not in told
