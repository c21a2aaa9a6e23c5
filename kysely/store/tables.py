"""The tables of the two databases. They describe; nothing a respondent sends is ever bound to them.

Times are UTC. No foreign key cascades: there is no way to lose answers by deleting what they hang on.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlmodel import Field, SQLModel

from kysely.codebook import Missing

REAL, SIMULATED = "real", "simulated"
OPEN, CLOSED, SUBMITTED = "open", "closed", "submitted"
BY_LINK, BY_INVITATION, BY_BOTH = "open", "invited", "both"
RESPONDENT, OPERATOR = "respondent", "operator"

_ONE_OF_THREE = (
    "(CASE WHEN number IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN text IS NULL THEN 0 ELSE 1 END)"
    " + (CASE WHEN missing IS NULL THEN 0 ELSE 1 END) = 1"
)
_MISSING = f"missing IN ({', '.join(repr(str(kind)) for kind in Missing)})"
_ORIGIN = f"origin IN ('{REAL}', '{SIMULATED}')"
_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A time with its zone: given in any, stored and returned in UTC, also by SQLite, which knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Answers(SQLModel):
    """What the tables of the answers database share."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)


class Identity(SQLModel):
    """What the tables of the identity database share."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=_NAMES)


class InstrumentVersion(Answers, table=True):
    """A definition as it was answered on, frozen: never changed, never deleted."""

    __tablename__ = "instrument_version"

    hash: str = Field(primary_key=True, max_length=64)
    instrument: str
    form: str
    revision: str
    canonical: str = Field(sa_type=Text)
    published_at: datetime = Field(sa_type=Moment)


class Wave(Answers, table=True):
    """One round of collecting. A real one that isn't a demonstration says who asks and why."""

    __tablename__ = "wave"
    __table_args__ = (
        # Referred to by response: the database itself refuses a simulated response in a real wave.
        UniqueConstraint("id", "origin"),
        UniqueConstraint("instrument", "form", "origin", "name"),
        Index(
            "ix_wave_one_open_for_real_answers",
            "instrument",
            "form",
            unique=True,
            sqlite_where=text("state = 'open' AND origin = 'real'"),
            postgresql_where=text("state = 'open' AND origin = 'real'"),
        ),
        CheckConstraint(_ORIGIN, name="origin"),
        CheckConstraint(f"state IN ('{OPEN}', '{CLOSED}')", name="state"),
        CheckConstraint(f"access IN ('{BY_LINK}', '{BY_INVITATION}', '{BY_BOTH}')", name="access"),
    )

    id: str = Field(primary_key=True, max_length=32)
    instrument: str
    form: str
    name: str
    origin: str
    state: str
    note: str | None = Field(default=None, sa_type=Text)
    controller: str | None = Field(default=None, sa_type=Text)
    contact: str | None = Field(default=None, sa_type=Text)
    purpose: str | None = Field(default=None, sa_type=Text)
    legal_basis: str | None = Field(default=None, sa_type=Text)
    retention: str | None = Field(default=None, sa_type=Text)
    opened_at: datetime = Field(sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)
    access: str = BY_LINK
    opens_at: datetime | None = Field(default=None, sa_type=Moment)
    closes_at: datetime | None = Field(default=None, sa_type=Moment)


class Response(Answers, table=True):
    """Everything one respondent gave; who that is, the identity database knows."""

    __tablename__ = "response"
    __table_args__ = (
        ForeignKeyConstraint(["wave_id", "origin"], ["wave.id", "wave.origin"]),
        ForeignKeyConstraint(["version_hash"], ["instrument_version.hash"]),
        CheckConstraint(_ORIGIN, name="origin"),
        CheckConstraint(f"state IN ('{OPEN}', '{SUBMITTED}')", name="state"),
        CheckConstraint(f"(state = '{SUBMITTED}') = (submitted_at IS NOT NULL)", name="submitted_at"),
        Index("ix_response_wave_id", "wave_id"),
    )

    id: str = Field(primary_key=True, max_length=32)
    wave_id: str
    origin: str
    version_hash: str
    organisation_key: str | None = Field(default=None, max_length=32)
    language: str
    mode: str
    seed: int = Field(sa_type=BigInteger)
    revision: int
    state: str
    started_at: datetime = Field(sa_type=Moment)
    submitted_at: datetime | None = Field(default=None, sa_type=Moment)
    drafts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    reopened: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    submitted_revision: int | None = None
    device: str | None = None


