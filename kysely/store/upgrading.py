"""From whatever lies at the URL to the tables this program knows, without losing a row on the way.

An Alembic batch rename with foreign keys on and CASCADE has been seen to delete every answer without an
error. So no table cascades, foreign keys are off before the transaction begins (inside one the pragma does
nothing), a copy is made first, and rows and values are compared before anything is committed.
"""

from __future__ import annotations

import os
import re
import runpy
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, inspect

from kysely.errors import StoreError
from kysely.links import Keys
from kysely.store import _postgresql
from kysely.store.databases import Database

MIGRATIONS = Path(__file__).resolve().parent / "migrations"

_FILE = re.compile(r"(\d{4})_\w+\.py")
_VERSIONS = "alembic_version"


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did: from which schema ("" for none) to which, and where the copy from before it lies."""

    database: str
    before: str
    after: str
    backup: Path | None = None


@dataclass(frozen=True)
class Inventory:
    """Rows of one table, and per column a sum over (primary key, value) that no lost or changed value leaves alone."""

    rows: int
    columns: Mapping[str, int]


def known(database: Database, folder: Path = MIGRATIONS) -> tuple[str, ...]:
    """Return the schemas that this program can bring *database* to, oldest first; the file names say them."""
    return tuple(sorted(_migrations(database, folder)))


def current(database: Database) -> str:
    """Return the schema of *database*, "" where it is still empty; raises StoreError for anything else found there."""
    with database.explained():
        return _sqlite_schema(database) if database.sqlite else _postgresql.schema(database)


def is_newest(database: Database, *, folder: Path = MIGRATIONS) -> bool:
    """Return whether *database* has the newest schema; raises StoreError where it is from a newer program."""
    schema, schemas = current(database), known(database, folder)
    if schema and schema not in schemas:
        raise StoreError(
            f"{database} has schema {schema}; this program knows schemas up to {schemas[-1]}. It was upgraded by a "
            "newer Kysely: run that one, or restore the copy made before the upgrade (instance/backups/)."
        )
    return schema == schemas[-1]


def upgrade(database: Database, backups: Path, *, keys: Keys, now: datetime, folder: Path = MIGRATIONS) -> Upgraded:
    """Bring *database* to the newest schema; *keys* are those that its rows are kept under.

    Raises StoreError, with everything as it was, if a row or value can't be accounted for.
    """
    if is_newest(database, folder=folder):
        return Upgraded(database.name, current(database), current(database))
    if not database.sqlite:
        _postgresql.prepare(database)
    with database.explained(), database.turn():
        before = current(database)  # another process may have been faster while this one waited
        if is_newest(database, folder=folder):
            return Upgraded(database.name, before, before)
        if database.sqlite:
            _make_private(database)
        kept = backup(database, backups, now=now) if before and database.sqlite else None
        try:
            with database.owner.begin() as connection:
                _migrate(database, connection, before, folder, keys)
        except StoreError as error:
            raise StoreError(f"{error} Nothing was changed." + (f" A copy lies in {kept}." if kept else "")) from None
    if before:
        with suppress(StoreError):  # while others read, what the rows said before stays in the file until they don't
            database.scrub()
    return Upgraded(database.name, before, current(database), kept)


def backup(database: Database, backups: Path, *, now: datetime) -> Path:
    """Copy a SQLite database while it is in use, check the copy, and return its file."""
    file = backups / f"{database.name}-{current(database) or 'empty'}-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}.db"
    draft = file.with_name(f".{file.name}")
    try:
        backups.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.touch(mode=0o600)
    except OSError as error:
        raise StoreError(f"No backup can be made in {backups} ({error.strerror}); make the folder writable.") from None
    try:
        with database.explained(), _opened(database) as source, closing(sqlite3.connect(draft)) as copy:
            # The online backup takes what still lies in the -wal file; copying the .db file alone would lose it.
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise StoreError(f"The copy of {database} is damaged ({verdict}); nothing was changed. Check the disk.")
        with open(draft, "rb+") as stream:
            os.fsync(stream.fileno())
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return file


def replace(database: Database, copy: Path) -> None:
    """Put a checked *copy* into the place of a SQLite database, whoever reads it; a kill leaves one of the two."""
    if not database.file.exists():
        _make_private(database)
    with database.explained(), database.turn(), closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as source:
        verdict = source.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise StoreError(f"The copy {copy} is damaged ({verdict}); {database} was not changed. Take another one.")
        with _opened(database) as target:
            source.backup(target)


def faults(database: Database) -> list[str]:
    """Return what a full check finds wrong: damaged pages, references that lead nowhere. It reads everything."""
    if not database.sqlite:
        return []
    with database.reading() as connection:
        damaged = [row[0] for row in connection.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
        return damaged + _dangling(connection)


def _migrations(database: Database, folder: Path) -> dict[str, Path]:
    found = ((_FILE.fullmatch(file.name), file) for file in (folder / database.name).iterdir())
    return {name[1]: file for name, file in found if name}


def _sqlite_schema(database: Database) -> str:
    folder = database.file.parent
    if not folder.is_dir():
        raise StoreError(
            f"{database.file} can't be opened: there is no folder {folder}. "
            f"Make it (mkdir -p), or set {database.setting} to another place."
        )
    if database.file.is_dir():
        raise StoreError(f"{database.file} is a folder. Set {database.setting} to a file in it.")
    if not database.file.exists():
        return ""
    with _opened(database) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not names:
            return ""
        if _VERSIONS in names and names & set(database.metadata.tables):
            return connection.execute(f"SELECT version_num FROM {_VERSIONS}").fetchone()[0]
    raise StoreError(
        f"{database.file} belongs to another program (its tables: {', '.join(sorted(names)[:5])}). "
        f"Nothing was changed. Set {database.setting} to another file."
    )


def _make_private(database: Database) -> None:
    """Make the file, if there is none, readable by its owner only; SQLite gives the files beside it the same mode."""
    with suppress(FileExistsError):
        try:
            os.close(os.open(database.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except PermissionError as error:
            raise database.unwritable(error.strerror or "no permission") from None


@contextmanager
def _opened(database: Database) -> Iterator[sqlite3.Connection]:
    pooled = database.owner.raw_connection()
    try:
        yield cast(sqlite3.Connection, pooled.driver_connection)
    finally:
        pooled.close()


def _migrate(database: Database, connection: Connection, before: str, folder: Path, keys: Keys) -> None:
    """Run the migrations inside the caller's transaction and account for every row."""
    if database.sqlite and connection.exec_driver_sql("PRAGMA foreign_keys").scalar():
        raise StoreError(f"{database}: foreign keys are on; a table that is rebuilt would lose what hangs on it.")
    if not database.sqlite:
        _postgresql.enter(database, connection)
        if _postgresql.schema_within(connection) != before:
            return  # another process has upgraded while this one waited
    was, guards = _inventory(connection), _triggers(connection)
    _run(database, connection, folder, keys)
    _account(database, was, _inventory(connection), _declared(database, before, folder))
    dropped = guards - _triggers(connection)
    if dropped:
        raise StoreError(
            f"{database}: the upgrade would drop {', '.join(sorted(dropped))}; a rebuilt table needs it anew."
        )
    if database.sqlite:
        dangling = _dangling(connection)
        if dangling:
            raise StoreError(f"{database}: after the upgrade {'; '.join(dangling[:3])}.")
    else:
        _postgresql.grant(database, connection)


