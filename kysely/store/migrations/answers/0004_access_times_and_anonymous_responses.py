"""Whom a wave asks and when, and responses in anonymous mode, which have neither times nor order."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        "ALTER TABLE wave ADD COLUMN access VARCHAR DEFAULT 'open' NOT NULL "
        "CONSTRAINT ck_wave_access CHECK (access IN ('open', 'invited', 'both'))"
    )
    op.add_column("wave", sa.Column("opens_at", sa.DateTime(timezone=True)))
    op.add_column("wave", sa.Column("closes_at", sa.DateTime(timezone=True)))
    for table, unique in (("anonymous_draft", []), ("anonymous_response", ["receipt_hash"])):
        draft = table == "anonymous_draft"
        op.create_table(
            table,
            sa.Column("id", sa.String(32), nullable=False),
            sa.Column("wave_id", sa.String(), nullable=False),
            sa.Column("origin", sa.String(), nullable=False),
            sa.Column("version_hash", sa.String(), nullable=False),
            sa.Column("language", sa.String(), nullable=False),
            sa.Column("mode", sa.String(), nullable=False),
            sa.Column("seed", sa.BigInteger(), nullable=False),
            *([sa.Column("revision", sa.Integer(), nullable=False)] if draft else []),
            sa.Column("state", sa.String(), nullable=False),
            sa.Column("receipt_hash", sa.String(64)),
            *([sa.Column("content", sa.Text(), nullable=False)] if draft else []),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["wave_id", "origin"], ["wave.id", "wave.origin"], name=f"fk_{table}_wave"),
            sa.ForeignKeyConstraint(
                ["version_hash"], ["instrument_version.hash"], name=f"fk_{table}_instrument_version"
            ),
            *(sa.UniqueConstraint(name, name=f"uq_{table}_{name}") for name in unique),
            sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f(f"ck_{table}_origin")),
            sa.CheckConstraint("state IN ('open', 'submitted')", name=op.f(f"ck_{table}_state")),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "anonymous_answer",
        sa.Column("response", sa.String(32), nullable=False),
        sa.Column("variable", sa.String(), nullable=False),
        sa.Column("number", sa.Double()),
        sa.Column("text", sa.Text()),
        sa.Column("missing", sa.String()),
        sa.PrimaryKeyConstraint("response", "variable", name="pk_anonymous_answer"),
        sa.ForeignKeyConstraint(["response"], ["anonymous_response.id"], name="fk_anonymous_answer_anonymous_response"),
        sa.CheckConstraint(
            "(CASE WHEN number IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN text IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN missing IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_anonymous_answer_one_of_number_text_missing"),
        ),
        sa.CheckConstraint(
            "missing IN ('not_reached', 'routed_past', 'does_not_concern', 'dont_know', 'no_answer')",
            name=op.f("ck_anonymous_answer_missing"),
        ),
        sqlite_with_rowid=False,
    )
