"""Who makes Moments: the only part that touches every respondent.

`engine()` opens the data where they are: a Parquet file (analysis/engines/parquet.py, numpy, the default) or a
table of a database or a cluster (analysis/engines/ibis.py), as KYSELY_ENGINE_URL says. Both answer the same
questions with the same numbers, to 1e-9; what needs every respondent at hand is asked by `local()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analysis.design import Codes, Design, Floats, Lonely
from analysis.moments import Moments
from kysely.errors import AnalystError

VARIABLE = "KYSELY_ENGINE_URL"

MEMBERS = 9
"""Sizes of organisations that Bases tells apart: 1, 2 … 8, and larger ones together."""


class DataElsewhere(AnalystError):
    """The analysis needs every respondent in memory, and the data are in a database or on a cluster."""


class EngineError(AnalystError):
    """The engine can't be reached or can't do what the design asks of it; says what to do."""


@dataclass(frozen=True)
class DesignColumns:
    """Which columns hold the sampling design; as in Design.of(), with the same meanings.

    psu         None: every respondent is a PSU (in memory only; elsewhere name the column that tells respondents apart)
    per         the weight is divided by how many respondents share the value of this column: per="organisation"
                makes every organisation count once, however many of its people answered
    respondent  the column that tells respondents apart: one that comes twice is refused. None: nobody looks
    """

    weight: str
    psu: str | None = None
    stratum: str | None = None
    fpc: str | None = None
    lonely: Lonely = "fail"
    per: str | None = None
    respondent: str | None = None


@dataclass(frozen=True)
class Coded:
    """A column of codes, and the codes in the order of the table. An empty field is missing.

    A value that is not among *codes* raises DesignError: a codebook that doesn't fit is no missing answer.
    """

    column: str
    codes: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True)
class Picks:
    """The items of a multiple-response question, each a column of 1 and 0. Who lacks one is out of the base.

    Without an item, everybody is in the base (Engine.bases only).
    """

    columns: tuple[str, ...]

    @property
    def items(self) -> tuple[Coded, ...]:
        return tuple(Coded(column, (0, 1)) for column in self.columns)


Crossing = tuple[Coded | Picks, Coded | None]
"""A question and the groups it is crossed with; None: everybody in one group."""


@dataclass(frozen=True, eq=False)
class Bases:
    """Who is in the base of one question, by group and by the size of the organisation: unweighted counts.

    respondents, organisations  (B + 1, MEMBERS): of the B groups, and in the last row of those in no group;
                                column m - 1 is of organisations with m respondents in the table, the last of larger
    """

    respondents: Codes
    organisations: Codes


class Engine(Protocol):
    """Makes the Moments of tables, wherever the data are. Columns are given by name. Close it, or use it in `with`."""

    place: str
    """Where the data are, in words."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns there are."""

    def close(self) -> None:
        """Leave what the engine holds."""

    def __enter__(self) -> Engine: ...

    def __exit__(self, *_: object) -> None: ...

    def under(self, design: DesignColumns) -> Engine:
        """Return the engine of the same respondents under another design. It is closed with this one."""

    def crosstabs(self, stub: Coded, banners: Sequence[Coded]) -> list[Moments]:
        """Return the Moments of one question by each of *banners*: B groups × K codes."""

    def tables(self, crossings: Sequence[Crossing]) -> list[Moments]:
        """Return the Moments of many tables, in order, by as few passes over the respondents as the place likes.

        Of a Coded: B groups × K codes, as crosstabs(). Of Picks: B groups × (1 + items), as numbers() of its columns.
        """

    def bases(self, crossings: Sequence[Crossing]) -> list[Bases]:
        """Return who is in the base of each, in order. Organisations are the values of the design's *per*, or PSUs."""

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
        """Return the respondents themselves, which *purpose* needs. Raises DataElsewhere if they are not in memory.

        The way in for all that takes arrays, such as quantiles, jackknife, permutations, models and agreement::

            here = engine.local("quantiles")
            median = quantile(here.values("turnover"), 0.5, here.design)
        """


class Local(Protocol):
    """The respondents of an engine that has them in memory; every array has shape (n,), in the order of the file."""

    @property
    def design(self) -> Design: ...

    def codes(self, coded: Coded) -> Codes:
        """Return the position of each respondent's code; -1 where the field is empty."""

    def values(self, column: str) -> Floats:
        """Return a column of numbers; NaN where the field is empty."""


def engine(
    url: str | Mapping[str, str],
    source: str | Path,
    design: DesignColumns | Callable[[Sequence[str]], DesignColumns],
) -> Engine:
    """Return the engine of *source* at *url*; an environment may be given for the URL it names in KYSELY_ENGINE_URL.

    url     "" or "memory"        source is a Parquet file
            postgresql://…        source is a table, schema.table where it has one
            spark://host:port     source is a table, or Parquet files that every worker can read
            local-cluster[n,c,m]  the same, on n workers of c cores and m megabytes on this machine

    design  may be a function of the columns there are

    Raises EngineError for another URL and for an engine that can't be reached.
    """
    place = located(url)
    if in_memory(place):
        from analysis.engines.parquet import Parquet

        return Parquet.of(Path(source), design)
    from analysis.engines import places

    opened = places.postgresql(place, str(source)) if on_postgresql(place) else places.spark(place, str(source))
    return opened.engine(design)


def located(url: str | Mapping[str, str]) -> str:
    """Return the URL, of an environment the one it names. Raises EngineError if it is of no engine there is."""
    place = (url if isinstance(url, str) else url.get(VARIABLE, "")).strip()
    if in_memory(place) or on_postgresql(place) or on_spark(place):
        return place
    scheme, colon, _ = place.partition(":")  # not the whole of it: a URL may hold a password
    raise EngineError(
        f"{VARIABLE} names no engine there is ({scheme if colon else 'it has no scheme'}); "
        "leave it empty for this machine's memory, or give postgresql://… or spark://…"
    )


def in_memory(place: str) -> bool:
    return place in ("", "memory")


def on_postgresql(place: str) -> bool:
    return place.startswith(("postgresql://", "postgres://"))


def on_spark(place: str) -> bool:
    return place.startswith(("spark://", "local-cluster[", "local["))
