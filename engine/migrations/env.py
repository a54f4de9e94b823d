"""Alembic's entry: migrates over the connection it is handed, or, from Alembic's own command line, over a URL."""

from typing import Any, Literal

from alembic import context
from sqlalchemy.engine import Connection

import engine.migrations  # noqa: F401  (imports every table)
from engine.database import Base, Database, UtcDateTime


def _render(kind: str, item: Any, _context: object) -> str | Literal[False]:
    # A revision must mean tomorrow what it means today, so it names no class of ours.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, render_item=_render)
    with context.begin_transaction():
        context.run_migrations()


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    _migrate(handed_over)
else:
    with Database(context.config.get_main_option("sqlalchemy.url") or "").write() as session:
        _migrate(session.connection())
