"""The trial clock: forward only, stored, and out of reach outside trial mode."""

from dataclasses import replace

import pytest

from engine.clock import SHANGHAI
from engine.errors import NotAllowed
from engine.runtime import trial
from engine.runtime.runtime import Runtime
from engine.runtime.tables import TaskState
from engine.runtime.trial import NotATrial, StepRefused
from tests.casework import BEGINS, Case
from tests.conftest import Cast


def test_three_working_days_later_the_review_is_overdue(runtime: Runtime, case: Case, cast: Cast) -> None:
    case.goes("递交申请材料")

    moved = trial.advance(runtime, working_days=3, actor=cast.admin, real_now=BEGINS)

    assert moved.astimezone(SHANGHAI).isoformat() == "2026-09-23T09:00:00+08:00"
    assert trial.process_now(runtime, BEGINS) == moved
    assert sorted(task.name for task in case.tasks()) == ["审核材料", "核实并反馈情况"]


def test_five_working_days_later_the_test_is_overdue(runtime: Runtime, case: Case, cast: Cast) -> None:
    case.goes("收到测试密钥")

    trial.advance(runtime, working_days=5, actor=cast.admin, real_now=BEGINS)

    assert [task.element_id for task in case.tasks()] == ["Decide_Extension"]
    assert [task.cancelled_by for task in case.tasks(TaskState.CANCELLED)] == ["Test_Overdue"]


def test_each_step_goes_on_from_where_the_clock_stands(runtime: Runtime, cast: Cast) -> None:
    once = trial.advance(runtime, working_days=1, actor=cast.admin, real_now=BEGINS)
    twice = trial.advance(runtime, working_days=1, actor=cast.admin, real_now=BEGINS)
    assert twice > once > BEGINS


def test_the_clock_cannot_be_moved_outside_a_trial(runtime: Runtime, cast: Cast) -> None:
    in_earnest = replace(runtime, trial=False)

    with pytest.raises(NotATrial):
        trial.advance(in_earnest, working_days=3, actor=cast.admin, real_now=BEGINS)
    trial.advance(runtime, working_days=3, actor=cast.admin, real_now=BEGINS)
    assert trial.process_now(in_earnest, BEGINS) == BEGINS


def test_only_an_administrator_moves_it_and_only_so_far(runtime: Runtime, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        trial.advance(runtime, working_days=3, actor=cast.enterprise, real_now=BEGINS)
    for days in (0, -1, 31):
        with pytest.raises(StepRefused):
            trial.advance(runtime, working_days=days, actor=cast.admin, real_now=BEGINS)
