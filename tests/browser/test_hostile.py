"""Every text that somebody types is made to do harm, and everybody opens every page that shows it: no script runs.

The scenarios are played until every text field of every form holds such words. They are in the names of organisations
and people, of the process, its steps and its questions as well, in reasons, notes, files and failures. Pages are opened
twice, with the content security policy and with the browser told to ignore it: then nothing but escaping is in the way.
"""

import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Route
from sqlalchemy import select, update

from engine import clock
from engine.calendar.reading import read
from engine.definitions.deployment import deploy, read_forms
from engine.definitions.forms import Form, parse_forms
from engine.levers import interventions, limit_levers
from engine.limits import calendars
from engine.membership import deciding
from engine.people import management, systems
from engine.people.accounts import actor_named
from engine.people.tables import Account, LoginSession, Organisation, Role
from engine.privacy.holding import hold
from engine.reading.attachments import take_in
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Incident, Task, Timer, TrialClock
from engine.scenarios.playing import Play
from engine.scenarios.reading import Scenario, Step, read_folder
from engine.scenarios.sampling import SMALL_FILES
from engine.telling import contacts, outbox
from handlers import HANDLERS
from tests import hostile
from tests.browser.person import document
from tests.browser.reader import Reader, World
from tests.casework import FOLDER, what_is_done
from tests.conftest import CAST_SINCE
from tests.engine.levers.test_limit_levers import with_levers
from tests.engine.membership.newcomers import registers
from tests.receivers import mail_server
from tests.serving import Server
from tests.web.access.reading import Row, rows
from web import trial_cast
from web.language import COOKIE
from web.senders.email import EmailSender
from web.settings import MailServer

pytestmark = pytest.mark.browser

EVERYBODY = {  # user name → as the table of access calls them
    "guangzhou": "official",
    "guangzhou2": "manager",
    "enterprise-a": "enterprise",
    "support-guangzhou": "support",
    "province": "province",
    "analyst": "analyst",
    "admin": "admin",
}
TOO_LONG = "长" * 6_000  # characters, for any text field
HEADERS = {"Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"}
HEADERS |= {"Content-Transfer-Encoding"}
NO_PAGES = re.compile(r"/(diagram\.bpmn|files\.zip|openapi\.json|token)|^/files/[^/]+$|^/static/")
WHO_SEES_ALL = "guangzhou"  # and so opens every application, and of each other kind of page one or two
ALIKE = re.compile(r"/account|/proof|/deadlines|/forgotten|/register|/set-password")  # whoever looks

Walked = dict[str, list[str]]  # user name → the addresses somebody has opened

# As somebody does who changes the page: every question of a form becomes a line, and says the same.
_TAMPER = """([named, words]) => {
  const asked = [...document.querySelectorAll("[name]")].filter(({ name }) => name.startsWith(`${named}.`));
  const { form } = asked[0];
  for (const name of new Set(asked.map((input) => input.name))) {
    for (const input of asked.filter((one) => one.name === name)) input.removeAttribute("name");
    const line = document.createElement("textarea");
    line.name = name;
    line.value = words;
    form.append(line);
  }
  HTMLFormElement.prototype.submit.call(form);
}"""


def kind(address: str) -> str:
    """Of the like of this address there are as many as there are ids; `view` chooses what is shown."""
    parts = urlsplit(address)
    path = re.sub(r"[0-9a-f]{32}", "*", parts.path)
    asked = sorted(re.sub(r"=(?!done|mine|resolved).*", "", one) for one in parts.query.split("&"))
    return path + (f"?{'&'.join(asked)}" if parts.query else "")


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One whose clock stands aside: the scenarios bring their own time."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "onboarding.db").write_bytes(sqlite_template.read_bytes())
    server = Server(folder, settings={"TICK_SECONDS": "3600"}).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def world(chromium: Browser, server: Server, beside: Runtime) -> Iterator[World]:
    """Everything that can be typed was typed, and the page of every form was refused once with harmful answers."""
    schemas, diagram, words = hostile.form_files(read_forms(FOLDER)), hostile.diagram(with_levers()), hostile.NAMED
    with beside.database.write() as writing:
        writing.execute(update(Organisation).values(name=words, name_en=words))
        writing.execute(update(Account).values(name=words))
        deploy(writing, diagram=diagram, forms=schemas, handlers=HANDLERS, by=None, now=CAST_SINCE, note=words)
    for role, key in ((Role.AUTHORITY, "440100"), (Role.ENTERPRISE, trial_cast.members()[0].keys[0])):
        contacts.add(
            beside, role=role, key=key, kind="email", address=f"{role}@example.cn", private=False, now=CAST_SINCE
        )
    world = World(chromium, server, parse_forms(schemas))
    _plays(world, beside)
    _types_elsewhere(world, beside)
    _is_asked_again(world, diagram)
    yield world
    for reader in world.readers.values():
        reader.page.context.close()


