"""accounts that head a section"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("heads", sa.Boolean(), nullable=False, server_default=sa.false()))
