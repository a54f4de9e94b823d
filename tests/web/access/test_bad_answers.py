"""Bad answers to every question of every form file: a sentence comes back, what else was typed stays, nothing is kept.

The inputs are read from the form files, so a new question is tried by itself.
"""

import io
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import html
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import clock
from engine.definitions.deployment import read_forms
from engine.definitions.fields import LIST, Field, Form
from engine.definitions.forms import parse_forms
from engine.people.accounts import actor_named
from engine.runtime.tables import Task, TaskState, TrialClock
from engine.scenarios.playing import Play
from engine.scenarios.reading import Scenario, read_folder
from engine.scenarios.sampling import filled_in
from tests.bad_input import BAD, WORST
from tests.casework import FOLDER, deploy_onboarding, what_is_done
from tests.web.access.place import PEOPLE, Place
from tests.web.access.test_hostile import harm
from tests.web.conftest import logged_in
from web.assembly import create_app
from web.settings import Settings

FORMS = parse_forms(read_forms(FOLDER))
Inputs = dict[str, str]  # name → value


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page with a form, and how it is filled in by somebody who means well."""

    play: Play
    username: str
    address: str
    inputs: Inputs


@dataclass
class Desk:
    place: Place
    pages: dict[str, Waiting]  # by form

    def at(self, form: str) -> Waiting:
        """The page of a form, at its own time; whatever is sent there is undone."""
        page = self.pages[form]
        self.place.put_back()
        with self.place.runtime.database.write() as writing:
            offset = round((page.play.now - clock.now()).total_seconds())
            writing.merge(TrialClock(id=1, offset_seconds=offset))
        self.place.remember()
        return page

    def send(self, page: Waiting, inputs: Mapping[str, str] | list[tuple[str, str]]) -> TestResponse:
        """As bytes: what no browser would send can be sent as well. Raises whatever is a bug."""
        data = urlencode(inputs, errors="surrogatepass")
        form = "application/x-www-form-urlencoded"
        version, changed = self.place.version(), set[str]()
        answer = self.place.browser(page.username).post(page.address, data=data, content_type=form, buffered=True)
        if self.place.version() != version:
            changed = set(self.place.changes())
            self.place.put_back()
        assert answer.status_code in (200, 302, 400, 413, 422), f"answers {answer.status_code}"
        assert not changed or answer.status_code == 302, f"refused, and yet {changed} were written to"
        assert "incidents" not in changed, "a failure for an operator"
        return answer


@pytest.fixture(scope="module")
def desk(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """For every form an application that waits for it."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copyfile(sqlite_template, folder / "onboarding.db")
    url, keyring = f"sqlite:///{folder / 'onboarding.db'}", folder / "keyring"
    app = create_app(
        Settings(database_url=url, data_dir=folder, secret_key="a key for tests only", keyring_file=keyring, trial=True)
    )
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    place = Place(app)
    deploy_onboarding(place.runtime)
    with place.runtime.database.read() as session:
        actors = {name: actor_named(session, name) for name in PEOPLE.values() if name}
    for name, actor in actors.items():
        cookie = logged_in(app, actor).get_cookie("onboarding")
        assert cookie
        place.cookies[name] = cookie.value
    # Who lets the most time pass comes first: a limit that ends meanwhile has ended in the others' course already.
    steps = sorted((_until(form) for form in FORMS), key=lambda one: _time_passed(one[1]), reverse=True)
    pages = {form: _waiting(place, scenario) for form, scenario in steps}
    place.remember()
    yield Desk(place, pages)
    place.close()
    place.runtime.database.close()


def _until(form: str) -> tuple[str, Scenario]:
    """A scenario that ends with the first step in which this form is filled in."""
    for scenario in map(what_is_done, read_folder(FOLDER)):
        for number, step in enumerate(scenario.steps, 1):
            if form in step.fills:
                return form, replace(scenario, steps=scenario.steps[:number])
    raise AssertionError(f"no scenario fills in {form}")


def _time_passed(scenario: Scenario) -> datetime:
    """Nearly when its last step is taken."""
    now = scenario.begins
    for step in scenario.steps:
        now = max(now, step.at or now)
        if step.verb == "after":
            now += timedelta(days=2 * int(str(step.what).split()[0]))
    return now