def _plays(world: World, beside: Runtime) -> None:
    """Scenarios until every question that any of them answers was answered; each form's page is refused once before."""
    scenarios = [_harmful(scenario, world.forms) for scenario in read_folder(FOLDER)]
    asked, refused = set().union(*map(_answered, scenarios)), set[str]()
    while asked:
        scenario = max(scenarios, key=lambda one: len(_answered(one) & asked))
        asked -= _answered(scenario)
        play = Play(beside, scenario)
        for step in scenario.steps:
            if not set(step.fills) <= refused:
                refused |= set(step.fills)
                _is_refused(world, play, step)
            play.play(step)


def _answered(scenario: Scenario) -> set[tuple[str, str]]:
    return {(form, key) for step in scenario.steps for form, given in step.fills.items() for key in given}


def _harmful(scenario: Scenario, forms: dict[str, Form]) -> Scenario:
    """With harmful answers, and with tasks called as the harmful diagram calls them."""
    return replace(
        scenario,
        steps=tuple(
            replace(
                step,
                what=step.what + hostile.MARKUP if step.verb == "does" and not step.what.isascii() else step.what,
                fills=hostile.answers(forms, step.fills),
            )
            for step in what_is_done(scenario).steps
        ),
    )


def _is_refused(world: World, play: Play, step: Step) -> None:
    """The page comes back with what was typed, harmful as it is."""
    username = play.scenario.people[step.by or ""]
    reader, address = world.reader(username), _where(play, step, username)
    _at_the_time_of(play)
    for form in step.fills:
        reader.opens(address)
        words = hostile.MARKUP + form + TOO_LONG
        with reader.page.expect_navigation():
            reader.page.evaluate(_TAMPER, [form, words])
        reader.looks(f"{address} refused")
        takes_text = any(path.startswith(f"{form}.") for path in hostile.planted(world.forms))
        assert words in reader.said[f"{address} refused"] or not takes_text, f"what was typed into {form} is lost"


def _where(play: Play, step: Step, username: str) -> str:
    """The address of the step's forms."""
    match step.verb:
        case "starts":
            return f"/applications/new/{step.what}"
        case "sends":
            return f"/instances/{play.instance_id}/messages/{step.what}"
    with play.runtime.database.read() as session:
        return f"/tasks/{play._task_for(step, actor_named(session, username))}"


def _at_the_time_of(play: Play) -> None:
    """For the pages it is when it is in the scenario."""
    with play.runtime.database.write() as writing:
        writing.merge(TrialClock(id=1, offset_seconds=round((play.now - clock.now()).total_seconds())))


def _waits(world: World, beside: Runtime, form: str) -> Play:
    """An application that waits for somebody to fill in this form."""
    scenarios = [_harmful(scenario, world.forms) for scenario in read_folder(FOLDER)]
    scenario = next(one for one in scenarios if any(form in step.fills for step in one.steps))
    play = Play(beside, scenario)
    for step in scenario.steps:
        if form in step.fills:
            break
        play.play(step)
    return play


