"""A text that a column can't hold is refused in a sentence, on every database, before it gets there."""

import pytest

from engine.database import TextTooLong
from engine.definitions import lengths
from engine.runtime.numbers import PrefixUnusable, next_number
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Instance, Task
from tests.conftest import CAST_SINCE


def test_a_text_is_refused_where_it_is_set() -> None:
    task = Task(name="核" * lengths.STEP_NAME)
    with pytest.raises(TextTooLong) as refusal:
        task.name = "核" * (lengths.STEP_NAME + 1)
    assert "tasks.name" in refusal.value.to("zh")
    with pytest.raises(TextTooLong):
        Instance(outcome="通" * (lengths.OUTCOME + 1))


@pytest.mark.parametrize("prefix", ["", " ", "4" * (lengths.NUMBER_PREFIX + 1), None, 44, ["44"]], ids=repr)
def test_what_an_expression_yields_may_be_no_prefix_of_a_number(runtime: Runtime, prefix: object) -> None:
    with runtime.database.write() as session, pytest.raises(PrefixUnusable) as refusal:
        next_number(session, prefix, CAST_SINCE)
    assert "编号" in refusal.value.to("zh")


def test_the_longest_prefix_leaves_room_for_day_and_sequence(runtime: Runtime) -> None:
    with runtime.database.write() as session:
        number = next_number(session, "4" * lengths.NUMBER_PREFIX, CAST_SINCE)
    assert Instance(number=number).number == number