class AnswerEvent(Answers, table=True):
    """One variable of one accepted page. Append-only: triggers refuse every change (see the first migration)."""

    __tablename__ = "answer_event"
    __table_args__ = (
        ForeignKeyConstraint(["response"], ["response.id"]),
        CheckConstraint(_ONE_OF_THREE, name="one_of_number_text_missing"),
        CheckConstraint(_MISSING, name="missing"),
        # Answers lie by response, and no hidden row number tells in which order people answered.
        {"sqlite_with_rowid": False},
    )

    response: str = Field(primary_key=True, max_length=32)
    variable: str = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    number: float | None = Field(default=None, sa_column=Column(Double(), nullable=True))
    text: str | None = Field(default=None, sa_type=Text)
    missing: str | None = None
    at: datetime = Field(sa_type=Moment)


class PageSubmission(Answers, table=True):
    """What one form saved last. The same form sent twice is recognised by its key, changed content by its digest."""

    __tablename__ = "page_submission"
    __table_args__ = (
        ForeignKeyConstraint(["response"], ["response.id"]),
        Index("ix_page_submission_response", "response"),
    )

    submit_key: str = Field(primary_key=True, max_length=64)
    response: str
    page: str
    stage: str
    revision: int
    digest: str = Field(max_length=32)
    at: datetime = Field(sa_type=Moment)
    shown_at: datetime | None = Field(default=None, sa_type=Moment)


class Publication(Answers, table=True):
    """One change of what a wave asks: its newest number is the version that new responses begin on."""

    __tablename__ = "publication"
    __table_args__ = (
        ForeignKeyConstraint(["wave_id"], ["wave.id"]),
        ForeignKeyConstraint(["version_hash"], ["instrument_version.hash"]),
    )

    wave_id: str = Field(primary_key=True, max_length=32)
    number: int = Field(primary_key=True)
    version_hash: str = Field(max_length=64)
    published_at: datetime = Field(sa_type=Moment)


class Organisation(Identity, table=True):
    """An organisation as respondents named it. The answers know another id of it, which takes the link key to find."""

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("id", "origin"),
        UniqueConstraint("business_id", "origin"),
        CheckConstraint(_ORIGIN, name="origin"),
        Index("ix_organisation_name_key", "name_key", "municipality_key", "origin"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True, max_length=32)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text)
    municipality: str = Field(sa_type=Text)
    municipality_key: str = Field(sa_type=Text)
    business_id: str | None = Field(default=None, max_length=9)
    origin: str


class Respondent(Identity, table=True):
    """A person in an organisation, with role: the only link between a response and a name, for who has the link key.

    *response_link* and *organisation_id* are the answers' ids in other words (`links.Keys.identity_id`).
    """

    __tablename__ = "respondent"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "origin"], ["organisation.id", "organisation.origin"]),
        UniqueConstraint("response_link"),
        CheckConstraint(_ORIGIN, name="origin"),
        Index("ix_respondent_organisation_id", "organisation_id"),
        # The answers have times: an order here would lead from one to the other.
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True, max_length=32)
    organisation_id: str
    response_link: str = Field(max_length=32)
    role_sealed: str | None = Field(default=None, sa_type=Text)
    name_typed: str = Field(sa_type=Text)
    municipality_typed: str = Field(sa_type=Text)
    business_id_typed: str = Field(sa_type=Text)
    origin: str


class Draft(Answers, table=True):
    """What one browser typed on a page and could not save; *revision* is what its form was made from.

    Fields that say who the respondent is are not here: see IdentityDraft.
    """

    __tablename__ = "draft"
    __table_args__ = (ForeignKeyConstraint(["response"], ["response.id"]), {"sqlite_with_rowid": False})

    response: str = Field(primary_key=True, max_length=32)
    page: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    browser: str = Field(primary_key=True, max_length=16)
    typed: str = Field(sa_type=Text)
    reason: str
    revision: int
    shown_at: datetime | None = Field(default=None, sa_type=Moment)
    at: datetime | None = Field(default=None, sa_type=Moment)


