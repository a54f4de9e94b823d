"""我的账号: where one is logged in, and one's own password."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.database import Database
from engine.people.accounts import Actor
from engine.people.tables import LoginSession
from engine.people.throttling import FREE_ATTEMPTS
from tests.conftest import PASSWORD, Cast

ClientOf = Callable[[Actor], FlaskClient]
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0 Safari/537.36 Edg/141.0"
NEW = "tiger lantern 41"


def ends(page: str) -> list[str]:
    """Where the buttons post that end one session each."""
    return re.findall(r'action="(/account/sessions/[0-9a-f]{32}/end)"', page)


def test_the_header_leads_to_ones_account(client_of: ClientOf, cast: Cast) -> None:
    assert 'href="/account"' in client_of(cast.enterprise).get("/applications").text


def test_devices_are_listed_by_browser_and_address_the_own_one_marked(
    app: Flask, client_of: ClientOf, cast: Cast
) -> None:
    here = client_of(cast.guangzhou)
    answer = app.test_client().post(
        "/login",
        data={"username": "guangzhou", "password": PASSWORD},
        headers={"User-Agent": WINDOWS},
        environ_base={"REMOTE_ADDR": "198.51.100.7"},
    )
    assert answer.status_code == 302
    page = here.get("/account").text
    assert "Edge · Windows" in page
    assert "198.51.100.7" in page
    assert page.count("本机") == 1
    assert len(ends(page)) == 1


def test_a_device_is_logged_out_from_another(client_of: ClientOf, cast: Cast) -> None:
    here, there = client_of(cast.guangzhou), client_of(cast.guangzhou)
    (address,) = ends(here.get("/account").text)
    assert here.post(address).location == "/account"
    assert there.get("/inbox").status_code == 302
    assert here.get("/account").status_code == 200
    assert here.post(address).status_code == 404


def test_all_others_are_logged_out_at_once(client_of: ClientOf, cast: Cast) -> None:
    here, *others = (client_of(cast.guangzhou) for _ in range(3))
    assert here.post("/account/sessions/end-others").status_code == 302
    assert [other.get("/inbox").status_code for other in others] == [302, 302]
    assert here.get("/inbox").status_code == 200


def test_nobody_ends_somebody_elses_session(client_of: ClientOf, cast: Cast) -> None:
    here, _there = client_of(cast.guangzhou), client_of(cast.guangzhou)
    (address,) = ends(here.get("/account").text)
    assert client_of(cast.guangzhou_colleague).post(address).status_code == 404
    assert len(ends(here.get("/account").text)) == 1


def test_a_cookie_of_before_the_log_out_is_worth_nothing(client_of: ClientOf, cast: Cast) -> None:
    client = client_of(cast.guangzhou)
    with client.session_transaction() as cookie:
        kept = dict(cookie)
    client.post("/logout")
    with client.session_transaction() as cookie:
        cookie.update(kept)
    assert client.get("/inbox").status_code == 302


def test_logging_in_gives_a_new_session_and_ends_the_one_before(app: Flask, database: Database) -> None:
    client, tokens = app.test_client(), []
    for _ in range(2):
        client.post("/login", data={"username": "guangzhou", "password": PASSWORD})
        with client.session_transaction() as cookie:
            tokens.append(cookie["_user_id"])
    assert tokens[0] != tokens[1]
    with database.read() as session:
        assert session.query(LoginSession).count() == 1


class TestThePassword:
    def change(self, client: FlaskClient, *, old: str = PASSWORD, new: str = NEW, again: str = NEW) -> tuple[int, str]:
        answer = client.post("/account/password", data={"old": old, "new": new, "again": again})
        return answer.status_code, answer.text

    def test_is_changed_and_other_devices_are_logged_out(self, client_of: ClientOf, cast: Cast) -> None:
        here, there = client_of(cast.guangzhou), client_of(cast.guangzhou)
        assert self.change(here)[0] == 302
        assert "密码已修改" in here.get("/account").text
        assert there.get("/inbox").status_code == 302

    @pytest.mark.parametrize(
        ("given", "field", "sentence"),
        [
            ({"old": "wrong"}, "old", "原密码不正确。"),
            ({"again": NEW + "x"}, "again", "两次输入的新密码不一致。"),
            ({"new": "short", "again": "short"}, "new", "密码须为 12 至 128 个字符。"),
            ({"new": "guangzhou1234", "again": "guangzhou1234"}, "new", "太容易被猜到"),
        ],
        ids=["old wrong", "not the same", "short", "guessable"],
    )
    def test_is_refused_beside_the_field(
        self, client_of: ClientOf, cast: Cast, given: dict[str, str], field: str, sentence: str
    ) -> None:
        status, page = self.change(client_of(cast.guangzhou), **given)
        assert status == 422
        assert sentence in page.split(f'id="{field}-error"')[1].split("</p>")[0]
        assert f'href="#{field}"' in page


def test_too_many_log_ins_are_told_how_long_to_wait(stranger: FlaskClient) -> None:
    for _ in range(FREE_ATTEMPTS):
        stranger.post("/login", data={"username": "guangzhou", "password": "wrong"})
    answer = stranger.post("/login", data={"username": "guangzhou", "password": PASSWORD})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
    assert "操作过于频繁" in answer.text
