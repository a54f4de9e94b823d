"""Whatever is changed in a diagram, the gate answers, and what it lets through runs."""

from pathlib import Path

from tests.engine.runtime.mutants import judge


def test_mutants_are_refused_or_run(sqlite_template: Path, tmp_path: Path) -> None:
    verdict = judge(sqlite_template, tmp_path, max_examples=300, derandomize=True)
    assert verdict.accepted >= 15
    assert verdict.refused >= 15
