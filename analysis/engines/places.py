"""Databases and clusters that tables are summed in: how they are reached, and what they say when they can't be.

What a server or a JVM says is told as far as its first line goes, and never with the user name and password of the URL.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from analysis.engines import DesignColumns, EngineError
from analysis.engines.ibis import Ibis, Place

if TYPE_CHECKING:
    import psycopg

PATIENCE = 10
"""Seconds that a server may take to answer."""

WORK_MEMORY = "64MB"
"""What one sort or hash of ours may take on PostgreSQL before it goes through files: a server's own 4 MB do at once."""

WORTH_COMPILING = 1_000_000
"""Respondents from which on Spark sums faster with a program of its own for every query, which takes it seconds."""


@dataclass(frozen=True)
class Opened:
    """A table of a place."""

    table: Any
    at: Place

    def engine(self, design: DesignColumns | Callable[[Sequence[str]], DesignColumns]) -> Ibis:
        """Return the engine of the table. A design that it can't carry leaves the place."""
        with _closed_unless_it_opens(self.at.close):
            of = design if isinstance(design, DesignColumns) else design(tuple(self.table.columns))
            return Ibis(self.table, of, self.at)


def connect(url: str) -> psycopg.Connection[Any]:
    """Return a connection to the PostgreSQL database at *url*. Raises EngineError if it can't be reached."""
    import psycopg

    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=PATIENCE)
    except psycopg.OperationalError as error:
        raise EngineError(
            f"the engine's PostgreSQL can't be reached: {_without_secrets(error, url)}. "
            "Is the server running, are host, port, database, user and password of KYSELY_ENGINE_URL right, and is "
            "every special character of the password percent-encoded?"
        ) from None
    except psycopg.Error:  # libpq repeats what it could not read, which may be a password
        raise EngineError(
            "KYSELY_ENGINE_URL is not a URL that PostgreSQL understands; write postgresql://user:password@host:port/"
            "database, with every special character of the password percent-encoded"
        ) from None


def postgresql(url: str, table: str) -> Opened:
    """Return a table (or schema.table) of the PostgreSQL database at *url*."""
    import ibis

    connection = connect(url)
    connection.execute(f"SET work_mem = '{WORK_MEMORY}'")
    backend = ibis.postgres.from_connection(connection)

    def fetch(expression: Any) -> dict[str, np.ndarray]:
        with sql_errors_named(url):
            found = expression.to_pyarrow()
        return {name: np.asarray(found[name].to_numpy()) for name in found.column_names}

    @contextmanager
    def keep(expression: Any) -> Iterator[Any]:
        name = f"kysely_{secrets.token_hex(8)}"
        with sql_errors_named(url):
            kept = backend.create_table(name, expression, temp=True)
            connection.execute(f"ANALYZE {name}")  # else PostgreSQL joins it as if it were small
        yield kept
        connection.execute(f"DROP TABLE {name}")

    at = Place("PostgreSQL", fetch, keep, connection.close)
    with _closed_unless_it_opens(connection.close), sql_errors_named(url):
        return Opened(_table(backend, table), at)


