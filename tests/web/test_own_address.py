"""The own e-mail address under 我的账号, and 忘记密码, with letters that arrive at a real mail server."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from engine import clock
from engine.people.tables import Account, LoginSession
from engine.telling import outbox
from tests.conftest import PASSWORD, Cast
from tests.receivers import Mailbox, mail_server
from tests.web.conftest import logged_in
from web import senders
from web.assembly import create_app
from web.settings import MailServer, Settings

SITE = "https://onboarding.example.cn"
NEW = "tiger lantern 41"


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def mailing(app: Flask, box: Mailbox) -> Iterator[Flask]:
    """The application, with a mail server and an address of its own."""
    settings: Settings = app.extensions["settings"]
    server = MailServer("127.0.0.1", box.port, "none", "platform@gd.example.cn")
    mailing = create_app(replace(settings, public_url=SITE, mail=server))
    mailing.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield mailing
    mailing.extensions["runtime"].database.close()


@pytest.fixture
def arrived(mailing: Flask, box: Mailbox) -> Callable[[], tuple[str, str]]:
    """Whom the newest letter has reached, and the path on this site it leads to."""

    def newest() -> tuple[str, str]:
        outbox.deliver_due(
            mailing.extensions["runtime"], clock.now, senders.from_settings(mailing.extensions["settings"])
        )
        links = set(re.findall(rf"{SITE}(/\S+)", box.messages[-1].get_content()))
        return box.recipients[-1], next(iter(links), "")

    return newest


Arrived = Callable[[], tuple[str, str]]


def has_address(app: Flask, username: str) -> None:
    with app.extensions["runtime"].database.write() as writing:
        writing.execute(update(Account).where(Account.username == username).values(email=f"{username}@gz.example.cn"))


def test_an_address_is_given_confirmed_from_any_browser_and_shown(mailing: Flask, cast: Cast, arrived: Arrived) -> None:
    official, elsewhere = logged_in(mailing, cast.guangzhou), mailing.test_client()
    assert "未登记" in official.get("/account").text
    page = official.post("/account/email", data={"email": "he.min@gz.example.cn"}, follow_redirects=True).text
    assert "he.min@gz.example.cn 等待确认" in page
    address, link = arrived()
    assert (address, link[:15]) == ("he.min@gz.example.cn", "/confirm-email/")
    shown = elsewhere.get(link)
    assert "he.min@gz.example.cn" in shown.text
    assert (shown.headers["Referrer-Policy"], shown.headers["Cache-Control"]) == ("no-referrer", "no-store")
    assert "等待确认" in official.get("/account").text, "looking at the link does not confirm it"
    assert "邮箱已确认" in elsewhere.post(link, follow_redirects=True).text
    page = official.get("/account").text
    assert "he.min@gz.example.cn" in page
    assert "等待确认" not in page
    assert elsewhere.post(link).status_code == 422
    assert "链接已经失效" in elsewhere.get(link).text


def test_changing_it_wants_a_recent_proof(mailing: Flask, cast: Cast) -> None:
    official = logged_in(mailing, cast.guangzhou)
    with mailing.extensions["runtime"].database.write() as writing:
        writing.execute(update(LoginSession).values(proven_at=clock.now() - timedelta(minutes=11)))
    for path in ("/account/email", "/account/email/remove"):
        assert official.post(path).location == f"/proof?next={path}"
    assert official.get("/account/email").location == "/proof?next=/account/email"


def test_what_is_no_address_is_refused_beside_its_field(mailing: Flask, cast: Cast) -> None:
    answer = logged_in(mailing, cast.guangzhou).post("/account/email", data={"email": "he.min"})
    assert answer.status_code == 422
    assert 'id="email-error"' in answer.text


def test_it_can_be_taken_out(mailing: Flask, cast: Cast, arrived: Arrived) -> None:
    has_address(mailing, "guangzhou")
    page = logged_in(mailing, cast.guangzhou).post("/account/email/remove", follow_redirects=True).text
    assert "未登记" in page
    assert arrived() == ("guangzhou@gz.example.cn", "")


def test_a_forgotten_password_is_set_anew_and_its_person_told(mailing: Flask, cast: Cast, arrived: Arrived) -> None:
    has_address(mailing, "guangzhou")
    there, stranger = logged_in(mailing, cast.guangzhou), mailing.test_client()
    assert 'href="/forgotten"' in stranger.get("/login").text
    assert stranger.post("/forgotten", data={"who": "guangzhou"}).location == "/forgotten/sent"
    address, link = arrived()
    assert (address, link[:14]) == ("guangzhou@gz.example.cn", "/set-password/")
    stranger.post(link, data={"new": NEW, "again": NEW})
    assert there.get("/inbox").status_code == 302
    answers = [stranger.post("/login", data={"username": "guangzhou", "password": old}) for old in (PASSWORD, NEW)]
    assert [answer.status_code for answer in answers] == [422, 302]
    assert arrived() == ("guangzhou@gz.example.cn", "")
    assert stranger.post(link, data={"new": NEW, "again": NEW}).status_code == 422


def test_changing_the_password_is_told_by_e_mail(mailing: Flask, cast: Cast, box: Mailbox, arrived: Arrived) -> None:
    has_address(mailing, "guangzhou")
    given = {"old": PASSWORD, "new": NEW, "again": NEW}
    assert logged_in(mailing, cast.guangzhou).post("/account/password", data=given).status_code == 302
    assert arrived()[0] == "guangzhou@gz.example.cn"
    assert "密码已修改" in box.messages[-1]["Subject"]


def test_the_answer_does_not_tell_whether_there_is_such_an_account(mailing: Flask) -> None:
    has_address(mailing, "guangzhou")
    stranger = mailing.test_client()
    answers = [stranger.post("/forgotten", data={"who": who}) for who in ("guangzhou", "shenzhen", "nobody")]
    assert {(answer.status_code, answer.location, answer.data) for answer in answers} == {
        (302, "/forgotten/sent", answers[0].data)
    }
    assert "如果有这个账号" in stranger.get("/forgotten/sent").text


def test_who_asks_too_often_is_told_when_to_try_again(mailing: Flask) -> None:
    stranger = mailing.test_client()
    statuses = [stranger.post("/forgotten", data={"who": f"nobody{number}"}).status_code for number in range(11)]
    assert statuses == [302] * 10 + [429]


def test_where_no_letter_can_lead_back_the_page_says_whom_to_ask(
    stranger: FlaskClient, client_of: Callable[..., FlaskClient], cast: Cast
) -> None:
    page = stranger.get("/forgotten").text
    assert "请向本单位的账号管理员或平台管理员索取" in page
    assert "发送链接" not in page
    assert "暂时不能登记邮箱" in client_of(cast.guangzhou).get("/account/email").text
