"""The tables of the access database: who works with the study, in which role, and what they did.

Nothing about a respondent is here, and nothing about these people is in the other two databases.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, MetaData, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from kysely.store.tables import Identity, Moment

ROLES = ("researcher", "identity_manager", "data_manager", "author", "administrator")


class Access(SQLModel):
    """What the tables of the access database share."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=Identity.metadata.naming_convention)


class Account(Access, table=True):
    """A person who may log in. Accounts are disabled and never deleted: the log speaks of them."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("entry_hash"))

    id: str = Field(primary_key=True, max_length=32)
    name: str
    password_hash: str | None = Field(default=None, sa_type=Text)
    disabled: bool = False
    made_at: datetime = Field(sa_type=Moment)
    # A code that lets its holder set a password, once.
    entry_hash: str | None = Field(default=None, max_length=64)
    entry_until: datetime | None = Field(default=None, sa_type=Moment)
    # The secret of the one-time codes, sealed; proposed until a first code has been typed from it.
    secret_sealed: str | None = Field(default=None, sa_type=Text)
    proposed_sealed: str | None = Field(default=None, sa_type=Text)
    last_counter: int = Field(default=0, sa_type=BigInteger)


class AccountRole(Access, table=True):
    __tablename__ = "account_role"
    __table_args__ = (
        ForeignKeyConstraint(["account_id"], ["account.id"]),
        CheckConstraint(f"role IN ({', '.join(repr(role) for role in ROLES)})", name="role"),
    )

    account_id: str = Field(primary_key=True, max_length=32)
    role: str = Field(primary_key=True)


class RecoveryCode(Access, table=True):
    """A code that stands in for a one-time code when the phone is lost; deleted when it is used."""

    __tablename__ = "recovery_code"
    __table_args__ = (
        ForeignKeyConstraint(["account_id"], ["account.id"]),
        Index("ix_recovery_code_account_id", "account_id"),
    )

    hash: str = Field(primary_key=True, max_length=64)
    account_id: str = Field(max_length=32)


class Session(Access, table=True):
    """One browser that is logged in, or, until *passed*, that has still to give its one-time code."""

    __tablename__ = "session"
    __table_args__ = (
        ForeignKeyConstraint(["account_id"], ["account.id"]),
        UniqueConstraint("hash"),
        Index("ix_session_account_id", "account_id"),
    )

    id: str = Field(primary_key=True, max_length=32)
    hash: str = Field(max_length=64)
    account_id: str = Field(max_length=32)
    passed: bool
    browser: str
    begun_at: datetime = Field(sa_type=Moment)
    seen_at: datetime = Field(sa_type=Moment)


class Attempt(Access, table=True):
    """How often something was tried lately by whom, under a keyed hash: no name and no network address is kept."""

    __tablename__ = "attempt"
    __table_args__ = (Index("ix_attempt_since", "since"),)

    mark: str = Field(primary_key=True, max_length=64)
    count: int
    since: datetime = Field(sa_type=Moment)


class AuditEntry(Access, table=True):
    """One line of the log, sealed with all before it. Triggers refuse to change or delete any (see the migration).

    *at* is text, ISO 8601 in UTC: the seal covers what stands here, and not what a driver makes of it.
    """

    __tablename__ = "audit_entry"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: str
    actor: str
    action: str
    object: str = Field(sa_type=Text)
    seal: str = Field(max_length=64)
