"""How long the gate takes over the onboarding diagram, and over the worst that was thought up against expressions.

`make bench` prints it; 200 ms for the diagram and 50 ms for an expression are the aims.
"""

from collections.abc import Callable
from contextlib import suppress
from statistics import median
from time import perf_counter

from engine.definitions import expressions
from engine.definitions.deployment import read_forms
from engine.definitions.expression_syntax import _parse
from engine.definitions.lint import lint
from engine.errors import Refusal
from handlers import HANDLERS
from tests.casework import FOLDER
from tests.engine.test_expressions_escapes import REFUSED

ROUNDS = 20


def milliseconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return (perf_counter() - begun) * 1000


def main() -> None:
    diagram, forms = (FOLDER / "onboarding.bpmn").read_bytes(), read_forms(FOLDER)
    first, *others = [milliseconds(lambda: lint(diagram, forms, HANDLERS)) for _ in range(ROUNDS + 1)]
    print(
        f"lint of the onboarding diagram: median {median(others):.0f} ms, slowest {max(others):.0f} ms of {ROUNDS}; "
        f"the first, which starts the loading process, {first:.0f} ms"
    )
    worst = max(milliseconds(lambda text=text: refused(text)) for text in REFUSED)  # type: ignore[misc]
    print(f"{len(REFUSED)} ways out of the expression language: the slowest is refused in {worst:.1f} ms")


def refused(text: str) -> None:
    _parse.cache_clear()
    with suppress(Refusal):
        expressions.check(text)


if __name__ == "__main__":
    main()
