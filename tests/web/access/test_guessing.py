"""Somebody who guesses learns nothing: what is another's and what never was are answered alike, after the same work.

Every address with a parameter is tried, by a stranger to the whole case, with each id there is and with one that never
was. How long an answer takes is told by what was asked of the database, statement by statement.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select

from engine.database import new_id
from engine.files.tables import StoredFile
from engine.runtime.tables import Instance
from tests.statements import heard
from tests.web.access.place import STRANGERS, Corner, Place
from tests.web.access.reading import routes
from tests.web.access.test_table import everything

# Words of the address rather than things that belong to somebody.
WORDS = ("process_id", "message", "kind", "lever", "version_id", "filename")
# Of each request anew: nonces, form tokens, keys of forms, and the trial's clock.
_CHANGING = re.compile(r'(?<=nonce)="[^"]*"|(?<=value)="[^"]{16,}"|[0-9]{2}:[0-9]{2}')


@dataclass(frozen=True, slots=True)
class Heard:
    """What a guesser can tell an answer by."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str
    statements: tuple[str, ...]


def told(place: Place, who: str, method: str, address: str, guess: str, form: dict[str, Any]) -> Heard:
    with heard(place.runtime.database) as said:
        answer = place.ask(who, method, address, **({"data": form} if method == "POST" else {}))
    headers = [(name, value) for name, value in answer.headers if name not in ("Content-Security-Policy", "Set-Cookie")]
    body = _CHANGING.sub("", answer.data.decode("utf-8", "replace").replace(guess, "…"))
    kept = [(name, "" if name == "Content-Length" else value.replace(guess, "…")) for name, value in headers]
    return Heard(answer.status_code, tuple(kept), body, tuple(said.statements))


def parameters(address: str) -> list[str]:
    return re.findall(r"<([^>]+)>", address)


def filled(address: str, ids: dict[str, str]) -> str:
    return re.sub(r"<([^>]+)>", lambda found: ids[found[1]], address)


def words(place: Place, address: str) -> dict[str, str]:
    corner = place.corners[0]
    return {name: next(iter(corner.ids[name].values())) for name in parameters(address) if name in WORDS}


def guesses(place: Place, corner: Corner, parameter: str) -> Iterator[str]:
    """Every id of that kind in the corner, and what else somebody may have come by: a number, the hash of a file."""
    if parameter == "token":  # holding one is the right to use it, so only what is near it can be guessed at
        yield sha256(corner.ids["token"][""].encode()).hexdigest()
        yield corner.ids["token"][""][:-1]
    else:
        yield from corner.ids[parameter].values()
    with place.runtime.database.read() as reading:
        case = corner.ids["instance_id"]["testing"]
        yield str(reading.get_one(Instance, case).number)
        yield str(reading.scalars(select(StoredFile.sha256).where(StoredFile.instance_id == case)).first())


def test_the_place_holds_something_of_every_parameter(place: Place) -> None:
    asked = {name for _, address in routes(place.app) for name in parameters(address)}
    missing = asked - place.corners[0].ids.keys()
    assert not missing, f"tests/web/access/place.py puts nothing there for {sorted(missing)}: nobody can guess at it"


@pytest.mark.parametrize("guesser", STRANGERS)
def test_what_is_anothers_is_as_if_it_never_was(place: Place, guesser: str) -> None:
    who, theirs, form, wrong = STRANGERS[guesser], place.corners[0], everything(), []
    for method, address in sorted(routes(place.app)):
        things = [name for name in parameters(address) if name not in WORDS]
        for parameter in things:
            ids = words(place, address) | {name: next(iter(theirs.ids[name].values())) for name in things}
            never = new_id()
            expected = told(place, who, method, filled(address, ids | {parameter: never}), never, form)
            if expected.status not in ((200, 422) if "token" in things else (403, 404)):
                wrong.append(f"{method} {address} answers {expected.status} to an id that never was")
            for guess in guesses(place, theirs, parameter):
                got = told(place, who, method, filled(address, ids | {parameter: guess}), guess, form)
                wrong += different(f"{method} {address}, guessing {guess} for {parameter}", expected, got)
    assert not wrong, "\n".join(wrong)


def different(where: str, expected: Heard, got: Heard) -> Iterator[str]:
    for what in ("status", "headers", "body", "statements"):
        if getattr(expected, what) != getattr(got, what):
            before, after = (str(getattr(each, what)).splitlines() for each in (expected, got))
            yield f"{where}: {what} " + " / ".join(unified_diff(before, after, n=0, lineterm=""))[:600]


@pytest.mark.parametrize("guesser", ["other enterprise", "other official"])
def test_what_is_anothers_is_not_found_beneath_what_is_ones_own(place: Place, guesser: str) -> None:
    """The own application with another's test key, the own task with another's limit."""
    who, theirs, own, form, wrong = STRANGERS[guesser], place.corners[0], place.corners[-1], everything(), []
    for method, address in sorted(routes(place.app)):
        first, *beneath = [name for name in parameters(address) if name not in WORDS] or [""]
        for parameter in beneath:
            for mine in own.ids[first].values():
                ids, never = words(place, address) | {first: mine}, new_id()
                expected = told(place, who, method, filled(address, ids | {parameter: never}), never, form)
                if expected.status not in (403, 404):
                    wrong.append(f"{method} {address} answers {expected.status} to an id that never was")
                for guess in theirs.ids[parameter].values():
                    got = told(place, who, method, filled(address, ids | {parameter: guess}), guess, form)
                    wrong += different(f"{method} {address}, guessing {guess} for {parameter}", expected, got)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("which", ["handed-in", "draft", "evidence"])
def test_anothers_file_can_not_be_handed_in_with_the_own_task(place: Place, which: str) -> None:
    own, guess, never = place.corners[-1], place.corners[0].ids["file_id"][which], new_id()
    address = f"/tasks/{own.ids['task_id']['enterprise']}"
    answers = {"test_report.result": "ok", "test_report.tested_on": "2026-01-05"}
    expected, got = (
        told(place, "enterprise-b", "POST", address, file, answers | {"test_report.report.file_id": file})
        for file in (never, guess)
    )
    assert list(different("a file", expected, got)) == []
    assert got.status == 422
    assert "找不到之前上传的附件" in got.body


def test_a_guess_at_who_has_an_account_gets_nowhere(place: Place) -> None:
    """A wrong password and an unknown name are the same amount of work for the database, too."""
    expected, got = (
        told(place, "", "POST", "/login", name, {"username": name, "password": "not the password"})
        for name in ("nobody-of-that-name", "enterprise-a")
    )
    assert "用户名或密码不正确" in expected.body
    assert "用户名或密码不正确" in got.body
    assert (expected.status, len(expected.statements)) == (got.status, len(got.statements))
