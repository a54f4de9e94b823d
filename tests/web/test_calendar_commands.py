"""`flask calendar …`: entering a notice, and asking why a limit ends when it does."""

import json
from pathlib import Path

import pytest
from flask import Flask

from tests.engine.calendar.notices import NOTICE_2027
from tests.web.test_commands import Run, run, speak_chinese

__all__ = ["run", "speak_chinese"]


@pytest.fixture
def notice(app: Flask, tmp_path: Path) -> str:
    path = tmp_path / "notice.json"
    path.write_text(json.dumps(NOTICE_2027), "utf-8")
    return str(path)


def test_a_notice_is_previewed_entered_shown_and_withdrawn(run: Run, notice: str) -> None:
    assert "0 项期限会变" in run("calendar", "preview", notice).output
    assert "日历第 1 版已发布" in run("calendar", "enter", notice).output
    again = run("calendar", "enter", notice)
    assert (again.exit_code, "已经录入（第 1 项" in again.output) == (1, True)
    assert "2027 年放假通知" in run("calendar", "show").output
    assert "日历第 2 版已发布" in run("calendar", "withdraw", "1", "--reason", "误录").output
    assert "第 2 版撤回" in run("calendar", "show").output
    assert "核对 0 项" in run("calendar", "recompute").output


def test_a_limit_is_explained_day_by_day(run: Run, notice: str) -> None:
    before = run("calendar", "explain", "2027-02-03T10:00", "3", "--region", "440100").output
    assert "截止：2027-02-10 24:00（广州市，日历第 0 版）" in before
    assert "最迟 2027-02-16 24:00" in before
    run("calendar", "enter", notice)
    after = run("calendar", "explain", "2027-02-03T10:00", "3").output
    assert "✓ 2027-02-13  春节调休上班  国务院办公厅关于2027年部分节假日安排的通知" in after
    assert "截止：2027-02-13 24:00（全国，日历第 1 版）" in after


@pytest.mark.parametrize("words", [("2027-02-03", "0"), ("soon", "3"), ("2027-02-03", "3", "--region", "110000")])
def test_what_can_not_be_counted_is_refused(run: Run, words: tuple[str, ...]) -> None:
    assert run("calendar", "explain", *words).exit_code == 1
