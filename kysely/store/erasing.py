"""The only way to delete answers: a whole response, with a signed tombstone in its place.

In order: the ledger, which lies beside the databases and which no restored backup makes shorter; the tombstone and the
deletion in one transaction; names; then the files themselves are scrubbed. Whatever a crash leaves undone, or a
restored backup brings back, is erased again from the ledger when the databases are opened the next time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, text

from kysely.errors import StoreError
from kysely.store import answers as log
from kysely.store import tables
from kysely.store.anonymous import Anonymous, is_anonymous
from kysely.store.databases import Database
from kysely.store.identities import Identities
from kysely.store.values import Tombstone, UnknownResponse

LEDGER = "erased.txt"

_RESPONSE = tables.Response.__table__  # type: ignore[attr-defined]
_ERASURE = tables.Erasure.__table__  # type: ignore[attr-defined]
_HANGING = (
    tables.AnswerEvent.__table__.c.response,  # type: ignore[attr-defined]
    tables.PageSubmission.__table__.c.response,  # type: ignore[attr-defined]
    tables.Draft.__table__.c.response,  # type: ignore[attr-defined]
    tables.ResumeCode.__table__.c.response,  # type: ignore[attr-defined]
)


@dataclass(frozen=True)
class Erasing:
    """*secrets* sign tombstones and hide ids in the ledger: the current one, and those it has replaced."""

    answers: Database
    identities: Identities
    anonymous: Anonymous
    secrets: tuple[bytes, ...]
    ledger: Path

    def erase(self, response: str, *, by: str, now: datetime) -> Tombstone:
        """Erase *response* everywhere but in backups, and return what is left of it; raises UnknownResponse."""
        with self.answers.reading() as connection:
            if connection.execute(select(_RESPONSE.c.id).where(_RESPONSE.c.id == response)).scalar() is None:
                raise UnknownResponse("There is no such response.")
        self._note(response, now.date())
        tombstone = self._bury(response, by, now.date())
        self.identities.erase(response, referred=self._referred)
        self.scrub()
        return tombstone

    def erase_anonymously(self, response: str, *, by: str, now: datetime) -> Tombstone:
        """Erase a response in anonymous mode, of which there is nothing but answers; raises UnknownResponse."""
        grave = self.anonymous.graves(response).get(response)
        if grave is None:
            raise UnknownResponse("There is no such response.")
        self._note(grave, now.date())
        tombstone = self._bury_anonymously(response, grave, by, now.date())
        self.scrub()
        return tombstone

    def again(self, now: datetime) -> int:
        """Erase what the ledger names and a restored backup has brought back; returns how many responses."""
        noted = self._noted()
        if not noted:
            return 0
        anonymous = [(id, grave) for id, grave in self.anonymous.graves().items() if noted & self._hidden(grave)]
        for id, grave in anonymous:
            self._bury_anonymously(id, grave, tables.OPERATOR, now.date())
        with self.answers.reading() as connection:
            there = list(connection.execute(select(_RESPONSE.c.id)).scalars())
            buried = list(connection.execute(select(_ERASURE.c.response)).scalars())
        returned = [response for response in there if noted & self._hidden(response)]
        for response in returned:
            self._bury(response, tables.OPERATOR, now.date())
        people = (response for response in {*buried, *returned} if not is_anonymous(response))
        named = [response for response in people if self.identities.knows(response)]
        for response in named:
            self.identities.erase(response, referred=self._referred)
        if returned or named or anonymous:
            self.scrub()
        return len(returned) + len(anonymous)

    def tombstones(self) -> Iterator[Tombstone]:
        """Yield what is left of erased responses, each with whether its signature is ours."""
        with self.answers.reading() as connection:
            rows = connection.execute(select(_ERASURE).order_by(_ERASURE.c.response)).all()
        for row in rows:
            said = (row.response, row.wave_id, row.erased_by, row.erased_on)
            yield Tombstone(*said, row.signature in {self._signature(secret, *said) for secret in self.secrets})

    def scrub(self) -> None:
        """Leave no trace of what was deleted in the files of the databases.

        On PostgreSQL the log of the server holds it until the server recycles it.
        """
        for database in (self.answers, self.identities.database):
            # What can't be scrubbed now, because others read, is gone with the next checkpoint.
            with suppress(StoreError):
                database.scrub()

    def _bury(self, response: str, by: str, on: date) -> Tombstone:
        with self.answers.writing() as connection:
            row = log.locked(connection, response)
            tombstone = self._stand(connection, response, row.wave_id, by, on)
            self._delete(connection, response)
        return tombstone

    def _bury_anonymously(self, response: str, grave: str, by: str, on: date) -> Tombstone:
        with self.answers.writing() as connection:
            wave = self.anonymous.remove(connection, response)
            return self._stand(connection, grave, wave, by, on)

    def _stand(self, connection: Connection, response: str, wave: str, by: str, on: date) -> Tombstone:
        """Put up the tombstone, unless it stands."""
        signature = self._signature(self.secrets[0], response, wave, by, on)
        known = select(_ERASURE.c.response).where(_ERASURE.c.response == response)
        if connection.execute(known).scalar() is None:
            values = {"wave_id": wave, "erased_by": by, "erased_on": on, "signature": signature}
            connection.execute(insert(_ERASURE).values(response=response, **values))
        return Tombstone(response, wave, by, on, True)

    def _delete(self, connection: Connection, response: str) -> None:
        if not self.answers.sqlite:
            connection.execute(text("SELECT erase_response(:response)"), {"response": response})
            return
        for column in _HANGING:
            connection.execute(delete(column.table).where(column == response))
        connection.execute(delete(_RESPONSE).where(_RESPONSE.c.id == response))

    def _referred(self, organisation: str) -> bool:
        with self.answers.reading() as connection:
            other = select(_RESPONSE.c.id).where(_RESPONSE.c.organisation_key == organisation).limit(1)
            return connection.execute(other).scalar() is not None

    # ---- the ledger

    def _note(self, response: str, on: date) -> None:
        """Add *response* to the ledger, hidden, durably and before anything is deleted."""
        line = f"{on} {self._hide(self.secrets[0], response)}\n"
        try:
            # On PostgreSQL nothing else may have needed the folder yet.
            self.ledger.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self.ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(line)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise StoreError(
                f"{self.ledger} can't be written ({error.strerror}); nothing was erased. Make the folder writable."
            ) from None

    def _noted(self) -> set[str]:
        if not self.ledger.exists():
            return set()
        return {line.partition(" ")[2] for line in self.ledger.read_text().splitlines()}

    def _hidden(self, response: str) -> set[str]:
        return {self._hide(secret, response) for secret in self.secrets}

    @staticmethod
    def _hide(secret: bytes, response: str) -> str:
        return hashlib.blake2b(response.encode(), key=secret, person=b"erased", digest_size=16).hexdigest()

    @staticmethod
    def _signature(secret: bytes, *said: object) -> str:
        return hmac.digest(secret, json.dumps([str(each) for each in said]).encode(), "sha256").hex()
