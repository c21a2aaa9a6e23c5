"""What was typed of who the respondent is, and not saved."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "identity_draft",
        sa.Column("response_id", sa.String(32), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("browser", sa.String(16), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("response_id", "page", "stage", "browser", name="pk_identity_draft"),
        sqlite_with_rowid=False,
    )