def _types_elsewhere(world: World, beside: Runtime) -> None:
    """What is typed outside of forms, by those who may; failures, and what a browser calls itself."""
    now, words = clock.now(), hostile.NAMED
    with beside.database.read() as session:
        admin, official = actor_named(session, "admin"), actor_named(session, "guangzhou")
    _waits(world, beside, "remedy")
    held = _waits(world, beside, "verification")
    review = _waits(world, beside, "review")  # the last, or its limit would end in another's course
    with beside.database.read() as session:
        timer = session.scalars(select(Timer).where(Timer.instance_id == review.instance_id)).one()
        opened = select(Task.id).where(Task.instance_id == review.instance_id, Task.element_id == "Review_Materials")
        task_id = session.scalars(opened).one()
    _at_the_time_of(review)
    limit_levers.extend_limit(beside, task_id, timer.id, 1, words, official, review.now, basis=words)
    hold(beside, held.instance_id, words, admin, held.now)
    interventions.suspend(beside, held.instance_id, words, admin, held.now)
    closure = {"region": "440100", "dates": ["2031-03-05"], "reason": words, "document": words}
    calendars.publish(beside, read({**closure, "document_date": "2031-01-02"}), after=0, actor=admin, now=now)
    registered = registers(beside, name=words, legal_representative=words, contact=words)
    deciding.reject(beside, registered.id, admin, reason=words, now=now)
    registers(beside, name=words, legal_representative=words, contact=words)
    with beside.database.write() as writing:
        systems.issue(writing, admin, name=words, city="440100", now=now)
        for resolved in (None, now):
            writing.add(Incident(action="timer", cause=words, stack=words, at=now, resolved_at=resolved, reason=words))
        writing.execute(update(LoginSession).values(agent=words))
        token = management.issue_link(writing, writing.get_one(Account, official.account_id), by=None, now=now)
    world.reader("enterprise-a").opens(f"/instances/{review.instance_id}/withdrawal")
    admins = world.reader("admin")
    admins.opens(f"/set-password/{token}")
    admins.opens(f"/accounts/{official.account_id}/erase")
    admins.opens(f"/admin/cases/{review.instance_id}")
    admins.page.locator("#cancel-reason").fill(words)
    admins.person.press("终止申请")
    admins.looks("cancelling")
    assert words in admins.said["cancelling"]


def _is_asked_again(world: World, diagram: bytes) -> None:
    """A diagram that is refused is drawn, with what is wrong with it; its steps bear their names."""
    analysts = world.reader("analyst")
    analysts.opens("/definitions/upload")
    broken = diagram.replace(b'wf:form="review"', b'wf:form="nowhere"')
    analysts.person.input("files").set_input_files(document("onboarding.bpmn", broken))
    analysts.person.press("检查")
    analysts.looks("uploading")
    assert f"审核材料{hostile.MARKUP}" in analysts.said["uploading"]


def _walked(world: World) -> Walked:
    """Those of the table of access, and wherever links lead from there."""
    shared = set[str]()
    return {username: _walks(world.reader(username), shared) for username in EVERYBODY}


def _walks(reader: Reader, shared: set[str]) -> list[str]:
    waiting, often = deque(row.address for row in _shown_to(reader.name) if not row.parameters), Counter[str]()
    while waiting:
        address = waiting.popleft().partition("#")[0]
        like = kind(address)
        enough = 30 if reader.name == WHO_SEES_ALL and like == "/instances/*" else 2
        if address in reader.said or NO_PAGES.search(address) or like in shared or often[like] >= enough:
            continue
        often[like] += 1
        if ALIKE.match(like):
            shared.add(like)
        waiting += reader.opens(address)
    return [address for address in reader.said if re.fullmatch(r"/\S*", address)]


def _shown_to(username: str) -> list[Row]:
    """Pages, not what is done."""
    person = EVERYBODY[username]
    shown = [row for row in rows() if row.method == "GET" and "200" in row.answers[person].split("/")]
    return [row for row in shown if not NO_PAGES.search(row.address)]


def _leaks(route: Route) -> None:
    body = f"<p title='{hostile.MARKUP}'>{hostile.MARKUP}<a href='javascript:xss()'>"
    route.fulfill(body=body, content_type="text/html", headers={"Content-Security-Policy": "script-src 'self'"})


