"""Where the OpenID provider also says what somebody is and where: accounts made by it, and people who have moved."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from engine.people.tables import Account, Role
from tests.conftest import Cast
from tests.provider import CLIENT, SECRET, TestProvider, running_provider
from tests.web.signing_on import events, is_logged_in, sign_on, with_signon
from web.settings import SettingRefused, Settings

ROLES = {"officials": Role.AUTHORITY, "companies": Role.ENTERPRISE}
OFFICIAL = {"realm": {"groups": ["staff", "officials"]}, "unit": "440100", "name": "梁文", "amr": ["pwd", "otp"]}


@pytest.fixture
def provider() -> Iterator[TestProvider]:
    with running_provider() as provider:
        provider.username, provider.changes = "liang.wen", dict(OFFICIAL)
        yield provider


@pytest.fixture
def signing_on(app: Flask, provider: TestProvider, cast: Cast) -> Iterator[Flask]:
    claims = {"role_claim": "realm.groups", "organisation_claim": "unit", "roles": ROLES}
    with with_signon(app, provider, second_factor=frozenset({"otp"}), **claims) as app:
        yield app


def account(app: Flask, username: str) -> Account | None:
    with app.extensions["runtime"].database.read() as reading:
        found: Account | None = reading.scalar(select(Account).where(Account.username == username))
        return found


def accounts(app: Flask) -> int:
    with app.extensions["runtime"].database.read() as reading:
        return reading.scalar(select(func.count()).select_from(Account)) or 0


def test_who_has_no_account_gets_one_where_the_claims_say(
    signing_on: Flask, provider: TestProvider, cast: Cast
) -> None:
    browser = signing_on.test_client()
    assert sign_on(browser, provider).location == "/"
    assert is_logged_in(browser)
    made = account(signing_on, "liang.wen")
    assert made is not None
    assert (made.role, made.organisation_id, made.name) == ("authority", cast.guangzhou.organisation_id, "梁文")
    assert (made.manages, made.heads) == (False, False)
    kinds = [kind for kind, *_ in events(signing_on)[-3:]]
    assert kinds == ["account_created", "sign_on_linked", "logged_in"]


@pytest.mark.parametrize(
    "changes",
    [
        {"realm": {"groups": ["staff"]}},  # nothing that is known here
        {"realm": {"groups": ["officials", "companies"]}},  # two things at once
        {"realm": "officials"},
        {"realm": None},
        {"realm": {"groups": {"officials": True}}},
        {"unit": "440000"},  # nobody of that code
        {"unit": ""},
        {"unit": ["440100"]},
        {"realm": {"groups": "companies"}},  # an authority's code for an enterprise
    ],
    ids=str,
)
def test_without_a_clear_place_nobody_gets_an_account(
    signing_on: Flask, provider: TestProvider, changes: dict[str, Any]
) -> None:
    provider.changes |= changes
    before, browser = accounts(signing_on), signing_on.test_client()
    assert sign_on(browser, provider).status_code == 403
    assert not is_logged_in(browser)
    assert accounts(signing_on) == before


@pytest.mark.parametrize("username", ["", "x", "{刘}", None])
def test_a_user_name_that_can_t_be_one_gets_no_account(
    signing_on: Flask, provider: TestProvider, username: str | None
) -> None:
    provider.changes |= {"preferred_username": username}
    before = accounts(signing_on)
    assert sign_on(signing_on.test_client(), provider).status_code == 403
    assert accounts(signing_on) == before


@pytest.mark.parametrize(("role", "refused"), [("officials", True), ("companies", True), ("", True)])
def test_a_platform_s_account_can_t_be_had_by_its_name_with_another_place(
    signing_on: Flask, provider: TestProvider, cast: Cast, role: str, refused: bool
) -> None:
    """Shenzhen's official is no official of Guangzhou, whatever the user name."""
    provider.username = cast.shenzhen.username
    provider.changes["realm"] = {"groups": [role]}
    answer = sign_on(signing_on.test_client(), provider)
    assert (answer.status_code == 403) is refused
    assert "单位或角色与本平台账号不一致" in answer.text


def test_who_has_moved_to_another_city_is_kept_out_of_the_old_one(signing_on: Flask, provider: TestProvider) -> None:
    assert sign_on(signing_on.test_client(), provider).status_code == 302
    provider.changes["unit"] = "440300"
    browser = signing_on.test_client()
    answer = sign_on(browser, provider)
    assert answer.status_code == 403
    assert "单位或角色与本平台账号不一致" in answer.text
    assert not is_logged_in(browser)
    made = account(signing_on, "liang.wen")
    assert made is not None
    assert events(signing_on)[-1] == ("sign_on_refused", None, {"account_id": made.id})


def test_administrators_are_as_their_accounts_say(signing_on: Flask, provider: TestProvider, cast: Cast) -> None:
    """Their role can't come from a claim, so there is none to be compared."""
    provider.username, provider.changes = cast.admin.username, {"amr": ["otp"]}
    browser = signing_on.test_client()
    assert sign_on(browser, provider).location == "/"
    assert is_logged_in(browser)


COMPLETE = {
    "PUBLIC_URL": "https://onboarding.example.cn",
    "SIGNON_ISSUER": "https://id.example.cn",
    "SIGNON_CLIENT_ID": CLIENT,
    "SIGNON_CLIENT_SECRET": SECRET,
    "SIGNON_USERNAME_CLAIM": "employee",
    "SIGNON_ROLE_CLAIM": "groups",
    "SIGNON_ROLES": "officials=authority",
    "SIGNON_ORGANISATION_CLAIM": "unit",
    "SIGNON_SECOND_FACTOR": "otp, hwk",
}


def test_the_settings_say_which_claims(tmp_path: Any) -> None:
    given = COMPLETE | {"SIGNON_ROLES": "officials=authority, gd:companies = enterprise"}
    signon = Settings.from_environment(given | {"DATA_DIR": str(tmp_path)}).signon
    assert signon is not None
    assert signon.roles == {"officials": Role.AUTHORITY, "gd:companies": Role.ENTERPRISE}
    assert signon.second_factor == {"otp", "hwk"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"SIGNON_ROLE_CLAIM": ""},
        {"SIGNON_ROLES": ""},
        {"SIGNON_ORGANISATION_CLAIM": ""},
        {"SIGNON_ROLES": "officials"},
        {"SIGNON_ROLES": "=authority"},
        {"SIGNON_ROLES": "admins=admin"},
        {"SIGNON_ROLES": "analysts=analyst"},
    ],
    ids=str,
)
def test_half_a_mapping_is_refused(tmp_path: Any, wrong: dict[str, str]) -> None:
    given = COMPLETE | {"SIGNON_ROLES": "officials=authority", "DATA_DIR": str(tmp_path)}
    with pytest.raises(SettingRefused):
        Settings.from_environment(given | wrong)