def _run(database: Database, connection: Connection, folder: Path, keys: Keys) -> None:
    # Alembic is half a second of imports, which only an upgrade needs.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _escaped(folder if (folder / "env.py").exists() else MIGRATIONS))
    config.set_main_option("version_locations", _escaped(folder / database.name))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, metadata=database.metadata, keys=keys)
    try:
        command.upgrade(config, "head")
    except Exception as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{database}: the upgrade failed ({type(error).__name__}: {_first_line(error)}).") from error


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


def _first_line(error: Exception) -> str:
    # Only the first: a driver's further lines may quote rows.
    return (str(error).splitlines() or [""])[0]


def _inventory(connection: Connection) -> dict[str, Inventory]:
    inspector = inspect(connection)
    inventory = {}
    for table in inspector.get_table_names():
        if table != _VERSIONS:
            columns = [column["name"] for column in inspector.get_columns(table)]
            key = inspector.get_pk_constraint(table)["constrained_columns"]
            take = _sqlite_inventory if connection.dialect.name == "sqlite" else _postgresql.inventory
            rows, sums = take(connection, table, key, columns)
            inventory[table] = Inventory(rows, dict(zip(columns, sums, strict=True)))
    return inventory


def _sqlite_inventory(connection: Connection, table: str, key: list[str], columns: list[str]) -> tuple[int, list[int]]:
    names = ", ".join(f'"{name}"' for name in [*key, *columns])
    rows, sums = 0, [0] * len(columns)
    for row in connection.exec_driver_sql(f'SELECT {names} FROM "{table}"'):
        rows += 1
        identity = tuple(row[: len(key)])
        for position, value in enumerate(row[len(key) :]):
            sums[position] += _digest((identity, value))
    return rows, sums


def _digest(cell: tuple[object, ...]) -> int:
    # Not hash(): in its sums, two values that changed places cancel out about once in six.
    return int.from_bytes(blake2b(repr(cell).encode(), digest_size=16).digest(), "big")


def _triggers(connection: Connection) -> set[str]:
    """Return the triggers, which keep answers from being changed and which a rebuilt table loses."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgrelid::regclass::text NOT LIKE '%%.%%'"
    return {row[0] for row in connection.exec_driver_sql(query)}


def _declared(database: Database, before: str, folder: Path) -> tuple[set[str], set[str]]:
    """Return in which tables the migrations after *before* may change rows, and in which tables or columns values."""
    rows: set[str] = set()
    values: set[str] = set()
    for revision, file in _migrations(database, folder).items():
        if revision > before:
            module = runpy.run_path(str(file))
            rows |= set(module.get("CHANGES_ROWS", ()))
            values |= set(module.get("CHANGES_VALUES", ()))
    return rows, values


def _account(
    database: Database, was: dict[str, Inventory], now: dict[str, Inventory], declared: tuple[set[str], set[str]]
) -> None:
    rows, values = declared
    for table, before in was.items():
        after = now.get(table)
        if table not in rows and (after is None or after.rows != before.rows):
            there = "the table is gone" if after is None else f"{after.rows} are there"
            raise StoreError(f"{database}: {table} had {before.rows} rows, after the upgrade {there}.")
        if after is None or table in rows | values:
            continue
        for column, total in before.columns.items():
            if f"{table}.{column}" not in values and after.columns.get(column) != total:
                raise StoreError(f"{database}: the upgrade would change values of {table}.{column} without saying why.")


def _dangling(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    return [f"a row of {child} refers to a row of {parent} that is not there" for child, _, parent, _ in found]
