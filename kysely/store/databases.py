"""One of the databases: its connections, its transactions, and what to tell a person when it fails."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    NullPool,
    create_engine,
    event,
    exc,
    false,
    insert,
    make_url,
    select,
)

from kysely.config import Settings
from kysely.errors import StoreError
from kysely.store import access, tables
from kysely.store._lock import WriteLock
from kysely.store._prepared import Bare
from kysely.store.values import StoreBusy

PATIENCE = 6.0
"""Seconds that a writer waits for its turn before the respondent is asked to press the button again."""

HURRY = 0.7
"""Seconds that a question about the service's health waits: whoever asks wants an answer, not a turn."""


@dataclass(frozen=True)
class Database:
    """Answers, identity or access. On PostgreSQL *name* is its schema and kysely_<name> the role that works there."""

    name: str
    url: URL
    setting: str
    metadata: MetaData
    patience: float = PATIENCE

    @property
    def sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def role(self) -> str:
        return f"kysely_{self.name}"

    @cached_property
    def file(self) -> Path:
        """The file of a SQLite database, also where the URL is of the form file:…?uri=true."""
        database = self.url.database or ""
        return Path(database.removeprefix("file:")).absolute()

    def __str__(self) -> str:
        if self.sqlite:
            return str(self.file)
        return f"schema {self.name} of {self.url.set(password=None, query={}).render_as_string()}"

    @cached_property
    def engine(self) -> Engine:
        """The connections of daily work: durable, with foreign keys, and no right to the other database."""
        engine = self._engine(pool_size=8, max_overflow=24, pool_timeout=self.patience)
        if self.sqlite:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            event.listen(engine, "connect", self._prepare_postgresql)
        return engine

    @cached_property
    def owner(self) -> Engine:
        """The connections that build and change tables, without foreign keys: see upgrading."""
        engine = self._engine(poolclass=NullPool)
        if self.sqlite:
            event.listen(engine, "connect", _prepare_sqlite_owner)
            event.listen(engine, "begin", _begin_sqlite)
        return engine.execution_options(kysely_writes=True)

    def _engine(self, **options: Any) -> Engine:
        if self.sqlite:
            options["connect_args"] = {"timeout": self.patience, "check_same_thread": False}
        else:
            options["connect_args"] = {"connect_timeout": max(2, round(self.patience)), "application_name": "kysely"}
            options["pool_pre_ping"] = "poolclass" not in options
        # Errors of the driver would repeat the answers that were sent with the statement.
        return create_engine(self.url, hide_parameters=True, **options)

    @cached_property
    def _writer(self) -> Engine:
        return self.engine.execution_options(kysely_writes=True)

    @cached_property
    def _lock(self) -> WriteLock:
        return WriteLock(self.file.with_name(self.file.name + ".lock"))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database and writes nothing."""
        with self.explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is durable when the block is left, or has not happened."""
        with self.explained(), self.turn(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def bare(self, *, writes: bool = False) -> Iterator[Bare]:
        """The same as reading or writing, for prepared statements only."""
        with self.explained(), self.turn() if writes else nullcontext():
            pooled = self.engine.raw_connection()
            try:
                driver: Any = pooled.driver_connection
                if self.sqlite:
                    driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield Bare(driver, self.engine.dialect)
                driver.commit()
            finally:
                pooled.close()  # what is not committed, the pool rolls back

    @cached_property
    def hurried(self) -> Database:
        """The same database for those who can't wait for it, on connections of its own."""
        return replace(self, patience=min(self.patience, HURRY))

    def show_writable(self) -> None:
        """Raise StoreError now, and not to the first respondent, if nothing can be written.

        A transaction alone doesn't tell: a file opened for reading and a standby server begin one gladly. A statement
        that inserts no rows is refused there, and leaves the database as it was everywhere else.
        """
        table = next(iter(self.metadata.tables.values()))
        nothing = insert(table).from_select(table.columns.keys(), select(table).where(false()))
        with self.writing() as connection:
            connection.execute(nothing)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this database's turn to write; PostgreSQL needs no turns."""
        if not self.sqlite:
            yield
            return
        try:
            lock = self._lock.held(self.patience)
            lock.__enter__()
        except TimeoutError:
            raise self.busy() from None
        except OSError as error:
            raise self.unwritable(error.strerror or "") from None
        try:
            yield
        finally:
            lock.__exit__(None, None, None)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the driver says into what a person can do; its own text may quote answers and is dropped."""
        try:
            yield
        except exc.TimeoutError:
            raise self.busy() from None
        except exc.DBAPIError as error:
            raise self.explain(error.orig or error) from None
        except self._driver_errors as error:
            raise self.explain(error) from None

    @cached_property
    def _driver_errors(self) -> tuple[type[BaseException], ...]:
        if self.sqlite:
            return (sqlite3.Error, sqlite3.Warning)
        import psycopg

        return (psycopg.Error,)

    def explain(self, error: BaseException) -> StoreError:
        """Return the StoreError for an error of the driver."""
        return self._explain_sqlite(error) if self.sqlite else self._explain_postgresql(error)

    def _explain_sqlite(self, error: BaseException) -> StoreError:
        text = str(error)
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return self.busy()
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return self.unwritable("it is read-only")
        if code == sqlite3.SQLITE_CANTOPEN:
            return self.unwritable("the file or its folder can't be opened")
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            what = "is not a SQLite database" if code == sqlite3.SQLITE_NOTADB else "is damaged"
            return StoreError(
                f"{self.file} {what}. Nothing was changed. Put the last backup in its place (instance/backups/), "
                f"or set {self.setting} to another file."
            )
        if code == sqlite3.SQLITE_FULL:
            return StoreError(f"The disk of {self.file} is full; nothing was saved. Make room and try again.")
        if code == sqlite3.SQLITE_IOERR:
            return StoreError(f"{self.file} can't be read or written: the disk reports an error. Check the disk.")
        return self._defect(error, getattr(error, "sqlite_errorname", None) or text)

    def _explain_postgresql(self, error: BaseException) -> StoreError:
        state = getattr(error, "sqlstate", None) or _state_of_refusal(error)
        if state in ("55P03", "57014", "40P01", "40001", "53300"):
            return self.busy()
        if state == "3D000":
            return StoreError(f"{self}: there is no such database. Create it (createdb), or change {self.setting}.")
        if state.startswith("28"):
            return StoreError(f"{self}: the server refused the login. Check user and password in {self.setting}.")
        if state == "42501":
            return StoreError(
                f"{self}: the login may not do this. Run `kysely database upgrade` with a login that owns the schema."
            )
        if state == "25006":
            return StoreError(
                f"{self}: the server is read-only (a standby?). Set {self.setting} to the primary server."
            )
        if state.startswith(("08", "57P")):
            return StoreBusy(
                f"{self}: the PostgreSQL server does not answer. Is it running, and are host and port in "
                f"{self.setting} right?"
            )
        return self._defect(error, state)

    def _defect(self, error: BaseException, detail: str) -> StoreError:
        constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
        if self.sqlite and detail.startswith("SQLITE_CONSTRAINT"):
            # SQLite names tables and constraints here, never values; a trigger's own sentence stands here too.
            constraint = str(error)
        elif not self.sqlite and detail == "P0001":
            constraint = getattr(getattr(error, "diag", None), "message_primary", None)
        return StoreError(
            f"{self} refused a statement: {type(error).__name__} {detail}" + (f" ({constraint})" if constraint else "")
        )

    def busy(self) -> StoreBusy:
        return StoreBusy(
            f"{self} is in use by another program for longer than {self.patience:g} seconds. "
            "Nothing was saved; try again, or stop the program that holds it."
        )

    def unwritable(self, why: str) -> StoreError:
        return StoreError(
            f"{self.file} can't be written: {why}. Let the user who runs kysely write to the file and to its folder "
            f"(SQLite keeps two more files beside it), or set {self.setting} to another place."
        )

    def _prepare_postgresql(self, connection: Any, record: Any) -> None:
        connection.autocommit = True
        connection.execute(
            f"SET ROLE {self.role}; SET search_path = {self.name}; SET timezone = 'UTC'; "
            f"SET statement_timeout = '30s'; SET lock_timeout = '{int(self.patience * 1000)}ms'; "
            "SET idle_in_transaction_session_timeout = '30s'"
        )
        connection.autocommit = False

    def scrub(self) -> None:
        """Overwrite what was deleted in the files themselves; raises StoreError while others keep it busy."""
        with self.explained(), self.turn(), self.owner.connect() as connection:
            raw: Any = connection.connection.driver_connection
            if not self.sqlite:
                raw.autocommit = True
                for table in self.metadata.tables:
                    raw.execute(f"VACUUM {self.name}.{table}")
                return
            raw.execute(f"PRAGMA busy_timeout = {int(self.patience * 1000)}")
            # Deleted rows are zeroed (secure_delete), but what a page held before it was divided is not: in 13 of 150
            # random databases words were left behind. A rebuilt file holds neither.
            raw.execute("VACUUM")
            if raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise self.busy()

    def close(self) -> None:
        self.engine.dispose()
        self.owner.dispose()
        if self.sqlite:
            self._lock.close()
        if "hurried" in vars(self):
            self.hurried.close()


def databases(settings: Settings) -> tuple[Database, Database]:
    """Return the answers and the identity database that *settings* name; nothing is opened yet."""
    return (
        Database("answers", make_url(settings.database_url), "KYSELY_DATABASE_URL", tables.Answers.metadata),
        Database("identity", make_url(settings.identity_url), "KYSELY_IDENTITY_URL", tables.Identity.metadata),
    )


def access_database(settings: Settings) -> Database:
    """Return the database of those who work with the study; respondents need it for nothing."""
    return Database("access", make_url(settings.access_url), "KYSELY_ACCESS_URL", access.Access.metadata)


def every_database(settings: Settings) -> tuple[Database, ...]:
    return (*databases(settings), access_database(settings))


def _state_of_refusal(error: BaseException) -> str:
    """Return the state of an error that came before there was a connection, "" for another error without one."""
    # psycopg's names; it is not imported where SQLite is used.
    if type(error).__name__ not in ("OperationalError", "ConnectionTimeout", "InterfaceError"):
        return ""
    # libpq tells no state of a refused connection, only the server's sentence.
    for sentence, state in (
        (r'database ".*" does not exist', "3D000"),
        (r'role ".*" does not exist|authentication failed|no pg_hba.conf entry|no password supplied', "28000"),
    ):
        if re.search(sentence, str(error)):
            return state
    return "08000"


def _prepare_sqlite_owner(connection: sqlite3.Connection, record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("PRAGMA synchronous = FULL")


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    """All but the journal mode hold for one connection only, so each gets them."""
    connection.isolation_level = None
    for pragma in ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON", "recursive_triggers = ON"):
        connection.execute(f"PRAGMA {pragma}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that turns to writing fails at once where another wrote meanwhile; it would not even wait.
    immediate = connection.get_execution_options().get("kysely_writes")
    raw: Any = connection.connection.dbapi_connection
    raw.execute("BEGIN IMMEDIATE" if immediate else "BEGIN")
