"""`check`: a sentence when everything agrees, one line for each thing that does not, and an exit code for machines."""

import pytest
from flask import Flask
from sqlalchemy import delete

from engine.runtime.runtime import Runtime
from engine.runtime.tables import Timer
from tests.casework import Case, deploy_onboarding


def test_what_disagrees_is_listed_and_put_right(app: Flask, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    deploy_onboarding(runtime)
    case = Case(runtime).goes("递交申请材料")
    run = app.test_cli_runner().invoke
    agrees = run(app.cli, ["check"])
    assert (agrees.exit_code, agrees.output) == (0, "全部一致。\n")

    with runtime.database.write() as session:
        session.execute(delete(Timer))
    found = run(app.cli, ["check"])
    assert found.exit_code == 1
    assert f"{case.id} Review_Overdue" in found.output
    assert "时限没有记录，不会到期" in found.output

    repaired = run(app.cli, ["check", "--repair"])
    assert repaired.exit_code == 1  # a machine that looks at night should hear of it
    assert "已修复 1 处。" in repaired.output
    assert run(app.cli, ["check"]).exit_code == 0
