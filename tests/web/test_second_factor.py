"""两步验证: a code beside the password, demanded of administrators, officials and analysts outside trials."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from engine import clock
from engine.audit.tables import SystemEvent
from engine.people import sessions
from engine.people.accounts import Actor
from engine.people.second_factor import STEP_SECONDS
from engine.people.tables import Account, SecondFactor
from engine.people.throttling import FREE_ATTEMPTS
from engine.runtime.runtime import Runtime
from tests.conftest import PASSWORD, Cast
from web.assembly import create_app

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def in_earnest(app: Flask) -> Iterator[Flask]:
    """The application outside a trial, over the same database."""
    earnest = create_app(replace(app.extensions["settings"], trial=False))
    earnest.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield earnest
    earnest.extensions["runtime"].database.close()


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Moves real time ahead by so many seconds from the start of a step: a code is worth something once."""
    begin = clock.now().timestamp() // STEP_SECONDS * STEP_SECONDS

    def moved(seconds: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(begin + seconds, tz=UTC))

    moved(0)
    return moved


def log_in(app: Flask, username: str, then: str = "") -> tuple[FlaskClient, str]:
    """A browser after the password, and where it is sent."""
    client = app.test_client()
    answer = client.post("/login", data={"username": username, "password": PASSWORD, "next": then})
    return client, answer.location


def secret_in(page: str) -> str:
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert found, page
    return found[1].replace(" ", "")


