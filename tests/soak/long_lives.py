"""Lives far longer than any application has, and many more random diagrams than the daily tests play.

Not collected by default; `make soak` runs it.
"""

from pathlib import Path

from tests.engine.runtime.test_model import play
from tests.engine.runtime.walking import amended, finish


def test_the_thousandth_amendment_weighs_no_more_than_the_second() -> None:
    walk, sizes, weights = amended(1_000)

    assert len(set(sizes)) == 1
    assert max(weights) <= 1.1 * weights[0]
    finish(walk)
    assert walk.workflow.is_completed()
    assert walk.workflow.data["basic"]["version"] == "999"


def test_five_hundred_overdue_rounds_with_one_explanation_open_stay_as_small_as_the_second() -> None:
    walk, sizes, _ = amended(500, overdue=True)

    assert len(set(sizes[1:])) == 1
    assert walk.passed.count("Warn_Review_Overdue") == 500


def test_the_engine_and_a_token_game_agree_on_many_random_diagrams(sqlite_template: Path, tmp_path: Path) -> None:
    play(sqlite_template, tmp_path, max_examples=300, stateful_step_count=25)
