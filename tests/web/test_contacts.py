"""通知渠道: administrators register where organisations are told, by page or command; what can't be used is refused."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine import clock
from engine.audit.tables import SystemEvent
from engine.people.accounts import Actor
from engine.runtime import timers
from engine.runtime.runtime import Runtime
from engine.telling import contacts
from engine.telling.tables import OutboxMessage, OutboxState
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.receivers import Hook, mail_server, web_server
from web.scheduler import clock_of
from web.settings import MailServer, Settings

ClientOf = Callable[[Actor], FlaskClient]
MAIL = {"role": "authority", "key": "440100", "kind": "email", "address": "he.min@gz.example.cn"}


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as hook:
        yield hook


def allow_private(app: Flask) -> None:
    app.extensions["settings"] = replace(app.extensions["settings"], private_webhooks=True)


@pytest.mark.parametrize("who", ["enterprise", "guangzhou", "guangzhou_support", "province", "analyst"])
def test_nobody_but_an_administrator_registers_contacts(client_of: ClientOf, cast: Cast, who: str) -> None:
    client = client_of(getattr(cast, who))
    assert client.get("/admin/contacts").status_code == 403
    assert client.post("/admin/contacts", data=MAIL).status_code == 403
    assert client.post("/admin/contacts/0123/remove").status_code == 403


def test_an_address_is_registered_and_removed_and_both_are_on_record(
    admin: FlaskClient, cast: Cast, runtime: Runtime
) -> None:
    page = admin.post("/admin/contacts", data=MAIL, follow_redirects=True)
    assert page.status_code == 200
    assert "h***@gz.example.cn" in page.text, "it may be somebody's own"
    assert "he.min@gz.example.cn" not in page.text
    with runtime.database.read() as session:
        (entry,) = contacts.listed(session)
    assert admin.post("/admin/contacts", data=MAIL).status_code == 409
    page = admin.post(f"/admin/contacts/{entry.id}/remove", follow_redirects=True)
    assert "还没有登记通知渠道" in page.text
    assert admin.post(f"/admin/contacts/{entry.id}/remove").status_code == 404
    with runtime.database.read() as session:
        told = session.scalars(select(SystemEvent).where(SystemEvent.kind.like("contact_%"))).all()
    assert [(event.kind, event.actor_id) for event in told] == [
        ("contact_added", cast.admin.account_id),
        ("contact_removed", cast.admin.account_id),
    ]
    assert "example.cn" not in str([event.details for event in told])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"address": "he.min"}, "邮箱地址格式不正确"),
        ({"address": "a@b.cn\r\nBcc: c@d.cn"}, "邮箱地址格式不正确"),
        ({"address": "a@b.cn, c@d.cn"}, "邮箱地址格式不正确"),
        ({"address": "何敏@b.cn"}, "只能含英文字符"),
        ({"address": ""}, "邮箱地址格式不正确"),
        ({"key": "999999"}, "没有登记代码为“999999”"),
        ({"role": "nobody"}, "请选择角色和方式"),
        ({"kind": "fax"}, "请选择角色和方式"),
        ({"kind": "webhook", "address": "ftp://gz.example.cn/"}, "推送网址应为以 http:// 或 https:// 开头"),
        ({"kind": "webhook", "address": "https://user:pw@gz.example.cn/"}, "推送网址应为以 http:// 或 https:// 开头"),
        ({"kind": "webhook", "address": "http://127.0.0.1/hook"}, "位于本机或内部网络"),
        ({"kind": "webhook", "address": "http://localhost:8000/hook"}, "位于本机或内部网络"),
        ({"kind": "webhook", "address": "http://192.168.1.10/hook"}, "位于本机或内部网络"),
        ({"kind": "webhook", "address": "http://[::ffff:10.0.0.1]/hook"}, "位于本机或内部网络"),
        ({"kind": "webhook", "address": "https://no-such-host.invalid/hook"}, "找不到主机"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence_with_the_entry_kept(
    admin: FlaskClient, runtime: Runtime, changed: dict[str, str], says: str
) -> None:
    answer = admin.post("/admin/contacts", data={**MAIL, **changed})
    assert answer.status_code == 422
    assert says in answer.text
    if {"role", "kind"}.isdisjoint(changed):
        (field,) = changed
        assert f'id="{field}-error"' in answer.text
    with runtime.database.read() as session:
        assert contacts.listed(session) == []


def test_a_webhooks_secret_is_shown_once(app: Flask, admin: FlaskClient, hook: Hook) -> None:
    allow_private(app)
    answer = admin.post("/admin/contacts", data={**MAIL, "kind": "webhook", "address": hook.url})
    assert answer.status_code == 200
    assert re.search(r"whsec_[A-Za-z0-9+/]{32}", answer.text)
    assert "whsec_" not in admin.get("/admin/contacts").text


def test_without_a_mail_server_the_page_says_that_mail_waits(app: Flask, admin: FlaskClient, runtime: Runtime) -> None:
    admin.post("/admin/contacts", data=MAIL)
    overdue(runtime)
    page = admin.get("/admin/contacts").text
    assert "尚未设置邮件服务器" in page
    assert "邮件 1 封" in page


def overdue(runtime: Runtime) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    due = case.task("审核材料").due_at
    assert due is not None
    timers.fire_due(runtime, due)


def test_commands_register_list_deliver_and_remove(app: Flask, runtime: Runtime, hook: Hook) -> None:
    run = app.test_cli_runner().invoke
    refused = run(args=["add-contact", "authority", "--key", "440100", "webhook", hook.url])
    assert refused.exit_code == 1
    assert "位于本机或内部网络" in refused.stderr
    allow_private(app)
    added = run(args=["add-contact", "authority", "--key", "440100", "webhook", hook.url])
    assert "whsec_" in added.stdout
    assert "SMTP_URL" in run(args=["add-contact", "authority", "--key", "440100", "email", "a@gz.example.cn"]).stdout
    overdue(runtime)
    assert "已发送 1 条；待发送：email 1" in run(args=["deliver"]).stdout
    assert len(hook.requests) == 1
    listed = run(args=["contacts"]).stdout.splitlines()
    assert len(listed) == 2
    for line in listed:
        assert run(args=["remove-contact", line.split()[0]]).exit_code == 0
    assert run(args=["contacts"]).stdout == ""


def test_the_clock_delivers_by_itself_and_again_once_the_mail_server_takes_it(
    app: Flask, admin: FlaskClient, runtime: Runtime
) -> None:
    admin.post("/admin/contacts", data=MAIL)
    overdue(runtime)
    tried = []
    with mail_server() as box:
        settings: Settings = replace(
            app.extensions["settings"],
            mail=MailServer("127.0.0.1", box.port, "none", "platform@gd.example.cn"),
            tick_seconds=0.1,
        )
        for answer in ("550 not today", "250 OK"):
            box.answer = answer
            with runtime.database.write() as session:  # as if the pause were over
                session.execute(update(OutboxMessage).values(next_attempt_at=clock.now()))
            ticking = clock_of(runtime, settings)
            ticking.start()
            assert box.asked.acquire(timeout=15)
            ticking.stop()  # once what is under way is done
            tried.append((message(runtime).state, message(runtime).last_error))
        assert box.recipients == ["he.min@gz.example.cn"]
    assert [state for state, _ in tried] == [OutboxState.WAITING, OutboxState.SENT]
    assert "not today" in (tried[0][1] or "")


def message(runtime: Runtime) -> OutboxMessage:
    with runtime.database.read() as session:
        return session.scalars(select(OutboxMessage)).one()
