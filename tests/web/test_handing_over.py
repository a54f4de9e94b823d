"""转交 on the task's page, and 科长 among the accounts."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from engine.people.accounts import Actor
from engine.runtime import instances
from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast

ClientOf = Callable[[Actor], FlaskClient]


@pytest.fixture
def claimed(runtime: Runtime, cast: Cast) -> Case:
    """何敏 of Guangzhou has claimed the review; 梁志强 heads the section."""
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    instances.claim(runtime, case.task("审核材料").id, cast.guangzhou, case.now)
    return case


def test_the_head_gives_a_claimed_task_to_another_and_the_enterprise_reads_no_reason(
    client_of: ClientOf, cast: Cast, claimed: Case
) -> None:
    head, address = client_of(cast.guangzhou_colleague), f"/tasks/{claimed.task('审核材料').id}"
    page = head.get(address).text
    assert "调整经办人" in page
    assert re.findall(r'<option value="([0-9a-f]{32})">', page) == [cast.guangzhou_colleague.account_id]
    given = {"of": cast.guangzhou.account_id, "to": cast.guangzhou_colleague.account_id, "reason": "何敏请病假"}
    told = head.post(f"{address}/hand-over", data=given | {"act": "give"}, follow_redirects=True)
    assert "已转交" in told.text
    assert claimed.task("审核材料").claimed_by == cast.guangzhou_colleague.account_id
    assert "由何敏转交梁志强办理。理由：何敏请病假" in client_of(cast.guangzhou).get("/notices").text
    theirs = client_of(cast.enterprise)
    assert "转交同事办理" in theirs.get(f"/instances/{claimed.id}").text
    assert not any("病假" in theirs.get(path).text for path in (f"/instances/{claimed.id}", "/notices"))


def test_the_head_puts_it_back(client_of: ClientOf, cast: Cast, claimed: Case) -> None:
    head, address = client_of(cast.guangzhou_colleague), f"/tasks/{claimed.task('审核材料').id}"
    given = {"of": cast.guangzhou.account_id, "reason": "何敏请病假", "act": "put_back"}
    assert "已退回待办" in head.post(f"{address}/hand-over", data=given, follow_redirects=True).text
    assert claimed.task("审核材料").claimed_by is None


@pytest.mark.parametrize(("given", "field"), [({"reason": "请假"}, "to"), ({"act": "put_back"}, "reason")])
def test_what_is_missing_stands_beside_its_field(
    client_of: ClientOf, cast: Cast, claimed: Case, given: dict[str, str], field: str
) -> None:
    address = f"/tasks/{claimed.task('审核材料').id}/hand-over"
    answer = client_of(cast.guangzhou_colleague).post(address, data={"of": cast.guangzhou.account_id, **given})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert claimed.task("审核材料").claimed_by == cast.guangzhou.account_id


def test_who_is_too_late_reads_so(client_of: ClientOf, cast: Cast, claimed: Case, runtime: Runtime) -> None:
    task_id = claimed.task("审核材料").id
    instances.release(runtime, task_id, cast.guangzhou, claimed.now)
    given = {"of": cast.guangzhou.account_id, "reason": "请假", "act": "put_back"}
    answer = client_of(cast.guangzhou_colleague).post(f"/tasks/{task_id}/hand-over", data=given)
    assert answer.status_code == 409
    assert "已不在原同事手中" in answer.text


def test_nobody_else_is_offered_it(client_of: ClientOf, cast: Cast, claimed: Case, runtime: Runtime) -> None:
    task_id = claimed.task("审核材料").id
    assert "调整经办人" not in client_of(cast.guangzhou).get(f"/tasks/{task_id}").text, "not even who has it"
    instances.release(runtime, task_id, cast.guangzhou, claimed.now)
    assert "调整经办人" not in client_of(cast.guangzhou_colleague).get(f"/tasks/{task_id}").text, "nobody has it"


def test_a_manager_names_the_head_and_the_list_shows_it(client_of: ClientOf, cast: Cast) -> None:
    manager, address = client_of(cast.guangzhou_colleague), f"/accounts/{cast.guangzhou.account_id}"
    assert "设为科长" in manager.get(address).text
    assert "已设为科长" in manager.post(f"{address}/head", data={"heads": "1"}, follow_redirects=True).text
    assert manager.get("/accounts").text.count(">科长<") == 2
    assert "不再是科长" in manager.post(f"{address}/head", data={"heads": "0"}, follow_redirects=True).text


def test_an_enterprise_has_no_head(client_of: ClientOf, cast: Cast) -> None:
    admin, address = client_of(cast.admin), f"/accounts/{cast.enterprise.account_id}"
    assert "科长" not in admin.get(address).text
    assert admin.post(f"{address}/head", data={"heads": "1"}).status_code == 422
