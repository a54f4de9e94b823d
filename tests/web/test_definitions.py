"""流程定义: an analyst hands in a diagram, sees what is wrong or what is new, and puts it in force; others can't."""

import html
import io
import json
import re
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from engine.definitions import deployment
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding
from tests.conftest import ROOT, Cast

ClientOf = Callable[[Actor], FlaskClient]
DIAGRAM = (ROOT / "bpmn" / "onboarding" / "onboarding.bpmn").read_bytes()
LATER = DIAGRAM.replace(b"working_days(3)", b"working_days(4)")
BROKEN = DIAGRAM.replace(b'wf:handler="issue_test_key"', b'wf:handler="give_key"')


@pytest.fixture
def analyst(client_of: ClientOf, cast: Cast, runtime: Runtime) -> FlaskClient:
    deploy_onboarding(runtime)
    return client_of(cast.analyst)


def _upload(client: FlaskClient, *files: tuple[str, bytes], **fields: str) -> TestResponse:
    # Encoded here, because the client would leave the temporary file of a large body open.
    data = {"files": [FileStorage(io.BytesIO(content), name) for name, content in files], **fields}
    boundary, body = encode_multipart(data)
    content_type = f"multipart/form-data; boundary={boundary}"
    return client.post("/definitions/upload", data=body, content_type=content_type)


def _zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _numbers(runtime: Runtime) -> tuple[list[int], int]:
    """The numbers of all versions, and of the one in force."""
    with runtime.database.read() as session:
        in_force = deployment.in_force(session, "onboarding")
        assert in_force is not None
        return [version.number for version in deployment.versions(session, "onboarding")], in_force.number


def _address(runtime: Runtime, number: int) -> str:
    with runtime.database.read() as session:
        version = next(v for v in deployment.versions(session, "onboarding") if v.number == number)
    return f"/definitions/{version.id}"


def test_the_list_tells_which_version_is_in_force_and_how_much_runs_on_it(
    analyst: FlaskClient, runtime: Runtime
) -> None:
    Case(runtime).goes("递交申请材料")
    page = analyst.get("/definitions").text
    assert "第 1 版" in page
    assert "启用中" in page
    assert re.search(r'data-label="办理中">1<', page)
    assert re.search(r'data-label="已办结">0<', page)


def test_a_sound_diagram_is_checked_first_and_put_in_force_by_a_second_step(
    analyst: FlaskClient, runtime: Runtime
) -> None:
    answer = _upload(analyst, ("onboarding.bpmn", LATER), note="审核改为\u202e 4 个工作日")
    assert answer.status_code == 302
    assert _numbers(runtime) == ([2, 1], 1)
    page = html.unescape(analyst.get(answer.location).text)
    assert "尚未启用" in page
    assert "与启用中的第 1 版相比的改动" in page
    assert "working_days(3)" in page
    assert "working_days(4)" in page
    assert "审核改为 4 个工作日" in page
    confirmed = analyst.post(f"{answer.location}/in-force", follow_redirects=True)
    assert "第 2 版已启用" in confirmed.text
    assert _numbers(runtime) == ([2, 1], 2)


def test_an_older_version_can_be_put_in_force_again(analyst: FlaskClient, runtime: Runtime) -> None:
    second = _upload(analyst, ("onboarding.bpmn", LATER)).location
    analyst.post(f"{second}/in-force")
    analyst.post(f"{_address(runtime, 1)}/in-force")
    assert _numbers(runtime) == ([2, 1], 1)


def test_a_diagram_with_errors_is_not_stored_and_every_finding_is_shown(analyst: FlaskClient, runtime: Runtime) -> None:
    answer = _upload(analyst, ("onboarding.bpmn", BROKEN), note="换处理程序")
    page = html.unescape(answer.text)
    assert answer.status_code == 422
    assert "处理程序“give_key”不存在" in page
    assert "Create_Test_Key" in page
    assert 'data-diagram="#uploaded-diagram"' in page  # drawn beside the findings
    assert "换处理程序" in page  # the note is not lost
    assert page.count("<bpmn:process ") == 1
    assert _numbers(runtime) == ([1], 1)


def test_findings_are_in_english_for_an_english_reader(analyst: FlaskClient) -> None:
    analyst.set_cookie("language", "en")
    assert "names the unknown handler “give_key”" in html.unescape(_upload(analyst, ("a.bpmn", BROKEN)).text)


def test_a_diagram_can_hold_no_markup_of_the_page(analyst: FlaskClient) -> None:
    evil = BROKEN.replace("测试联调".encode(), b"&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;")
    page = _upload(analyst, ("onboarding.bpmn", evil)).text
    assert "<script>alert" not in page


def test_the_same_files_again_lead_to_the_version_there_is(analyst: FlaskClient, runtime: Runtime) -> None:
    answer = _upload(analyst, ("onboarding.bpmn", DIAGRAM))
    assert answer.location == _address(runtime, 1)
    assert "完全相同" in analyst.get(answer.location).text
    assert _numbers(runtime) == ([1], 1)


def test_a_form_alone_changes_the_form_and_keeps_the_rest(analyst: FlaskClient, runtime: Runtime) -> None:
    form = json.loads((ROOT / "bpmn" / "onboarding" / "forms" / "review.json").read_bytes())
    form["components"][0]["label"] = "审核结果"
    answer = _upload(analyst, ("review.json", json.dumps(form).encode()), process="onboarding")
    page = html.unescape(analyst.get(answer.location).text)
    assert "review.result" in page
    assert "审核结果" in page
    with runtime.database.read() as session:
        first, second = reversed(deployment.versions(session, "onboarding"))
        assert second.diagram == first.diagram
        assert second.forms == {**first.forms, "review": form}


