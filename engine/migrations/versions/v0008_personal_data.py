"""what is kept beyond its time, what was removed, and people who were erased"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legal_holds",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("intervention_id", sa.String(length=32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_legal_holds_instance_id_instances")),
        sa.ForeignKeyConstraint(
            ["intervention_id"], ["interventions.id"], name=op.f("fk_legal_holds_intervention_id_interventions")
        ),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_legal_holds")),
    )
    op.create_table(
        "removals",
        sa.Column("instance_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instances.id"], name=op.f("fk_removals_instance_id_instances")),
        sa.PrimaryKeyConstraint("instance_id", name=op.f("pk_removals")),
    )
    op.create_table(
        "account_erasures",
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_account_erasures_account_id_accounts")),
        sa.ForeignKeyConstraint(["by"], ["accounts.id"], name=op.f("fk_account_erasures_by_accounts")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account_erasures")),
    )
    op.create_index("ix_instances_closed", "instances", ["version_id", "closed_at"])
    op.create_index("ix_answers_by", "answers", ["by"])
