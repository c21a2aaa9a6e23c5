"""The audit log: who did what to what, and when. It only grows, and what was taken out or changed is found.

Each entry's seal is a keyed hash over it and the seal before, so that nobody without the access key can change, remove,
add or reorder one unseen; the database itself refuses to try. What is cut off at the end would leave a sound chain: so
how far the log goes, sealed too, stands in a file of the instance folder. That file follows an entry after it has been
committed. It never goes back: where it and the log have parted, it stays, and `faults` tells until somebody says why
(`resume`), which the log then keeps.

An entry holds names of accounts and of things (an extract, a publication), never an answer, a name of a respondent or
a network address, and of a login that failed not what was typed.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, text

from kysely.access.keys import Keys
from kysely.access.values import AccountError, Entry
from kysely.errors import StoreError
from kysely.store import access
from kysely.store.databases import Database

ANCHOR = "audit.anchor"

NOBODY = "nobody"
"""The actor where nobody is logged in."""

RESUMED = "log resumed"

_ENTRY = access.AuditEntry.__table__  # type: ignore[attr-defined]
_ACCOUNT = access.Account.__table__  # type: ignore[attr-defined]

# One number for all: two processes that write an entry at once queue up.
_APPENDING = 0x6B797361


@dataclass(frozen=True)
class Reached:
    """How far the log goes: its last entry's number, and its seal."""

    number: int = 0
    seal: str = ""


@dataclass(frozen=True)
class Log:
    database: Database
    keys: Keys
    anchor: Path

    @contextmanager
    def recorded(self, actor: str, action: str, object: str, *, now: datetime) -> Iterator[Connection]:
        """A transaction that stands in the log, or has not happened."""
        with self.database.writing() as connection:
            yield connection
            before, reached = self._append(connection, actor, action, object, now)
        self._follow(before, reached)

    def note(self, actor: str, action: str, object: str, *, now: datetime) -> None:
        """Write down what was done elsewhere."""
        with self.recorded(actor, action, object, now=now):
            pass

    def entries(self) -> tuple[Entry, ...]:
        """Return the entries in their order."""
        with self.database.reading() as connection:
            rows = connection.execute(select(*_ENTRY.c).order_by(_ENTRY.c.number)).all()
        return tuple(Entry(*row[:5]) for row in rows)

    def faults(self) -> list[str]:
        """Return everything that shows that the log is not as it was written; [] for a sound one."""
        with self.database.reading() as connection:
            rows = connection.execute(select(*_ENTRY.c).order_by(_ENTRY.c.number)).all()
            accounts = connection.execute(select(func.count()).select_from(_ACCOUNT)).scalar()
        found, previous, expected = [], "", 1
        for row in rows:
            if row.number != expected:
                found.append(f"{_numbers(expected, row.number - 1)} {_is_missing(expected, row.number - 1)}")
            elif not hmac.compare_digest(str(row.seal), self._sealed(previous, *row[:5])):
                found.append(f"entry {row.number} is not as it was written")
            previous, expected = str(row.seal), row.number + 1
        if accounts and not rows:
            found.append("there are accounts, but the log is empty")
        return found + self._parted({row.number: str(row.seal) for row in rows})

    def resume(self, actor: str, reason: str, *, now: datetime) -> None:
        """Go on where the log and its anchor have parted, after a restore for instance; the log keeps the *reason*.

        Raises AccountError where they have not.
        """
        with self.database.reading() as connection:
            seals = {row.number: row.seal for row in connection.execute(select(_ENTRY.c.number, _ENTRY.c.seal))}
        parted = self._parted(seals)
        if not parted:
            raise AccountError("The log goes as far as it should: there is nothing to resume.")
        with self.database.writing() as connection:
            _, reached = self._append(connection, actor, RESUMED, f"{'; '.join(parted)} – {reason}", now)
        with self._locked():
            self._write(reached)

    # ---- the chain

    def _append(
        self, connection: Connection, actor: str, action: str, object: str, now: datetime
    ) -> tuple[Reached, Reached]:
        if not self.database.sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_APPENDING})"))
        last = connection.execute(select(_ENTRY.c.number, _ENTRY.c.seal).order_by(_ENTRY.c.number.desc())).first()
        before = Reached(*last) if last else Reached()
        entry = (before.number + 1, now.astimezone(UTC).isoformat(timespec="microseconds"), actor, action, object)
        seal = self._sealed(before.seal, *entry)
        names = ("number", "at", "actor", "action", "object")
        connection.execute(insert(_ENTRY).values({**dict(zip(names, entry, strict=True)), "seal": seal}))
        return before, Reached(before.number + 1, seal)

    def _sealed(self, previous: str, *entry: object) -> str:
        return self.keys.mark("entry", previous, *map(str, entry))

    # ---- how far it goes

    def _follow(self, before: Reached, reached: Reached) -> None:
        """Let the anchor follow the log from *before* to *reached*, if it had followed so far."""
        with self._locked():
            anchored = self._read()
            if anchored == before:
                self._write(reached)
            elif anchored is not None and anchored.number < before.number:
                # Another process has written an entry and not come to this yet, or was killed before it could.
                with self.database.reading() as connection:
                    query = select(_ENTRY.c.seal).where(_ENTRY.c.number == anchored.number)
                    followed = connection.execute(query).scalar() == anchored.seal or anchored == Reached()
                if followed:
                    self._write(reached)

    def _parted(self, seals: dict[int, str]) -> list[str]:
        """Return how the anchor and the log differ, [] if the log goes at least as far."""
        last = max(seals, default=0)
        if not self.anchor.exists() and last:
            return [f"{self.anchor}, which says how far the log goes, is missing"]
        anchored = self._read()
        if anchored is None:
            return [f"{self.anchor}, which says how far the log goes, was changed"]
        if anchored.number > last:
            return [f"{_numbers(last + 1, anchored.number)} {_is_missing(last + 1, anchored.number)} at the end"]
        if anchored.number and seals.get(anchored.number) != anchored.seal:
            return [f"entry {anchored.number} is another one than was written"]
        return []

    def _read(self) -> Reached | None:
        """Return how far the log went, None if the file is not as it was written."""
        if not self.anchor.exists():
            return Reached()
        number, _, rest = self.anchor.read_text(encoding="utf-8", errors="replace").strip().partition(" ")
        seal, _, mark = rest.partition(" ")
        known = hmac.compare_digest(mark.encode(), self.keys.mark("anchor", number, seal).encode())
        return Reached(int(number), seal) if known else None

    def _write(self, reached: Reached) -> None:
        number = str(reached.number)
        draft = self.anchor.with_name(f".{self.anchor.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
                stream.write(f"{number} {reached.seal} {self.keys.mark('anchor', number, reached.seal)}\n")
                stream.flush()
                os.fsync(stream.fileno())
            draft.rename(self.anchor)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise self._unwritable(error) from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder of the anchor: of two processes one reads and writes it at a time."""
        try:
            self.anchor.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = os.open(self.anchor.parent, os.O_RDONLY)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(
            f"{self.anchor} can't be written ({error.strerror}); it says how far the audit log goes. "
            "Make the folder writable."
        )


def _numbers(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first}–{last}"


def _is_missing(first: int, last: int) -> str:
    return "is missing" if first == last else "are missing"
