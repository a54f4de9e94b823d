"""Who may open an uploaded file, and how it is handed out."""

import html
import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from flask_login import login_user
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from engine import clock
from engine.files import StoredFile
from engine.people.accounts import Actor
from engine.people.tables import LoginSession, Proof
from engine.reading.attachments import own_files, take_in
from engine.scenarios.sampling import SMALL_FILES
from engine.text import Text
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.web.test_formdata import FORMS
from web.formdata import read_answers
from web.session import SignedIn

if TYPE_CHECKING:
    from engine.runtime.runtime import Runtime

ClientOf = Callable[[Actor], FlaskClient]
NOW = datetime(2026, 9, 22, 1, tzinfo=UTC)
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PAGE = SMALL_FILES[".pdf"]
NAME = "营业执照 “正本”.pdf"


def draft(
    runtime: "Runtime", actor: Actor, name: str = NAME, *, content: bytes = PDF, accept: Sequence[str] = ()
) -> str:
    return take_in(
        runtime, stream=io.BytesIO(content), name=name, accept=accept, max_bytes=1000, actor=actor, now=NOW
    ).id


def attached(runtime: "Runtime") -> str:
    """A file that the enterprise handed in to the authority of Guangzhou."""
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    with runtime.database.read() as session:
        handed_in = select(StoredFile.id).where(StoredFile.instance_id == case.id, StoredFile.name == "承诺书.pdf")
        return session.scalars(handed_in).one()


def test_a_draft_is_its_uploaders_own(client_of: ClientOf, cast: Cast, runtime: "Runtime") -> None:
    file_id = draft(runtime, cast.enterprise)
    assert client_of(cast.enterprise).get(f"/files/{file_id}", buffered=True).data == PDF
    for actor in (cast.enterprise_colleague, cast.other_enterprise, cast.guangzhou, cast.province, cast.admin):
        assert client_of(actor).get(f"/files/{file_id}", buffered=True).status_code == 404


def test_a_file_handed_in_is_for_everybody_who_sees_the_instance(
    client_of: ClientOf, cast: Cast, runtime: "Runtime"
) -> None:
    file_id = attached(runtime)
    for actor in (cast.enterprise, cast.enterprise_colleague, cast.guangzhou, cast.guangzhou_colleague, cast.province):
        assert client_of(actor).get(f"/files/{file_id}", buffered=True).status_code == 200
    strangers = (cast.other_enterprise, cast.shenzhen, cast.guangzhou_support, cast.analyst, cast.admin)
    for actor in strangers:
        assert client_of(actor).get(f"/files/{file_id}", buffered=True).status_code == 404, actor.role


def test_who_is_not_logged_in_gets_no_file(stranger: FlaskClient, cast: Cast, runtime: "Runtime") -> None:
    assert stranger.get(f"/files/{draft(runtime, cast.enterprise)}", buffered=True).status_code == 302


def test_a_file_is_saved_and_never_run(client_of: ClientOf, cast: Cast, runtime: "Runtime") -> None:
    headers = client_of(cast.enterprise).get(f"/files/{draft(runtime, cast.enterprise)}", buffered=True).headers
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E8%90%A5%E4%B8%9A%E6%89%A7%E7%85%A7" in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert "no-store" in headers["Cache-Control"]


def test_a_preview_stands_in_a_frame_of_this_site_and_runs_nothing(
    client_of: ClientOf, cast: Cast, runtime: "Runtime"
) -> None:
    answer = client_of(cast.enterprise).get(f"/files/{draft(runtime, cast.enterprise, content=PAGE)}/preview")
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert policy[:2] == ["sandbox allow-same-origin", "default-src 'none'"]
    assert "frame-ancestors 'self'" in policy
    assert not [part for part in policy if "script" in part or "allow-scripts" in part]
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert "<script" not in answer.text
    assert 'src="data:image/jpeg;base64,' in answer.text
    assert NAME in html.unescape(answer.text)


def test_a_preview_is_for_who_may_open_the_file(client_of: ClientOf, cast: Cast, runtime: "Runtime") -> None:
    address = f"/files/{attached(runtime)}/preview"
    for actor in (cast.other_enterprise, cast.shenzhen, cast.guangzhou_support, cast.analyst, cast.admin):
        assert client_of(actor).get(address).status_code == 404, actor.role
    assert client_of(cast.guangzhou).get(address).status_code == 200


