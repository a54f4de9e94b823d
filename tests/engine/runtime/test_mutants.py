"""Whatever is changed in a diagram, the gate answers, and what it lets through runs."""

from pathlib import Path

from tests.engine.runtime.mutants import judge


def test_mutants_are_refused_or_run(sqlite_template: Path, tmp_path: Path) -> None:
    counted = judge(sqlite_template, tmp_path, max_examples=200, derandomize=True)
    assert counted["accepted"] >= 10
    assert counted["refused"] >= 10