class ResumeCode(Answers, table=True):
    """The code that a respondent can take along, as a keyed hash: nobody can read it back."""

    __tablename__ = "resume_code"
    __table_args__ = (
        ForeignKeyConstraint(["response"], ["response.id"]),
        Index("ix_resume_code_response", "response"),
        {"sqlite_with_rowid": False},
    )

    hash: str = Field(primary_key=True, max_length=32)
    response: str = Field(max_length=32)


class Erasure(Answers, table=True):
    """The tombstone of a response that was erased: all that is left of it. Without one no answer can be deleted."""

    __tablename__ = "erasure"
    __table_args__ = (
        ForeignKeyConstraint(["wave_id"], ["wave.id"]),
        CheckConstraint(f"erased_by IN ('{RESPONDENT}', '{OPERATOR}')", name="erased_by"),
        {"sqlite_with_rowid": False},
    )

    response: str = Field(primary_key=True, max_length=32)
    wave_id: str
    erased_by: str
    erased_on: date
    signature: str = Field(max_length=64)


class IdentityDraft(Identity, table=True):
    """What one browser typed of who the respondent is, sealed, and could not save yet."""

    __tablename__ = "identity_draft"
    __table_args__ = ({"sqlite_with_rowid": False},)

    response_link: str = Field(primary_key=True, max_length=32)
    page: str = Field(primary_key=True)
    stage: str = Field(primary_key=True)
    browser: str = Field(primary_key=True, max_length=16)
    typed: str = Field(sa_type=Text)


class ReplyAddress(Identity, table=True):
    """The e-mail address to which a respondent wants feedback: sealed, and without what would lead to the answers."""

    __tablename__ = "reply_address"
    __table_args__ = (
        CheckConstraint(_ORIGIN, name="origin"),
        Index("ix_reply_address_wave_id", "wave_id"),
        {"sqlite_with_rowid": False},
    )

    response_link: str = Field(primary_key=True, max_length=32)
    wave_id: str = Field(max_length=32)
    address_sealed: str = Field(sa_type=Text)
    origin: str


class LinkKey(Identity, table=True):
    """By what the link key is known that this database is written with: with another one nobody would be found."""

    __tablename__ = "link_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    mark: str = Field(primary_key=True, max_length=64)


class AnonymousDraft(Answers, table=True):
    """A response in anonymous mode until it is sent: known by a hash of the link's code, without time and order.

    Until then its invitation leads to it for who has the link key (*withdrawal*), so that who opts out takes it along.
    """

    __tablename__ = "anonymous_draft"
    __table_args__ = (
        ForeignKeyConstraint(["wave_id", "origin"], ["wave.id", "wave.origin"]),
        ForeignKeyConstraint(["version_hash"], ["instrument_version.hash"]),
        CheckConstraint(_ORIGIN, name="origin"),
        CheckConstraint(f"state IN ('{OPEN}', '{SUBMITTED}')", name="state"),
        Index("ix_anonymous_draft_withdrawal", "withdrawal"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True, max_length=32)
    wave_id: str
    origin: str
    version_hash: str
    language: str
    mode: str
    seed: int = Field(sa_type=BigInteger)
    revision: int
    state: str
    receipt_hash: str | None = Field(default=None, max_length=64)
    content: str = Field(sa_type=Text)
    withdrawal: str | None = Field(default=None, max_length=64)


class AnonymousResponse(Answers, table=True):
    """A response in anonymous mode, under a new random id; written with others, in an order that was shuffled."""

    __tablename__ = "anonymous_response"
    __table_args__ = (
        ForeignKeyConstraint(["wave_id", "origin"], ["wave.id", "wave.origin"]),
        ForeignKeyConstraint(["version_hash"], ["instrument_version.hash"]),
        UniqueConstraint("receipt_hash"),
        CheckConstraint(_ORIGIN, name="origin"),
        CheckConstraint(f"state IN ('{OPEN}', '{SUBMITTED}')", name="state"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True, max_length=32)
    wave_id: str
    origin: str
    version_hash: str
    language: str
    mode: str
    seed: int = Field(sa_type=BigInteger)
    state: str
    receipt_hash: str | None = Field(default=None, max_length=64)


class AnonymousAnswer(Answers, table=True):
    """The last answer to one variable in anonymous mode: without its time, and without those before it."""

    __tablename__ = "anonymous_answer"
    __table_args__ = (
        ForeignKeyConstraint(["response"], ["anonymous_response.id"]),
        CheckConstraint(_ONE_OF_THREE, name="one_of_number_text_missing"),
        CheckConstraint(_MISSING, name="missing"),
        {"sqlite_with_rowid": False},
    )

    response: str = Field(primary_key=True, max_length=32)
    variable: str = Field(primary_key=True)
    number: float | None = Field(default=None, sa_column=Column(Double(), nullable=True))
    text: str | None = Field(default=None, sa_type=Text)
    missing: str | None = None


class Contact(Identity, table=True):
    """A person who may be invited. Address and name are sealed with a key that lies outside the database."""

    __tablename__ = "contact"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "origin"], ["organisation.id", "organisation.origin"]),
        UniqueConstraint("address_hash"),
        CheckConstraint(_ORIGIN, name="origin"),
        Index("ix_contact_organisation_id", "organisation_id"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True, max_length=32)
    address_hash: str = Field(max_length=64)
    address_sealed: str = Field(sa_type=Text)
    name_sealed: str | None = Field(default=None, sa_type=Text)
    language: str | None = Field(default=None, max_length=2)
    organisation_id: str | None = Field(default=None, max_length=32)
    origin: str
    no_mail: bool = False
    bounced: bool = False
    imported_on: date


