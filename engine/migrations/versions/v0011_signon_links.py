"""which account signs on as whom at an OpenID provider"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "signon_links",
        sa.Column("issuer", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.String(length=32), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_signon_links_account_id_accounts")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_signon_links")),
        sa.UniqueConstraint("account_id", name=op.f("uq_signon_links_account_id")),
    )
