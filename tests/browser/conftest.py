"""A real server with the trial's cast, Debian's Chromium, and people who each have a browser of their own."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from engine.runtime.runtime import Runtime
from tests.browser.person import DESKTOP, Person
from tests.serving import Server
from web.assembly import open_runtime
from web.settings import Settings

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

PATIENCE = 20_000  # milliseconds; the machine may be busy

Somebody = Callable[..., Person]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"none of {', '.join(NAMES)} is installed"
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One per module: what a module does to the clock or to the process in force stays its own."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(sqlite_template, folder / "onboarding.db")
    server = Server(folder).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def beside(server: Server) -> Iterator[Runtime]:
    """The engine over the server's own database, to bring an application to where a test begins."""
    runtime = open_runtime(Settings.from_environment(server.environment))
    yield runtime
    runtime.database.close()


@pytest.fixture
def somebody(chromium: Browser, server: Server) -> Iterator[Somebody]:
    """`somebody("guangzhou")` is logged in, `somebody()` is not. In the end nobody may have met an error of a script,
    a refusal by the content security policy, or a request to any other site."""
    people: list[Person] = []

    def opens_a_browser(username: str = "", *, javascript: bool = True) -> Person:
        context = chromium.new_context(
            java_script_enabled=javascript, locale="zh-CN", viewport={"width": DESKTOP[0], "height": DESKTOP[1]}
        )
        context.set_default_timeout(PATIENCE)
        person = Person(context.new_page(), f"http://127.0.0.1:{server.port}", javascript)
        people.append(person)
        return person.log_in(username) if username else person

    yield opens_a_browser
    for person in people:
        person.page.context.close()
    assert [problem for person in people for problem in person.problems] == []
