"""Taking one's data along, erasing a person, and seeing what goes when: the pages and the commands."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import clock
from engine.people.accounts import Actor
from engine.people.tables import Account
from engine.runtime.instances import claim
from engine.runtime.runtime import Runtime
from engine.trust.verification import verify
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def closed(runtime: Runtime) -> Case:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("收到测试密钥")
    case.step(by="企业", sends="complaint", fills={"complaint": "key_unusable"})
    case.step(by="主管部门", does="核实情况", fills={"verification": "unfounded"})
    return case.step(by="主管部门", does="填写核实情况", fills={"findings": "device_clock"})


def test_somebody_takes_the_own_data_along(closed: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.enterprise)
    assert "/account/data" in browser.get("/account").text
    assert "导出本单位的数据" not in browser.get("/account/data").text
    with browser.post("/account/data", data={"of": "person"}) as answer:
        assert answer.mimetype == "application/zip"
        content = io.BytesIO(answer.data)
    with zipfile.ZipFile(content) as archive:
        assert json.loads(archive.read("data.json"))["account"]["username"] == cast.enterprise.username
    assert browser.post("/account/data", data={"of": "organisation"}).status_code == 404


def test_a_manager_takes_the_organisations_data_along(closed: Case, cast: Cast, client_of: ClientOf) -> None:
    browser = client_of(cast.guangzhou_colleague)
    assert "导出本单位的数据" in browser.get("/account/data").text
    with browser.post("/account/data", data={"of": "organisation"}) as answer:
        content = io.BytesIO(answer.data)
    with zipfile.ZipFile(content) as archive:
        assert len(json.loads(archive.read("data.json"))["accounts"]) == 2


def test_an_administrator_erases_a_person_after_looking_at_what_that_does(
    closed: Case, cast: Cast, client_of: ClientOf
) -> None:
    admin, address = client_of(cast.admin), f"/accounts/{cast.enterprise.account_id}/erase"
    assert address in admin.get(f"/accounts/{cast.enterprise.account_id}").text
    assert "1 件申请中的 2 份填写内容" in admin.get(address).text
    refused = admin.post(address, data={"reason": "", "confirmed_username": "somebody"})
    assert refused.status_code == 422
    assert "请写明处理理由" in refused.text
    assert "请输入这个账号的用户名" in refused.text
    said = {"reason": "本人申请", "confirmed_username": cast.enterprise.username}
    assert admin.post(address, data=said).location == "/accounts"
    with closed.runtime.database.read() as session:
        assert session.get_one(Account, cast.enterprise.account_id).name == "〔已删除〕"
    assert "已经删除" in admin.get(address).text
    assert verify(closed.runtime.database).erased == 2


def test_what_stands_against_erasing_is_said_before_anything_is_typed(
    closed: Case, cast: Cast, client_of: ClientOf
) -> None:
    Case(closed.runtime, begins=clock.now()).goes("递交申请材料")
    page = client_of(cast.admin).get(f"/accounts/{cast.enterprise.account_id}/erase").text
    assert "还有 1 件申请没有结束" in page
    assert "confirmed_username" not in page


def test_administrators_see_what_goes_when_and_hold_one_back(closed: Case, cast: Cast, client_of: ClientOf) -> None:
    admin = client_of(cast.admin)
    number = str(closed.instance().number)
    assert number in admin.get("/admin/retention").text
    page = admin.get(f"/admin/cases/{closed.id}").text
    assert "内容和附件保存到" in page, page[page.index("keeping") :]
    held = admin.post(f"/admin/cases/{closed.id}/hold", data={"reason": "行政复议"}, follow_redirects=True).text
    assert "已设为保留，到期不删除。理由：行政复议" in held
    assert "行政复议" in admin.get("/admin/retention").text
    lifted = admin.post(f"/admin/cases/{closed.id}/lift", data={"reason": "结束"}, follow_redirects=True).text
    assert "已解除保留" in lifted


def test_the_commands_preview_erase_export_and_remove(closed: Case, cast: Cast, app: Flask, tmp_path: Path) -> None:
    run = app.test_cli_runner().invoke
    assert str(closed.instance().number) in run(args=["retention", "--preview"]).output
    assert "已删除 0 件" in run(args=["retention"]).output

    target = tmp_path / "a.zip"
    exported = run(args=["export-data", "--account", "enterprise-a", "--to", str(target)])
    assert (exported.exit_code, zipfile.is_zipfile(target)) == (0, True)
    whole = tmp_path / "b.zip"
    assert run(args=["export-data", "--organisation", "authority", "440100", "--to", str(whole)]).exit_code == 0

    wanted = ["erase-account", "enterprise-a", "--reason", "本人申请"]
    assert "这只是预览" in run(args=wanted).output
    assert "个人信息已删除" in run(args=[*wanted, "--yes"]).output
    again = run(args=["erase-account", f"erased-{cast.enterprise.account_id}", "--reason", "再来", "--yes"])
    assert again.exit_code == 1
    assert "另有 2 份内容已依法删除" in run(args=["verify-audit"]).output


def test_the_command_line_lists_colleagues_masked(closed: Case, cast: Cast, app: Flask) -> None:
    waiting = Case(closed.runtime, begins=clock.now()).goes("递交申请材料")
    claim(waiting.runtime, waiting.task("审核材料").id, cast.guangzhou, waiting.now)
    listed = app.test_cli_runner().invoke(args=["inbox", "--as", "guangzhou"]).output
    assert cast.guangzhou.name not in listed
    assert f"  {cast.guangzhou.name[0]}*" in listed
