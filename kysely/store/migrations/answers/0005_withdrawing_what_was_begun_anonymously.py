"""By what a response in anonymous mode is found until it is sent, by who was invited and changes their mind."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("anonymous_draft", sa.Column("withdrawal", sa.String(64)))
    op.create_index("ix_anonymous_draft_withdrawal", "anonymous_draft", ["withdrawal"])
