"""Who makes Moments: the only part that touches every respondent.

`engine()` opens the data where they are: a Parquet file (analysis/engines/parquet.py, numpy, the default) or a
table of a database or a cluster (analysis/engines/ibis.py), as KYSELY_ENGINE_URL says. Both answer the same
three questions with the same numbers, to 1e-9; what needs every respondent at hand is asked by `local()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from analysis.design import Design, Lonely
from analysis.moments import Moments
from kysely.errors import AnalystError

VARIABLE = "KYSELY_ENGINE_URL"


class DataElsewhere(AnalystError):
    """The analysis needs every respondent in memory, and the data are in a database or on a cluster."""


class EngineError(AnalystError):
    """The engine can't be reached or can't do what the design asks of it; says what to do."""


@dataclass(frozen=True)
class DesignColumns:
    """Which columns hold the sampling design; as in Design.of(), with the same meanings.

    psu  None: every respondent is a PSU (in memory only; elsewhere name the column that tells respondents apart)
    """

    weight: str
    psu: str | None = None
    stratum: str | None = None
    fpc: str | None = None
    lonely: Lonely = "fail"


@dataclass(frozen=True)
class Coded:
    """A column of codes, and the codes in the order of the table. An empty field is missing.

    A value that is not among *codes* raises DesignError: a codebook that doesn't fit is no missing answer.
    """

    column: str
    codes: tuple[str, ...] | tuple[int, ...]


class Engine(Protocol):
    """Makes the Moments of tables, wherever the data are. Columns are given by name. Close it, or use it in `with`."""

    def close(self) -> None:
        """Leave what the engine holds."""

    def __enter__(self) -> Engine: ...

    def __exit__(self, *_: object) -> None: ...

    def crosstabs(self, stub: Coded, banners: Sequence[Coded]) -> list[Moments]:
        """Return the Moments of one question by each of *banners*: B groups × K codes."""

    def numbers(self, columns: Sequence[str], group: Coded | None = None) -> Moments:
        """Return the Moments of ones and then *columns* (numbers, or 1 and 0), in every group: B × (1 + columns).

        Who lacks a number or a group is out of the base. For totals, means, ratios and differences of domains,
        and for items of a multiple-response question by groups.
        """

    def products(self, rows: Sequence[str], columns: Sequence[str]) -> Moments:
        """Return the Moments of all products (1, rows) × (1, columns): one group, (1 + rows)·(1 + columns) cells.

        For the items of one multiple-response question by those of another. Who lacks a number is out of the base.
        """

    def local(self, purpose: str) -> Local:
        """Return the respondents themselves, which *purpose* needs. Raises DataElsewhere if they are not in memory."""


class Local(Protocol):
    """The respondents of an engine that has them in memory."""

    @property
    def design(self) -> Design: ...

    def codes(self, coded: Coded) -> object: ...

    def values(self, column: str) -> object: ...


def engine(url: str | Mapping[str, str], source: str | Path, design: DesignColumns) -> Engine:
    """Return the engine of *source* at *url*; an environment may be given for the URL it names in KYSELY_ENGINE_URL.

    url     "" or "memory"        source is a Parquet file
            postgresql://…        source is a table, schema.table where it has one
            spark://host:port     source is a table, or Parquet files that every worker can read
            local-cluster[n,c,m]  the same, on n workers of c cores and m megabytes on this machine

    Raises EngineError for another URL and for an engine that can't be reached.
    """
    place = url if isinstance(url, str) else url.get(VARIABLE, "")
    place = place.strip()
    if place in ("", "memory"):
        from analysis.engines.parquet import Parquet

        return Parquet(Path(source), design)
    from analysis.engines.ibis import on_postgresql, on_spark

    scheme = urlsplit(place).scheme
    if scheme in ("postgresql", "postgres"):
        return on_postgresql(place, str(source), design)
    if scheme == "spark" or place.startswith(("local-cluster[", "local[")):
        return on_spark(place, str(source), design)
    raise EngineError(
        f"{VARIABLE} names no engine there is ({scheme or place}); "
        "leave it empty for this machine's memory, or give postgresql://… or spark://…"
    )
