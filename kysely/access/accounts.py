"""Accounts: made, changed and disabled on the command line; a person changes the own password and one-time codes.

Everything that changes an account stands in the audit log, in the same transaction.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from kysely import links
from kysely.access import one_time, passwords, sessions
from kysely.access._rows import OF_ACCOUNT
from kysely.access._rows import account as account_of
from kysely.access.audit import NOBODY, Log
from kysely.access.keys import Keys
from kysely.access.roles import Role, refuse_together
from kysely.access.values import ENTRY, Account, AccountError
from kysely.store import access
from kysely.store.databases import Database

_ACCOUNT = access.Account.__table__  # type: ignore[attr-defined]
_ROLE = access.AccountRole.__table__  # type: ignore[attr-defined]
_RECOVERY = access.RecoveryCode.__table__  # type: ignore[attr-defined]

_NAME = re.compile(r"[a-z0-9åäö][a-z0-9åäö._@+-]{1,63}")


@dataclass(frozen=True)
class Accounts:
    database: Database
    keys: Keys
    log: Log

    # ---- who there is

    def add(self, typed: str, roles: Collection[Role], *, by: str, now: datetime) -> Account:
        """Make an account without a password and return it; raises AccountError for a name that can't be one."""
        name = folded(typed)
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"{typed!r} can't be the name of an account: 2 to 64 letters, digits and the signs . _ @ + -, as in "
                "an e-mail address."
            )
        refuse_together(roles)
        if self.find(name) is not None:
            raise AccountError(f"There is an account {name} already; `kysely account list` shows all.")
        id = secrets.token_hex(16)
        with self.log.recorded(by, "account added", f"{name} ({_said(roles)})", now=now) as connection:
            values = {"id": id, "name": name, "disabled": False, "made_at": now, "last_counter": 0}
            connection.execute(insert(_ACCOUNT).values(values))
            connection.execute(insert(_ROLE), [{"account_id": id, "role": role} for role in roles])
        return self.named(name)

    def all(self) -> tuple[Account, ...]:
        with self.database.reading() as connection:
            rows = connection.execute(select(*OF_ACCOUNT).order_by(_ACCOUNT.c.name)).all()
            return tuple(account_of(connection, row) for row in rows)

    def find(self, typed: str) -> Account | None:
        """Return the account whose name was *typed*, None if there is none."""
        with self.database.reading() as connection:
            row = connection.execute(select(*OF_ACCOUNT).where(_ACCOUNT.c.name == folded(typed))).first()
            return None if row is None else account_of(connection, row)

    def named(self, typed: str) -> Account:
        """Return the account of that name; raises AccountError if there is none."""
        found = self.find(typed)
        if found is None:
            raise AccountError(f"There is no account {typed!r}; `kysely account list` shows all.")
        return found

    # ---- what an administrator changes

    def set_disabled(self, account: Account, disabled: bool, *, by: str, now: datetime) -> None:
        """Disable *account*, which ends its sessions, or enable it again."""
        did = "account disabled" if disabled else "account enabled"
        with self.log.recorded(by, did, account.name, now=now) as connection:
            self._set(connection, account, disabled=disabled, entry_hash=None, entry_until=None)
            sessions.end(connection, account.id)

    def set_roles(self, account: Account, roles: Collection[Role], *, by: str, now: datetime) -> None:
        """Give *account* exactly these roles; they hold from its next page on."""
        refuse_together(roles)
        changed = f"{account.name}: {_said(account.roles)} → {_said(roles)}"
        with self.log.recorded(by, "roles changed", changed, now=now) as connection:
            connection.execute(delete(_ROLE).where(_ROLE.c.account_id == account.id))
            connection.execute(insert(_ROLE), [{"account_id": account.id, "role": role} for role in roles])

    def issue_entry(self, account: Account, *, by: str, now: datetime) -> str:
        """Return a code with which a password can be set once; it ends the sessions and every code before it."""
        code = links.new_code()
        with self.log.recorded(by, "entry code issued", account.name, now=now) as connection:
            self._set(connection, account, entry_hash=self.keys.mark("entry code", code), entry_until=now + ENTRY)
            sessions.end(connection, account.id)
        return code

    def end_sessions(self, account: Account, *, only: str = "", but: str = "", by: str, now: datetime) -> int:
        """End sessions of *account* and return how many; nothing is logged where there was none to end."""
        with self.database.reading() as connection:
            there = sessions.ids(connection, account.id)
        if not (there & {only} if only else there - {but}):
            return 0
        with self.log.recorded(by, "sessions ended", account.name, now=now) as connection:
            return sessions.end(connection, account.id, only=only, but=but)

    # ---- passwords

    def set_password(self, account: Account, password: str, *, by: str, now: datetime, but: str = "") -> None:
        """Set the password and end every session *but* one; raises WeakPassword."""
        passwords.refuse_weak(password, account.name)
        kept = passwords.hashed(password)
        with self.log.recorded(by, "password set", account.name, now=now) as connection:
            self._set(connection, account, password_hash=kept, entry_hash=None, entry_until=None)
            sessions.end(connection, account.id, but=but)

    def holder(self, typed: str, now: datetime) -> Account | None:
        """Return whose code to set a password was *typed*, None for one that is unknown, used or too old."""
        code = links.read_code(typed)
        query = select(*OF_ACCOUNT).where(
            _ACCOUNT.c.entry_hash == self.keys.mark("entry code", code),
            _ACCOUNT.c.entry_until > now,
            ~_ACCOUNT.c.disabled,
        )
        with self.database.reading() as connection:
            row = connection.execute(query).first()
            return account_of(connection, row) if row is not None and code else None

    def has_password(self, account: Account | None, password: str, now: datetime) -> bool:
        """Return whether that is the account's password; for no account, or a disabled one, the same work is done."""
        kept = None if account is None or account.disabled else self._kept(account, "password_hash")
        right = passwords.matches(kept, password)
        if right and account is not None and kept is not None and passwords.outdated(kept):
            with self.database.writing() as connection:
                self._set(connection, account, password_hash=passwords.hashed(password))
        return right

    # ---- one-time codes

    def propose_codes(self, account: Account) -> str:
        """Return a new secret for an authenticator app; it counts from when a code of it has been typed."""
        secret = one_time.new_secret()
        with self.database.writing() as connection:
            self._set(connection, account, proposed_sealed=self.keys.seal(secret, of=account.id))
        return secret

    def proposed(self, account: Account) -> str:
        """Return the secret that waits for its first code, "" if none does."""
        sealed = self._kept(account, "proposed_sealed")
        return self.keys.unseal(sealed, of=account.id) if sealed else ""

    def confirm_codes(self, account: Account, typed: str, *, but: str, now: datetime) -> tuple[str, ...]:
        """Ask for one-time codes from now on if *typed* is one of the proposed secret; return the recovery codes.

        () if it is none. Ends every session *but* one: those knew the password only.
        """
        secret = self.proposed(account)
        counter = one_time.counter_of(secret, typed, now=now, after=0) if secret else None
        if counter is None:
            return ()
        with self.log.recorded(account.name, "one-time codes begun", account.name, now=now) as connection:
            sealed = self.keys.seal(secret, of=account.id)
            self._set(connection, account, secret_sealed=sealed, proposed_sealed=None, last_counter=counter)
            sessions.end(connection, account.id, but=but)
            return self._new_recovery(connection, account)

    def renew_recovery(self, account: Account, *, by: str, now: datetime) -> tuple[str, ...]:
        """Return new recovery codes; those before them no longer count."""
        if not account.codes:
            raise AccountError(f"{account.name} uses no one-time codes, so there is nothing to recover.")
        with self.log.recorded(by, "recovery codes renewed", account.name, now=now) as connection:
            return self._new_recovery(connection, account)

    def stop_codes(self, account: Account, *, by: str, now: datetime) -> None:
        """Ask for no one-time codes any more."""
        with self.log.recorded(by, "one-time codes ended", account.name, now=now) as connection:
            self._set(connection, account, secret_sealed=None, proposed_sealed=None)
            connection.execute(delete(_RECOVERY).where(_RECOVERY.c.account_id == account.id))

    def use_code(self, account: Account, typed: str, *, now: datetime) -> bool:
        """Return whether *typed* is a one-time code or a recovery code that lets *account* in; it does so once."""
        return self._use_one_time(account, typed, now) or self._use_recovery(account, typed, now)

    def recovery_left(self, account: Account) -> int:
        """Return how many recovery codes have not been used."""
        with self.database.reading() as connection:
            return len(connection.execute(select(_RECOVERY.c.hash).where(_RECOVERY.c.account_id == account.id)).all())

    def _use_one_time(self, account: Account, typed: str, now: datetime) -> bool:
        sealed, after = self._kept(account, "secret_sealed"), self._kept(account, "last_counter")
        if not sealed:
            return False
        secret = self.keys.unseal(sealed, of=account.id)
        counter = one_time.counter_of(secret, typed, now=now, after=after)
        if counter is None:
            return False
        with self.database.writing() as connection:
            # Compared again where it is written: of two that send the same code at once, one comes in.
            mine = (_ACCOUNT.c.id == account.id) & (_ACCOUNT.c.last_counter < counter)
            return connection.execute(update(_ACCOUNT).where(mine).values(last_counter=counter)).rowcount == 1

    def _use_recovery(self, account: Account, typed: str, now: datetime) -> bool:
        code = one_time.read_recovery_code(typed)
        this = (_RECOVERY.c.account_id == account.id) & (_RECOVERY.c.hash == self._recovery_hash(account, code))
        with self.database.reading() as connection:
            if not code or connection.execute(select(_RECOVERY.c.hash).where(this)).first() is None:
                return False
        with self.log.recorded(NOBODY, "recovery code used", account.name, now=now) as connection:
            return connection.execute(delete(_RECOVERY).where(this)).rowcount == 1

    def _new_recovery(self, connection: Connection, account: Account) -> tuple[str, ...]:
        codes = one_time.new_recovery_codes()
        connection.execute(delete(_RECOVERY).where(_RECOVERY.c.account_id == account.id))
        rows = [{"hash": self._recovery_hash(account, code), "account_id": account.id} for code in codes]
        connection.execute(insert(_RECOVERY), rows)
        return codes

    def _recovery_hash(self, account: Account, code: str) -> str:
        return self.keys.mark("recovery", account.id, code)

    # ---- the row

    def _kept(self, account: Account, column: str) -> Any:
        with self.database.reading() as connection:
            return connection.execute(select(_ACCOUNT.c[column]).where(_ACCOUNT.c.id == account.id)).scalar()

    def _set(self, connection: Connection, account: Account, **values: Any) -> None:
        connection.execute(update(_ACCOUNT).where(_ACCOUNT.c.id == account.id).values(values))


def folded(name: str) -> str:
    """Return a typed name as accounts have it: neither capitals nor blanks around it make another account."""
    return (
        unicodedata.normalize("NFKC", name[:200].replace("\x00", ""))
        .encode("utf-8", "replace")
        .decode()
        .strip()
        .casefold()
    )


def _said(roles: Collection[Role]) -> str:
    return ", ".join(sorted(roles))
