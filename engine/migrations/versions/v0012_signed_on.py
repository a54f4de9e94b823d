"""with which session of an OpenID provider a browser was logged in"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("login_sessions", sa.Column("signon_sid", sa.String(length=255), nullable=True))
    op.create_index(op.f("ix_login_sessions_signon_sid"), "login_sessions", ["signon_sid"])
