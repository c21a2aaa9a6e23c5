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
    text,
)
from sqlmodel import Field, SQLModel

from kysely.codebook import Missing

REAL, SIMULATED = "real", "simulated"
OPEN, CLOSED, SUBMITTED = "open", "closed", "submitted"

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


class AnswerEvent(Answers, table=True):
    """One variable of one accepted page. Append-only: triggers refuse every change (see the first migration)."""

    __tablename__ = "answer_event"
    __table_args__ = (
        ForeignKeyConstraint(["response"], ["response.id"]),
        CheckConstraint(
            "(CASE WHEN number IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN text IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN missing IS NULL THEN 0 ELSE 1 END) = 1",
            name="one_of_number_text_missing",
        ),
        CheckConstraint(f"missing IN ({', '.join(repr(str(kind)) for kind in Missing)})", name="missing"),
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


class Organisation(Identity, table=True):
    """An organisation as respondents named it; its id is the only thing that answers know of it."""

    __tablename__ = "organisation"
    __table_args__ = (
        UniqueConstraint("id", "origin"),
        UniqueConstraint("business_id", "origin"),
        CheckConstraint(_ORIGIN, name="origin"),
        Index("ix_organisation_name_key", "name_key", "municipality_key", "origin"),
    )

    id: str = Field(primary_key=True, max_length=32)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Text)
    municipality: str = Field(sa_type=Text)
    municipality_key: str = Field(sa_type=Text)
    business_id: str | None = Field(default=None, max_length=9)
    origin: str


class Respondent(Identity, table=True):
    """A person in an organisation, with role: the only link between a response and a name."""

    __tablename__ = "respondent"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "origin"], ["organisation.id", "organisation.origin"]),
        UniqueConstraint("response_id"),
        CheckConstraint(_ORIGIN, name="origin"),
        Index("ix_respondent_organisation_id", "organisation_id"),
    )

    id: str = Field(primary_key=True, max_length=32)
    organisation_id: str
    response_id: str = Field(max_length=32)
    role: str | None = None
    name_typed: str = Field(sa_type=Text)
    municipality_typed: str = Field(sa_type=Text)
    business_id_typed: str = Field(sa_type=Text)
    created_on: date
    origin: str
