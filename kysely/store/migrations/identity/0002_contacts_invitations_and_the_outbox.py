"""Contacts, invitations, the marks of anonymous completions, and the outbox of mail."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "contact",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("address_sealed", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.Text()),
        sa.Column("language", sa.String(2)),
        sa.Column("organisation_id", sa.String(32)),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("no_mail", sa.Boolean(), nullable=False),
        sa.Column("bounced", sa.Boolean(), nullable=False),
        sa.Column("imported_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sa.ForeignKeyConstraint(
            ["organisation_id", "origin"], ["organisation.id", "organisation.origin"], name="fk_contact_organisation"
        ),
        sa.UniqueConstraint("address_hash", name="uq_contact_address_hash"),
        sa.CheckConstraint("origin IN ('real', 'simulated')", name=op.f("ck_contact_origin")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_contact_organisation_id", "contact", ["organisation_id"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("wave_id", sa.String(32), nullable=False),
        sa.Column("privacy_mode", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(64)),
        sa.Column("opt_out_hash", sa.String(64), nullable=False),
        sa.Column("response_id", sa.String(32)),
        sa.Column("stratum", sa.Text()),
        sa.Column("psu", sa.Text()),
        sa.Column("design_weight", sa.Double(), nullable=False),
        sa.Column("in_post", sa.Boolean(), nullable=False),
        sa.Column("disposition", sa.String()),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitation"),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name="fk_invitation_contact"),
        sa.UniqueConstraint("contact_id", "wave_id", name="uq_invitation_contact_id_wave_id"),
        sa.UniqueConstraint("code_hash", name="uq_invitation_code_hash"),
        sa.UniqueConstraint("opt_out_hash", name="uq_invitation_opt_out_hash"),
        sa.UniqueConstraint("response_id", name="uq_invitation_response_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_invitation_wave_id", "invitation", ["wave_id"])
    op.create_table(
        "completion",
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("wave_id", sa.String(32), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_completion"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_completion_wave_id", "completion", ["wave_id"])
    op.create_table(
        "mail",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("invitation_id", sa.String(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text()),
        sa.Column("queued_at", moment, nullable=False),
        sa.Column("settled_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
        sa.ForeignKeyConstraint(["invitation_id"], ["invitation.id"], name="fk_mail_invitation"),
        sa.UniqueConstraint("invitation_id", "round", name="uq_mail_invitation_id_round"),
        sa.UniqueConstraint("message_id", name="uq_mail_message_id"),
        sa.CheckConstraint(
            "state IN ('queued', 'claimed', 'sent', 'refused', 'bounced', 'cancelled')", name=op.f("ck_mail_state")
        ),
    )
    op.create_index("ix_mail_state", "mail", ["state"])