def _waiting(place: Place, scenario: Scenario) -> Waiting:
    play, (*before, step) = Play(place.runtime, scenario), scenario.steps
    for each in before:
        play.play(each)
    if step.at:
        play._move_to(step.at)
    username = scenario.people[step.by or ""]
    with place.runtime.database.read() as session:
        actor = actor_named(session, username)
        opened = select(Task).where(Task.instance_id == play.instance_id, Task.state == TaskState.OPEN)
        task = next((task.id for task in session.scalars(opened) if step.what in (task.name, task.element_id)), "")
    addresses = {
        "starts": f"/applications/new/{step.what}",
        "sends": f"/instances/{play.instance_id}/messages/{step.what}",
        "does": f"/tasks/{task}",
    }
    answers = filled_in(place.runtime, step.fills, actor, play.now)
    inputs = {name: value for form, given in answers.items() for name, value in _flat(form, given)}
    return Waiting(play, username, addresses[step.verb], inputs)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """As a page names its inputs."""
    if isinstance(value, dict) and "file_id" in value:
        yield f"{name}.file_id", value["file_id"]
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}", inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _flat(name if "file_id" in inner else f"{name}.{number}", inner)
    else:
        yield name, str(value)


def names(form: Form) -> Iterator[tuple[str, Field]]:
    """Every input that the page of a form reads, or would for the first item of a list."""
    for asked in form.questions:
        name = f"{form.name}.{asked.key}"
        if asked.type == LIST:
            yield from ((f"{name}.0.{sub.key}", sub) for sub in asked.fields)
        else:
            yield name, asked
        if asked.type == "filepicker":
            yield f"{name}.file_id", asked


def sentences(answer: TestResponse) -> list[str]:
    """What a page says is wrong."""
    marked = html.fromstring(answer.text).iterfind(".//p[@class='govuk-error-message']")
    return [" ".join(str(one.xpath("string()")).split()) for one in marked]


def shown(answer: TestResponse) -> dict[str, set[str]]:
    """What stands in the inputs of a page, or is chosen there."""
    inputs: dict[str, set[str]] = {}
    for one in html.fromstring(answer.text).iter("input", "select", "textarea"):
        if one.tag == "select":
            values = [option.get("value", "") for option in one.iter("option") if "selected" in option.attrib]
        elif one.get("type") in ("radio", "checkbox"):
            values = [one.get("value", "")] if "checked" in one.attrib else []
        else:
            values = [one.get("value") or str(one.xpath("string()")).removeprefix("\n")]
        inputs.setdefault(one.get("name", ""), set()).update(values)
    return inputs


@pytest.mark.parametrize("form", FORMS)
def test_whatever_is_answered_is_taken_or_refused_in_a_sentence(desk: Desk, form: str) -> None:
    """The same to every question; and to those that take text, with the others answered well."""
    page, wrong = desk.at(form), []
    texts = [name for name, asked in names(FORMS[form]) if asked.type in ("textfield", "textarea")]
    for what, bad in BAD.items():
        for tried in (list(dict(names(FORMS[form]))), texts if what in WORST else []):
            if not tried:
                continue
            try:
                answer = desk.send(page, {**page.inputs, **dict.fromkeys(tried, bad)})
                wrong += [f"{what}: {each}" for each in harm(answer, bad)]
                if answer.status_code == 422 and not sentences(answer):
                    wrong.append(f"{what}: refused without a sentence")
            except Exception as bug:
                wrong.append(f"{what}: {bug!r}"[:300])
    assert not wrong, "\n".join(wrong)


REFUSED = {
    "textfield": "长" * 6_000,
    "textarea": "长" * 6_000,
    "number": "-１e9",
    "datetime": "2026-02-30",
    "select": "' OR 1=1",
    "radio": "' OR 1=1",
    "checklist": "' OR 1=1",
    "filepicker": "../../etc/passwd",
}


