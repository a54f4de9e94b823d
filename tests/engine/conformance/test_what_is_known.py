"""What people and expressions know of events, sub-processes and repeated tasks while they run."""

from collections.abc import Callable

from sqlalchemy import select

from engine.definitions.specs import compile_definition
from engine.runtime.tables import Instance, Task, TaskState
from tests.engine.conformance.drawing import (
    boundary,
    diagram,
    end,
    gateway,
    message,
    several,
    signal,
    start,
    sub,
    task,
    throw,
    timer,
)
from tests.engine.conformance.playing import BEGINS, Play
from tests.engine.runtime.walking import Walk

Played = Callable[[bytes], Play]
S, A, B, C, D, E = start(), task("a"), task("b"), task("c"), task("d"), end()


def rows(play: Play, element: str) -> list[Task]:
    with play.runtime.database.read() as session:
        return list(session.scalars(select(Task).where(Task.element_id == element)))


def test_lists_name_an_instance_by_what_was_answered_inside_a_sub_process(played: Played) -> None:
    inside = sub("x", start("is"), A, B, end("ie"), flows=["is > a", "a > b", "b > ie"])
    drawn = diagram(S, inside, E, flows=["s > x", "x > e"])
    play = played(drawn.replace(b'isExecutable="true"', b'isExecutable="true" wf:subject="a.answer"'))
    play.does("a=Bridge")
    with play.runtime.database.read() as session:
        assert session.get_one(Instance, play.id).subject == "Bridge"


def test_a_side_branch_does_not_bring_back_what_it_was_told_of_a_sub_process(played: Played) -> None:
    """It knows the first answer; by the time it ends last there is a newer one, which counts."""
    rounds = sub(
        "x", start("is"), gateway("exclusive", "h"), A, gateway("exclusive", "g"), end("ie"),
        flows=["is > h", "h > a", "a > g", "g > h if a.answer == 'no'", "g > ie else"],
    )  # fmt: skip
    whole = sub(
        "o", start("os"), rounds, boundary("m1", "x", message(), interrupts=False), B, task("t"), end("oe"),
        flows=["os > x", "x > oe", "m1 > b", "b > t", "t > oe"],
    )  # fmt: skip
    flows = ["s > o", "o > f", "f > c if a.answer == 'yes'", "f > d else", "c > e", "d > e"]
    play = played(diagram(S, whole, gateway("exclusive", "f"), C, D, E, flows=flows))
    for act in ("a=no", "!m", "a=yes"):
        play.does(act)
    assert play.state == "b"
    play.does("b")
    assert play.state == "t"
    play.does("t")
    assert play.state == "c"


def test_an_event_of_a_sub_process_knows_the_answers_given_inside(played: Played) -> None:
    inside = sub("x", start("is"), A, B, end("ie"), flows=["is > a", "a > b", "b > ie"])
    flows = ["s > x", "x > e", "late > g", "g > c if a.answer == 'yes'", "g > d else", "c > e", "d > e"]
    play = played(diagram(S, inside, boundary("late", "x", timer()), gateway("exclusive", "g"), C, D, E, flows=flows))
    play.does("a")
    play.does("+60")
    assert play.state == "c"


def test_a_task_taken_away_by_a_signal_from_inside_its_sub_process_says_so(played: Played) -> None:
    inside = sub(
        "x", start("is"), gateway("parallel", "p"), A, throw("t", signal()), B, end("ie"),
        flows=["is > p", "p > a", "p > b", "a > t", "t > ie", "b > ie"],
    )  # fmt: skip
    drawn = diagram(
        S, inside, boundary("stopped", "x", signal()), C, E, flows=["s > x", "x > e", "stopped > c", "c > e"]
    )
    play = played(drawn)
    play.does("a")
    (taken,) = rows(play, "b")
    assert (taken.state, taken.cancelled_by) == (TaskState.CANCELLED, "stopped")


def test_the_limit_of_a_repeated_task_is_shown_on_each_of_its_instances(played: Played) -> None:
    repeated = task("a", several("3"))
    play = played(diagram(S, repeated, boundary("late", "a", timer()), E, flows=["s > a", "a > e", "late > e"]))
    assert len({each.due_at for each in rows(play, "a")} - {None}) == 1
    play.does("+60")
    assert {each.cancelled_by for each in rows(play, "a")} == {"late"}


def test_the_number_of_instances_is_worked_out_from_the_answers(played: Played) -> None:
    repeated = task("a", several("len(b.answer)", results="all_a", result="a"))
    flows = ["s > b", "b > a", "a > g", "g > c if len(all_a) == 2", "g > d else", "c > e", "d > e"]
    play = played(diagram(S, B, repeated, gateway("exclusive", "g"), C, D, E, flows=flows))
    play.does("b=xy")
    assert play.state == "a a"
    play.does("a")
    play.does("a")
    assert play.state == "c"


def test_each_instance_knows_its_part_of_a_list_and_its_number_and_no_other_step_does() -> None:
    repeated = task("a", several(of="basic.parts", item="part"))
    drawn = diagram(S, repeated, B, E, flows=["s > a", "a > b", "b > e"])
    walk = Walk(compile_definition(drawn, {}), True, BEGINS)
    walk.start({"basic": {"parts": ["roof", "wall"]}})
    assert [(data["part"], data["loopCounter"]) for _, data in walk.open_tasks] == [("roof", 1), ("wall", 2)]
    walk.complete("a", {"a": {"answer": "yes"}})
    walk.complete("a", {"a": {"answer": "no"}})
    ((element, data),) = walk.open_tasks
    assert element == "b"
    assert data.keys() == {"basic", "a"}
