"""What a round of rejection and amendment costs in an application that goes through a hundred of them.

Engine and SQLite in this process, without HTTP: both completions of a round, and what the instance weighs after it.
Prints figures; judges nothing. Run it with `make bench`.
"""

import platform
import statistics
import tempfile
import time
from pathlib import Path

from engine.database import Database
from engine.files import FileStore
from engine.migrations import upgrade
from engine.people.accounts import actor_named
from engine.runtime import instances, state
from engine.runtime.runtime import Runtime
from engine.scenarios.sampling import filled_in
from engine.secrets import Keyring
from handlers import HANDLERS
from tests.casework import Case, deploy_onboarding
from tests.conftest import CAST_SINCE, PASSWORD
from web import trial_cast

ROUNDS = 100


def prepared(folder: Path) -> Case:
    database = Database(f"sqlite:///{folder / 'onboarding.db'}")
    upgrade(database)
    with database.write() as session:
        trial_cast.seed(session, password=PASSWORD, now=CAST_SINCE, cities=("440100",))
    runtime = Runtime(
        database, HANDLERS, Keyring.from_text(Keyring.new_text()), FileStore(folder / "files"), trial=True
    )
    deploy_onboarding(runtime)
    return Case(runtime).goes("递交申请材料")


def one_round(case: Case) -> float:
    """Milliseconds of the two completions; uploading the files beforehand does not count."""
    took = 0.0
    for login, task, samples in (
        ("guangzhou", "审核材料", {"review": "self_test_incomplete"}),
        ("enterprise-a", "修改申请材料后再次提交", {"basic": "first", "materials": "complete"}),
    ):
        with case.runtime.database.read() as session:
            actor = actor_named(session, login)
        answers = filled_in(case.runtime, case.answers(**samples), actor, case.now)
        task_id = case.task(task).id
        started = time.perf_counter()
        instances.complete(case.runtime, task_id, answers, actor, case.now)
        took += (time.perf_counter() - started) * 1000
    return took


def main() -> None:
    print(f"{platform.machine()}, Python {platform.python_version()}, SQLite, two completions a round, no HTTP")
    with tempfile.TemporaryDirectory() as folder:
        case = prepared(Path(folder))
        took = []
        for number in range(1, ROUNDS + 1):
            took.append(one_round(case))
            if number % 10 == 0:
                instance = case.instance()
                with case.runtime.database.read() as session:
                    compiled = case.runtime.definitions.get(session, instance.version_id)
                workflow = state.load(instance.state, compiled)
                steps = len(workflow.tasks) + sum(len(level.tasks) for level in workflow.subprocesses.values())
                print(
                    f"rounds {number - 9:3} to {number:3}: median {statistics.median(took[-10:]):5.1f} ms a round; "
                    f"{steps} steps of the library, {len(instance.state):,} bytes stored"
                )
        case.runtime.database.close()


if __name__ == "__main__":
    main()
