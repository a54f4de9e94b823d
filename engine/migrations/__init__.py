"""The schema of the database, step by step (Alembic). Only forward: the way back is the backup."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

import engine.audit.tables
import engine.calendar.tables
import engine.definitions.tables
import engine.files.tables
import engine.keys.tables
import engine.membership.tables
import engine.people.tables
import engine.privacy.tables
import engine.runtime.tables
import engine.telling.tables  # noqa: F401  (every module with tables, so that the metadata is whole)
from engine.database import Database

_MIGRATION_LOCK = 0x5265616C  # any number that nobody else locks under


def upgrade(database: Database) -> None:
    """Bring the database to the newest revision, in one transaction; does nothing where it is there already.

    Several processes may start at once: the second waits, on SQLite for the write lock, on PostgreSQL for this one.
    """
    with database.write() as session:
        if database.engine.dialect.name == "postgresql":
            # However long the other one takes: `engine.database` bounds waiting for locks everywhere else.
            session.execute(text("SET LOCAL lock_timeout = 0"))
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        configuration = Config()
        configuration.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
        configuration.attributes["connection"] = session.connection()
        command.upgrade(configuration, "head")
