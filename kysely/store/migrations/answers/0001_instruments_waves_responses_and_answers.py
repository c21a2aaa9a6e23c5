"""Instruments, waves, responses and the append-only log of answers."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_APPEND_ONLY = "an answer is never changed or deleted: write a new event"


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "instrument_version",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("published_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_instrument_version"),
    )
    op.create_table(
        "wave",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("instrument", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("controller", sa.Text()),
        sa.Column("contact", sa.Text()),
        sa.Column("purpose", sa.Text()),
        sa.Column("legal_basis", sa.Text()),
        sa.Column("retention", sa.Text()),
        sa.Column("opened_at", moment, nullable=False),
        sa.Column("closed_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_wave"),
        sa.UniqueConstraint("id", "origin", name="uq_wave_id_origin"),
        sa.UniqueConstraint("instrument", "form", "origin", "name", name="uq_wave_instrument_form_origin_name"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_wave_origin")),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_wave_state")),
    )
    one_open = sa.text("state = 'open' AND origin = 'real'")
    op.create_index(
        "ix_wave_one_open_for_real_answers",
        "wave",
        ["instrument", "form"],
        unique=True,
        sqlite_where=one_open,
        postgresql_where=one_open,
    )
    op.create_table(
        "response",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("wave_id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("version_hash", sa.String(), nullable=False),
        sa.Column("organisation_key", sa.String(32)),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("submitted_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_response"),
        sa.ForeignKeyConstraint(["wave_id", "origin"], ["wave.id", "wave.origin"], name="fk_response_wave"),
        sa.ForeignKeyConstraint(["version_hash"], ["instrument_version.hash"], name="fk_response_instrument_version"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_response_origin")),
        sa.CheckConstraint("state IN ('open', 'submitted')", name=op.f("ck_response_state")),
        sa.CheckConstraint("(state = 'submitted') = (submitted_at IS NOT NULL)", name=op.f("ck_response_submitted_at")),
    )
    op.create_index("ix_response_wave_id", "response", ["wave_id"])
    op.create_table(
        "answer_event",
        sa.Column("response", sa.String(32), nullable=False),
        sa.Column("variable", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("number", sa.Double()),
        sa.Column("text", sa.Text()),
        sa.Column("missing", sa.String()),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("response", "variable", "revision", name="pk_answer_event"),
        sa.ForeignKeyConstraint(["response"], ["response.id"], name="fk_answer_event_response"),
        sa.CheckConstraint(
            "(CASE WHEN number IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN text IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN missing IS NULL THEN 0 ELSE 1 END) = 1",
            name=op.f("ck_answer_event_one_of_number_text_missing"),
        ),
        sa.CheckConstraint(
            "missing IN ('not_reached', 'routed_past', 'does_not_concern', 'dont_know', 'no_answer')",
            name=op.f("ck_answer_event_missing"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "page_submission",
        sa.Column("submit_key", sa.String(64), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.Column("page", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("submit_key", name="pk_page_submission"),
        sa.ForeignKeyConstraint(["response"], ["response.id"], name="fk_page_submission_response"),
    )
    op.create_index("ix_page_submission_response", "page_submission", ["response"])
    for statement in _sqlite_triggers() if sqlite else _postgresql_triggers():
        op.execute(statement)


def _sqlite_triggers() -> list[str]:
    statements = [
        f"CREATE TRIGGER answer_event_no_{verb} BEFORE {verb.upper()} ON answer_event "
        f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
        for verb in ("update", "delete")
    ]
    # INSERT OR REPLACE deletes without firing the trigger for deletes.
    statements.append(
        "CREATE TRIGGER answer_event_no_replace BEFORE INSERT ON answer_event "
        "WHEN EXISTS (SELECT 1 FROM answer_event WHERE response = NEW.response"
        " AND variable = NEW.variable AND revision = NEW.revision) "
        f"BEGIN SELECT RAISE(ABORT, '{_APPEND_ONLY}'); END"
    )
    return statements


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION refuse_change_of_answers() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_APPEND_ONLY}'; END $$",
        "CREATE TRIGGER answer_event_append_only BEFORE UPDATE OR DELETE ON answer_event "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_answers()",
        "CREATE TRIGGER answer_event_no_truncate BEFORE TRUNCATE ON answer_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_answers()",
    ]
