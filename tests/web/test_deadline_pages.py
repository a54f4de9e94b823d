"""为什么是这一天？, 期限试算, and earlier ends that an official confirms or not."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from engine import clock
from engine.calendar import versions
from engine.calendar.reading import read
from engine.clock import SHANGHAI
from engine.limits import calendars
from engine.limits.recomputing import recompute_all
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Timer
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.engine.calendar.notices import NOTICE_2027
from web.language import COOKIE

ClientOf = Callable[[Actor], FlaskClient]
EVERYBODY = ["enterprise", "guangzhou", "guangzhou_support", "province", "analyst", "admin"]


def begun(runtime: Runtime, day: str) -> Case:
    """A review that began at 10:00 that day, with 3 working days."""
    deploy_onboarding(runtime)
    return Case(runtime, begins=datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=SHANGHAI)).goes("递交申请材料")


def enter(runtime: Runtime, admin: Actor) -> None:
    with runtime.database.read() as session:
        after = versions.newest(session).version
    calendars.publish(runtime, read(NOTICE_2027), after=after, actor=admin, now=clock.now())
    recompute_all(runtime, clock.now())


def rows(page: str) -> list[list[str]]:
    """The cells of the table of days, as they are read."""
    found = html.fromstring(page).iterfind(".//tbody/tr")
    return [[" ".join(str(cell.xpath("string()")).split()) for cell in row.iterfind("td")] for row in found]


def timer(case: Case) -> Timer:
    with case.runtime.database.read() as session:
        return session.scalars(select(Timer).where(Timer.instance_id == case.id)).one()


def test_the_days_are_told_one_by_one(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    case = begun(runtime, "2026-09-18")
    page = client_of(cast.guangzhou).get(f"/tasks/{case.task('审核材料').id}/deadline").text
    assert "截止：2026年9月22日 24:00" in page
    assert "广州市，第 0 版" in page
    notice = "国务院办公厅关于2026年部分节假日安排的通知（国办发明电〔2025〕7号）"
    assert rows(page) == [
        ["2026-09-19 周六", "不计", "周末"],
        ["2026-09-20 周日", "第 1 天", f"国庆节调休上班 {notice}"],
        ["2026-09-21 周一", "第 2 天", "工作日"],
        ["2026-09-22 周二", "第 3 天", "工作日"],
    ]


def test_who_may_not_see_the_case_may_not_see_its_days(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    address = f"/tasks/{begun(runtime, '2026-09-18').task('审核材料').id}/deadline"
    for who, status in {
        "enterprise": 200,
        "guangzhou_colleague": 200,
        "province": 200,
        "other_enterprise": 404,
        "shenzhen": 404,
        "guangzhou_support": 404,
        "analyst": 404,
        "admin": 404,
    }.items():
        assert client_of(getattr(cast, who)).get(address).status_code == status, who
    assert client_of(cast.guangzhou).get("/tasks/nothing/deadline").status_code == 404


def test_a_stranger_is_sent_to_log_in(stranger: FlaskClient) -> None:
    assert stranger.get("/deadlines").status_code == 302


def test_every_limit_leads_to_its_days(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    case = begun(runtime, "2026-09-18")
    task_id = case.task("审核材料").id
    link = f'href="/tasks/{task_id}/deadline"'
    official, enterprise = client_of(cast.guangzhou), client_of(cast.enterprise)
    for page in ("/inbox", f"/tasks/{task_id}", f"/instances/{case.id}"):
        assert link in official.get(page).text, page
    for page in ("/applications", f"/instances/{case.id}"):
        assert link in enterprise.get(page).text, page


def test_a_provisional_date_says_until_when_at_the_latest(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    case = begun(runtime, "2027-02-03")
    browser, address = client_of(cast.enterprise), f"/tasks/{case.task('审核材料').id}/deadline"
    page = browser.get(address).text
    assert "截止：2027年2月10日 24:00" in page
    assert "最迟到 2027年2月16日 24:00" in page
    assert ["2027-02-05 周五", "不计", "春节（法定，暂定） 暂定 《全国年节及纪念日放假办法》"] in rows(page)

    enter(runtime, cast.admin)
    page = browser.get(address).text
    assert "截止：2027年2月13日 24:00" in page
    assert "暂定" not in page
    assert NOTICE_2027["document"] in page
    assert "广州市，第 1 版" in page


def test_a_task_without_a_limit_says_so(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime).step(by="企业", starts="onboarding", fills={"application": "first"})
    page = client_of(cast.enterprise).get(f"/tasks/{case.tasks()[0].id}/deadline")
    assert page.status_code == 200
    assert "没有期限" in page.text


@pytest.mark.parametrize("who", EVERYBODY)
def test_everybody_may_try_out_a_limit(cast: Cast, client_of: ClientOf, who: str) -> None:
    browser = client_of(getattr(cast, who))
    assert 'href="/deadlines"' in browser.get("/deadlines").text
    page = browser.get("/deadlines?start=2026-09-29&days=5&region=440100&side=").text
    assert "截止：2026年10月12日 24:00" in page
    assert ["2026-10-10 周六", "第 4 天"] in [row[:2] for row in rows(page)]


def test_a_limit_in_an_unannounced_year_is_tried_out_provisionally(cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.analyst).get("/deadlines?start=2026-12-30&days=3&region=&side=").text
    assert "截止：2027年1月5日 24:00" in page
    assert "最迟到" in page


def test_the_end_of_a_sides_day_counts(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    raw = {"side": "authority", "day_ends": "17:30", "reason": "上班时间"}
    calendars.publish(runtime, read(raw), after=0, actor=cast.admin, now=clock.now())
    browser = client_of(cast.guangzhou)
    assert "2026年9月22日 17:30" in browser.get("/deadlines?start=2026-09-18&days=3&side=authority").text
    assert "2026年9月22日 24:00" in browser.get("/deadlines?start=2026-09-18&days=3&side=enterprise").text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("start=&days=3", "请填写日期"),
        ("start=2026-02-30&days=3", "请填写日期"),
        ("start=1999-01-01&days=3", "年份须在 2004 到 2200 之间"),
        ("start=2026-09-18&days=0", "期限“0”不正确"),
        ("start=2026-09-18&days=10000", "期限“10000”不正确"),
        ("start=2026-09-18&days=-1", "期限“-1”不正确"),
        ("start=2026-09-18&days=three", "期限“three”不正确"),
        ("start=2026-09-18&days=3&region=110000", "请选择地区"),
        ("start=2026-09-18&days=3&side=nobody", "请选择一方"),
        ("start=x&days=0", "期限“0”不正确"),
        ("days=<script>", "期限“&lt;script&gt;”不正确"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    cast: Cast, client_of: ClientOf, query: str, sentence: str
) -> None:
    answer = client_of(cast.enterprise).get(f"/deadlines?{query}")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "govuk-error-summary" in answer.text


def test_in_english_it_is_english(runtime: Runtime, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.guangzhou)
    browser.set_cookie(COOKIE, "en")
    page = browser.get("/deadlines?start=2026-09-18&days=3&region=440100").text
    assert "22 Sep 2026 24:00" in page
    assert ["2026-09-20 Sun", "day 1"] in [row[:2] for row in rows(page)]


@pytest.fixture
def shortened(runtime: Runtime, cast: Cast) -> Case:
    """27 April was told; with the make-up Sunday of the 25th it would be the 26th."""
    case = begun(runtime, "2027-04-22")
    enter(runtime, cast.admin)
    return case


def test_an_official_is_asked_wherever_the_case_is_seen(shortened: Case, cast: Cast, client_of: ClientOf) -> None:
    browser, task_id = client_of(cast.guangzhou), shortened.task("审核材料").id
    assert "新日历使 1 项期限提前" in browser.get("/inbox").text
    for page in (f"/tasks/{task_id}", f"/instances/{shortened.id}"):
        assert "的期限提前至 2027年4月26日 24:00，请确认" in browser.get(page).text
    assert "2027年4月26日 24:00" in browser.get("/deadlines/earlier").text
    assert "等待主管部门确认" in browser.get(f"/tasks/{task_id}/deadline").text
    assert "请确认" not in client_of(cast.enterprise).get(f"/instances/{shortened.id}").text
    assert "提前" not in client_of(cast.shenzhen).get("/inbox").text


@pytest.mark.parametrize(("accept", "day"), [("yes", "2027-04-27"), ("no", "2027-04-28")])
def test_the_official_confirms_or_keeps(
    shortened: Case, cast: Cast, client_of: ClientOf, accept: str, day: str
) -> None:
    browser, address = client_of(cast.guangzhou), f"/deadlines/earlier/{timer(shortened).id}"
    done = browser.post(address, data={"accept": accept, "next": f"/instances/{shortened.id}"})
    assert done.location == f"/instances/{shortened.id}"
    assert timer(shortened).due_at.astimezone(SHANGHAI).date().isoformat() == day
    assert "请确认" not in browser.get(f"/instances/{shortened.id}").text
    assert browser.post(address, data={"accept": accept}).status_code == 409


def test_nobody_else_confirms(shortened: Case, cast: Cast, client_of: ClientOf) -> None:
    address = f"/deadlines/earlier/{timer(shortened).id}"
    for who, status in {"enterprise": 403, "shenzhen": 404, "admin": 403, "guangzhou_support": 403}.items():
        browser = client_of(getattr(cast, who))
        assert browser.post(address, data={"accept": "yes"}).status_code == status, who
        assert browser.get("/deadlines/earlier").status_code == (200 if who == "shenzhen" else 403), who
    assert timer(shortened).shortened_to is not None


def test_an_answer_that_is_neither_keeps_what_was_told(shortened: Case, cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.guangzhou).post(f"/deadlines/earlier/{timer(shortened).id}", data={})
    assert answer.status_code == 422
    assert timer(shortened).shortened_to is not None
