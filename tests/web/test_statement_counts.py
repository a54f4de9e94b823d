"""What a page that takes in a task asks of the database, from the session's cookie to the address it leads on to."""

from collections.abc import Callable

from flask.testing import FlaskClient

from engine import clock
from engine.people.accounts import Actor
from engine.runtime.runtime import Runtime
from tests.casework import Case, deploy_onboarding
from tests.conftest import Cast
from tests.statements import heard

MOST = 15  # statements, the beginnings of three transactions not counted
TRANSACTIONS = 3  # who asks and when, what the task asks, completing it


def test_completing_a_task_on_its_page_takes_few_statements_and_one_commit(
    runtime: Runtime, cast: Cast, client_of: Callable[[Actor], FlaskClient]
) -> None:
    deploy_onboarding(runtime)
    case = Case(runtime, begins=clock.now()).goes("递交申请材料")
    browser = client_of(cast.guangzhou)
    address = f"/tasks/{case.task('审核材料').id}"
    browser.get(address)

    with heard(runtime.database) as said:
        answer = browser.post(address, data={"review.result": "pass", "_once": "once"})

    assert answer.status_code == 302
    assert said.commits == 1
    assert said.transactions == TRANSACTIONS
    assert len(said.statements) <= MOST, said.statements
