"""How often somebody may try. Counted before a password is looked at, so that many tries at once are not one.

A count begins with the first try and is forgotten a quarter of an hour later, whatever came in between: nobody can keep
the owner out for longer. Who tries is known by a keyed hash only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite

from kysely.access.keys import Keys
from kysely.store import access
from kysely.store.databases import Database

WHILE = timedelta(minutes=15)

MOST = {"account": 10, "network": 30, "device": 10, "code": 5, "again": 10, "entry": 30}
"""Tries of each kind in that time. An office behind one address has several people."""

_ATTEMPT = access.Attempt.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Attempts:
    database: Database
    keys: Keys

    def begin(self, who: Mapping[str, str], now: datetime) -> bool:
        """Count a try for each kind and subject of *who*; False if one of them has tried too often."""
        insert: Any = (sqlite if self.database.sqlite else postgresql).insert(_ATTEMPT)
        allowed = True
        with self.database.writing() as connection:
            connection.execute(delete(_ATTEMPT).where(_ATTEMPT.c.since <= now - WHILE))
            # In one order, so that two that share both wait for each other and not in a circle.
            for mark, most in sorted((self.keys.mark(kind, whom), MOST[kind]) for kind, whom in who.items()):
                counted = insert.values(mark=mark, count=1, since=now).on_conflict_do_update(
                    index_elements=[_ATTEMPT.c.mark], set_={"count": _ATTEMPT.c.count + 1}
                )
                count = connection.execute(counted.returning(_ATTEMPT.c.count)).scalar_one()
                allowed = allowed and count <= most
        return allowed

    def forgive(self, who: Mapping[str, str]) -> None:
        """Forget the tries of who has come in; the network, which others share, only this one."""
        with self.database.writing() as connection:
            for kind, whom in sorted(who.items()):
                this = _ATTEMPT.c.mark == self.keys.mark(kind, whom)
                if kind == "network":
                    connection.execute(update(_ATTEMPT).where(this).values(count=_ATTEMPT.c.count - 1))
                else:
                    connection.execute(delete(_ATTEMPT).where(this))
