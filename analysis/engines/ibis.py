"""The distributed engine: the same Moments as Ibis expressions, summed where the data are.

A table is first reduced to the weighted sums of each PSU's cells, which stay there. What is fetched, by one
query, is of the size of the answer: totals, and one number per pair of cells. Their covariance is
Σ over PSUs of factor · t t' less Σ over strata of centre · S S', two joins of those sums with themselves.
"""

from __future__ import annotations

import atexit
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, reduce
from typing import Any, NoReturn

import numpy as np

from analysis.design import DesignError
from analysis.engines import Coded, DataElsewhere, DesignColumns, EngineError
from analysis.moments import Moments

MISSING, UNKNOWN = -1, -2

Fetch = Callable[[Any], dict[str, np.ndarray]]
"""From an expression to its rows as arrays by column."""

STRATUM, PSU, WEIGHT, GROUP, CELL = "k_stratum", "k_psu", "k_weight", "k_group", "k_cell"


class Ibis:
    """Makes Moments from an Ibis table of any backend. See analysis.engines.Engine for what it answers.

    The design must be a factor per stratum: lonely PSUs that fail, are certain or are removed, and one stage.
    Raises DesignError as Design.of() does, for columns that the table lacks and for other designs.
    """

    def __init__(
        self,
        table: Any,
        columns: DesignColumns,
        *,
        place: str,
        fetch: Fetch | None = None,
        keep: Callable[[Any], Any] = lambda expression: expression,
        close: Callable[[], None] = lambda: None,
    ):
        """*keep* computes an expression once and returns it as a table; *close* leaves the place."""
        self.place = place
        self._keep, self._close = keep, close
        self._fetched = fetch or _fetched
        self._columns = columns
        self._refuse_other_designs(table)
        self._rows = table.mutate(
            **{
                WEIGHT: table[columns.weight].cast("float64"),
                STRATUM: _one(columns.stratum and table[columns.stratum]),
                PSU: table[columns.psu],
            }
        )
        self._check_rows()

    def crosstabs(self, stub: Coded, banners: Sequence[Coded]) -> list[Moments]:
        """Return the Moments of one question by each of *banners*."""
        return [self._crosstab(stub, banner) for banner in banners]

    def numbers(self, columns: Sequence[str], group: Coded | None = None) -> Moments:
        """Return the Moments of ones and then *columns*, in every group."""
        numbers = [self._number(name) for name in columns]
        rows = self._rows.mutate(**{GROUP: _one() if group is None else self._position(group)})
        return self._sums(rows, numbers, 1 if group is None else len(group.codes), group)

    def products(self, rows: Sequence[str], columns: Sequence[str]) -> Moments:
        """Return the Moments of all products (1, rows) × (1, columns)."""
        above, across = [None, *map(self._number, rows)], [None, *map(self._number, columns)]
        products = [b if a is None else a if b is None else a * b for a in above for b in across][1:]
        return self._sums(self._rows.mutate(**{GROUP: _one()}), products, 1, None)

    def local(self, purpose: str) -> NoReturn:
        """Raise DataElsewhere: the respondents themselves are not fetched."""
        raise DataElsewhere(
            f"{purpose} needs every respondent in memory, and the data are on {self.place}. "
            "Copy them to a Parquet file and leave KYSELY_ENGINE_URL empty"
        )

    def close(self) -> None:
        """Leave the database or the cluster; what was kept there goes with the connection."""
        self._close()

    def __enter__(self) -> Ibis:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _crosstab(self, stub: Coded, banner: Coded) -> Moments:
        codes, groups = len(stub.codes), len(banner.codes)
        rows = self._rows.select(
            STRATUM, PSU, WEIGHT, k_code=self._position(stub), **{GROUP: self._position(banner)}
        ).filter(lambda t: (t.k_code != MISSING) & (t[GROUP] != MISSING))
        sums = rows.group_by(STRATUM, PSU, GROUP, "k_code").agg(t=rows[WEIGHT].sum(), n=rows.count())
        cells = sums.select(STRATUM, PSU, "t", "n", **{CELL: sums[GROUP] * codes + sums.k_code})
        bases = sums.group_by(STRATUM, PSU, GROUP).agg(w=sums.t.sum(), n=sums.n.sum())
        unknown = _unknown(sums, {"k_code": stub, GROUP: banner})
        return self._moments(cells, bases, unknown, groups, codes)

    def _sums(self, rows: Any, numbers: Sequence[Any], groups: int, group: Coded | None) -> Moments:
        """Return the Moments of ones and *numbers*, expressions over the table; *rows* has the groups."""
        names = [f"k_{number}" for number in range(1, len(numbers) + 1)]
        rows = rows.mutate(**dict(zip(names, numbers, strict=True)))
        rows = rows.select(STRATUM, PSU, WEIGHT, GROUP, *names)
        rows = rows.filter([rows[GROUP] != MISSING, *(rows[name].notnull() for name in names)])
        sums = rows.group_by(STRATUM, PSU, GROUP).agg(
            k_0=rows[WEIGHT].sum(),
            n_0=rows.count(),
            **{name: (rows[WEIGHT] * rows[name]).sum() for name in names},
            **{name.replace("k_", "n_"): (rows[name] != 0).sum() for name in names},
        )
        columns = len(numbers) + 1
        cells = [
            sums.select(STRATUM, PSU, t=sums[f"k_{j}"], n=sums[f"n_{j}"], **{CELL: sums[GROUP] * columns + j})
            for j in range(columns)
        ]
        bases = sums.select(STRATUM, PSU, GROUP, w=sums.k_0, n=sums.n_0)
        unknown = _unknown(sums, {} if group is None else {GROUP: group})
        return self._moments(reduce(_above, cells), bases, unknown, groups, columns)

    def _moments(self, cells: Any, bases: Any, unknown: dict[Coded, Any], groups: int, columns: int) -> Moments:
        """Return the Moments from the sums of every PSU's cells (t, n) and of its groups' bases (w, n).

        One query, of which each part fills some of the same columns.
        """
        by_group = bases.group_by(GROUP).agg(
            v=bases.w.sum(),
            squares=(bases.w * bases.w).sum(),
            n=bases.n.sum(),
            psus=bases.count(),
            strata=bases[STRATUM].nunique(),
        )
        psus = bases.select(STRATUM, PSU).distinct()
        parts = [
            _part("cell", cells.group_by(a=cells[CELL]).agg(v=cells.t.sum(), n=cells.n.sum())),
            _part("pair", self._products(cells)),
            _part("group", by_group.rename(a=GROUP)),
            _part("table", psus.agg(psus=psus.count(), strata=psus[STRATUM].nunique())),
            *(_part(f"unknown {number}", counted) for number, counted in enumerate(unknown.values())),
        ]
        found = self._fetched(reduce(_above, parts))
        for number, coded in enumerate(unknown):
            _refuse_unknown(found["n"][found["part"] == f"unknown {number}"], coded)
        return _arranged(found, groups, columns)

    def _products(self, cells: Any) -> Any:
        """Return the covariance of the totals as rows (a, b, v), in two parts that are to be added, a ≤ b."""
        by_psu = cells.join(self._strata, STRATUM)
        by_stratum = cells.group_by(STRATUM, CELL).agg(t=cells.t.sum()).join(self._strata, STRATUM)
        cross = _products(by_psu, by_psu.factor, [STRATUM, PSU])
        return cross.union(_products(by_stratum, -by_stratum.centre, [STRATUM]))

    def _position(self, coded: Coded) -> Any:
        """Return a column's code as its position; MISSING where the field is empty, UNKNOWN for another value."""
        column = self._column(coded.column)
        branches = [(code, position) for position, code in enumerate(coded.codes)]
        return column.isnull().ifelse(MISSING, column.cases(*branches, else_=UNKNOWN)).cast("int64")

    def _number(self, name: str) -> Any:
        column = self._column(name)
        if not (column.type().is_numeric() or column.type().is_boolean()):
            raise DesignError(f"the column {name!r} doesn't hold numbers but {column.type()}")
        if column.type().is_boolean():  # which PostgreSQL doesn't cast to numbers
            return column.cases((True, 1.0), (False, 0.0))
        number = column.cast("float64")
        return number.nullif(float("nan")) if column.type().is_floating() else number

    def _column(self, name: str) -> Any:
        if name not in self._rows.columns:
            raise DesignError(f"the table has no column {name!r}; it has {', '.join(self._rows.columns[:20])} …")
        return self._rows[name]

    def _refuse_other_designs(self, table: Any) -> None:
        of = self._columns
        for name in (of.weight, of.psu, of.stratum, of.fpc):
            if name is not None and name not in table.columns:
                raise DesignError(f"the table has no column {name!r}, which the design names")
        if of.psu is None:
            raise DesignError(
                f"on {self.place} the design must name a PSU: where respondents were drawn one by one, "
                "the column that tells them apart"
            )
        if of.lonely in ("average", "adjust"):
            raise DesignError(
                f'lonely="{of.lonely}" compares PSUs across strata, which is done in memory only; '
                'merge strata, or say lonely="certainty" if the PSUs were certain to be drawn'
            )

    def _check_rows(self) -> None:
        rows = self._rows
        good = rows[WEIGHT].notnull() & (rows[WEIGHT] > 0) & (rows[WEIGHT] < float("inf"))
        found = self._fetched(
            rows.agg(
                n=rows.count(),
                bad=(~good).sum(),
                no_psu=rows[PSU].isnull().sum(),
                no_stratum=rows[STRATUM].isnull().sum(),
            )
        )
        n, bad, no_psu, no_stratum = (int(found[name][0] or 0) for name in ("n", "bad", "no_psu", "no_stratum"))
        if bad:
            raise DesignError(
                f"{bad} of {n} weights are zero, negative, missing or not finite. "
                "Give each respondent a positive weight, or make a domain without them"
            )
        if no_psu or no_stratum:
            what = "PSU" if no_psu else "stratum"
            raise DesignError(f"{what} is missing for {no_psu or no_stratum} respondents; every one belongs to one")

    @cached_property
    def _strata(self) -> Any:
        """A row per stratum with its factor and centre (factor / PSUs), kept where the data are."""
        rows = self._rows
        fpc = rows[self._columns.fpc].cast("float64") if self._columns.fpc else _one().cast("float64")
        strata = rows.mutate(k_fpc=fpc).group_by(STRATUM).agg(
            m=lambda t: t[PSU].nunique(), low=lambda t: t.k_fpc.min(), high=lambda t: t.k_fpc.max(),
            absent=lambda t: t.k_fpc.isnull().sum(),
        )  # fmt: skip
        if self._columns.fpc is None:
            fraction = strata.low * 0.0
        else:
            fraction = self._fraction(strata)
        strata = strata.mutate(f=fraction, m=strata.m.cast("float64"))
        self._refuse_alone(strata)
        factor = (strata.m < 2).ifelse(0.0, (1.0 - strata.f) * strata.m / (strata.m - 1.0).nullif(0.0))
        strata = strata.mutate(factor=factor)
        return self._keep(strata.select(STRATUM, "factor", centre=strata.factor / strata.m))

    def _fraction(self, strata: Any) -> Any:
        found = self._fetched(
            strata.agg(
                uneven=(strata.low != strata.high).sum(),
                absent=strata.absent.sum(),
                low=strata.low.min(),
                high=strata.high.max(),
                small=((strata.high > 1) & (strata.high < strata.m)).sum(),
            )
        )
        if int(found["absent"][0]) or not float(found["low"][0]) > 0 or not float(found["high"][0]) < float("inf"):
            raise DesignError(
                "fpc needs one positive number a respondent: PSUs in the population, or the sampled share"
            )
        if int(found["uneven"][0]):
            raise DesignError("fpc varies within a stratum; it is a property of the stratum")
        if float(found["high"][0]) <= 1:
            return strata.low
        if int(found["small"][0]) or float(found["low"][0]) < 1:
            raise DesignError(
                "fpc is smaller than the number of sampled PSUs in a stratum; give the population's number"
            )
        return strata.m.cast("float64") / strata.low

    def _refuse_alone(self, strata: Any) -> None:
        if self._columns.lonely != "fail":
            return
        found = self._fetched(strata.agg(n=strata.count(), alone=((strata.m < 2) & (strata.f < 1)).sum()))
        alone = int(found["alone"][0] or 0)
        if alone:
            raise DesignError(
                f"{alone} of {int(found['n'][0])} strata have a single PSU, so their variance can't be estimated. "
                "Merge the stratum with a similar one, or say "
                'lonely="certainty" if the PSU was certain to be drawn'
            )


