"""The few statements that every page of every respondent runs.

SQLAlchemy writes their SQL once; after that the driver runs it directly. Executed by SQLAlchemy each of them costs
about a tenth of a millisecond of processor time, and a page runs seven.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Dialect, Select

from kysely.store.tables import Moment


@dataclass(frozen=True, slots=True)
class Bare:
    """The driver's own connection, in a transaction: all that a prepared statement needs.

    SQLAlchemy's own Connection takes longer to begin and to end than these statements take to run.
    """

    driver: Any
    dialect: Dialect


Running = Connection | Bare


class Prepared:
    """A Core statement; rows are named tuples of its columns, with the types that the tables declare."""

    def __init__(self, statement: Any, *, given: Iterable[str] | None = None):
        self._statement = statement
        self._given = None if given is None else list(given)
        self._written: dict[str, tuple[str, list[str]]] = {}
        columns = list(statement.selected_columns) if isinstance(statement, Select) else []
        self._row: Any = namedtuple("Row", [column.name for column in columns]) if columns else None
        self._moments = [place for place, column in enumerate(columns) if isinstance(column.type, Moment)]

    def run(self, connection: Running, values: Mapping[str, Any]) -> None:
        self._execute(connection, values).close()

    def run_all(self, connection: Running, rows: list[dict[str, Any]]) -> None:
        sql, names = self._for(connection)
        cursor = _driver(connection).cursor()
        cursor.executemany(sql, [_values(row, names) for row in rows] if names else rows)
        cursor.close()

    def one(self, connection: Running, values: Mapping[str, Any]) -> Any:
        """Return the only row, None if there is none."""
        cursor = self._execute(connection, values)
        row = cursor.fetchone()
        cursor.close()
        return None if row is None else self._typed(row)

    def all(self, connection: Running, values: Mapping[str, Any]) -> list[Any]:
        return [self._typed(row) for row in self.tuples(connection, values)]

    def tuples(self, connection: Running, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Return the rows as the driver gives them, without names and types: for what comes by the thousand."""
        cursor = self._execute(connection, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        cursor.close()
        return rows

    def _execute(self, connection: Running, values: Mapping[str, Any]) -> Any:
        sql, names = self._for(connection)
        return _driver(connection).execute(sql, _values(values, names) if names else values)

    def _for(self, connection: Running) -> tuple[str, list[str]]:
        """Return the SQL in the words of the connection's database, and the order of its values if it has no names."""
        written = self._written.get(connection.dialect.name)
        if written is None:
            compiled = self._statement.compile(dialect=connection.dialect, column_keys=self._given)
            written = self._written[connection.dialect.name] = (str(compiled), list(compiled.positiontup or ()))
        return written

    def _typed(self, row: tuple[Any, ...]) -> Any:
        if not self._moments:
            return self._row(*row)
        values = list(row)
        for place in self._moments:
            moment = values[place]
            if moment is not None:
                values[place] = _read(moment)
        return self._row(*values)


def _driver(connection: Running) -> Any:
    return connection.driver if isinstance(connection, Bare) else connection.connection.driver_connection


def _values(values: Mapping[str, Any], names: list[str]) -> list[Any]:
    return [_text(value) if isinstance(value := values[name], datetime) else value for name in names]


def _text(moment: datetime) -> str:
    """Write a moment as SQLAlchemy's type for SQLite does."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _read(moment: datetime | str) -> datetime:
    if isinstance(moment, str):
        return datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return moment.astimezone(UTC)
