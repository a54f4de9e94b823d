"""What a person and an organisation are handed out of what is kept of them, and who may ask."""

import io
import json
import zipfile
from typing import Any

import pytest
from sqlalchemy import select

from engine import clock
from engine.audit.tables import SystemEvent, SystemEventKind
from engine.errors import NotFound
from engine.people.accounts import Actor
from engine.people.links import Vouched, identify
from engine.privacy.export import of_organisation, of_person, write_zip
from engine.trust.verification import verify
from tests.casework import Case
from tests.conftest import Cast


def unpacked(case: Case, kind: Any, whose: str, actor: Actor) -> tuple[dict[str, Any], dict[str, bytes]]:
    with case.runtime.database.write() as session:
        export = kind(session, case.runtime.definitions, whose, actor, clock.now())
        target = io.BytesIO()
        write_zip(export, case.runtime.files, target)
    with zipfile.ZipFile(target) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(content["data.json"]), content


def test_a_person_gets_everything_of_the_own_account_in_clear_with_its_files(closed: Case, cast: Cast) -> None:
    person = Vouched("https://provider.example", "248289761001", "enterprise-a")
    identify(closed.runtime.database, person, now=clock.now())
    data, content = unpacked(closed, of_person, cast.enterprise.account_id, cast.enterprise)
    assert data["account"]["username"] == "enterprise-a"
    assert "password_hash" not in data["account"]
    assert [(each["issuer"], each["subject"]) for each in data["sign_on"]] == [
        ("https://provider.example", "248289761001")
    ]
    answers = {each["form"]: each["data"] for each in data["answers"]}
    assert answers.keys() == {"application", "basic", "materials", "complaint"}
    assert answers["basic"]["mobile"] == "13800138000"
    assert answers["complaint"]["facts"]
    assert [each["number"] for each in data["applications"]] == [closed.instance().number]
    assert {each["kind"] for each in data["history"]} >= {"started", "task_completed", "message_received"}
    assert len(data["files"]) == 6
    for file in data["files"]:
        assert len(content[file["place"]]) == file["size"]


def test_a_person_gets_nothing_that_others_handed_in(closed: Case, cast: Cast) -> None:
    data, _ = unpacked(closed, of_person, cast.guangzhou.account_id, cast.guangzhou)
    assert {each["form"] for each in data["answers"]} == {"review", "issue", "verification", "findings"}
    assert "13800138000" not in json.dumps(data)
    assert data["files"] == data["applications"] == []


def test_an_organisation_gets_what_all_its_people_handed_in(closed: Case, cast: Cast) -> None:
    data, content = unpacked(closed, of_organisation, cast.guangzhou.organisation_id, cast.guangzhou_colleague)
    assert data["organisation"]["keys"] == ["440100"]
    assert {each["username"] for each in data["accounts"]} == {"guangzhou", "guangzhou2"}
    assert {each["form"] for each in data["answers"]} == {"review", "issue", "verification", "findings"}
    assert "README.txt" in content
    theirs, _ = unpacked(closed, of_organisation, cast.enterprise.organisation_id, cast.admin)
    assert [each["id"] for each in theirs["applications"]] == [closed.id]


def test_nobody_gets_what_is_somebody_elses(closed: Case, cast: Cast) -> None:
    definitions, now = closed.runtime.definitions, clock.now()
    with closed.runtime.database.write() as session:
        for actor in (cast.enterprise_colleague, cast.guangzhou, cast.province, cast.guangzhou_colleague):
            with pytest.raises(NotFound):
                of_person(session, definitions, cast.enterprise.account_id, actor, now)
        for actor in (cast.enterprise, cast.guangzhou_colleague, cast.province):
            with pytest.raises(NotFound):
                of_organisation(
                    session, closed.runtime.definitions, cast.enterprise.organisation_id, actor, clock.now()
                )


def test_handing_out_is_on_record_without_what_was_handed_out(closed: Case, cast: Cast) -> None:
    unpacked(closed, of_person, cast.enterprise.account_id, cast.admin)
    with closed.runtime.database.read() as session:
        query = select(SystemEvent).where(SystemEvent.kind == SystemEventKind.DATA_EXPORTED)
        entry = session.scalars(query).one()
    assert entry.actor_id == cast.admin.account_id
    assert entry.details == {"account_id": cast.enterprise.account_id, "files": 6}
    assert verify(closed.runtime.database).flaws == ()
