"""Organisations and respondents."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("municipality", sa.Text(), nullable=False),
        sa.Column("municipality_key", sa.Text(), nullable=False),
        sa.Column("business_id", sa.String(9)),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisation"),
        sa.UniqueConstraint("id", "origin", name="uq_organisation_id_origin"),
        sa.UniqueConstraint("business_id", "origin", name="uq_organisation_business_id_origin"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_organisation_origin")),
    )
    op.create_index("ix_organisation_name_key", "organisation", ["name_key", "municipality_key", "origin"])
    op.create_table(
        "respondent",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("organisation_id", sa.String(), nullable=False),
        sa.Column("response_id", sa.String(32), nullable=False),
        sa.Column("role", sa.String()),
        sa.Column("name_typed", sa.Text(), nullable=False),
        sa.Column("municipality_typed", sa.Text(), nullable=False),
        sa.Column("business_id_typed", sa.Text(), nullable=False),
        sa.Column("created_on", sa.Date(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_respondent"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "origin"],
            ["organisation.id", "organisation.origin"],
            name="fk_respondent_organisation",
        ),
        sa.UniqueConstraint("response_id", name="uq_respondent_response_id"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_respondent_origin")),
    )
    op.create_index("ix_respondent_organisation_id", "respondent", ["organisation_id"])
