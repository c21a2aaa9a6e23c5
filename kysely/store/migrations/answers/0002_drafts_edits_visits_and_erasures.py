"""What was typed and not saved, answers changed after sending, when pages were shown, codes, and erasing."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_APPEND_ONLY = "an answer is never changed or deleted: write a new event"
_ERASED = "EXISTS (SELECT 1 FROM erasure WHERE erasure.response = OLD.response)"


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    moment = sa.DateTime(timezone=True)
    op.add_column("response", sa.Column("drafts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("response", sa.Column("reopened", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("response", sa.Column("submitted_revision", sa.Integer()))
    op.add_column("response", sa.Column("device", sa.String()))
    op.execute("UPDATE response SET submitted_revision = revision WHERE state = 'submitted'")
    op.add_column("page_submission", sa.Column("shown_at", moment))
    op.create_table(
        "draft",
        sa.Column("response", sa.String(32), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("browser", sa.String(16), nullable=False),
        sa.Column("typed", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("shown_at", moment),
        sa.Column("at", moment),
        sa.PrimaryKeyConstraint("response", "page", "stage", "browser", name="pk_draft"),
        sa.ForeignKeyConstraint(["response"], ["response.id"], name="fk_draft_response"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "resume_code",
        sa.Column("hash", sa.String(32), nullable=False),
        sa.Column("response", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_resume_code"),
        sa.ForeignKeyConstraint(["response"], ["response.id"], name="fk_resume_code_response"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_resume_code_response", "resume_code", ["response"])
    op.create_table(
        "erasure",
        sa.Column("response", sa.String(32), nullable=False),
        sa.Column("wave_id", sa.String(), nullable=False),
        sa.Column("erased_by", sa.String(), nullable=False),
        sa.Column("erased_on", sa.Date(), nullable=False),
        sa.Column("signature", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("response", name="pk_erasure"),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name="fk_erasure_wave"),
        sa.CheckConstraint("erased_by IN ('respondent', 'operator')", name=op.f("ck_erasure_erased_by")),
        sqlite_with_rowid=False,
    )
    for statement in _sqlite_guards() if sqlite else _postgresql_guards():
        op.execute(statement)


def _sqlite_guards() -> list[str]:
    """Answers may be deleted once there is a tombstone of their response, and only then."""
    return [
        "DROP TRIGGER answer_event_no_delete",
        f"CREATE TRIGGER answer_event_no_delete BEFORE DELETE ON answer_event WHEN NOT {_ERASED} "
        f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END",
        *(
            f"CREATE TRIGGER erasure_no_{verb} BEFORE {verb.upper()} ON erasure "
            "BEGIN SELECT RAISE(ABORT, 'a tombstone is never changed or deleted'); END"
            for verb in ("update", "delete")
        ),
    ]


def _postgresql_guards() -> list[str]:
    """The same; daily work may not delete answers at all, so a function of the owner does it."""
    return [
        "CREATE OR REPLACE FUNCTION refuse_change_of_answers() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path FROM CURRENT AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN IF {_ERASED} THEN RETURN OLD; END IF; END IF; "
        f"RAISE EXCEPTION '{_APPEND_ONLY}'; END $$",
        "CREATE FUNCTION refuse_change_of_tombstones() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'a tombstone is never changed or deleted'; END $$",
        "CREATE TRIGGER erasure_stands BEFORE UPDATE OR DELETE ON erasure "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_tombstones()",
        "CREATE FUNCTION erase_response(erased text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER "
        "SET search_path FROM CURRENT AS $$ BEGIN "
        "IF NOT EXISTS (SELECT 1 FROM erasure WHERE erasure.response = erased) THEN "
        f"RAISE EXCEPTION '{_APPEND_ONLY}'; END IF; "
        "DELETE FROM answer_event WHERE response = erased; "
        "DELETE FROM page_submission WHERE response = erased; "
        "DELETE FROM draft WHERE response = erased; "
        "DELETE FROM resume_code WHERE response = erased; "
        "DELETE FROM response WHERE id = erased; END $$",
        "REVOKE ALL ON FUNCTION erase_response(text) FROM PUBLIC",
    ]
