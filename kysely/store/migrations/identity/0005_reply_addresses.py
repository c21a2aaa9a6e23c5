"""The e-mail addresses to which respondents want feedback, sealed; and so is what is typed of them and not saved."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

CHANGES_VALUES = {"identity_draft.typed": "sealed"}


def upgrade() -> None:
    config = op.get_context().config
    assert config is not None
    op.create_table(
        "reply_address",
        sa.Column("response_link", sa.String(32), nullable=False),
        sa.Column("wave_id", sa.String(32), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("response_link", name="pk_reply_address"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_reply_address_origin")),
        sqlite_with_rowid=False,
    )
    _seal_drafts(op.get_bind(), config.attributes["keys"])
    op.create_index("ix_reply_address_wave_id", "reply_address", ["wave_id"])


def _seal_drafts(connection: sa.Connection, keys) -> None:
    place = ("response_link", "page", "stage", "browser")
    row_of = " AND ".join(f"{name} = :{name}" for name in place)
    for row in connection.execute(sa.text("SELECT * FROM identity_draft")).mappings().all():
        typed = keys.seal(row["typed"], of=" ".join(row[name] for name in place))
        connection.execute(sa.text(f"UPDATE identity_draft SET typed = :typed WHERE {row_of}"), {**row, "typed": typed})
