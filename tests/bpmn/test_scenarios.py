"""Every scenario that analysts have written, played on the real engine over both databases."""

from pathlib import Path

import pytest

from engine.database import Database
from engine.definitions.deployment import deploy_folder
from engine.runtime.runtime import Runtime
from engine.scenarios.playing import Play, ScenarioFailed
from engine.scenarios.reading import read_folder, read_scenario
from handlers import HANDLERS
from tests.conftest import CAST_SINCE, ROOT

FOLDER = ROOT / "bpmn" / "onboarding"
FILES = sorted((FOLDER / "scenarios").glob("*.yaml"))


@pytest.fixture
def deployed(runtime: Runtime, database: Database) -> Runtime:
    with database.write() as session:
        deploy_folder(session, FOLDER, handlers=HANDLERS, now=CAST_SINCE)
    return runtime


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenario_goes_as_written(deployed: Runtime, path: Path) -> None:
    Play(deployed, read_scenario(path)).run()


def test_every_scenario_of_the_folder_is_read() -> None:
    assert len(read_folder(FOLDER)) == len(FILES) >= 13


def test_a_scenario_that_expects_something_else_fails(deployed: Runtime, tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "samples.yaml").write_bytes((FOLDER / "samples.yaml").read_bytes())
    text = (FOLDER / "scenarios" / "straight-success.yaml").read_text("utf-8")
    (tmp_path / "scenarios" / "wrong.yaml").write_text(text.replace("outcome: 联调成功", "outcome: 联调延期"), "utf-8")

    with pytest.raises(ScenarioFailed, match="outcome: expected 联调延期, found 联调成功"):
        Play(deployed, read_scenario(tmp_path / "scenarios" / "wrong.yaml")).run()
