"""Whatever is written into the address of a list or a search: an answer in words, no bug, nothing of it as markup."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

import pytest
from lxml import html
from werkzeug.test import TestResponse

from tests.web.access.place import PEOPLE, Place
from tests.web.access.reading import rows

MARK = "owned"
ASKED_IN_ADDRESSES = ("search", "page", "view", "after", "next", "authority", "element", "cause", "process")
EXPLAINED = ("start", "days", "region", "side")
FEW = ("<script>window.owned=1</script>", "\x00owned", "\ud800owned", "9" * 40, "{{7*7}}owned", "x\r\nX-Owned: 1")


def pages(place: Place) -> Iterator[tuple[str, str]]:
    """Person and address of what each can open of the own, whatever a page is addressed by."""
    for row in rows():
        if row.method == "GET":
            for person in PEOPLE:
                if row.expected(person, place.corners[0]) == "200":
                    yield person, row.at(place.corners[0])


def sent(place: Place, person: str, address: str, asked: Mapping[str, str]) -> TestResponse | str:
    """The answer, or the bug. As bytes: what no browser would send can be sent as well."""
    try:
        written = urlencode(asked, errors="surrogatepass")
        return place.ask(PEOPLE[person], "GET", address, query_string=written)
    except Exception as bug:
        return repr(bug)[:300]


def harm(answer: TestResponse | str, payload: str) -> Iterator[str]:
    """What is wrong with an answer."""
    if isinstance(answer, str):
        yield answer
        return
    if answer.status_code >= 500:
        yield f"answers {answer.status_code}"
    if "X-Owned" in answer.headers or "owned=1" in answer.headers.get("Set-Cookie", ""):
        yield "writes a header that was sent"
    text = answer.data.decode("utf-8", "replace")
    if "49owned" in text:
        yield "works out what was sent as a template"
    if answer.mimetype == "text/html" and MARK in text:
        for element in html.fromstring(text).iter():
            names = [name for name in element.attrib if str(name).startswith("on")]
            links = [str(element.get(name)) for name in ("href", "src", "action") if element.get(name)]
            if names or any(link.startswith(("javascript:", "data:text")) for link in links):
                yield f"shows {payload!r} as {html.tostring(element)[:200]!r}"
            if element.tag in ("script", "iframe", "svg") and MARK in html.tostring(element, encoding="unicode"):
                yield f"shows {payload!r} as {html.tostring(element)[:200]!r}"


@pytest.mark.parametrize("person", ["official", "admin"])
def test_nothing_in_an_address_is_a_bug_or_becomes_markup(place: Place, person: str) -> None:
    wrong = []
    lists = [address for who, address in pages(place) if who == person and not re.search(r"[0-9a-f]{32}", address)]
    for address in lists:
        for payload in (*FEW, "-1", "%' --", '"><img src=x onerror=window.owned=1>'):
            for names in (ASKED_IN_ADDRESSES, EXPLAINED):
                answer = sent(place, person, address, dict.fromkeys(names, payload))
                wrong += [f"{address}?…={payload[:40]!r}: {each}" for each in harm(answer, payload)]
    assert not wrong, "\n".join(wrong[:40])
