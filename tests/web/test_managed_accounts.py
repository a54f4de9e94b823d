"""Managers look after the accounts of their own organisation, administrators after all; links set passwords, once."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine import clock
from engine.audit.tables import SystemEvent
from engine.people.accounts import Actor
from engine.people.management import LINK_LASTS
from engine.people.tables import Account, OneTimeLink
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from engine.trust.verification import verify
from tests.casework import Case, deploy_onboarding
from tests.conftest import PASSWORD, Cast

ClientOf = Callable[[Actor], FlaskClient]
NEW = "tiger lantern 41"


def link_in(page: str) -> str:
    found = re.search(r'id="link">http://localhost(/set-password/[\w-]+)<', page)
    assert found, page
    return found[1]


@pytest.fixture
def manager(client_of: ClientOf, cast: Cast) -> FlaskClient:
    """梁志强, who manages the accounts of Guangzhou's authority."""
    return client_of(cast.guangzhou_colleague)


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


def logs_in(app: Flask, username: str, password: str) -> bool:
    return app.test_client().post("/login", data={"username": username, "password": password}).status_code == 302


class TestWhoMayManageWhom:
    @pytest.mark.parametrize("who", ["enterprise", "guangzhou", "guangzhou_support", "province", "analyst"])
    def test_who_does_not_manage_accounts_gets_nowhere(self, client_of: ClientOf, cast: Cast, who: str) -> None:
        client, somebody = client_of(getattr(cast, who)), cast.guangzhou_colleague.account_id
        assert [client.get(path).status_code for path in ("/accounts", "/accounts/new", f"/accounts/{somebody}")] == [
            403
        ] * 3
        for action in ("link", "deactivate", "activate", "manager"):
            assert client.post(f"/accounts/{somebody}/{action}").status_code == 403
        assert "管理本单位的账号" not in client.get("/account").text

    def test_a_manager_sees_the_own_organisation_only(self, manager: FlaskClient, cast: Cast) -> None:
        assert "管理本单位的账号" in manager.get("/account").text
        page = manager.get("/accounts").text
        assert "guangzhou2" in page
        assert "shenzhen" not in page
        assert "enterprise-a" not in page

    @pytest.mark.parametrize("whose", ["shenzhen", "enterprise", "admin"])
    def test_to_a_manager_other_accounts_are_not_there(
        self, manager: FlaskClient, cast: Cast, runtime: Runtime, whose: str
    ) -> None:
        account = getattr(cast, whose).account_id
        assert manager.get(f"/accounts/{account}").status_code == 404
        for action in ("link", "deactivate", "activate"):
            assert manager.post(f"/accounts/{account}/{action}").status_code == 404
        with runtime.database.read() as session:
            assert session.get_one(Account, account).active
            assert session.scalars(select(OneTimeLink)).all() == []

    def test_only_an_administrator_says_who_manages(self, manager: FlaskClient, admin: FlaskClient, cast: Cast) -> None:
        address = f"/accounts/{cast.guangzhou.account_id}/manager"
        assert manager.post(address, data={"manages": "1"}).status_code == 403
        assert admin.post(address, data={"manages": "1"}, follow_redirects=True).status_code == 200

    def test_a_new_manager_manages_and_a_former_one_does_not(
        self, client_of: ClientOf, admin: FlaskClient, cast: Cast
    ) -> None:
        official = client_of(cast.guangzhou)
        address = f"/accounts/{cast.guangzhou.account_id}/manager"
        admin.post(address, data={"manages": "1"})
        assert official.get("/accounts").status_code == 200
        admin.post(address, data={"manages": "0"})
        assert official.get("/accounts").status_code == 403