@pytest.mark.parametrize("form", FORMS)
def test_one_bad_answer_loses_none_of_the_others(desk: Desk, form: str) -> None:
    page, wrong = desk.at(form), []
    assert desk.send(page, page.inputs).status_code == 302, "what is meant well is taken"
    for name, asked in names(FORMS[form]):
        if name not in page.inputs:
            continue  # not asked, with these answers to the others
        answer = desk.send(page, {**page.inputs, name: REFUSED[asked.type]})
        if answer.status_code != 422 or not sentences(answer):
            wrong.append(f"{name} answers {answer.status_code}")
            continue
        kept = shown(answer)
        lost = [each for each, value in page.inputs.items() if each != name and value not in kept.get(each, ())]
        wrong += [f"{name}: {each} is lost" for each in lost]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("form", FORMS)
def test_an_answer_of_another_shape_is_no_bug(desk: Desk, form: str) -> None:
    """Twice the same name, a list for one answer, one answer for a list, a file for text, questions nobody asks."""
    page, wrong = desk.at(form), []
    asked = list(names(FORMS[form]))
    shapes: dict[str, list[tuple[str, str]]] = {
        "twice": [(name, value) for name, value in page.inputs.items() for value in (value, "another")],
        "a list": [(f"{name}.0", "x") for name, _ in asked] + [(f"{name}[]", "x") for name, _ in asked],
        "no list": [(f"{form}.{question.key}", "x") for question in FORMS[form].questions],
        "far down a list": [(name.replace(".0.", ".9999."), "x") for name, _ in asked],
        "many items": [(name.replace(".0.", f".{n}."), "x") for name, _ in asked if ".0." in name for n in range(60)],
        "deeper": [(f"{name}.0.0.0.x", "x") for name, _ in asked],
        "unknown": [
            *page.inputs.items(),
            (f"{form}.role", "admin"),
            ("other.field", "x"),
            (f"{form}.submitted_at", "x"),
        ],
        "of the server": [(f"{form}.__class__", "x"), ("__proto__", "x"), (form, "x"), (f"{form}.", "x"), (".", "x")],
        "an added item of nothing": [("_add", "../.."), ("_remove", f"{form}.0.-1")],
        "removed": [*page.inputs.items(), ("_remove", f"{form}.{'9' * 40}")],
        "nobody's sample": [("_sample", "x:y"), ("_upload", "x")],
        "a key that is none": [*page.inputs.items(), ("once", "x" * 5000), ("csrf_token", "\x00")],
    }
    for what, sent in shapes.items():
        try:
            wrong += [f"{what}: {each}" for each in harm(desk.send(page, sent), what)]
        except Exception as bug:
            wrong.append(f"{what}: {bug!r}"[:300])
    assert not wrong, "\n".join(wrong)


def test_a_megabyte_of_text_is_too_long_and_five_are_not_even_read(desk: Desk) -> None:
    page = desk.at("explanation")
    answer = desk.send(page, {**page.inputs, "explanation.reason": "a" * 1_000_000})
    assert answer.status_code == 422
    assert any("请精简" in sentence for sentence in sentences(answer))
    answer = desk.send(page, {**page.inputs, "explanation.reason": "a" * 5_000_000})
    assert answer.status_code == 413
    assert "提交的内容太大" in answer.text


@pytest.mark.parametrize("body", [b"\xff\xfe=\x80", b"%ff%fe=%ED%A0%80&%", b"&&==&;=%00", b"", b"\x00" * 1000])
def test_what_is_no_form_is_an_empty_one(desk: Desk, body: bytes) -> None:
    page = desk.at("explanation")
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json", ""):
        browser = desk.place.browser(page.username)
        answer = browser.post(page.address, data=body, content_type=kind)
        assert answer.status_code == 422
        assert sentences(answer)


def test_a_file_in_place_of_a_text_and_a_text_in_place_of_a_file(desk: Desk) -> None:
    page = desk.at("test_report")
    sent = {
        **page.inputs,
        "test_report.result": (io.BytesIO(b"a text"), "result.txt"),
        "test_report.report": "no file",
        "other.file": (io.BytesIO(b"x" * 100_000), "../../other.exe"),
    }
    answer = desk.place.browser(page.username).post(page.address, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert any("联调结果" in sentence for sentence in sentences(answer))
    desk.place.put_back()
