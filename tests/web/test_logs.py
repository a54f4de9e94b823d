"""What the log keeps to itself: telephone numbers and addresses of people, whoever wrote them into an error."""

import logging
import sys

from web.logs import LINE, Discreet


def written(message: str, *arguments: object, failure: Exception | None = None) -> str:
    """The line as it is written, with the stack of a failure."""
    stack = None
    if failure:
        try:
            raise failure
        except type(failure):
            stack = sys.exc_info()
    return Discreet(LINE).format(logging.LogRecord("web", logging.ERROR, __file__, 1, message, arguments, stack))


def test_what_looks_personal_is_masked_in_the_line_and_in_the_stack_below_it() -> None:
    line = written("%s could not be told", "liu.siqi@zhigang.example.cn", failure=ValueError("called 13800138000"))
    assert "liu.siqi" not in line
    assert "13800138000" not in line
    assert "could not be told" in line
    assert "ValueError: called 138" in line


def test_what_an_operator_needs_stays_as_it_is() -> None:
    id_ = "3f2c9e0b7a1d4c5e8f60718293a4b5c6"
    assert written("instance %s failed after %d tries in 2026", id_, 5).endswith(
        f"ERROR web: instance {id_} failed after 5 tries in 2026"
    )