class TestMakingAccounts:
    def test_a_colleague_gets_a_link_sets_the_password_and_is_an_official_of_the_same_city(
        self, app: Flask, manager: FlaskClient, cast: Cast, runtime: Runtime
    ) -> None:
        page = manager.post("/accounts/new", data={"username": "Zhang.San", "name": "张三"}).text
        answer = app.test_client().post(link_in(page), data={"new": NEW, "again": NEW}, follow_redirects=True)
        assert "密码已设置，请登录。" in answer.text
        assert logs_in(app, "zhang.san", NEW)
        with runtime.database.read() as session:
            made = session.scalars(select(Account).where(Account.username == "zhang.san")).one()
        assert (made.role, made.organisation_id) == ("authority", cast.guangzhou.organisation_id)
        assert not made.manages

    def test_a_manager_can_not_make_one_elsewhere(self, manager: FlaskClient, cast: Cast, runtime: Runtime) -> None:
        given = {"username": "zhang.san", "name": "张三", "role": "admin", "key": "operations"}
        manager.post("/accounts/new", data=given)
        with runtime.database.read() as session:
            made = session.scalars(select(Account).where(Account.username == "zhang.san")).one()
        assert made.organisation_id == cast.guangzhou.organisation_id

    def test_an_administrator_says_of_which_organisation(
        self, admin: FlaskClient, cast: Cast, runtime: Runtime
    ) -> None:
        given = {"username": "zhang.san", "name": "张三", "role": "authority", "key": "440300"}
        assert "/set-password/" in admin.post("/accounts/new", data=given).text
        with runtime.database.read() as session:
            made = session.scalars(select(Account).where(Account.username == "zhang.san")).one()
        assert made.organisation_id == cast.shenzhen.organisation_id

    @pytest.mark.parametrize(
        ("given", "field", "status"),
        [
            ({"name": " "}, "name", 422),
            ({"username": "有空格 的"}, "username", 422),
            ({"username": "guangzhou"}, "username", 409),
        ],
        ids=["no name", "bad user name", "taken"],
    )
    def test_what_is_wrong_stands_beside_its_field(
        self, manager: FlaskClient, given: dict[str, str], field: str, status: int
    ) -> None:
        answer = manager.post("/accounts/new", data={"username": "zhang.san", "name": "张三", **given})
        assert answer.status_code == status
        assert f'id="{field}-error"' in answer.text


class TestLinks:
    @pytest.fixture
    def link(self, manager: FlaskClient, cast: Cast) -> str:
        return link_in(manager.post(f"/accounts/{cast.guangzhou.account_id}/link").text)

    def test_one_sets_the_password_logs_out_everywhere_and_is_spent(
        self, app: Flask, client_of: ClientOf, cast: Cast, stranger: FlaskClient, link: str
    ) -> None:
        there = client_of(cast.guangzhou)
        assert "guangzhou" in stranger.get(link).text
        assert stranger.post(link, data={"new": NEW, "again": NEW}).location == "/login"
        assert there.get("/inbox").status_code == 302
        assert logs_in(app, "guangzhou", NEW)
        assert not logs_in(app, "guangzhou", PASSWORD)
        assert stranger.post(link, data={"new": "another one 88", "again": "another one 88"}).status_code == 422
        assert stranger.get(link).status_code == 422
        assert "链接已经失效" in stranger.get(link).text

    def test_looking_at_it_does_not_spend_it(self, stranger: FlaskClient, link: str) -> None:
        assert [stranger.get(link).status_code for _ in range(3)] == [200] * 3

    @pytest.mark.parametrize(
        ("new", "again", "field"),
        [(NEW, NEW + "x", "again"), ("short", "short", "new"), ("guangzhou1234", "guangzhou1234", "new")],
        ids=["not the same", "short", "guessable"],
    )
    def test_a_bad_password_does_not_spend_it(
        self, stranger: FlaskClient, link: str, new: str, again: str, field: str
    ) -> None:
        answer = stranger.post(link, data={"new": new, "again": again})
        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert stranger.get(link).status_code == 200

    def test_a_newer_one_ends_it(self, manager: FlaskClient, cast: Cast, stranger: FlaskClient, link: str) -> None:
        manager.post(f"/accounts/{cast.guangzhou.account_id}/link")
        assert stranger.get(link).status_code == 422

    def test_it_ends_after_a_day(self, runtime: Runtime, stranger: FlaskClient, link: str) -> None:
        with runtime.database.write() as session:
            issued = session.scalars(select(OneTimeLink)).one()
            assert clock.now() + LINK_LASTS - issued.expires_at < timedelta(minutes=5)
            session.execute(update(OneTimeLink).values(expires_at=clock.now()))
        assert stranger.get(link).status_code == 422

    def test_its_token_is_kept_as_a_hash_and_its_page_by_nobody(
        self, runtime: Runtime, stranger: FlaskClient, link: str
    ) -> None:
        token = link.rsplit("/", 1)[1]
        with runtime.database.read() as session:
            assert session.scalars(select(OneTimeLink.token_hash)).one() != token
            assert all(token not in str(event.details) for event in session.scalars(select(SystemEvent)))
        headers = stranger.get(link).headers
        assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")

    def test_one_that_never_was_is_told_like_a_spent_one(self, stranger: FlaskClient) -> None:
        assert "链接已经失效" in stranger.get("/set-password/made-up").text

    def test_an_operator_makes_one_at_the_command_line(self, app: Flask, stranger: FlaskClient) -> None:
        made = app.test_cli_runner().invoke(args=["reset-link", "admin"])
        assert made.exit_code == 0, made.output
        assert stranger.get("/" + made.output.split("/", 3)[3].split("\n")[0]).status_code == 200


