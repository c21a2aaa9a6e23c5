"""From settings to a store that is ready: the databases found or made, upgraded, writable and of this link key."""

from __future__ import annotations

from datetime import UTC, datetime

from kysely.config import Settings
from kysely.errors import StoreError
from kysely.links import Keys
from kysely.store import upgrading
from kysely.store._store import Store, secret_of
from kysely.store.answers import AnswerLog
from kysely.store.databases import access_database, databases, every_database
from kysely.store.identities import Identities


def open(settings: Settings, *, upgrade: bool = True) -> Store:
    """Return the store that *settings* name, brought to the newest schema first.

    With upgrade=False an older schema is refused, and so is a database that isn't there yet. Raises StoreError that
    says what to do. A server opens it in each of its processes, after they have forked.
    """
    if upgrade:
        upgraded(settings, now=datetime.now(UTC))
    answers, identity, access = *databases(settings), access_database(settings)
    for database in (answers, identity, access):
        if not upgrade and not upgrading.is_newest(database):
            raise StoreError(f"{database} has an older schema, or is not there yet. Run: kysely database upgrade")
        database.show_writable()
    secret = secret_of(settings.secret_key)
    store = Store(settings, AnswerLog(answers), Identities(identity, Keys.of(settings)), access, secret)
    store.identities.show_key()
    if upgrade:
        store.erase_again(datetime.now(UTC))
    return store


def upgraded(settings: Settings, *, now: datetime) -> tuple[upgrading.Upgraded, ...]:
    """Bring every database to the newest schema, made where there are none, and return what was done."""
    every = every_database(settings)
    if any(database.sqlite and database.file.parent == settings.instance for database in every):
        _make_folder(settings)
    keys, backups = Keys.of(settings), settings.instance / "backups"
    done = tuple(upgrading.upgrade(database, backups, keys=keys, now=now) for database in every)
    for database in every:
        database.close()
    return done


def _make_folder(settings: Settings) -> None:
    try:
        settings.instance.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The folder {settings.instance} can't be made ({error.strerror}); make it, or set KYSELY_INSTANCE."
        ) from None