class Invitation(Identity, table=True):
    """A contact asked to answer in one wave. Its response is known to whoever has the link key, and to no table."""

    __tablename__ = "invitation"
    __table_args__ = (
        ForeignKeyConstraint(["contact_id"], ["contact.id"]),
        UniqueConstraint("contact_id", "wave_id"),
        UniqueConstraint("code_hash"),
        UniqueConstraint("opt_out_hash"),
        UniqueConstraint("response_id"),
        Index("ix_invitation_wave_id", "wave_id"),
        {"sqlite_with_rowid": False},
    )

    id: str = Field(primary_key=True, max_length=32)
    contact_id: str
    wave_id: str = Field(max_length=32)
    privacy_mode: str
    generation: int
    code_hash: str | None = Field(default=None, max_length=64)
    opt_out_hash: str = Field(max_length=64)
    response_id: str | None = Field(default=None, max_length=32)
    stratum: str | None = Field(default=None, sa_type=Text)
    psu: str | None = Field(default=None, sa_type=Text)
    design_weight: float = Field(default=1.0, sa_column=Column(Double(), nullable=False))
    in_post: bool = False
    disposition: str | None = None
    revoked: bool = False


class Completion(Identity, table=True):
    """A mark that some anonymous invitation was used: without the link key nobody can tell whose."""

    __tablename__ = "completion"
    __table_args__ = (Index("ix_completion_wave_id", "wave_id"), {"sqlite_with_rowid": False})

    mark: str = Field(primary_key=True, max_length=64)
    wave_id: str = Field(max_length=32)
    told: bool = False


class Mail(Identity, table=True):
    """The outbox: one mail of one round to one person invited. It holds no text, no address and no link."""

    __tablename__ = "mail"
    __table_args__ = (
        ForeignKeyConstraint(["invitation_id"], ["invitation.id"]),
        UniqueConstraint("invitation_id", "round"),
        UniqueConstraint("message_id"),
        CheckConstraint("state IN ('queued', 'claimed', 'sent', 'refused', 'bounced', 'cancelled')", name="state"),
        Index("ix_mail_state", "state"),
    )

    id: str = Field(primary_key=True, max_length=32)
    invitation_id: str
    round: int
    state: str
    message_id: str | None = Field(default=None, sa_type=Text)
    attempts: int
    said: str | None = Field(default=None, sa_type=Text)
    queued_at: datetime = Field(sa_type=Moment)
    settled_at: datetime | None = Field(default=None, sa_type=Moment)
