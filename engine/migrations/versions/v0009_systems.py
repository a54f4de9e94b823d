"""credentials of cities' systems, and what verifying test keys leaves"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "systems",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("credential_hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.String(length=32), nullable=False),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["accounts.id"], name="fk_systems_created_by_accounts"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name="fk_systems_organisation_id_organisations"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_systems"),
        sa.UniqueConstraint("credential_hash", name="uq_systems_credential_hash"),
    )
    op.create_index("ix_systems_organisation_id", "systems", ["organisation_id"])
    op.create_table(
        "key_nonces",
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["issued_keys.id"], name="fk_key_nonces_key_id_issued_keys"),
        sa.PrimaryKeyConstraint("key_id", "nonce", name="pk_key_nonces"),
    )
    op.create_index("ix_key_nonces_expires_at", "key_nonces", ["expires_at"])
    op.create_table(
        "key_uses",
        sa.Column("key_id", sa.String(length=32), nullable=False),
        sa.Column("system_id", sa.String(length=32), nullable=False),
        sa.Column("minute", MOMENT, nullable=False),
        sa.Column("result", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["issued_keys.id"], name="fk_key_uses_key_id_issued_keys"),
        sa.ForeignKeyConstraint(["system_id"], ["systems.id"], name="fk_key_uses_system_id_systems"),
        sa.PrimaryKeyConstraint("key_id", "system_id", "minute", "result", name="pk_key_uses"),
    )
    op.add_column("issued_keys", sa.Column("last_used_at", MOMENT, nullable=True))
