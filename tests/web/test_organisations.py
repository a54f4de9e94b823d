"""单位 on its pages, and 账号 in the menu of those who manage some."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine.people.accounts import Actor, organisation_for
from engine.people.tables import Account, OrganisationKey
from engine.runtime.runtime import Runtime
from tests.conftest import Cast
from tests.engine.membership.newcomers import CODE
from tests.web.conftest import menu

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def admin(client_of: ClientOf, cast: Cast) -> FlaskClient:
    return client_of(cast.admin)


def test_account_managers_find_their_pages_in_the_menu_and_others_do_not(
    client_of: ClientOf, cast: Cast, runtime: Runtime
) -> None:
    assert "账号" in menu(client_of(cast.guangzhou_colleague).get("/inbox").text)
    assert "账号" not in menu(client_of(cast.guangzhou).get("/inbox").text)
    for actor in (cast.enterprise, cast.guangzhou_support, cast.province, cast.analyst):
        assert "账号" not in menu(client_of(actor).get("/account").text)
        with runtime.database.write() as session:
            session.get_one(Account, actor.account_id).manages = True
        assert menu(client_of(replace(actor, manages=True)).get("/account").text)[-1] == "账号"


def test_the_list_finds_by_name_and_by_key_and_leads_to_a_new_account(admin: FlaskClient) -> None:
    page = admin.get("/admin/organisations?search=粤筑").text
    assert "粤筑智联" in page
    assert "鹏程安建" not in page
    assert "91440101MA5TRYA01X" in page
    assert "粤筑智联" in admin.get("/admin/organisations?search=91440101ma5trya01x").text
    assert "广州市" in admin.get("/admin/organisations?search=440100").text
    assert "没有符合条件的单位" in admin.get("/admin/organisations?search=nowhere").text
    assert 'value="440100"' in admin.get("/accounts/new?role=authority&key=440100").text


def test_an_authority_is_registered_under_its_cities(admin: FlaskClient, runtime: Runtime) -> None:
    given = {"role": "authority", "name": "佛山市住房和城乡建设局", "cities": ["440600", "440400"]}
    assert (
        "已登记佛山市住房和城乡建设局" in admin.post("/admin/organisations/new", data=given, follow_redirects=True).text
    )
    with runtime.database.read() as session:
        found = organisation_for(session, "authority", "440600")
        assert found is not None
        keys = session.scalars(select(OrganisationKey.key).where(OrganisationKey.organisation_id == found.id))
        assert set(keys) == {"440600", "440400"}


def test_an_enterprise_is_registered_under_its_credit_code_as_it_is_kept(admin: FlaskClient, runtime: Runtime) -> None:
    given = {"role": "enterprise", "name": "佛山智岗科技有限公司", "code": CODE.lower()}
    assert admin.post("/admin/organisations/new", data=given).status_code == 302
    with runtime.database.read() as session:
        assert organisation_for(session, "enterprise", CODE) is not None


@pytest.mark.parametrize(
    ("given", "field", "status"),
    [
        ({"role": ""}, "role", 422),
        ({"name": " "}, "name", 422),
        ({"cities": []}, "cities", 422),
        ({"cities": ["440600", "990000"]}, "cities", 422),
        ({"cities": ["440600", "440100"]}, "cities", 409),
        ({"role": "enterprise", "code": "123"}, "code", 422),
        ({"role": "enterprise", "code": "91440101MA5TRYA01X"}, "code", 409),
        ({"role": "admin", "code": ""}, "code", 422),
    ],
    ids=["no role", "no name", "no city", "no city of ours", "taken city", "bad code", "taken code", "no code"],
)
def test_what_is_wrong_stands_beside_its_field(
    admin: FlaskClient, given: dict[str, object], field: str, status: int, runtime: Runtime
) -> None:
    whole = {"role": "authority", "name": "某局", "cities": ["440600"], **given}
    answer = admin.post("/admin/organisations/new", data=whole)
    assert answer.status_code == status
    assert f'id="{field}-error"' in answer.text
    with runtime.database.read() as session:
        assert organisation_for(session, "authority", "440600") is None
