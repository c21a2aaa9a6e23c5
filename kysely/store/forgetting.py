"""The end of retention: who was invited and who answered is deleted, the answers stay."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlalchemy import delete, text

from kysely.config import Settings
from kysely.errors import StoreError
from kysely.store import upgrading
from kysely.store.answers import AnswerLog
from kysely.store.databases import Database, databases
from kysely.store.values import Phase


def forget(settings: Settings, *, now: datetime) -> dict[str, int]:
    """Delete everything in the identity database and return how many rows of which table; raises StoreError.

    The next link key is as good as the one before: with that one backups still lead to people, so it is destroyed too.
    """
    answers, identity = databases(settings)
    try:
        return _forgotten(answers, identity, now)
    finally:
        for database in (answers, identity):
            database.close()


def _forgotten(answers: Database, identity: Database, now: datetime) -> dict[str, int]:
    if not (upgrading.is_newest(answers) and upgrading.is_newest(identity)):
        raise StoreError(f"{identity} has an older schema, or is not there yet. Run: kysely database upgrade")
    for wave in AnswerLog(answers).waves():
        if wave.phase(now) in (Phase.OPEN, Phase.NOT_YET):
            raise StoreError(f"The wave {wave.name!r} of {wave.instrument} is open; nobody was deleted.")
    counts = {}
    with identity.explained(), identity.turn(), identity.owner.begin() as connection:
        if not identity.sqlite:
            connection.execute(text(f"SET LOCAL search_path = {identity.name}"))
        for table in reversed(identity.metadata.sorted_tables):
            counts[table.name] = connection.execute(delete(table)).rowcount
    with suppress(StoreError):  # while others read, it stays in the file until they don't
        identity.scrub()
    return counts
