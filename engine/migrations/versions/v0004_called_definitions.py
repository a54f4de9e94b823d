"""the versions that a definition calls"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("definition_versions", sa.Column("called", sa.JSON(), nullable=False, server_default="{}"))
