"""enterprises that ask for an account, accounts' own addresses, and letters in the outbox"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=18), nullable=False),
        sa.Column("legal_representative", sa.String(length=60), nullable=False),
        sa.Column("contact", sa.String(length=60), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_registrations_account_id_accounts")),
        sa.ForeignKeyConstraint(["decided_by"], ["accounts.id"], name=op.f("fk_registrations_decided_by_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
    )
    op.create_index("ix_registrations_state", "registrations", ["state", "applied_at"])
    op.create_index("ix_registrations_code", "registrations", ["code"])
    op.add_column("accounts", sa.Column("email", sa.String(length=254), nullable=True))
    op.create_index("ix_accounts_email", "accounts", ["email"])
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("notice_id", existing_type=sa.String(length=32), nullable=True)
        outbox.alter_column("contact_id", existing_type=sa.String(length=32), nullable=True)
        outbox.add_column(sa.Column("letter", sa.LargeBinary(), nullable=True))
