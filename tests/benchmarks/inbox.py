"""The inbox: a page of 待办 among very many open tasks of 21 cities, at the top of the list and somewhere in it.

Prints how long a page takes at two sizes, ten times apart, and how the database goes about it; judges nothing.
"""

import random
import statistics
import time

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.calendar.regions import CITIES
from engine.database import Database
from engine.people.accounts import Actor, actor_named
from engine.reading.inbox import open_tasks
from engine.runtime.runtime import Runtime
from engine.runtime.tables import Task
from tests.benchmarks.place import FULL, analyse, databases, onboarding, percentile, say_where
from tests.casework import BEGINS
from tests.plans import plans

SIZES = (100_000, 1_000_000) if FULL else (20_000, 200_000)
PAGES = 400
PER_INSTANCE = 10  # open tasks: fewer instances than in life, so that filling takes minutes and not hours

# How each database says: an id from nowhere, the id of an instance, and a limit within forty days.
_WORDS = {
    "sqlite": (
        "lower(hex(randomblob(16)))",
        "substr('00000000000000000000000000000000' || n.i, -32)",
        "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-09-18', '+' || (n.i * 7919 % 57600) || ' minutes')",
    ),
    "postgresql": (
        "md5(random()::text || n.i)",
        "right('00000000000000000000000000000000' || n.i, 32)",
        "timestamptz '2026-09-18' + n.i::bigint * 7919 % 57600 * interval '1 minute'",
    ),
}
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT CAST(:first AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :end)"
_INSTANCES = _NUMBERS + (
    " INSERT INTO instances (id, version_id, number, organisation_id, started_by, started_at, subject, history_length,"
    " history_head, anchored_length, revision, state)"
    " SELECT {instance}, v.id, 'bench-' || n.i, a.organisation_id, a.id, {due},"
    " 'application ' || n.i, 0, '', 0, 1, {nothing} FROM n, definition_versions v, accounts a"
    " WHERE a.username = 'enterprise-a'"
)
_TASKS = _NUMBERS + (
    " INSERT INTO tasks (id, instance_id, element_id, name, name_en, state, role, organisation_id, opened_at, due_at,"
    " provisional, region)"
    " SELECT {id}, {instance}, 'Review_Materials', '审核材料', 'Review', 'open', 'authority', o.id,"
    " {due}, {due}, {false}, '' FROM n JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM organisations"
    " WHERE role = 'authority') o ON o.place = n.i % 21"
)


def fill(database: Database, first: int, end: int) -> None:
    """Open tasks number `first` to `end`, spread evenly over the cities."""
    dialect = database.engine.dialect.name
    id_, instance, due = _WORDS[dialect]
    nothing, false = ("x''", "0") if dialect == "sqlite" else ("''::bytea", "false")
    of_task = instance.replace("n.i", f"(n.i / {PER_INSTANCE})")
    with database.write() as session:
        numbers = {"first": first // PER_INSTANCE, "end": end // PER_INSTANCE}
        session.execute(text(_INSTANCES.format(instance=instance, due=due, nothing=nothing)), numbers)
        session.execute(
            text(_TASKS.format(id=id_, instance=of_task, due=due, false=false)), {"first": first, "end": end}
        )
    analyse(database)


def pages_read(runtime: Runtime, officials: list[Actor]) -> list[float]:
    """Milliseconds of one page each: half of them the first, half from some task of the city on."""
    chance, took = random.Random(20260918), []
    with runtime.database.read() as session:
        somewhere = {
            official.organisation_id: session.scalars(
                select(Task.id).where(Task.organisation_id == official.organisation_id).limit(500)
            ).all()
            for official in officials
        }
    for number in range(PAGES + 20):
        official = chance.choice(officials)
        after = chance.choice(somewhere[official.organisation_id]) if number % 2 else ""
        started = time.perf_counter()
        with runtime.database.read() as session:
            open_tasks(session, official, BEGINS, after=after)
        took.append((time.perf_counter() - started) * 1000)
    return took[20:]


def main() -> None:
    say_where(f"Inbox: a page among {' and '.join(f'{size:,}' for size in SIZES)} open tasks of 21 cities")
    with databases() as urls:
        for name, url in urls.items():
            with onboarding(url) as runtime:
                with runtime.database.read() as session:
                    officials = [actor_named(session, city.en.lower()) for city in CITIES.values()]
                filled = 0
                for size in SIZES:
                    fill(runtime.database, filled, size)
                    filled, took = size, pages_read(runtime, officials)
                    print(
                        f"  {name:10}  {size:9,}: median {statistics.median(took):5.2f} ms, "
                        f"p95 {percentile(took, 0.95):5.2f} ms"
                    )

                def first_page(session: Session, official: Actor = officials[0]) -> None:
                    open_tasks(session, official, BEGINS)

                print("    " + plans(runtime.database, first_page)[0].replace("\n", "\n    "))


if __name__ == "__main__":
    main()
