"""Somebody at a browser: goes to pages, fills in forms by the names of their fields, and notices what goes wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import ConsoleMessage, FilePayload, Locator, Page, Request, Response, expect

from engine.clock import SHANGHAI
from engine.scenarios.sampling import SMALL_FILES
from tests.conftest import ROOT
from web import trial_cast
from web.trial_cast import PASSWORD

ARTIFACTS = ROOT / "test-artifacts"
DESKTOP, PHONE = (1280, 900), (390, 844)  # pixels
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(240)
_RUN_AXE = "() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
_SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def document(name: str, content: bytes | None = None) -> FilePayload:
    """A file to upload; without content, a small real one of its kind."""
    return {
        "name": name,
        "mimeType": "application/octet-stream",
        "buffer": SMALL_FILES[Path(name).suffix] if content is None else content,
    }


# What a sample's `{own: …}` means for enterprise-a, who applies in all of these tests.
_applicant = trial_cast.members()[0]
OWN = {"name": _applicant.name.zh, "key": _applicant.keys[0]}


@dataclass
class Person:
    page: Page
    address: str  # of the server
    javascript: bool = True
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

    def log_in(self, username: str) -> "Person":
        self.go("/login")
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("密码", exact=True).fill(PASSWORD)
        self.press("登录")
        expect(self.page.get_by_role("button", name="退出登录")).to_be_visible()
        return self

    def go(self, path: str) -> int:
        """The status of the answer."""
        response = self.page.goto(self.address + path)
        assert response is not None
        return response.status

    def press(self, button: str | re.Pattern[str]) -> None:
        self.page.get_by_role("button", name=button, exact=True).click()

    def follow(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).click()

    def choose_in_menu(self, item: str) -> None:
        """With or without a number of what waits there behind it."""
        counted = re.compile(rf"^{item}( \(.+\))?$")
        self.page.get_by_role("navigation", name="主导航").get_by_role("link", name=counted).click()

    def read(self, sentence: str | re.Pattern[str]) -> None:
        """Sees it in the page's content, or soon will."""
        expect(self.content).to_contain_text(sentence)

    @property
    def content(self) -> Locator:
        return self.page.get_by_role("main")

    @cached_property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    def input(self, name: str) -> Locator:
        """The input of a field, named `form.field` or `form.list.0.sub`."""
        return self.page.locator(f'[name="{name}"]')

    def fill(self, form: str, answers: Mapping[str, Any]) -> None:
        """Answers as samples.yaml writes them."""
        for key, value in answers.items():
            if key != "_label":
                self.answer(f"{form}.{key}", value)

    def answer(self, name: str, value: Any) -> None:
        match value:
            case {"file": str(file)}:
                self.input(name).set_input_files(document(file))
            case {"today": int(days)}:
                self.input(name).fill((datetime.now(SHANGHAI).date() + timedelta(days=days)).isoformat())
            case {"own": str(what)}:
                self._type(self.input(name), OWN[what])
            case [{"file": _}, *_]:
                self.input(name).set_input_files([document(one["file"]) for one in value])
            case [*items]:
                for number, item in enumerate(items):
                    self.fill(f"{name}.{number}", item)
            case _:
                self._type(self.input(name), str(value))

    def _type(self, found: Locator, value: str) -> None:
        kind = found.first.evaluate("input => input.type")
        if kind == "radio":
            found.and_(self.page.locator(f'[value="{value}"]')).check()
        elif kind == "select-one":
            found.select_option(value)
        else:
            found.fill(value)

    def station(self, name: str) -> None:
        """A picture of the page on a desk and on a phone: accessible (if scripts run) and never wider than it."""
        for look, (width, height) in (("desktop", DESKTOP), ("phone", PHONE)):
            self.page.set_viewport_size({"width": width, "height": height})
            self._sees_the_diagrams_anew()
            ARTIFACTS.mkdir(exist_ok=True)
            self.page.screenshot(path=ARTIFACTS / f"{name}-{look}.png", full_page=True)
            assert self.page.evaluate(_SIDEWAYS) <= 0, f"{name} scrolls sideways at {width} pixels"
            assert not self._barriers(), f"{name} at {width} pixels"
        self.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

    def _sees_the_diagrams_anew(self) -> None:
        """A diagram chooses what to show by the size of the screen it is opened on."""
        diagrams = self.page.locator("[data-diagram]")
        if self.javascript and diagrams.count():
            if self.page.viewport_size == {"width": PHONE[0], "height": PHONE[1]}:
                self.page.reload()
            for place in diagrams.all():
                expect(place).to_have_attribute("data-ready", "true")

    def _barriers(self) -> list[str]:
        """Serious and critical violations on the page, each with the elements it is about."""
        if not self.javascript:
            return []
        self.page.evaluate(AXE_SCRIPT)
        return [
            f"{each['id']}: {each['help']}: " + "; ".join(node["html"][:200] for node in each["nodes"])
            for each in self.page.evaluate(_RUN_AXE)
            if each["impact"] in ("serious", "critical")
        ]

    def _heard(self, message: ConsoleMessage) -> None:
        # The browser also says so of a page that was refused, which a test means; what a page loads is looked at below.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"{self.page.url}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.problems.append(f"{self.page.url} asks {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.problems.append(f"{self.page.url}: {response.url} answers {response.status}")


def drawn_as(page: Page, element_id: str) -> Locator:
    """The element in the diagram on the page."""
    return page.locator(f'.djs-element[data-element-id="{element_id}"]')


def changed_copy(path: Path, *replacements: tuple[str, str]) -> bytes:
    """A text file with each of the texts, which must occur, replaced once."""
    text = path.read_text("utf-8")
    for before, after in replacements:
        assert before in text, f"{path.name} holds no {before}"
        text = text.replace(before, after, 1)
    return text.encode()
