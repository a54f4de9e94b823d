"""Ten thousand diagrams with something changed at random. Not collected by default; `make soak` runs it."""

from pathlib import Path

from tests.engine.runtime.mutants import judge


def test_ten_thousand_mutants_are_refused_or_run(sqlite_template: Path, tmp_path: Path) -> None:
    verdict = judge(sqlite_template, tmp_path, max_examples=10_000, derandomize=False)
    print(
        f"{verdict.accepted} accepted and driven, {verdict.refused} refused; the slowest to be read, checked and "
        f"deployed took {verdict.computed:.2f} s of processor time, {verdict.passed:.2f} s on the wall"
    )
    assert verdict.accepted >= 500
    assert verdict.computed < 2
