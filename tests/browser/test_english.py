"""In English nothing on a page is Chinese but what people wrote themselves and what is marked as quoted."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from engine.runtime.runtime import Runtime
from engine.scenarios.reading import read_samples
from tests.browser.conftest import Somebody
from tests.browser.person import Person
from tests.casework import FOLDER, Case
from web import trial_cast

pytestmark = pytest.mark.browser

CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]+")  # characters and their punctuation
_ALL_TEXT = """() => {
  const said = [...document.querySelectorAll('[aria-label]')].map(it => it.ariaLabel);
  const seen = document.body.innerText;
  const quoted = [...document.querySelectorAll('body [lang^="zh"]')].map(it => it.innerText);
  return [document.title, ...said, quoted.reduce((text, quote) => text.replace(quote, ''), seen)].join('\\n');
}"""


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict() | list():
            for inner in value.values() if isinstance(value, dict) else value:
                yield from _texts(inner)


def _own_words() -> list[str]:
    """What the people of these tests fill in and are called; the longest first."""
    people = [name for member in trial_cast.members() for name in (member.name.zh, *member.people.values())]
    return sorted({*_texts(dict(read_samples(FOLDER).answers)), *people}, key=len, reverse=True)


OWN_WORDS = _own_words()


def _chinese_seen_by(person: Person, *paths: str) -> list[str]:
    """Lines with Chinese in them, on these pages or on the present one."""
    found = []
    for path in paths or ("",):
        if path:
            person.go(path)
        expect(person.page.locator("html")).to_have_attribute("lang", "en")
        for diagram in person.page.locator("[data-diagram]").all():
            expect(diagram).to_have_attribute("data-ready", "true")
        seen: str = person.page.evaluate(_ALL_TEXT)
        for words in OWN_WORDS:
            seen = seen.replace(words, "…")
        found += [f"{path or person.page.url}: {line}" for line in seen.splitlines() if CHINESE.search(line)]
    return found


def test_an_enterprise_reads_english(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("收到测试密钥")
    enterprise = somebody("enterprise-a")
    enterprise.press("English")
    expect(enterprise.heading).to_have_text("My applications")
    test = f"/tasks/{case.task('使用测试密钥进行测试联调').id}"
    pages = (
        "/applications",
        "/applications/new/onboarding",
        "/inbox",
        "/inbox?view=done",
        "/mine/complaint",
        "/notices",
    )
    instance = f"/instances/{case.id}"
    found = _chinese_seen_by(enterprise, *pages, instance, f"{instance}/messages/complaint", "/nowhere", test)
    enterprise.input("test_report.tested_on").fill("2099-12-31")
    enterprise.press("Submit")
    expect(enterprise.page.get_by_role("alert")).to_contain_text("future")
    found += _chinese_seen_by(enterprise)
    enterprise.go(instance)
    enterprise.station("english-1-instance")
    enterprise.press("Log out")
    found += _chinese_seen_by(enterprise)
    assert found == []
    enterprise.press("中文")
    expect(enterprise.heading).to_have_text("登录")


def test_all_others_read_english(somebody: Somebody, beside: Runtime) -> None:
    case = Case(beside, begins=datetime.now(UTC)).goes("递交申请材料")
    found = []
    for username, paths in {
        "guangzhou": ("/inbox", f"/tasks/{case.task('审核材料').id}", f"/instances/{case.id}", "/notices"),
        "support-guangzhou": ("/inbox", "/notices"),
        "province": ("/warnings", "/applications"),
        "analyst": ("/definitions", "/definitions/upload"),
        "admin": ("/admin", "/accounts"),
    }.items():
        person = somebody(username)
        person.press("English")
        found += _chinese_seen_by(person, *paths)
    assert found == []
