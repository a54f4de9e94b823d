"""Every address, asked by everybody, about what is theirs and what is not: each answer stands in `table.txt`.

That every address does stand there is asked among the quick tests (`tests/test_gate.py`).
"""

import pytest
from werkzeug.test import TestResponse

from engine.people.access import ALLOWED, CITY_MANAGERS_MAY, HEADS_MAY, MEANING, Action
from engine.people.tables import Role
from engine.scenarios.reading import read_samples
from tests.casework import FOLDER
from tests.web.access.place import ANSWER, PEOPLE, Corner, Place
from tests.web.access.reading import Row, rows

ROWS = rows()
GROUPS = list(dict.fromkeys(row.group for row in ROWS))
REFUSED = ("403", "404", "login")
MAY = {
    "enterprise": ALLOWED[Role.ENTERPRISE],
    "colleague": ALLOWED[Role.ENTERPRISE],
    "official": ALLOWED[Role.AUTHORITY],
    "manager": ALLOWED[Role.AUTHORITY] | CITY_MANAGERS_MAY | HEADS_MAY,  # of the section too
    "support": ALLOWED[Role.SUPPORT],
    "province": ALLOWED[Role.PROVINCE],
    "analyst": ALLOWED[Role.ANALYST],
    "admin": ALLOWED[Role.ADMIN],
}
SHOWING_MORE = {Action.SEE_PERSONAL_DATA}  # on pages that another action opens
LEADING_NOWHERE = {  # the one message of the process as it is shipped, the complaint, is the enterprise's
    person: frozenset({Action.SEND_MESSAGES}) for person in ("official", "manager", "support")
}
_WORDS = ("reason", "basis", "note", "username", "name", "search", "value", "incident")
PAGE_INPUTS = dict.fromkeys(_WORDS, "某某") | {
    "accept": "yes",
    "confirmed": "yes",
    "manages": "1",
    "do": "publish",
    "after": "0",
    "act": "resolve",
    "days": "1",
    "working_days": "1",
    "ends": "2099-01-01",
    "variable": "basic.product",
    "kind": "email",
    "address": "someone@example.com",
    "role": "authority",
    "key": "440100",
    "new": "a long enough word 7",
    "again": "another",
}


def everything() -> dict[str, str]:
    """A form in which each of the pages and each of the steps finds what it asks for."""
    filled = dict(PAGE_INPUTS)
    for form, samples in read_samples(FOLDER).answers.items():
        for key, value in next(iter(samples.values())).items():
            filled[f"{form}.{key}"] = str(value)
    return filled


def answered(answer: TestResponse) -> str:
    led_away = answer.status_code == 302 and answer.location.startswith("/login?")
    return "login" if led_away or answer.status_code == 401 else str(answer.status_code)


def corners(place: Place, row: Row, person: str) -> list[Corner]:
    """Where to ask: everywhere if it matters whose it is, else what is own in every way and what is in none."""
    if "/" in row.answers[person]:
        return place.corners
    differ = any(len({str(corner.ids[name]) for corner in place.corners}) > 1 for name in row.parameters)
    return [place.corners[0], place.corners[-1]] if differ else place.corners[:1]


def told_of_others(place: Place, person: str, address: str, text: str) -> set[str]:
    """What the page gives away of applications that are none of the reader's."""
    if person in ("analyst", "admin"):  # who look after versions and cases, and read no answers
        hidden = {each for corner in place.corners for each in corner.secrets if each.startswith(ANSWER)}
    elif person == "province":
        hidden = {"13800138000", "lixiaotong@example.com"}  # personal data, which is masked
    else:
        hidden = {each for corner in place.corners if not corner.is_own(person) for each in corner.secrets}
    return {each for each in hidden if each in text and each not in address}


@pytest.mark.parametrize("group", GROUPS)
def test_everybody_gets_what_the_table_says(place: Place, group: str) -> None:
    wrong = []
    full = everything()
    for row in (row for row in ROWS if row.group == group):
        filled = row.sent if row.method == "GET" else {**full, **row.sent}
        for person, username in PEOPLE.items():
            for corner in corners(place, row, person):
                address, expected = row.at(corner), row.expected(person, corner)
                refused = expected in REFUSED
                sent = {"query_string" if row.method == "GET" else "data": filled if refused else row.sent}
                before = place.version()
                answer = place.ask(username, row.method, address, **sent)
                where = f"{row.method} {row.address} of {corner.enterprise} in {corner.city}: {person}"
                if (got := answered(answer)) != expected:
                    wrong.append(f"{where} gets {got}, and should get {expected}")
                if refused and place.version() != before:
                    wrong.append(f"{where} is refused, and yet something was written")
                text = answer.data.decode("utf-8", "replace")
                if username and (told := told_of_others(place, person, address, text)):
                    wrong.append(f"{where} reads {sorted(told)[:3]}")
    assert not wrong, "\n".join(wrong)


def test_the_table_and_the_roles_agree() -> None:
    """Who may do nothing of what an address is for is refused there; who may do something can do it somewhere."""
    wrong = []
    for row in ROWS:
        unknown = row.actions - set(Action) - {"public", "login", "-"}
        assert not unknown, f"{row.address}: {sorted(unknown)} is no action of access.py"
        for person, may in MAY.items():
            if passes(row, person) and not row.actions & (may | {"public", "login"}):
                wrong.append(f"{row.method} {row.address} is open to {person}, who may not {sorted(row.actions)}")
    for person, may in MAY.items():
        for action in may - SHOWING_MORE - LEADING_NOWHERE.get(person, frozenset()):
            if not any(passes(row, person) for row in ROWS if action in row.actions):
                wrong.append(f"{person} may {action}, and no address is open for it")
    assert not wrong, "\n".join(wrong)


def passes(row: Row, person: str) -> bool:
    return not set(row.answers[person].split("/")) <= set(REFUSED)


@pytest.mark.parametrize("person", [person for person, name in PEOPLE.items() if name])
def test_somebody_reads_of_the_own_applications_in_lists(place: Place, person: str) -> None:
    """So that finding nothing of others on a page means something."""
    address = {"analyst": None, "admin": "/admin/cases", "support": "/inbox"}.get(person, "/applications")
    if address:
        text = place.ask(PEOPLE[person], "GET", address).text
        own = [corner for corner in place.corners if person in ("province", "admin") or corner.is_own(person)]
        assert all(any(secret in text for secret in corner.secrets) for corner in own)


def test_every_action_is_explained_in_both_languages() -> None:
    assert set(MEANING) == set(Action)
    assert all(meaning.zh and meaning.en for meaning in MEANING.values())
