"""How a database goes about a query: its own words, line by line."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from engine.database import Database


def plans(database: Database, ask: Callable[[Session], object]) -> list[str]:
    """The plan of each list in an order that `ask` reads."""
    made: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "ORDER BY" in statement:
            made.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            ask(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    explain = "EXPLAIN" if database.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    with database.read() as session:
        return [
            "\n".join(
                str(row[-1]) for row in session.connection().exec_driver_sql(f"{explain} {statement}", parameters)
            )
            for statement, parameters in made
        ]