def test_what_is_downloaded_can_be_uploaded_again(analyst: FlaskClient, runtime: Runtime) -> None:
    archive = analyst.get(f"{_address(runtime, 1)}/files.zip")
    assert archive.headers["Content-Disposition"] == "attachment; filename=onboarding-v1.zip"
    assert _upload(analyst, ("onboarding-v1.zip", archive.data)).location == _address(runtime, 1)
    with zipfile.ZipFile(io.BytesIO(archive.data)) as opened:
        assert opened.read("onboarding.bpmn") == DIAGRAM


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("photo.png", b"\x89PNG", "不是 .bpmn、.json 或 .zip 文件"),
        ("a.zip", b"PK\x03\x04 not really", "不是完好的 zip 文件"),
        ("a.zip", _zip(**{"big.bpmn": b" " * 40_000_000}), "解压后超过 5 MB"),
        ("a.zip", _zip(**{"a.bpmn": DIAGRAM, "b.bpmn": DIAGRAM}), "一次只能上传一个 .bpmn 文件"),
        ("a.zip", _zip(**{"README.md": b"hello"}), "请选择 .bpmn 流程图"),
        ("review.json", "{}".encode("utf-16"), "不是 UTF-8 编码"),
        ("review.json", b'{"a": NaN}', "不是有效的 JSON"),
        ("review.json", b"[" * 100_000, "不是有效的 JSON"),
        ("onboarding.bpmn", b" " * 5_000_001, "总大小超过 5 MB"),
        ("onboarding.bpmn", b"hello", "不是有效的 XML 文件"),
        ("onboarding.bpmn", DIAGRAM[:9000], "不是有效的 XML 文件"),
        ("onboarding.bpmn", b"<html></html>", "不是 BPMN 2.0 文件"),
    ],
)
def test_junk_is_refused_with_a_sentence_and_nothing_is_lost(
    analyst: FlaskClient, runtime: Runtime, name: str, content: bytes, sentence: str
) -> None:
    answer = _upload(analyst, (name, content), note="说明还在")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert "说明还在" in answer.text
    assert _numbers(runtime) == ([1], 1)


def test_no_file_at_all_is_refused_with_a_sentence(analyst: FlaskClient) -> None:
    answer = analyst.post("/definitions/upload", data={"files": (io.BytesIO(b""), "")})
    assert answer.status_code == 422
    assert "请选择 .bpmn 流程图" in answer.text


def test_a_version_page_names_its_instances(analyst: FlaskClient, runtime: Runtime) -> None:
    Case(runtime).goes("递交申请材料")
    page = analyst.get(_address(runtime, 1)).text
    assert "办理中 1 件，已办结 0 件" in page
    assert "440100" in page  # the number of the application begins with the city's code


def test_the_diagram_is_there_for_anybody_logged_in_and_for_nobody_else(
    analyst: FlaskClient, runtime: Runtime, client_of: ClientOf, cast: Cast, stranger: FlaskClient
) -> None:
    address = _address(runtime, 1).replace("/definitions/", "/versions/") + "/diagram.bpmn"
    for client in (analyst, client_of(cast.enterprise), client_of(cast.province)):
        answer = client.get(address)
        assert (answer.data, answer.mimetype) == (DIAGRAM, "application/xml")
    assert "attachment" in analyst.get(f"{address}?download=1").headers["Content-Disposition"]
    assert stranger.get(address).status_code == 302


@pytest.mark.parametrize("who", ["enterprise", "guangzhou", "guangzhou_support", "province"])
def test_only_those_who_deploy_or_administer_see_the_versions(
    analyst: FlaskClient, runtime: Runtime, client_of: ClientOf, cast: Cast, who: str
) -> None:
    client = client_of(getattr(cast, who))
    for path in ("/definitions", "/definitions/upload", _address(runtime, 1), f"{_address(runtime, 1)}/files.zip"):
        assert client.get(path).status_code == 403
    assert _upload(client, ("onboarding.bpmn", LATER)).status_code == 403
    assert client.post(f"{_address(runtime, 1)}/in-force").status_code == 403
    assert _numbers(runtime) == ([1], 1)


def test_an_administrator_looks_but_does_not_deploy(
    analyst: FlaskClient, runtime: Runtime, client_of: ClientOf, cast: Cast
) -> None:
    second = _upload(analyst, ("onboarding.bpmn", LATER)).location
    admin = client_of(cast.admin)
    page = admin.get(second)
    assert page.status_code == 200
    assert "启用这个版本" not in page.text
    assert admin.post(f"{second}/in-force").status_code == 403


def test_an_unknown_version_is_not_found(analyst: FlaskClient) -> None:
    nowhere = "0" * 32
    for path in (f"/definitions/{nowhere}", f"/definitions/{nowhere}/files.zip", f"/versions/{nowhere}/diagram.bpmn"):
        assert analyst.get(path).status_code == 404
    assert analyst.post(f"/definitions/{nowhere}/in-force").status_code == 404


def test_before_anything_is_deployed_the_list_says_so(client_of: ClientOf, cast: Cast) -> None:
    assert "还没有部署任何流程" in client_of(cast.analyst).get("/definitions").text


def test_the_forms_of_these_pages_carry_a_token(app: Flask, analyst: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert _upload(analyst, ("onboarding.bpmn", LATER)).status_code == 400
    assert 'name="csrf_token"' in analyst.get("/definitions/upload").text