class TestDeactivating:
    def test_the_person_is_logged_out_and_claimed_tasks_go_back(
        self, app: Flask, client_of: ClientOf, manager: FlaskClient, cast: Cast, runtime: Runtime
    ) -> None:
        deploy_onboarding(runtime)
        case = Case(runtime).goes("递交申请材料")
        task = case.task("审核材料")
        instances.claim(runtime, task.id, cast.guangzhou, case.now)
        there = client_of(cast.guangzhou)

        address = f"/accounts/{cast.guangzhou.account_id}"
        assert "退回待办 1 件" in manager.post(f"{address}/deactivate", follow_redirects=True).text

        assert there.get("/inbox").status_code == 302
        assert not logs_in(app, "guangzhou", PASSWORD)
        assert case.task("审核材料").claimed_by is None
        assert re.search("梁志强[^<]*退回“审核材料", manager.get(f"/instances/{case.id}").text)
        assert verify(runtime.database).flaws == ()
        instances.complete(runtime, task.id, {"review": {"result": "pass"}}, cast.guangzhou_colleague, case.now)

        manager.post(f"{address}/activate")
        assert logs_in(app, "guangzhou", PASSWORD)

    def test_ones_own_account_stays(self, manager: FlaskClient, cast: Cast) -> None:
        address = f"/accounts/{cast.guangzhou_colleague.account_id}"
        answer = manager.post(f"{address}/deactivate")
        assert answer.status_code == 409
        assert "不能停用自己的账号。" in answer.text
        assert manager.get("/inbox").status_code == 200

    def test_a_link_of_before_is_worth_nothing(self, manager: FlaskClient, cast: Cast, stranger: FlaskClient) -> None:
        address = f"/accounts/{cast.guangzhou.account_id}"
        link = link_in(manager.post(f"{address}/link").text)
        manager.post(f"{address}/deactivate")
        assert stranger.get(link).status_code == 422
        assert manager.post(f"{address}/link").status_code == 404

    def test_all_of_it_is_in_the_audit_by_ids_only(
        self, manager: FlaskClient, admin: FlaskClient, cast: Cast, runtime: Runtime
    ) -> None:
        address = f"/accounts/{cast.guangzhou.account_id}"
        for action in ("link", "deactivate", "activate"):
            manager.post(f"{address}/{action}")
        admin.post(f"{address}/manager", data={"manages": "1"})
        with runtime.database.read() as session:
            entries = session.scalars(select(SystemEvent).order_by(SystemEvent.sequence.desc()).limit(4)).all()
        assert [entry.kind for entry in reversed(entries)] == [
            "link_issued",
            "account_deactivated",
            "account_activated",
            "manager_set",
        ]
        assert all(entry.details["account_id"] == cast.guangzhou.account_id for entry in entries)
        assert verify(runtime.database).flaws == ()
