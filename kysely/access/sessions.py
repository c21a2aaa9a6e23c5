"""Who is logged in from where. The cookie holds a random token and the database its hash, so ending one ends it."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from kysely.access._rows import OF_ACCOUNT
from kysely.access._rows import account as account_of
from kysely.access.keys import Keys
from kysely.access.values import BETWEEN, IDLE, LONGEST, Account, Session
from kysely.store import access
from kysely.store.databases import Database

SEEN_AGAIN = timedelta(minutes=5)
"""A session is marked as seen no more often than this: reading a page writes nothing otherwise."""

_SESSION = access.Session.__table__  # type: ignore[attr-defined]
_ACCOUNT = access.Account.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Sessions:
    database: Database
    keys: Keys

    def begin(self, connection: Connection, account: Account, *, passed: bool, browser: str, now: datetime) -> str:
        """Begin a session and return its token; what has expired of anybody's is cleared away."""
        token = secrets.token_urlsafe(32)
        connection.execute(delete(_SESSION).where(~_alive(now)))
        values = {
            "id": secrets.token_hex(16),
            "hash": _hash(token),
            "account_id": account.id,
            "passed": passed,
            "browser": browser,
            "begun_at": now,
            "seen_at": now,
        }
        connection.execute(insert(_SESSION).values(values))
        return token

    def find(self, token: str, now: datetime) -> Session | None:
        """Return the session of *token*, None if there is none, it has expired, or its account was disabled."""
        hash = _hash(token)
        query = (
            select(*_SESSION.c, *OF_ACCOUNT)
            .join(_ACCOUNT, _ACCOUNT.c.id == _SESSION.c.account_id)
            .where(_SESSION.c.hash == hash, _alive(now), ~_ACCOUNT.c.disabled)
        )
        with self.database.reading() as connection:
            row = connection.execute(query).first()
            if row is None:
                return None
            account = account_of(connection, row)
        if now - row.seen_at >= SEEN_AGAIN:
            with self.database.writing() as connection:
                connection.execute(update(_SESSION).where(_SESSION.c.hash == hash).values(seen_at=now))
        mark = self.keys.mark("form", token)[:32]
        return Session(row.id, account, row.passed, row.browser, row.begun_at, row.seen_at, mark)

    def of_account(self, account: Account, now: datetime) -> tuple[Session, ...]:
        """Return where *account* is logged in, what began last first."""
        query = (
            select(_SESSION)
            .where(_SESSION.c.account_id == account.id, _SESSION.c.passed, _alive(now))
            .order_by(_SESSION.c.begun_at.desc(), _SESSION.c.id)
        )
        with self.database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Session(row.id, account, True, row.browser, row.begun_at, row.seen_at) for row in rows)


def end(connection: Connection, account: str, *, only: str = "", but: str = "") -> int:
    """End the sessions of *account*: all, *only* one, or all *but* one; returns how many those were."""
    chosen = delete(_SESSION).where(_SESSION.c.account_id == account)
    if only:
        chosen = chosen.where(_SESSION.c.id == only)
    if but:
        chosen = chosen.where(_SESSION.c.id != but)
    return connection.execute(chosen).rowcount


def ids(connection: Connection, account: str) -> set[str]:
    """Return the ids of the sessions of *account*, expired ones too."""
    return set(connection.execute(select(_SESSION.c.id).where(_SESSION.c.account_id == account)).scalars())


def _alive(now: datetime):
    """Whether a session has expired in neither way: a person between password and code has less time."""
    return or_(
        and_(_SESSION.c.passed, _SESSION.c.begun_at > now - LONGEST, _SESSION.c.seen_at > now - IDLE),
        and_(~_SESSION.c.passed, _SESSION.c.begun_at > now - BETWEEN),
    )


def _hash(token: str) -> str:
    # Without a key: 256 random bits can't be guessed.
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