def test_the_listener_would_hear(chromium: Browser, server: Server) -> None:
    """That nothing is heard means something: where markup gets through, it runs, unless the policy is in force."""
    world = World(chromium, server, {})
    for bypass_csp in (True, False):
        reader = world.arrives("anybody", bypass_csp=bypass_csp)
        reader.page.route("**/leak", _leaks)
        reader.opens("/leak")
        assert bool(reader.ran) is bypass_csp
        assert reader.wrong
        assert bypass_csp or reader.person.problems
        reader.page.context.close()


def test_nobody_is_harmed_by_what_others_type(world: World, beside: Runtime) -> None:
    """One walk, and all that it is about: telling everything twice would take its time twice."""
    walked = _walked(world)
    _opens_files_that_are_pages(world, beside)
    found = {
        "what ran or became markup, the policy being off": [
            each for reader in world.readers.values() for each in reader.harmed()
        ],
        "text fields that nobody filled in, or whose words nobody reads": _unread(world),
        "pages that nobody opened": _unopened(walked),
        "what is wrong with letters": _wrong_with_letters(beside),
        "what ran, became markup or was stopped, the policy being on": _harm_with_policy(world, walked),
    }
    assert {what: each for what, each in found.items() if each} == {}


def _unread(world: World) -> list[str]:
    read_by_official = "\n".join(world.readers[WHO_SEES_ALL].said.values())
    return [path for path, words in hostile.planted(world.forms).items() if words not in read_by_official]


def _opens_files_that_are_pages(world: World, beside: Runtime) -> None:
    """A file's own address saves it, and its preview is a picture made of it."""
    reader, page = world.reader("guangzhou"), b"<!doctype html><script>xss()</script><svg onload=xss()>"
    with beside.database.read() as session:
        actor = actor_named(session, "guangzhou")
    for name in ("a.pdf", "a.png", "a.txt"):
        content = io.BytesIO(SMALL_FILES.get(Path(name).suffix, b"") + page)
        kept = take_in(
            beside, stream=content, name=name, accept=[name[1:]], max_bytes=10_000, actor=actor, now=clock.now()
        )
        with reader.page.expect_download() as download:
            reader.page.evaluate(f"location.assign('/files/{kept.id}')")
        assert download.value.suggested_filename == name
        reader.person.go(f"/files/{kept.id}/preview")


def _wrong_with_letters(beside: Runtime) -> list[str]:
    """No part in HTML, and no header that somebody has typed."""
    with mail_server() as box:
        sender = EmailSender(MailServer("127.0.0.1", box.port, "none", "platform@example.cn"), "https://example.cn")
        outbox.deliver_due(beside, lambda: clock.now() + timedelta(days=365), {"email": sender})
    texts = [message.get_content() for message in box.messages]
    assert any(hostile.MARKUP in text for text in texts)
    return [
        str(message)
        for message, text in zip(box.messages, texts, strict=True)
        if message.get_content_type() != "text/plain"
        or not str(message["Subject"]).startswith("【联调对接】")
        or not set(message.keys()) <= HEADERS
        or hostile.SUM in text
    ]


def _unopened(walked: Walked) -> list[str]:
    opened = {username: {urlsplit(address).path for address in addresses} for username, addresses in walked.items()}
    by_anybody = set().union(*opened.values())
    return [
        f"{username} {row.address}"
        for username in EVERYBODY
        for row in _shown_to(username)
        if not any(
            re.fullmatch(re.sub(r"<[^>]+>", "[^/]+", row.address), path)
            for path in (by_anybody if ALIKE.match(row.address) else opened[username])
        )
    ]


def _harm_with_policy(world: World, walked: Walked) -> list[str]:
    """The policy has nothing to do: what it stops, it tells of. The same pages are read in English."""
    harm = []
    for username, addresses in walked.items():
        reader = world.arrives(username, bypass_csp=False, like=world.readers[username])
        reader.page.context.add_cookies([{"name": COOKIE, "value": "en", "url": reader.person.address}])
        for address in {kind(address): address for address in addresses}.values():  # one of each kind
            reader.opens(address)
        assert "Log out" in reader.said[addresses[-1]]
        harm += reader.harmed()
        reader.page.context.close()
    return harm
