"""`case …` at the command line: where one application stands, and the operators' levers."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from engine import clock
from engine.runtime.runtime import Runtime
from engine.runtime.tables import EndedEarly, Event, EventKind
from tests.casework import Case, deploy_onboarding
from web.command_line import shown

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(app.cli, ["case", *words])


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_onboarding(runtime)
    return Case(runtime, begins=clock.now()).goes("收到测试密钥")


def test_it_shows_where_a_case_stands_where_it_may_go_and_its_limits(run: Run, case: Case) -> None:
    told = run("show", str(case.instance().number)).output
    assert "→ Test_Connection" in told
    assert "Confirm_Test" in told
    assert "⏱ Test_Overdue" in told
    assert run("show", case.id).output == told
    assert run("show", "nothing").exit_code == 1
    assert run("show", case.id, "--as", "guangzhou").exit_code == 1


def test_each_lever_is_pulled_with_a_reason(run: Run, case: Case) -> None:
    assert run("suspend", case.id).exit_code == 2, "no reason"
    for words in (
        ("suspend", case.id, "--reason", "核查"),
        ("resume", case.id, "--reason", "核查完毕"),
        ("deadline", case.id, "Test_Overdue", "2099-12-31", "--reason", "台风", "--basis", "粤建1号"),
        ("correct", case.id, "basic.product", "工地宝", "--reason", "笔误"),
        ("move", case.id, "Test_Connection", "Confirm_Test", "--reason", "线下已测"),
        ("cancel", case.id, "--reason", "重复"),
    ):
        done = run(*words)
        assert done.exit_code == 0, done.output
    assert case.instance().ended_early == EndedEarly.CANCELLED
    with case.runtime.database.read() as session:
        acts = select(Event.kind, Event.details).where(Event.instance_id == case.id, Event.actor_id.is_not(None))
        kinds = [kind for kind, details in session.execute(acts.order_by(Event.sequence)) if "intervention" in details]
    assert kinds == [
        EventKind.SUSPENDED,
        EventKind.RESUMED,
        EventKind.DEADLINE_CHANGED,
        EventKind.VARIABLE_CORRECTED,
        EventKind.MOVED,
        EventKind.CANCELLED,
    ]
    assert "cancelled" in run("show", case.id).output


@pytest.mark.parametrize(
    "words",
    [
        ("move", "Nowhere", "Confirm_Test"),
        ("move", "Test_Connection", "Nowhere"),
        ("deadline", "Nothing", "2099-12-31"),
        ("deadline", "Test_Overdue", "2001-01-01"),
        ("deadline", "Test_Overdue", "tomorrow"),
        ("deadline", "Test_Overdue", "2099-12-31T10:00"),
        ("correct", "basic.nothing", "x"),
        ("resume",),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_a_sentence_and_exit_code_1(run: Run, case: Case, words: tuple[str, ...]) -> None:
    lever, *more = words
    refused = run(lever, case.id, *more, "--reason", "理由")
    assert refused.exit_code == 1
    assert "Error: " in refused.output
    assert "Traceback" not in refused.output


def test_a_suspended_case_says_since_when_and_why(run: Run, case: Case) -> None:
    run("suspend", case.id, "--reason", "核查")
    told = run("show", case.id).output
    assert f"suspended  {shown(case.instance().suspended_at)}  核查" in told
    assert "⏱ Test_Overdue" in told
    assert "⏸" in told
