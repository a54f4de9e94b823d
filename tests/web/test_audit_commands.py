"""Logging in and out leaves entries, and the command line prints, anchors and verifies the audit trail."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from engine.audit.tables import SystemEvent, SystemEventKind
from engine.database import Database
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Event
from tests.casework import Case, deploy_onboarding
from tests.conftest import PASSWORD, Cast
from tests.engine.trust.tampering import unguarded
from web.scheduler import tick

Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(app.cli, words)


@pytest.fixture
def case(runtime: Runtime) -> Case:
    deploy_onboarding(runtime)
    return Case(runtime).goes("递交申请材料")


def test_logging_in_failing_to_and_logging_out_are_entries(
    stranger: FlaskClient, database: Database, cast: Cast
) -> None:
    stranger.post("/login", data={"username": "guangzhou", "password": "a wrong one"})
    stranger.post("/login", data={"username": "my password, mistyped here", "password": "x"})
    stranger.post("/login", data={"username": "guangzhou", "password": PASSWORD})
    stranger.post("/logout")
    stranger.post("/logout")  # nobody is logged in any more
    with database.read() as session:
        newest = select(SystemEvent).order_by(SystemEvent.sequence.desc()).limit(4)
        entries = [(entry.kind, entry.actor_id, entry.details) for entry in session.scalars(newest)]
    who = cast.guangzhou.account_id
    assert entries[::-1] == [
        (SystemEventKind.LOGIN_FAILED, None, {"account_id": who}),
        (SystemEventKind.LOGIN_FAILED, None, {"account_id": None}),
        (SystemEventKind.LOGGED_IN, who, {}),
        (SystemEventKind.LOGGED_OUT, who, {}),
    ]


def test_a_stream_is_printed_entry_by_entry(run: Run, case: Case) -> None:
    by_id, by_number = run("audit", "--instance", case.id), run("audit", "--instance", case.instance().number)
    assert by_id.exit_code == 0
    assert by_id.output == by_number.output
    assert len(by_id.output.splitlines()) == case.instance().history_length
    assert "account_created" in run("audit").output
    assert run("audit", "--instance", "440100-20260918-9999").exit_code == 1


def test_a_sound_trail_is_said_to_be_so_and_an_anchor_kept_elsewhere_agrees(run: Run, case: Case) -> None:
    kept = run("anchor").output.strip()
    assert kept.startswith("1:")
    assert run("anchor").output.strip() == kept, "nothing new, no new anchor"
    verified = run("verify-audit", "--anchor", kept)
    assert verified.exit_code == 0
    assert verified.output.startswith("The audit trail is intact:")
    assert kept in verified.output


def test_a_changed_entry_is_named_with_exit_code_1(run: Run, case: Case, database: Database) -> None:
    with unguarded(database) as session:
        session.execute(update(Event).where(Event.sequence == 2).values(element_id="Elsewhere"))
    verified = run("verify-audit")
    assert verified.exit_code == 1
    assert verified.output.startswith(f"Stream {case.id}, entry 2: This entry does not match its hash")
    assert len(verified.output.splitlines()) == 1


def test_an_anchor_kept_elsewhere_that_disagrees_is_told(run: Run, case: Case) -> None:
    run("anchor")
    verified = run("verify-audit", "--anchor", f"1:{'0' * 64}")
    assert (verified.exit_code, verified.output) == (1, "Anchor 1 is not the one that was kept.\n")
    assert "is no anchor" in run("verify-audit", "--anchor", "1:0").output


def test_the_clock_anchors(run: Run, runtime: Runtime) -> None:
    tick(runtime)
    assert run("verify-audit").output.rstrip("\n").rstrip(".")[-66:].startswith("1:")
