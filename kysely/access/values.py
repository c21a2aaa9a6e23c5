"""What access takes and returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from kysely.errors import KyselyError

if TYPE_CHECKING:
    from kysely.access.roles import Role

IDLE = timedelta(hours=1)
"""How long a session lasts in which nothing is done."""

LONGEST = timedelta(hours=12)
"""How long a session lasts at most."""

BETWEEN = timedelta(minutes=10)
"""How long after the password the one-time code may be typed."""

ENTRY = timedelta(days=2)
"""How long the code lasts that lets a person set a password."""


class AccountError(KyselyError):
    """What was asked of an account can't be done; says why and what to do instead."""

    exit_code = 6


class WeakPassword(AccountError):
    """A password that is refused; *code* names the sentence that says why."""

    def __init__(self, code: str, said: str):
        self.code = code
        super().__init__(said)


class Refusal(StrEnum):
    """Why nobody was let in. WRONG says nothing of what was wrong, nor whether there is such an account."""

    WRONG = "wrong"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True)
class Account:
    """A person who may log in; *codes* says whether one-time codes are asked for."""

    id: str
    name: str
    roles: frozenset[Role]
    disabled: bool
    has_password: bool
    codes: bool
    made_at: datetime


@dataclass(frozen=True)
class Session:
    """A browser that is logged in, or has still to give its one-time code. *mark* binds forms to it."""

    id: str
    account: Account
    passed: bool
    browser: str
    begun_at: datetime
    seen_at: datetime
    mark: str = ""


@dataclass(frozen=True)
class Begun:
    """A session that has begun: *token* is for its cookie only, *device* lets the browser be known another time."""

    account: Account
    token: str = field(repr=False)
    passed: bool
    device: str = field(repr=False)


@dataclass(frozen=True)
class Entry:
    """One line of the audit log."""

    number: int
    at: str
    actor: str
    action: str
    object: str