@contextmanager
def sql_errors_named(url: str) -> Iterator[None]:
    """Turn what the database refuses into an EngineError."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise EngineError(f"PostgreSQL refused: {_without_secrets(error, url)}") from None


def spark(master: str, source: str) -> Opened:
    """Return a table, or Parquet files that every worker can read, of a Spark cluster."""
    import ibis

    session = _session(master)
    session.conf.set("spark.sql.session.timeZone", "UTC")
    # Sums of PSUs are small: a part per core, where Spark would make 200.
    session.conf.set("spark.sql.shuffle.partitions", str(session.sparkContext.defaultParallelism))

    def close() -> None:
        atexit.unregister(session.stop)
        session.stop()

    atexit.register(session.stop)  # or the workers complain of a master that has gone
    with _closed_unless_it_opens(close):
        with _java_errors_named():
            backend = ibis.pyspark.connect(session)
            is_file = source.endswith(".parquet") or os.sep in source
            table = backend.read_parquet(source) if is_file else _table(backend, source)
        at = Place("Spark", _fetch(backend), _keep(backend), close)
        with _java_errors_named():
            if at.fetch(table.agg(n=table.count()))["n"][0] < WORTH_COMPILING:
                session.conf.set("spark.sql.codegen.wholeStage", "false")
                session.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        return Opened(table, at)


def _fetch(backend: Any) -> Callable[[Any], dict[str, np.ndarray]]:
    def fetch(expression: Any) -> dict[str, np.ndarray]:
        # Not Ibis's own way, which goes through pandas by calls that pandas is giving up.
        with _java_errors_named():
            rows = backend.raw_sql(backend.compile(expression)).toArrow()
        return {name: np.asarray(rows[name].to_numpy()) for name in expression.columns}

    return fetch


def _keep(backend: Any) -> Any:
    @contextmanager
    def keep(expression: Any) -> Iterator[Any]:
        name = f"kysely_{secrets.token_hex(8)}"
        with _java_errors_named():
            frame = backend.raw_sql(backend.compile(expression)).cache()
            frame.createOrReplaceTempView(name)
            kept = backend.table(name)
        yield kept
        frame.unpersist()

    return keep


def _session(master: str) -> Any:
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError(
            "Spark's Python client is not installed; install the pyspark of the cluster's version"
        ) from None
    _refuse_unreachable(master)
    logging.getLogger("py4j").setLevel(logging.CRITICAL)  # it repeats what is raised, stack and all
    settings = SparkConf().setMaster(master).setAppName("kysely").set("spark.ui.showConsoleProgress", "false")
    with _java_errors_named(f"Spark at {master} can't be reached"):
        if SparkContext._active_spark_context is None:
            # What the JVM has to say is for its own log, not for the terminal of who asks for a table.
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            # Spark keeps the first JVM of a process for every later session; a second one would be left running.
            SparkContext(conf=settings, gateway=SparkContext._gateway or launch_gateway(settings, quiet))
        return SparkSession.builder.getOrCreate()


def _refuse_unreachable(master: str) -> None:
    """Raise EngineError if nobody listens at spark://host:port,…, which Spark itself would notice after a minute."""
    if not master.startswith("spark://"):
        return
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit():
            raise EngineError(f"KYSELY_ENGINE_URL: {master} is no address of Spark; write spark://host:port")
        try:
            socket.create_connection((host, int(port)), PATIENCE).close()
            return
        except OSError as error:
            reason = error.strerror or str(error) or "it does not answer"
    raise EngineError(f"Spark at {master} can't be reached: {reason}. Is its master running, and at that port?")


@contextmanager
def _java_errors_named(what: str = "Spark refused") -> Iterator[None]:
    """Turn what Spark or its JVM raise into an EngineError of one line."""
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        raise EngineError(f"{what}: {_java_reason(error)}") from None


def _java_reason(error: Exception) -> str:
    if "JAVA_GATEWAY_EXITED" in str(error):
        return "Java did not start. Install it, or set JAVA_HOME to where it is"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    named = causes[-1:] or [line for line in lines if re.match(r"(: )?[\w.]+(Exception|Error)\b", line)] or lines
    return named[0].removeprefix(": ") if named else type(error).__name__


def _without_secrets(error: Exception, url: str) -> str:
    """Return the first line of *error* without anything of what stands before the @ of *url*."""
    said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    before, at, _ = url.partition("://")[2].rpartition("@")
    hidden = {piece for piece in re.split(r"[:@/?#&=]", before) if piece} if at else set()
    for secret in sorted(hidden | {unquote(piece) for piece in hidden}, key=len, reverse=True):
        said = said.replace(secret, "…")
    return said.rstrip(".")


@contextmanager
def _closed_unless_it_opens(close: Callable[[], None]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        close()
        raise


def _table(backend: Any, name: str) -> Any:
    import ibis

    schema, _, table = name.rpartition(".")
    try:
        return backend.table(table, database=schema or None)
    except ibis.common.exceptions.TableNotFound:
        raise EngineError(f"there is no table {name!r} where KYSELY_ENGINE_URL points") from None
