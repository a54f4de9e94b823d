"""when and how identity was last proven in a session"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("login_sessions", sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("login_sessions", sa.Column("proven_by", sa.String(length=10), nullable=True))
    op.execute(
        "UPDATE login_sessions SET proven_at = started_at,"
        " proven_by = CASE WHEN two_factors THEN 'code' ELSE 'password' END"
    )
    with op.batch_alter_table("login_sessions") as sessions:
        sessions.alter_column("proven_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        sessions.alter_column("proven_by", existing_type=sa.String(length=10), nullable=False)
