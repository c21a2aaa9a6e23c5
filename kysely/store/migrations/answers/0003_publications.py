"""Which version of an instrument each wave asks, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_FOR_EVER = "a publication is never changed or deleted: publish anew"


def upgrade() -> None:
    op.create_table(
        "publication",
        sa.Column("wave_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("version_hash", sa.String(64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("wave_id", "number", name="pk_publication"),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name="fk_publication_wave"),
        sa.ForeignKeyConstraint(
            ["version_hash"], ["instrument_version.hash"], name="fk_publication_instrument_version"
        ),
    )
    # What a wave of the earlier schema asks: the newest definition that was frozen for its instrument and form.
    op.execute(
        "INSERT INTO publication (wave_id, number, version_hash, published_at) "
        "SELECT w.id, 1, v.hash, v.published_at FROM wave w "
        "JOIN instrument_version v ON v.instrument = w.instrument AND v.form = w.form "
        "WHERE v.hash = (SELECT o.hash FROM instrument_version o WHERE o.instrument = w.instrument AND o.form = w.form "
        "ORDER BY o.published_at DESC, o.hash LIMIT 1)"
    )
    for statement in _sqlite_triggers() if op.get_bind().dialect.name == "sqlite" else _postgresql_triggers():
        op.execute(statement)


def _sqlite_triggers() -> list[str]:
    return [
        f"CREATE TRIGGER publication_no_{verb} BEFORE {verb.upper()} ON publication "
        f"BEGIN SELECT RAISE(ABORT, '{_FOR_EVER}'); END"
        for verb in ("update", "delete")
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE FUNCTION refuse_change_of_publications() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_FOR_EVER}'; END $$",
        "CREATE TRIGGER publication_for_ever BEFORE UPDATE OR DELETE ON publication "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_publications()",
    ]