def test_what_can_not_be_drawn_leads_to_the_download(client_of: ClientOf, cast: Cast, runtime: "Runtime") -> None:
    client = client_of(cast.enterprise)
    file_id = draft(runtime, cast.enterprise)
    answer = client.get(f"/files/{file_id}/preview")
    assert (answer.status_code, "请下载后查看" in answer.text) == (422, True)
    assert client.get(f"/files/{file_id}/preview?page=2").status_code == 422
    text = draft(runtime, cast.enterprise, "a.txt", content="你好".encode(), accept=[".txt"])
    assert client.get(f"/files/{text}/preview").status_code == 404, "other types are only downloaded"


def test_no_other_page_stands_in_a_frame(client_of: ClientOf, cast: Cast, runtime: "Runtime") -> None:
    client, file_id = client_of(cast.enterprise), draft(runtime, cast.enterprise)
    for address in ("/inbox", f"/files/{file_id}", "/files/0123/preview"):
        assert client.get(address, buffered=True).headers["X-Frame-Options"] == "DENY", address


def test_materials_show_their_preview_their_version_and_the_versions_before(
    client_of: ClientOf, cast: Cast, runtime: "Runtime"
) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    case.step(by="主管部门", does="审核材料", fills={"review": "self_test_incomplete"})
    case.step(by="企业", does="修改申请材料后再次提交", fills={"basic": "first", "materials": "complete"})
    for address in (f"/tasks/{case.task('审核材料').id}", f"/instances/{case.id}"):
        page = client_of(cast.guangzhou).get(address).text
        assert "第 2 版" in page
        older = re.findall(r'第 1 版\s+<a [^>]*href="(/files/[0-9a-f]+)"', page)
        assert older
        assert client_of(cast.guangzhou).get(older[0], buffered=True).status_code == 200
        frames = re.findall(r'<iframe [^>]*src="(/files/[0-9a-f]+/preview)" sandbox="allow-same-origin"', page)
        assert len(frames) >= 5
        assert client_of(cast.guangzhou).get(frames[0]).status_code == 200


def test_a_name_can_not_break_out_of_the_header(client_of: ClientOf, cast: Cast, runtime: "Runtime") -> None:
    file_id = draft(runtime, cast.enterprise, 'a"; filename="evil.exe\r\nX-Evil: 1.pdf')
    headers = client_of(cast.enterprise).get(f"/files/{file_id}", buffered=True).headers
    assert "X-Evil" not in headers
    assert 'filename="evil.exe' not in headers["Content-Disposition"]


def test_an_unknown_file_is_not_found(client_of: ClientOf, cast: Cast) -> None:
    assert client_of(cast.enterprise).get("/files/0123").status_code == 404


def test_only_files_of_the_own_organisation_or_its_instances_can_be_handed_in(cast: Cast, runtime: "Runtime") -> None:
    mine, theirs = draft(runtime, cast.enterprise), draft(runtime, cast.other_enterprise)
    shared = attached(runtime)

    def found(actor: Actor) -> set[str]:
        with runtime.database.read() as reading:
            return {file.id for file in own_files(reading, actor, [mine, theirs, shared])}

    assert found(cast.enterprise) == found(cast.enterprise_colleague) == {mine, shared}
    assert found(cast.other_enterprise) == {theirs}
    assert found(cast.shenzhen) == set()


@pytest.mark.parametrize(("name", "taken"), [("licence.pdf", True), ("licence.exe", False), ("licence.png", False)])
def test_an_upload_on_a_page_reaches_the_store(app: Flask, cast: Cast, name: str, taken: bool) -> None:
    with app.test_request_context(method="POST", data={"page.proof": FileStorage(io.BytesIO(PDF), filename=name)}):
        login_user(
            SignedIn("", cast.enterprise, Text("甲"), LoginSession(proven_at=clock.now(), proven_by=Proof.PASSWORD))
        )
        answers, errors = read_answers(FORMS, request.form, request.files)
    assert ("proof" in answers["page"]) is taken
    assert bool(errors) is not taken
