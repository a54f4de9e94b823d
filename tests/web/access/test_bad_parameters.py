"""Bad values for every parameter of every address, and for every name that a view looks for in what is sent.

The addresses are those of the table of access; which names their views look for is listened to, so that a new one is
tried by itself. On PostgreSQL too, which refuses texts that SQLite takes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, urlencode, urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.bad_input import BAD, UNSEEN, WORST
from tests.engine.membership.newcomers import NEWCOMER
from tests.web.access.place import PEOPLE, Place, furnish
from tests.web.access.reading import Row, rows
from tests.web.access.test_hostile import harm
from tests.web.access.test_table import everything
from web.assembly import create_app
from web.receiving import Sent
from web.settings import Settings

ADDRESSED = WORST | {what: BAD[what] for what in ("a path", "another site", "only blanks")} | {"dots": ".."}
SENSIBLE = {  # by what a page takes, beside what the table's own test sends
    **NEWCOMER,
    "cities": "440400",
    "city": "440100",
    "region": "440100",
    "dates": "2031-03-05",
    "document": "粤建〔2031〕1 号",
    "document_date": "2031-01-02",
}
ON_SQLITE = (
    "half a surrogate pair",
    "control characters",
    "text that runs backwards",
    "markup",
    "templates",
    "a header",
    "another site",
    "an integer no database has",
)
ON_POSTGRES = ("SQL", "a NUL", "control characters", "a huge number", "an integer no database has", "far too long")
ALONE = ("an integer no database has", "a NUL", "far too long", "text that runs backwards", "another site")
MEANT = {"streams", "system_events", "second_factors"}  # a failed log-in is noted; a secret stays until it is confirmed
CLOSED = ("403", "404", "login")


class Listening(Sent):
    """What was sent, and which names were looked for in it."""

    names: set[str] = set()  # noqa: RUF012  (one for all: requests come one by one)

    def get(self, key: str, *args: Any, **kwargs: Any) -> Any:
        self.names.add(key)
        return super().get(key, *args, **kwargs)

    def getlist(self, key: str, *args: Any, **kwargs: Any) -> Any:
        self.names.add(key)
        return super().getlist(key, *args, **kwargs)

    def __getitem__(self, key: str) -> Any:
        self.names.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.names.add(str(key))
        return super().__contains__(key)


class Lasting(Place):
    """Where what is written stays: putting back is for the small file of SQLite."""

    def version(self) -> int:
        return 0

    def remember(self) -> None:
        pass


@pytest.fixture(scope="module")
def on_postgres(postgres_app: Flask) -> Place:
    return furnish(Lasting(postgres_app))


@pytest.fixture(scope="module")
def postgres_app(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder: Path = tmp_path_factory.mktemp("on-postgres")
    postgres.run("CREATE DATABASE bad_parameters TEMPLATE template_with_cast")
    url, keyring = postgres.url("bad_parameters"), folder / "keyring"
    app = create_app(
        Settings(database_url=url, data_dir=folder, secret_key="a key for tests only", keyring_file=keyring, trial=True)
    )
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["runtime"].database.close()
    postgres.run("DROP DATABASE bad_parameters WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def somewhere(request: pytest.FixtureRequest) -> Iterator[Place]:
    place: Place = request.getfixturevalue("place" if request.param == "sqlite" else "on_postgres")
    kind = place.app.request_class.parameter_storage_class
    place.app.request_class.parameter_storage_class = Listening
    yield place
    place.app.request_class.parameter_storage_class = kind


def who_may(row: Row, place: Place) -> str:
    """Somebody who gets through the door, or else nobody in particular."""
    open_to = [person for person in PEOPLE if row.expected(person, place.corners[0]) not in CLOSED]
    return next((person for person in reversed(open_to) if person != "nobody"), "nobody")


def wrong_with(place: Place, row: Row, address: str, sent: dict[str, str], what: str) -> Iterator[str]:
    """As bytes: what no browser would send can be sent as well."""
    written = urlencode(sent, errors="surrogatepass")
    where = f"{row.method} {row.address}, {what}"
    body: dict[str, Any] = {"query_string": written}
    if row.method == "POST":
        body = {"data": written, "content_type": "application/x-www-form-urlencoded"}
    answer: TestResponse | str
    before, changed = place.version(), dict[str, list[tuple[object, ...]]]()
    try:
        browser = place.browser(PEOPLE[who_may(row, place)])
        answer = browser.open(address, method=row.method, buffered=True, **body)
    except Exception as bug:
        answer = repr(bug)[:200]
    if place.version() != before:
        changed = place.changes()
        place.put_back()
    if not isinstance(answer, str) and answer.status_code >= 400 and changed.keys() - MEANT:
        yield f"{where}: refused with {answer.status_code}, and yet {set(changed)} were written to"
    if not isinstance(answer, str) and urlsplit(answer.headers.get("Location", "")).netloc not in ("", "localhost"):
        yield f"{where}: leads to {answer.headers['Location']}"
    if kept := [
        name
        for name, new in changed.items()
        if any(unseen in str(value) for row in new for value in row for unseen in UNSEEN)
    ]:
        yield f"{where}: keeps what nobody can see in {kept}"
    if "incidents" in changed and "/incidents" not in row.address:
        yield f"{where}: a failure for an operator"
    yield from (f"{where}: {each}" for each in harm(answer, what))


def test_no_address_is_a_bug(somewhere: Place) -> None:
    """Each parameter of each address in turn; the others are as they should be."""
    wrong: list[str] = []
    for row in once_each(somewhere):
        ids = somewhere.corners[0].ids
        for bad in row.parameters:
            for what, value in ADDRESSED.items():
                written = quote_from_bytes(value.encode("utf-8", "surrogatepass")[:8_000], safe="./\\:'")
                address = row.route[1]
                for name in row.parameters:
                    address = address.replace(f"<{name}>", written if name == bad else next(iter(ids[name].values())))
                wrong += wrong_with(somewhere, row, address, {}, f"{bad} is {what}")
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:30])


def test_nothing_that_a_view_looks_for_is_a_bug(somewhere: Place) -> None:
    """The same for all names that the view looks for, and each by itself among others that are sensible."""
    wrong: list[str] = []
    full = everything()
    for row in once_each(somewhere):
        address = row.at(somewhere.corners[0])
        names = looked_for(somewhere, row, address, full)
        sensible = {name: value for name, value in (full | SENSIBLE).items() if name in names} | dict(row.sent)
        for what, value in tried(somewhere).items() if names else ():
            wrong += wrong_with(somewhere, row, address, dict.fromkeys(names, value), what)
            if row.method == "POST" and what in ALONE:
                for name in names if len(names) > 1 else ():
                    wrong += wrong_with(somewhere, row, address, sensible | {name: value}, f"{name} is {what}")
    assert not wrong, f"{len(wrong)}: " + "\n".join(wrong[:30])


def tried(place: Place) -> dict[str, str]:
    return {what: WORST[what] for what in (ON_POSTGRES if isinstance(place, Lasting) else ON_SQLITE)}


def once_each(place: Place) -> list[Row]:
    """Of the rows about one address the first that somebody gets through."""
    chosen: dict[tuple[str, str], Row] = {}
    for row in rows():
        if row.route not in chosen or who_may(chosen[row.route], place) == "nobody":
            chosen[row.route] = row
    return list(chosen.values())


def looked_for(place: Place, row: Row, address: str, full: dict[str, str]) -> set[str]:
    """Names that a view looks for when all are there, and when none is. Those of questions are tried elsewhere."""
    Listening.names.clear()
    for sent in (full, {}, dict(row.sent)):
        list(wrong_with(place, row, address, sent, "sensible"))
    return {name for name in Listening.names if "." not in name}
