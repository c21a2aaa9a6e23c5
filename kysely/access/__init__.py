"""Who works with a study and what each of them may: accounts, sessions, and the log of what was done.

`opened` is the way in for commands, `Access.of` for the server, which has the store open already.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from kysely.access.accounts import Accounts, folded
from kysely.access.audit import ANCHOR, NOBODY, Log
from kysely.access.keys import Keys
from kysely.access.roles import Role
from kysely.access.sessions import Sessions, end
from kysely.access.throttling import Attempts
from kysely.access.values import Account, AccountError, Begun, Entry, Refusal, Session, WeakPassword
from kysely.config import Settings
from kysely.store.databases import Database

__all__ = [
    "NOBODY",
    "Access",
    "Account",
    "AccountError",
    "Begun",
    "Entry",
    "Refusal",
    "Role",
    "Session",
    "WeakPassword",
    "opened",
]


@dataclass(frozen=True)
class Access:
    """Everything about accounts, over their database."""

    accounts: Accounts
    sessions: Sessions
    attempts: Attempts
    log: Log
    keys: Keys

    @classmethod
    def of(cls, database: Database, settings: Settings) -> Access:
        """Return the access of *settings*; raises ConfigurationError in production without KYSELY_ACCESS_KEY."""
        keys = Keys.of(settings)
        log = Log(database, keys, settings.instance / ANCHOR)
        return cls(Accounts(database, keys, log), Sessions(database, keys), Attempts(database, keys), log, keys)

    def log_in(
        self,
        name: str,
        password: str,
        *,
        network: str,
        device: str,
        browser: str,
        now: datetime,
        instead: Session | None = None,
    ) -> Begun | Refusal:
        """Begin a session for who knows the password; for names that nobody has, the same is done and said.

        *device* is what `Begun.device` was when somebody logged in from this browser before: such a browser has a count
        of its own, so that those who try from elsewhere don't shut the owner out. The session *instead* of which the
        new one begins is ended.
        """
        account = self.accounts.find(name)
        who = {"account": folded(name), "network": network}
        if account is not None and self._knows(account, device):
            who = {"device": device}
        if not self.attempts.begin(who, now):
            return Refusal.TOO_OFTEN
        if not self.accounts.has_password(account, password, now) or account is None:
            self.log.note(NOBODY, "login failed", account.name if account else "", now=now)
            return Refusal.WRONG
        self.attempts.forgive(who)
        return self._begin(account, passed=not account.codes, browser=browser, instead=instead, now=now)

    def enter_code(self, session: Session, typed: str, now: datetime) -> Begun | Refusal:
        """Begin the session of who gave the password before and now a one-time code, in place of the one so far."""
        account = session.account
        if not self.attempts.begin({"code": account.id}, now):
            return Refusal.TOO_OFTEN
        if not self.accounts.use_code(account, typed, now=now):
            self.log.note(NOBODY, "one-time code failed", account.name, now=now)
            return Refusal.WRONG
        self.attempts.forgive({"code": account.id})
        return self._begin(account, passed=True, browser=session.browser, instead=session, now=now)

    def is_still(self, account: Account, password: str, now: datetime) -> bool | Refusal:
        """Return whether somebody who is logged in gives the password again."""
        if not self.attempts.begin({"again": account.id}, now):
            return Refusal.TOO_OFTEN
        if not self.accounts.has_password(account, password, now):
            self.log.note(account.name, "password repeated wrongly", account.name, now=now)
            return False
        self.attempts.forgive({"again": account.id})
        return True

    def log_out(self, session: Session, now: datetime) -> None:
        with self.log.recorded(session.account.name, "logged out", session.account.name, now=now) as connection:
            end(connection, session.account.id, only=session.id)

    def _begin(self, account: Account, *, passed: bool, browser: str, instead: Session | None, now: datetime) -> Begun:
        did = "logged in" if passed else "password given"
        with self.log.recorded(account.name, did, account.name, now=now) as connection:
            if instead is not None:
                end(connection, instead.account.id, only=instead.id)
            token = self.sessions.begin(connection, account, passed=passed, browser=browser, now=now)
        return Begun(account, token, passed, self._device(account, secrets.token_hex(16)) if passed else "")

    def _device(self, account: Account, mark: str) -> str:
        return f"{mark}.{self.keys.mark('device', account.id, mark)}"

    def _knows(self, account: Account, device: str) -> bool:
        known = self._device(account, device.partition(".")[0])
        return hmac.compare_digest(known.encode("utf-8", "replace"), device.encode("utf-8", "replace"))


@contextmanager
def opened(settings: Settings) -> Iterator[Access]:
    """Open the databases for a command, brought to the newest schema, and give its access."""
    from kysely import store

    database = store.access_database(settings)
    access = Access.of(database, settings)
    store.upgraded(settings, now=datetime.now(UTC))
    try:
        yield access
    finally:
        database.close()