def code_of(secret: str, *, ahead: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(int(clock.now().timestamp()) // STEP_SECONDS + ahead)


def set_up(client: FlaskClient, address: str = "/login/set-up") -> tuple[str, list[str]]:
    """The secret and the recovery codes."""
    secret = secret_in(client.get(address).text)
    page = client.post(address, data={"code": code_of(secret)}).text
    return secret, re.findall(r"<li><code[^>]*>([a-z2-9]{5}-[a-z2-9]{5})<", page)


@pytest.mark.parametrize("username", ["admin", "guangzhou", "analyst"])
def test_whose_role_demands_it_sets_it_up_before_anything_else(in_earnest: Flask, username: str) -> None:
    client, address = log_in(in_earnest, username)
    assert address == "/login/set-up"
    assert client.get("/inbox").status_code == client.get("/account").status_code == 302, "not logged in yet"
    page = client.get(address).text
    assert "您的账号须启用两步验证。" in page
    assert "data:image/svg+xml" in page
    _, codes = set_up(client)
    assert len(set(codes)) == 10
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("username", ["enterprise-a", "support-guangzhou", "province"])
def test_of_others_it_is_not_demanded(in_earnest: Flask, username: str) -> None:
    assert log_in(in_earnest, username)[1] == "/"


@pytest.mark.parametrize("username", ["admin", "guangzhou", "analyst"])
def test_in_a_trial_it_is_demanded_of_nobody(app: Flask, username: str) -> None:
    assert log_in(app, username)[1] == "/"


def test_a_session_begun_in_a_trial_is_worth_nothing_in_earnest(in_earnest: Flask, cast: Cast) -> None:
    runtime: Runtime = in_earnest.extensions["runtime"]
    for actor, status in ((cast.guangzhou, 302), (cast.enterprise, 200)):
        with runtime.database.write() as session:
            token = sessions.begin(session, actor.account_id, agent="", address="127.0.0.1", now=clock.now())
        client = in_earnest.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"], cookie["_fresh"] = token, True
        assert client.get("/account").status_code == status


def test_the_next_log_in_asks_for_a_code_and_leads_where_one_wanted_to_go(
    in_earnest: Flask, moment: Callable[[int], None]
) -> None:
    secret, _ = set_up(log_in(in_earnest, "guangzhou")[0])
    moment(STEP_SECONDS)
    client, address = log_in(in_earnest, "guangzhou", then="/notices")
    assert address == "/login/code"
    assert client.get("/inbox").status_code == 302
    assert client.post(address, data={"code": code_of(secret)}).location == "/notices"
    assert client.get("/inbox").status_code == 200


class TestACode:
    @pytest.fixture
    def secret(self, in_earnest: Flask, moment: Callable[[int], None]) -> str:
        return set_up(log_in(in_earnest, "guangzhou")[0])[0]

    def enter(self, app: Flask, code: str) -> int:
        client, address = log_in(app, "guangzhou")
        return client.post(address, data={"code": code}).status_code

    def test_is_worth_something_once(self, in_earnest: Flask, secret: str, moment: Callable[[int], None]) -> None:
        assert self.enter(in_earnest, code_of(secret)) == 422, "the one of the set-up"
        moment(STEP_SECONDS)
        assert self.enter(in_earnest, code_of(secret)) == 302
        assert self.enter(in_earnest, code_of(secret)) == 422
        assert self.enter(in_earnest, code_of(secret, ahead=-1)) == 422, "an older one"

    @pytest.mark.parametrize(("ahead", "status"), [(-2, 422), (-1, 302), (0, 302), (1, 302), (2, 422)])
    def test_may_be_one_step_off(
        self, in_earnest: Flask, secret: str, moment: Callable[[int], None], ahead: int, status: int
    ) -> None:
        moment(5 * STEP_SECONDS)
        assert self.enter(in_earnest, code_of(secret, ahead=ahead)) == status

    @pytest.mark.parametrize("code", ["", "000", "abcdef", "验证码", "1" * 5000])
    def test_that_is_none_is_refused_beside_the_field(self, in_earnest: Flask, secret: str, code: str) -> None:
        client, address = log_in(in_earnest, "guangzhou")
        answer = client.post(address, data={"code": code})
        assert answer.status_code == 422
        assert 'id="code-error"' in answer.text

    def test_can_not_be_guessed_for_long(self, in_earnest: Flask, secret: str, moment: Callable[[int], None]) -> None:
        client, address = log_in(in_earnest, "guangzhou")
        assert [client.post(address, data={"code": "0"}).status_code for _ in range(FREE_ATTEMPTS)] == [422] * 5
        moment(STEP_SECONDS - 25)
        answer = client.post(address, data={"code": code_of(secret)})
        assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)

    def test_is_asked_for_soon_after_the_password_or_not_at_all(
        self, in_earnest: Flask, secret: str, moment: Callable[[int], None]
    ) -> None:
        client, address = log_in(in_earnest, "guangzhou")
        moment(11 * 60)
        assert client.post(address, data={"code": code_of(secret)}).location == "/login"

    def test_of_an_account_that_was_deactivated_meanwhile_is_worth_nothing(
        self, in_earnest: Flask, secret: str, moment: Callable[[int], None], cast: Cast
    ) -> None:
        client, address = log_in(in_earnest, "guangzhou")
        with in_earnest.extensions["runtime"].database.write() as session:
            session.get_one(Account, cast.guangzhou.account_id).active = False
        moment(STEP_SECONDS)
        assert client.post(address, data={"code": code_of(secret)}).location == "/login"

    def test_without_the_password_leads_nowhere(self, in_earnest: Flask, secret: str) -> None:
        stranger = in_earnest.test_client()
        for path in ("/login/code", "/login/set-up"):
            assert stranger.get(path).location == "/login"
            assert stranger.post(path, data={"code": code_of(secret)}).location == "/login"

    def test_in_use_its_secret_is_never_shown_again(self, in_earnest: Flask, secret: str) -> None:
        client, _ = log_in(in_earnest, "guangzhou")
        answer = client.get("/login/set-up")
        assert answer.status_code == 409
        assert secret not in answer.text.replace(" ", "")


def test_a_recovery_code_takes_its_place_once(in_earnest: Flask, moment: Callable[[int], None]) -> None:
    _, (code, *_) = set_up(log_in(in_earnest, "guangzhou")[0])
    for given, status in ((code.upper().replace("-", ""), 302), (code, 422)):
        client, address = log_in(in_earnest, "guangzhou")
        assert client.post(address, data={"code": given}).status_code == status
    assert "剩余恢复码" not in client.get("/account").text


def test_what_is_kept_is_encrypted_or_hashed_and_the_audit_holds_ids(
    in_earnest: Flask, cast: Cast, moment: Callable[[int], None]
) -> None:
    secret, codes = set_up(log_in(in_earnest, "guangzhou")[0])
    with in_earnest.extensions["runtime"].database.read() as session:
        factor = session.get_one(SecondFactor, cast.guangzhou.account_id)
        events = session.scalars(select(SystemEvent).order_by(SystemEvent.sequence)).all()
    assert secret.encode() not in factor.secret
    assert not {code.replace("-", "") for code in codes} & set(factor.recovery)
    assert [event.kind for event in events[-2:]] == ["second_factor_set", "logged_in"]
    assert events[-2].details == {}


def test_anybody_may_set_one_up_and_give_it_up_again(app: Flask, moment: Callable[[int], None]) -> None:
    client, _ = log_in(app, "enterprise-a")
    secret, _ = set_up(client, "/account/second-factor")
    assert "剩余恢复码 10 个" in client.get("/account").text
    assert log_in(app, "enterprise-a")[1] == "/login/code", "also in a trial: it was asked for"
    proof = client.post("/account/second-factor/remove").location
    assert proof == "/proof?next=/account/second-factor/remove", "a password alone does not prove enough any more"
    assert client.post(proof, data={"password": PASSWORD, "code": "0"}).status_code == 422
    moment(STEP_SECONDS)
    answer = client.post(proof, data={"password": PASSWORD, "code": code_of(secret)})
    assert answer.location == "/account/second-factor/remove"
    assert client.get(answer.location).status_code == 200
    assert client.post(answer.location).location == "/account"
    assert log_in(app, "enterprise-a")[1] == "/"


def test_who_lost_the_phone_has_it_removed_by_a_manager_or_an_operator(
    app: Flask, client_of: ClientOf, cast: Cast, moment: Callable[[int], None]
) -> None:
    client = client_of(cast.guangzhou)
    set_up(client, "/account/second-factor")
    address = f"/accounts/{cast.guangzhou.account_id}/remove-second-factor"
    assert client_of(cast.shenzhen).post(address).status_code == 403
    assert client_of(cast.guangzhou_colleague).post(address).status_code == 302
    assert client.get("/inbox").status_code == 302, "logged out"
    assert log_in(app, "guangzhou")[1] == "/"

    set_up(client_of(cast.guangzhou), "/account/second-factor")
    assert app.test_cli_runner().invoke(args=["remove-second-factor", "guangzhou"]).exit_code == 0
    assert log_in(app, "guangzhou")[1] == "/"