def on_postgresql(url: str, table: str, columns: DesignColumns) -> Ibis:
    """Return the engine of a table (or schema.table) of the PostgreSQL database at *url*."""
    import ibis
    import psycopg

    try:
        connection = psycopg.connect(url, autocommit=True)
    except psycopg.Error as error:
        raise EngineError(f"the engine's PostgreSQL can't be reached: {error}") from None
    backend = ibis.postgres.from_connection(connection)

    def keep(expression: Any) -> Any:
        return backend.create_table(f"kysely_{secrets.token_hex(8)}", expression, temp=True)

    with _closed_unless_it_opens(connection.close):
        return Ibis(_table(backend, table), columns, place="PostgreSQL", keep=keep, close=connection.close)


def on_spark(master: str, source: str, columns: DesignColumns) -> Ibis:
    """Return the engine of a table, or of Parquet files that every worker can read, on a Spark cluster."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise EngineError(
            "Spark's Python client is not installed; install the pyspark of the cluster's version"
        ) from None
    import ibis

    builder = SparkSession.builder.master(master).appName("kysely")
    try:
        session = builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()
    except Exception as error:  # whatever the gateway or the Java side raise
        raise EngineError(f"Spark at {master} can't be reached: {error}") from None
    # Sums of PSUs are small: a part per core, where Spark would make 200.
    session.conf.set("spark.sql.shuffle.partitions", str(session.sparkContext.defaultParallelism))
    backend = ibis.pyspark.connect(session)

    def fetch(expression: Any) -> dict[str, np.ndarray]:
        # Not Ibis's own way, which goes through pandas by calls that pandas is giving up.
        rows = backend.raw_sql(backend.compile(expression)).collect()
        return {name: np.array([row[name] for row in rows]) for name in expression.columns}

    def keep(expression: Any) -> Any:
        name = f"kysely_{secrets.token_hex(8)}"
        backend.raw_sql(backend.compile(expression)).cache().createOrReplaceTempView(name)
        return backend.table(name)

    def close() -> None:
        atexit.unregister(session.stop)
        session.stop()

    atexit.register(session.stop)  # or the workers complain of a master that has gone
    is_file = source.endswith(".parquet") or os.sep in source
    with _closed_unless_it_opens(close):
        table = backend.read_parquet(source) if is_file else _table(backend, source)
        return Ibis(table, columns, place="Spark", fetch=fetch, keep=keep, close=close)


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


def _one(expression: Any = None) -> Any:
    import ibis

    return ibis.literal(0, type="int64") if expression is None else expression


def _products(cells: Any, factor: Any, unit: Sequence[str]) -> Any:
    """Return Σ factor · t t' over units, a row (a, b, v) per pair of cells a ≤ b."""
    left = cells.mutate(x=factor * cells.t).select(*unit, "x", a=cells[CELL])
    right = cells.select(*unit, "t", b=cells[CELL])
    pairs = left.join(right, list(unit))
    pairs = pairs.filter(pairs.a <= pairs.b)
    return pairs.group_by("a", "b").agg(v=(pairs.x * pairs.t).sum())


