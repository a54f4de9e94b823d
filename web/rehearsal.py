"""Playing the scenarios beside a diagram, each on a database of its own with the trial's cast in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from engine import clock
from engine.database import Database
from engine.definitions.deployment import deploy_folder
from engine.files import FileStore
from engine.migrations import upgrade
from engine.runtime.runtime import Runtime
from engine.scenarios.playing import Play, ScenarioFailed
from engine.scenarios.reading import Scenario, read_folder
from engine.secrets import Keyring
from handlers import HANDLERS
from web import trial_cast


def rehearse(folder: Path) -> Iterator[tuple[Scenario, list[str], ScenarioFailed | None]]:
    """Each scenario of a process's folder with its story and, where it did not go as written, why not.

    Raises ScenarioUnreadable, DeploymentRefused.
    """
    scenarios = read_folder(folder)
    keyring = Keyring.from_text(Keyring.new_text())
    with TemporaryDirectory(prefix="rehearsal-") as temporary:
        prepared = Path(temporary) / "prepared.db"
        database = Database(f"sqlite:///{prepared}")
        upgrade(database)
        with database.write() as session:
            trial_cast.seed(session, password=trial_cast.PASSWORD, now=clock.now())
            deploy_folder(session, folder, handlers=HANDLERS, now=clock.now())
        database.close()
        for scenario in scenarios:
            database = Database(f"sqlite:///{shutil.copyfile(prepared, Path(temporary) / f'{scenario.file}.db')}")
            runtime = Runtime(database, HANDLERS, keyring, FileStore(Path(temporary) / "files"), trial=True)
            play = Play(runtime, scenario)
            failure = None
            try:
                play.run()
            except ScenarioFailed as failed:
                failure = failed
            database.close()
            yield scenario, play.story, failure
