"""Ids by which the answers are not found, roles sealed, and rows in no order: without the link key nothing is joined.

The tables are made anew, so that on PostgreSQL too no row lies where it was written first. Which day somebody answered
goes, since the answers have their times: on a quiet day it would lead from one to the other.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CHANGES_VALUES = {
    "organisation": "other ids",
    "identity_draft": "other ids of responses",
    "respondent.organisation_id": "other ids",
    "respondent.response_id": "renamed, and other ids",
    "respondent.role": "renamed, and sealed",
    "respondent.created_on": "gone",
    "contact.organisation_id": "other ids of organisations",
}


def upgrade() -> None:
    connection = op.get_bind()
    config = op.get_context().config
    assert config is not None
    keys = config.attributes["keys"]
    organisations = [
        {**row, "id": keys.identity_id(row["id"])} for row in _rows(connection, "SELECT * FROM organisation")
    ]
    respondents = [_unlinked(row, keys) for row in _rows(connection, "SELECT * FROM respondent")]
    drafts = [
        {**row, "response_link": keys.identity_id(row.pop("response_id"))}
        for row in _rows(connection, "SELECT * FROM identity_draft")
    ]
    contacts = _rows(connection, "SELECT id, organisation_id FROM contact WHERE organisation_id IS NOT NULL")
    if connection.dialect.name != "sqlite":
        op.drop_constraint("fk_contact_organisation", "contact")
    for table in ("identity_draft", "respondent", "organisation"):
        op.drop_table(table)
    _fill(_organisation(), organisations, "id")
    _fill(_respondent(), respondents, "id")
    _fill(_identity_draft(), drafts, "response_link")
    mark = op.create_table(
        "link_key",
        sa.Column("mark", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_link_key"),
        sqlite_with_rowid=False,
    )
    op.bulk_insert(mark, [{"mark": keys.mark}])
    for contact in contacts:
        organisation = keys.identity_id(contact["organisation_id"])
        connection.execute(
            sa.text("UPDATE contact SET organisation_id = :organisation WHERE id = :id"),
            {"id": contact["id"], "organisation": organisation},
        )
    if connection.dialect.name != "sqlite":
        op.create_foreign_key(
            "fk_contact_organisation", "contact", "organisation", ["organisation_id", "origin"], ["id", "origin"]
        )


def _rows(connection: sa.Connection, query: str) -> list[dict]:
    return [dict(row) for row in connection.execute(sa.text(query)).mappings()]


def _unlinked(row: dict, keys) -> dict:
    role, kept = row.pop("role"), {name: value for name, value in row.items() if name.endswith("_typed")}
    return {
        **kept,
        "id": row["id"],
        "origin": row["origin"],
        "organisation_id": keys.identity_id(row["organisation_id"]),
        "response_link": keys.identity_id(row["response_id"]),
        "role_sealed": None if role is None else keys.seal(role, of=f"{row['id']} role"),
    }


def _fill(table: sa.Table, rows: list[dict], by: str) -> None:
    if rows:
        op.bulk_insert(table, sorted(rows, key=lambda row: row[by]))


def _organisation() -> sa.Table:
    table = op.create_table(
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
        sqlite_with_rowid=False,
    )
    op.create_index("ix_organisation_name_key", "organisation", ["name_key", "municipality_key", "origin"])
    return table


def _respondent() -> sa.Table:
    table = op.create_table(
        "respondent",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("organisation_id", sa.String(), nullable=False),
        sa.Column("response_link", sa.String(32), nullable=False),
        sa.Column("role_sealed", sa.Text()),
        sa.Column("name_typed", sa.Text(), nullable=False),
        sa.Column("municipality_typed", sa.Text(), nullable=False),
        sa.Column("business_id_typed", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_respondent"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "origin"], ["organisation.id", "organisation.origin"], name="fk_respondent_organisation"
        ),
        sa.UniqueConstraint("response_link", name="uq_respondent_response_link"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_respondent_origin")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_respondent_organisation_id", "respondent", ["organisation_id"])
    return table


def _identity_draft() -> sa.Table:
    return op.create_table(
        "identity_draft",
        sa.Column("response_link", sa.String(32), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("browser", sa.String(16), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("response_link", "page", "stage", "browser", name="pk_identity_draft"),
        sqlite_with_rowid=False,
    )
