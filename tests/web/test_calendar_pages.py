"""工作日历: an administrator enters, looks at what would move, and publishes; nobody else gets in, nothing typed is
lost."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import clock
from engine.calendar import versions
from engine.calendar.book import Book
from engine.calendar.days import IN_LIBRARY
from engine.calendar.reading import read
from engine.clock import SHANGHAI
from engine.limits import calendars
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Timer, TrialClock
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.engine.calendar.notices import NOTICE_2027, TYPHOON, changed

ClientOf = Callable[[Actor], FlaskClient]

NOTICE = {
    "year": "2027",
    "days_off": "\n".join(
        f"{each.get('from', each.get('date'))}..{each.get('to', each.get('date'))} {each['name']}"
        for each in NOTICE_2027["days_off"]
    ),
    "make_up_days": "\r\n".join(f"{each['date']} {each['name']}" for each in NOTICE_2027["make_up_days"]),
    "document": NOTICE_2027["document"],
    "document_date": NOTICE_2027["document_date"],
    "replaces": "",
}
CLOSURE = {**TYPHOON, "dates": "2026-09-21"}


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


def book(runtime: Runtime) -> Book:
    with runtime.database.read() as session:
        return versions.newest(session)


def begun(runtime: Runtime, day: str) -> Case:
    """A review that began at 10:00 that day, with 3 working days."""
    deploy_onboarding(runtime)
    return Case(runtime, begins=datetime.fromisoformat(f"{day}T10:00").replace(tzinfo=SHANGHAI)).goes("递交申请材料")


def publish(browser: FlaskClient, kind: str, data: dict[str, str], after: int = 0) -> TestResponse:
    sent = {**data, "do": "publish", "after": str(after)}
    return browser.post(f"/admin/calendar/enter/{kind}", data=sent, follow_redirects=True)


@pytest.mark.parametrize("path", ["", "/enter/notice", "/enter/file"])
@pytest.mark.parametrize("who", ["enterprise", "guangzhou", "guangzhou_support", "province", "analyst"])
def test_nobody_but_an_administrator_gets_in(client_of: ClientOf, cast: Cast, who: str, path: str) -> None:
    assert client_of(getattr(cast, who)).get(f"/admin/calendar{path}").status_code == 403


def test_nobody_but_an_administrator_publishes(client_of: ClientOf, cast: Cast, runtime: Runtime) -> None:
    assert publish(client_of(cast.guangzhou), "notice", NOTICE).status_code == 403
    assert book(runtime).version == 0


def test_a_form_there_is_not_is_not_found(admin: FlaskClient) -> None:
    assert admin.get("/admin/calendar/enter/anything").status_code == 404
    assert admin.post("/admin/calendar/enter/anything").status_code == 404
    assert admin.get("/admin/calendar/enter/withdrawal?entry=7").status_code == 404


def test_a_notice_is_looked_at_first_and_publishing_it_moves_the_limits(
    admin: FlaskClient, runtime: Runtime, cast: Cast
) -> None:
    case = begun(runtime, "2027-02-03")

    preview = admin.post("/admin/calendar/enter/notice", data=NOTICE)
    assert preview.status_code == 200
    assert "会变的期限：1 项" in preview.text
    assert "2027年2月10日 24:00" in preview.text
    assert "2027年2月13日 24:00" in preview.text
    assert "延后" in preview.text
    assert book(runtime).version == 0

    published = publish(admin, "notice", NOTICE)
    assert "日历第 1 版已发布，已核对 1 项进行中的期限。" in published.text
    assert "2027 年放假通知" in published.text
    assert NOTICE_2027["document"] in published.text
    assert cast.admin.name in published.text
    (entry,) = book(runtime).in_force
    assert read(NOTICE_2027) == (entry.what,)
    with runtime.database.read() as session:
        timer = session.scalars(select(Timer).where(Timer.instance_id == case.id)).one()
    assert not timer.provisional
    assert timer.calendar_version == 1


def test_who_publishes_after_somebody_else_is_told_and_loses_nothing(
    admin: FlaskClient, runtime: Runtime, cast: Cast
) -> None:
    calendars.publish(runtime, read(TYPHOON), after=0, actor=cast.admin, now=clock.now())

    late = publish(admin, "notice", NOTICE, after=0)

    assert late.status_code == 409
    assert "工作日历已有新版本" in late.text
    assert NOTICE["document"] in late.text
    assert 'name="after" value="1"' in late.text
    assert book(runtime).version == 1
    assert publish(admin, "notice", NOTICE, after=1).status_code == 200
    assert book(runtime).version == 2


def test_pressing_twice_enters_it_once(admin: FlaskClient, runtime: Runtime) -> None:
    assert publish(admin, "notice", NOTICE).status_code == 200
    again = publish(admin, "notice", NOTICE)
    assert again.status_code == 422
    assert "2027 年的通知已经录入" in again.text
    assert len(book(runtime).entries) == 1


def test_going_back_to_change_finds_everything_as_it_was_typed(admin: FlaskClient) -> None:
    page = admin.post("/admin/calendar/enter/notice", data={**NOTICE, "do": "edit"})
    assert page.status_code == 200
    for line in [*NOTICE["days_off"].splitlines(), *NOTICE["make_up_days"].splitlines(), NOTICE["document"]]:
        assert line in page.text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("year", "twenty", "请填写年份"),
        ("year", "1999", "请填写年份"),
        ("days_off", "", "请按通知填写全年的放假日"),
        ("days_off", "2027-02-30 春节", "第 1 行看不懂"),
        ("days_off", "2027-02-05", "第 1 行看不懂"),
        ("days_off", "2027-02-12..2027-02-05 春节", "第 1 行的结束日不能早于开始日"),
        ("days_off", "2027-01-01 元旦\n2027-01-01..2027-01-03 元旦", "第 2 行：2027-01-01 已经写过了"),
        ("days_off", "2027-01-01 元旦", "放假日里缺少"),
        ("make_up_days", "2027-02-05 春节", "既是放假日又是调休上班日"),
        ("make_up_days", "2027-03-03 春节", "不是周六或周日"),
        ("make_up_days", "someday", "第 1 行看不懂"),
        ("document", " ", "请填写文件号"),
        ("document", "号" * 201, "最多 200 个字符"),
        ("document_date", "yesterday", "请填写发文日期"),
        ("replaces", "12", "没有第 12 项"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
    admin: FlaskClient, field: str, value: str, sentence: str
) -> None:
    sent = {**NOTICE, field: value}
    page = admin.post("/admin/calendar/enter/notice", data=sent)
    assert page.status_code == 422
    assert sentence in page.text
    assert "govuk-error-summary" in page.text
    for typed in sent.values():
        for line in typed.split("\n"):
            assert line.strip() in page.text


@pytest.mark.parametrize(
    ("kind", "data", "sentence"),
    [
        ("closure", {**CLOSURE, "region": ""}, "请选择地区"),
        ("closure", {**CLOSURE, "region": "110000"}, "没有地区“110000”"),
        ("closure", {**CLOSURE, "dates": ""}, "请填写停工停业的日期"),
        ("closure", {**CLOSURE, "dates": "2026-09-26"}, "本来就不是工作日"),
        ("closure", {**CLOSURE, "reason": ""}, "请填写原因"),
        ("day-ends", {"side": "", "day_ends": "17:30", "reason": "上班时间"}, "请选择一方"),
        ("day-ends", {"side": "authority", "day_ends": "5pm", "reason": "上班时间"}, "下班时间“5pm”不正确"),
        ("withdrawal", {"entry": "9", "reason": "录错了"}, "没有第 9 项"),
        ("withdrawal", {"entry": "9", "reason": ""}, "请填写撤回的理由"),
        ("file", {"json": ""}, "请选择文件"),
        ("file", {"json": "{"}, "这不是 JSON"),
        ("file", {"json": "[" * 100_000}, "这不是 JSON"),
        ("file", {"json": "{}"}, "看不出要录入什么"),
        ("file", {"json": json.dumps(changed(NOTICE_2027, yaer=2027))}, "不认识字段“yaer”"),
    ],
    ids=str,
)
def test_the_other_forms_refuse_what_cannot_be(
    admin: FlaskClient, kind: str, data: dict[str, str], sentence: str
) -> None:
    page = admin.post(f"/admin/calendar/enter/{kind}", data=data)
    assert page.status_code == 422
    assert sentence in page.text


def test_a_closure_moves_its_city_and_another_entry_withdraws_it(
    admin: FlaskClient, runtime: Runtime, client_of: ClientOf, cast: Cast
) -> None:
    begun(runtime, "2026-09-18")
    assert "2026年9月23日 24:00" in admin.post("/admin/calendar/enter/closure", data=CLOSURE).text
    assert "广州市停工停业：台风" in publish(admin, "closure", CLOSURE).text

    asked = admin.get("/admin/calendar/enter/withdrawal?entry=1")
    assert "广州市停工停业" in asked.text
    preview = admin.post("/admin/calendar/enter/withdrawal", data={"entry": "1", "reason": "台风转向"})
    assert "提前，待主管部门确认" in preview.text
    overview = publish(admin, "withdrawal", {"entry": "1", "reason": "台风转向"}, after=1).text
    assert "已撤回的内容" in overview
    assert "撤回第 1 项：台风转向" in overview
    assert book(runtime).in_force == ()


def test_the_end_of_the_day_is_set_per_side(admin: FlaskClient, runtime: Runtime) -> None:
    overview = publish(admin, "day-ends", {"side": "authority", "day_ends": "17:30", "reason": "上班时间"}).text
    assert "主管部门的每个工作日到 17:30 为止" in overview
    assert book(runtime).day_ends("authority") == timedelta(hours=17, minutes=30)


def test_a_file_is_looked_at_and_published_without_being_sent_again(admin: FlaskClient, runtime: Runtime) -> None:
    file = (io.BytesIO(json.dumps([NOTICE_2027, TYPHOON]).encode()), "2027.json")
    preview = admin.post("/admin/calendar/enter/file", data={"json": "", "file": file})
    assert preview.status_code == 200
    assert "2027 年放假通知" in preview.text
    assert "广州市停工停业" in preview.text
    assert publish(admin, "file", {"json": json.dumps([NOTICE_2027, TYPHOON])}).status_code == 200
    assert len(book(runtime).in_force) == 2


def test_what_is_entered_is_never_markup(admin: FlaskClient) -> None:
    page = publish(admin, "closure", {**CLOSURE, "reason": "<script>alert(1)</script>"})
    assert "&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text


@pytest.mark.parametrize(("day", "missing"), [("11-14", False), ("11-15", True)])
def test_administrators_are_told_from_15_november_that_a_notice_is_missing(
    admin: FlaskClient, runtime: Runtime, day: str, missing: bool
) -> None:
    year = IN_LIBRARY[-1]
    then = datetime.fromisoformat(f"{year}-{day}T09:00").replace(tzinfo=SHANGHAI)
    with runtime.database.write() as session:
        session.merge(TrialClock(id=1, offset_seconds=int((then - clock.now()).total_seconds())))
    for page in ("/admin", "/admin/incidents", "/admin/contacts", "/admin/calendar"):
        told = admin.get(page).text
        assert (f"{year + 1} 年的放假通知尚未录入" in told) is ("尚未录入" in told) is missing, page


def test_once_it_is_entered_nobody_is_told(admin: FlaskClient, runtime: Runtime) -> None:
    then = datetime(2026, 11, 20, tzinfo=SHANGHAI)
    with runtime.database.write() as session:
        session.merge(TrialClock(id=1, offset_seconds=int((then - clock.now()).total_seconds())))
    assert "尚未录入" in admin.get("/admin").text
    publish(admin, "notice", NOTICE)
    assert "尚未录入" not in admin.get("/admin").text
