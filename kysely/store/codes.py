"""The codes with which respondents come back to their answers, from any device. Only a keyed hash of each is stored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from kysely import links
from kysely.store import answers as log
from kysely.store import tables
from kysely.store.databases import Database

_CODE = tables.ResumeCode.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Codes:
    """*secrets* are the current one and those it has replaced: a code is good as long as one of them is known."""

    database: Database
    secrets: tuple[bytes, ...]

    def of(self, response: str) -> str:
        """Return the code of *response*, always the same while the secret is: 128 bits."""
        bits = hashlib.blake2b(response.encode(), key=self.secrets[0], person=b"code", digest_size=16).digest()
        return links.written(bits)

    def issue(self, response: str) -> str:
        """Return the code of *response* and make it good; a second time changes nothing. Raises UnknownResponse."""
        code = self.of(response)
        row = {"hash": self._hash(code, self.secrets[0]), "response": response}
        insert = (sqlite if self.database.sqlite else postgresql).insert(_CODE)
        with self.database.writing() as connection:
            log.locked(connection, response)
            connection.execute(insert.values(row).on_conflict_do_nothing())
        return code

    def issued(self, response: str) -> str:
        """Return the code of *response* if it was issued, otherwise ""."""
        code = self.of(response)
        return code if self.response(code) == response else ""

    def response(self, typed: str) -> str:
        """Return the response of the code that somebody *typed*, "" if there is none."""
        code = links.read_code(typed)
        if not code:
            return ""
        hashes = [self._hash(code, secret) for secret in self.secrets]
        with self.database.reading() as connection:
            found = connection.execute(select(_CODE.c.response).where(_CODE.c.hash.in_(hashes))).scalar()
        return found or ""

    @staticmethod
    def _hash(code: str, secret: bytes) -> str:
        return hashlib.blake2b(code.encode(), key=secret, person=b"hash of code", digest_size=16).hexdigest()
