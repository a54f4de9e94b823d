"""Counting what is said to a database, whoever says it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from engine.database import Database


@dataclass
class Said:
    """`statements` without the beginnings and ends of transactions, which one of the databases is told in words."""

    statements: list[str] = field(default_factory=list)
    transactions: int = 0
    commits: int = 0

    def hear(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            self.statements.append(statement)

    def count_transaction(self, _connection: Any) -> None:
        self.transactions += 1

    def count_commit(self, _connection: Any) -> None:
        self.commits += 1


@contextmanager
def heard(database: Database) -> Iterator[Said]:
    """Everything said to the database while the block runs, in any thread."""
    said = Said()
    event.listen(database.engine, "before_cursor_execute", said.hear)
    event.listen(database.engine, "begin", said.count_transaction)
    event.listen(database.engine, "commit", said.count_commit)
    try:
        yield said
    finally:
        event.remove(database.engine, "before_cursor_execute", said.hear)
        event.remove(database.engine, "begin", said.count_transaction)
        event.remove(database.engine, "commit", said.count_commit)
