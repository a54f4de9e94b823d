"""interventions, suspended instances, limits that pause, calendars as data"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instances", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("ended_early", sa.String(length=20), nullable=True))
    op.add_column("instances", sa.Column("history_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE instances SET history_at = (SELECT events.at FROM events "
        "WHERE events.instance_id = instances.id AND events.sequence = instances.history_length)"
    )
    op.add_column("tasks", sa.Column("region", sa.String(length=20), nullable=False, server_default=""))
    op.add_column("timers", sa.Column("fires_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE timers SET fires_at = due_at")
    op.add_column("timers", sa.Column("region", sa.String(length=20), nullable=False, server_default=""))
    op.add_column("timers", sa.Column("calendar_version", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("timers", sa.Column("shortened_to", sa.DateTime(timezone=True), nullable=True))
    op.add_column("timers", sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("timers", schema=None) as batch_op:
        batch_op.alter_column("fires_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.alter_column("region", existing_type=sa.String(length=20), server_default=None)
        batch_op.alter_column("calendar_version", existing_type=sa.Integer(), server_default=None)
        batch_op.drop_index("ix_timers_due")
        batch_op.create_index("ix_timers_due", ["state", "fires_at"], unique=False)
        batch_op.create_index("ix_timers_calendar_version", ["state", "calendar_version"], unique=False)
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_index("ix_tasks_inbox")
        batch_op.alter_column("region", existing_type=sa.String(length=20), server_default=None)
    unread = sa.text("read_at IS NULL")
    op.create_index("ix_notices_unread", "notices", ["organisation_id"], sqlite_where=unread, postgresql_where=unread)
    for name, columns, where in (
        ("ix_tasks_open", ["organisation_id", "role", "due_at", "opened_at", "id"], sa.text("closed_at IS NULL")),
        ("ix_tasks_done", ["organisation_id", "role", "closed_at", "id"], sa.text("closed_at IS NOT NULL")),
    ):
        op.create_index(name, "tasks", columns, unique=False, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "interventions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("basis", sa.String(length=500), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["accounts.id"], name=op.f("fk_interventions_by_accounts")),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_interventions_instance_id_instances")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interventions")),
    )
    op.create_index(op.f("ix_interventions_instance_id"), "interventions", ["instance_id"], unique=False)
    op.create_table(
        "calendar_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_calendar_versions")),
    )
    op.create_table(
        "calendar_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("region", sa.String(length=20), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.Column("document_date", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["version"], ["calendar_versions.number"], name=op.f("fk_calendar_entries_version_calendar_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_entries")),
    )
    op.create_index(op.f("ix_calendar_entries_version"), "calendar_entries", ["version"], unique=False)