def _unknown(sums: Any, positions: dict[str, Coded]) -> dict[Coded, Any]:
    """Return for every coded column how many sums have none of its codes, n."""
    return {coded: sums.agg(n=(sums[name] == UNKNOWN).sum()) for name, coded in positions.items()}


def _refuse_unknown(counted: np.ndarray, coded: Coded) -> None:
    if counted.sum():
        raise DesignError(
            f"the column {coded.column!r} holds values that are not among its codes "
            f"({', '.join(map(str, coded.codes[:10]))}); mend the data or the codebook"
        )


def _above(first: Any, second: Any) -> Any:
    return first.union(second)


def _part(name: str, table: Any) -> Any:
    """Return *table* with the name of its part and all columns that parts have, absent ones 0."""
    import ibis

    whole = {column: ibis.literal(0, type="int64") for column in ("a", "b", "n", "psus", "strata")}
    numbers = {column: ibis.literal(0.0, type="float64") for column in ("v", "squares")}
    filled = {
        column: _zero_for_none(table[column]).cast(absent.type()) if column in table.columns else absent
        for column, absent in {**whole, **numbers}.items()
    }
    return table.select(part=ibis.literal(name), **filled)


def _zero_for_none(sum_of_nothing: Any) -> Any:
    return sum_of_nothing.fill_null(0)


