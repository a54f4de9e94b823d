"""Forms that did not come from the page somebody has open: without its token, with another session's, from before."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.conftest import PASSWORD
from tests.web.access.place import PEOPLE, Place
from tests.web.access.test_bad_parameters import once_each, who_may
from tests.web.access.test_table import everything

NOTES_SOMETHING = ("/account/second-factor",)  # the secret it shows, so that it is the same one when looked at again
MACHINES = ("/api/", "/signon/off")  # which a browser's cookie does not open, so there is nothing to forge


@pytest.fixture
def guarded(place: Place) -> Iterator[Place]:
    place.app.config["WTF_CSRF_ENABLED"] = True
    yield place
    place.app.config["WTF_CSRF_ENABLED"] = False
    place.put_back()


def token(browser: FlaskClient) -> str:
    """Of the browser's session, as its pages carry it."""
    return str(browser.get("/token").get_json()["token"])


def log_in(browser: FlaskClient, username: str) -> None:
    form = {"username": username, "password": PASSWORD, "csrf_token": token(browser)}
    assert browser.post("/login", data=form).status_code == 302


def test_every_form_wants_the_token_of_its_own_session(guarded: Place) -> None:
    wrong, full = [], everything()
    theirs = token(guarded.browser("shenzhen"))
    nobodys = token(guarded.browser(None))
    for row in once_each(guarded):
        if row.method != "POST" or row.address.startswith(MACHINES):
            continue
        who = who_may(row, guarded)  # nobody, where what it is about is not there: then somebody all the same
        browser = guarded.browser(PEOPLE[who if who != "nobody" or "public" in row.actions else "admin"])
        own, address = token(browser), row.at(guarded.corners[0])
        forged = {"none": "", "another person's": theirs, "a stranger's": nobodys, "a part of it": own[:-1]}
        for whose, value in forged.items():
            before = guarded.version()
            answer = browser.post(address, data={**full, **row.sent, "csrf_token": value}, buffered=True)
            if answer.status_code != 400 or guarded.version() != before:
                wrong.append(f"{row.address} with a token, {whose}: {answer.status_code}")
        if browser.post(address, data={**row.sent, "csrf_token": own}, buffered=True).status_code == 400:
            wrong.append(f"{row.address} refuses its own token")
        guarded.put_back()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("next_person", ["enterprise-a", "enterprise-a2"])
def test_a_form_from_before_logging_out_is_worth_nothing_after(guarded: Place, next_person: str) -> None:
    """To the same person as little as to the next one at that browser."""
    browser = guarded.browser(None)
    log_in(browser, "enterprise-a")
    page = f"/tasks/{guarded.corners[0].ids['task_id']['enterprise']}/claim"
    kept = {"csrf_token": token(browser)}
    assert browser.post("/logout", data=kept).status_code == 302
    assert browser.post(page, data=kept).status_code == 401
    log_in(browser, next_person)
    assert browser.post(page, data=kept).status_code == 400
    assert browser.post(page, data={"csrf_token": token(browser)}).status_code == 302


def test_a_cookie_planted_before_logging_in_opens_nothing(guarded: Place) -> None:
    """Whoever made somebody log in with a cookie of their own knows neither the session nor its token."""
    attacker, victim = guarded.browser(None), guarded.browser(None)
    planted = token(attacker)
    cookie = attacker.get_cookie("onboarding")
    assert cookie
    victim.set_cookie("onboarding", cookie.value)
    log_in(victim, "guangzhou")
    assert victim.get("/inbox").status_code == 200
    assert attacker.get("/inbox").status_code == 302
    assert victim.post("/notices/read", data={"csrf_token": planted}).status_code == 400


def test_two_people_s_sessions_and_tokens_can_not_be_mixed(guarded: Place) -> None:
    enterprise, official = guarded.browser("enterprise-a"), guarded.browser("guangzhou")
    tokens = token(enterprise), token(official)
    for browser, own, other in ((enterprise, tokens[0], tokens[1]), (official, tokens[1], tokens[0])):
        assert browser.post("/notices/read", data={"csrf_token": other}).status_code == 400
        assert browser.post("/notices/read", headers={"X-CSRFToken": other}).status_code == 400
        assert browser.post("/notices/read", data={"csrf_token": own}).status_code == 302


def test_looking_at_a_page_changes_nothing(place: Place) -> None:
    """What a link, an image or a browser that fetches ahead can ask for, in anybody's name."""
    wrong = []
    for row in once_each(place):
        if row.method == "GET" and row.address not in NOTES_SOMETHING:
            before = place.version()
            place.browser(PEOPLE[who_may(row, place)]).get(row.at(place.corners[0]), buffered=True)
            if place.version() != before:
                wrong.append(row.address)
                place.put_back()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "then", ["/inbox\r\nX-Owned: 1", "/inbox%0d%0aX-Owned:%201", "/inbox\u2028X-Owned: 1", "/é\x85"]
)
def test_where_to_go_next_writes_no_header(place: Place, then: str) -> None:
    form = {"username": "guangzhou", "password": PASSWORD, "next": then}
    answers = [
        place.browser(None).post("/login", data=form),
        place.browser("guangzhou").get("/login", query_string={"next": then}),
        place.browser("guangzhou").post("/language", data={"language": "en", "next": then}),
    ]
    for answer in answers:
        assert answer.status_code == 302
        assert "X-Owned" not in answer.headers
        assert not {"\r", "\n"} & set(answer.headers["Location"])
        assert answer.headers["Location"].startswith("/")
    place.put_back()


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../pyproject.toml",
        "/static/..%2f..%2fpyproject.toml",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static/..%5c..%5cpyproject.toml",
        "/static/dist/....//....//....//pyproject.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/..%252f..%252fpyproject.toml",
        "/static/%c0%ae%c0%ae/%c0%ae%c0%ae/pyproject.toml",
        "/static/",
        "/static/dist/",
    ],
)
def test_no_path_leads_out_of_what_is_static(place: Place, path: str) -> None:
    answer = place.browser(None).get(path)
    assert answer.status_code in (302, 308, 404)
    assert "[project]" not in answer.text
    assert "root:" not in answer.text
