"""People who open pages and note whether a script ran there that is none of the application's own."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from engine.definitions.forms import Form
from tests import hostile
from tests.browser.conftest import PATIENCE
from tests.browser.person import Person
from tests.serving import Server

# What markup would have become part of the page, whether or not it ran: no template has such attributes and elements.
_AUDIT = """() => {
  const said = [document.title, document.body.textContent], wrong = [];
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      const address = value.replace(/[\\x00-\\x20]/g, "").toLowerCase();
      if (name.startsWith("on") || ["autofocus", "srcdoc"].includes(name)) wrong.push(`${name}=${value}`);
      if (/^(javascript|vbscript|data:text)/.test(address)) wrong.push(`${name}=${value}`);
      said.push(value);
    }
    if (element.matches("script") && element.text.includes("xss()")) wrong.push(element.outerHTML);
    if (element.matches("img[src=x], svg[onload]")) wrong.push(element.outerHTML);
    if (element.value) said.push(String(element.value));
  }
  const links = [...document.querySelectorAll("a[href]")].map(({ href }) => String(href.baseVal ?? href));
  return [wrong, said.join("\\n"), links];
}"""


@dataclass
class Reader:
    """Somebody at a browser who opens pages and notes what they say, what ran and what is wrong with them."""

    person: Person
    name: str
    ran: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)  # address → all of its words
    wrong: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.person.page

    def opens(self, address: str) -> list[str]:
        """The addresses on this site to which the page leads."""
        status = self.person.go(address)
        assert status < 500, f"{address} answers {status}"
        return self.looks(address)

    def looks(self, address: str) -> list[str]:
        for drawn in self.page.locator("[data-diagram]").all():
            drawn.and_(self.page.locator("[data-ready]")).wait_for(state="attached")
        wrong, said, links = self.page.evaluate(_AUDIT)
        self.said[address] = said
        self.wrong += [f"{self.name} at {address}: {each}" for each in wrong]
        if hostile.SUM in said:
            self.wrong.append(f"{self.name} at {address}: a sum was worked out")
        return [link.removeprefix(self.person.address) for link in links if link.startswith(self.person.address)]

    def harmed(self) -> list[str]:
        return [*self.wrong, *(f"{self.name}: a script ran at {where}" for where in self.ran), *self.person.problems]


@dataclass
class World:
    """The people who read, and where they have been."""

    chromium: Browser
    server: Server
    forms: dict[str, Form]
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, username: str) -> Reader:
        """With the content security policy off; logged in at the first call."""
        if username not in self.readers:
            self.readers[username] = reader = self.arrives(username, bypass_csp=True)
            reader.person.log_in(username)
            reader.looks("/")
        return self.readers[username]

    def arrives(self, name: str, *, bypass_csp: bool, like: Reader | None = None) -> Reader:
        """In a browser of its own, or in another one with the cookies of the first."""
        cookies = like.page.context.storage_state() if like else None
        context = self.chromium.new_context(locale="zh-CN", bypass_csp=bypass_csp, storage_state=cookies)
        context.set_default_timeout(PATIENCE)
        reader = Reader(Person(context.new_page(), f"http://127.0.0.1:{self.server.port}"), name)
        context.expose_binding("xss", lambda source: reader.ran.append(source["frame"].url))
        return reader