def _arranged(found: dict[str, np.ndarray], groups: int, columns: int) -> Moments:
    """Return the Moments from the rows of the query."""
    size = groups * columns

    def placed(part: str, what: str, length: int) -> np.ndarray:
        here = found["part"] == part
        values = np.zeros(length)
        np.add.at(values, found["a"][here].astype(np.int64), found[what][here].astype(float))
        return values

    def counts(what: str) -> np.ndarray:
        return placed("group", what, groups).astype(np.int64)

    pair = found["part"] == "pair"
    a, b = found["a"][pair].astype(np.int64), found["b"][pair].astype(np.int64)
    upper = np.zeros((size, size))
    np.add.at(upper, (a, b), found["v"][pair].astype(float))
    return Moments(
        n=placed("cell", "n", size).astype(np.int64).reshape(groups, columns),
        total=placed("cell", "v", size).reshape(groups, columns),
        covariance=upper + np.triu(upper, 1).T,
        base_n=counts("n"),
        base_weighted=placed("group", "v", groups),
        psus=counts("psus"),
        strata=counts("strata"),
        squares=placed("group", "squares", groups),
        table_psus=int(placed("table", "psus", 1)[0]),
        table_strata=int(placed("table", "strata", 1)[0]),
    )


def _fetched(table: Any) -> dict[str, np.ndarray]:
    found = table.to_pyarrow()
    return {name: np.asarray(found[name].to_numpy()) for name in found.column_names}
