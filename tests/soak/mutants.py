"""Ten thousand diagrams with something changed at random. Not collected by default; `make soak` runs it."""

from pathlib import Path

from tests.engine.runtime.mutants import judge


def test_ten_thousand_mutants_are_refused_or_run(sqlite_template: Path, tmp_path: Path) -> None:
    counted = judge(sqlite_template, tmp_path, max_examples=10_000, derandomize=False)
    print(dict(counted))
    assert counted["accepted"] >= 500
