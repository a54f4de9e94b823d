"""A new notice over many open deadlines: what previewing it takes, and moving them all on the SQLite default.

Every limit moves: its timer, its task, an entry of its history, a notice to each side. One process, no HTTP. Prints
figures; judges nothing.
"""

import tempfile
import time
from datetime import datetime
from pathlib import Path

from engine.calendar.reading import read
from engine.clock import SHANGHAI
from engine.limits import calendars
from engine.limits.recomputing import recompute_all
from engine.people.accounts import actor_named
from tests.benchmarks.place import multiplied, onboarding, say_where
from tests.casework import Case
from tests.engine.calendar.notices import NOTICE_2027

OPEN = 10_000
BEGINS = datetime(2027, 2, 3, 10, 0, tzinfo=SHANGHAI)  # 3 working days from here reach over Spring Festival


def main() -> None:
    say_where(f"Recomputing: {OPEN:,} open deadlines under a new notice")
    with tempfile.TemporaryDirectory() as folder, onboarding(f"sqlite:///{Path(folder) / 'bench.db'}") as runtime:
        case = Case(runtime, begins=BEGINS).goes("递交申请材料")
        multiplied(runtime.database, case.id, OPEN - 1)
        proposals = read(NOTICE_2027)
        with runtime.database.read() as session:
            admin = actor_named(session, "admin")
            started = time.perf_counter()
            shows = calendars.preview(session, runtime.definitions, proposals, admin)
        previewed = time.perf_counter() - started
        started, worked = time.perf_counter(), time.process_time()
        calendars.publish(runtime, proposals, after=0, actor=admin, now=BEGINS)
        moved = recompute_all(runtime, BEGINS)
        took, worked = time.perf_counter() - started, time.process_time() - worked
    print(
        f"  SQLite      preview of {len(shows.moves):,} moves {previewed:.2f} s; "
        f"{moved:,} moved in {took:.2f} s ({worked:.2f} s of them at work on a core)"
    )


if __name__ == "__main__":
    main()
