"""The distributed engine: the same Moments as Ibis expressions, summed where the data are.

A table is first reduced to the weighted sums of each PSU's cells, which stay there. What is fetched is of the
size of the answer: totals, and one number per pair of cells. Their covariance is
Σ over PSUs of factor · t t' less Σ over strata of centre · S S', two joins of those sums with themselves.

Many tables are made at once: a respondent has a cell in each of them, and all of these are summed together. The
number of a cell holds its table, its group and its column, TABLE, GROUP and 1 apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, NoReturn

import numpy as np

from analysis.design import DesignError
from analysis.engines import MEMBERS, Bases, Coded, Crossing, DataElsewhere, DesignColumns, Picks
from analysis.moments import Moments

UNKNOWN = -2
"""Position of a value that is not among the codes; a missing one has none (NULL)."""

STRATUM, PSU, WEIGHT, OWNER, SIZE, CELL = "k_stratum", "k_psu", "k_weight", "k_owner", "k_size", "k_cell"

GROUP = 1024
TABLE = 1024 * GROUP
"""So a table may have 1023 groups and as many columns."""

TOGETHER = 128
"""Tables made at once where respondents are few."""

ROOM = 10_000_000
"""Cells of respondents, of all tables made at once, that the place is asked to sum."""

CELLS, PAIRS, GROUPS, SQUARES, TABLES = range(5)
"""Parts of what is fetched."""


@dataclass(frozen=True)
class Place:
    """Where tables are, and what can be done with an expression over them.

    fetch  its rows, as arrays by column
    keep   computes it once, in `with` as a table that is gone after
    close  leaves the place, and what was kept there with it
    """

    name: str
    fetch: Callable[[Any], dict[str, np.ndarray]]
    keep: Callable[[Any], AbstractContextManager[Any]]
    close: Callable[[], None]


class Ibis:
    """Makes Moments from an Ibis table of any backend. See analysis.engines.Engine for what it answers.

    The design must be a factor per stratum: lonely PSUs that fail, are certain or are removed, and one stage.
    Raises DesignError as Design.of() does, for columns that the table lacks and for other designs.
    """

    def __init__(self, table: Any, columns: DesignColumns, at: Place):
        self.place = at.name
        self._table, self._columns, self._at = table, columns, at
        self._refuse_other_designs()
        rows = table.mutate(
            **{
                WEIGHT: _numeric(table, columns.weight).cast("float64"),
                STRATUM: _one(columns.stratum and table[columns.stratum]),
                PSU: table[columns.psu],
                OWNER: table[columns.per or columns.psu],
            }
        )
        self._n = self._checked(rows)
        self._rows = self._shared_out(rows) if columns.per else rows.mutate(**{SIZE: _one() + 1})
        self._known: set[Coded] = set()

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._table.columns)

    def under(self, design: DesignColumns) -> Ibis:
        """Return the engine of the same table under another design."""
        return Ibis(self._table, design, self._at)

    def crosstabs(self, stub: Coded, banners: Sequence[Coded]) -> list[Moments]:
        """Return the Moments of one question by each of *banners*."""
        return self.tables([(stub, banner) for banner in banners])

    def tables(self, crossings: Sequence[Crossing]) -> list[Moments]:
        """Return the Moments of many tables, in order."""
        made: dict[int, Moments] = {}
        for kind in (Coded, Picks):
            numbers = [number for number, (stub, _) in enumerate(crossings) if isinstance(stub, kind)]
            for some in self._together(numbers):
                made.update(zip(some, self._tables([crossings[number] for number in some]), strict=True))
        return [made[number] for number in range(len(crossings))]

    def bases(self, crossings: Sequence[Crossing]) -> list[Bases]:
        """Return who is in the base of each, in order."""
        parts = [self._bases([crossings[number] for number in some]) for some in self._together(range(len(crossings)))]
        return [base for part in parts for base in part]

    def numbers(self, columns: Sequence[str], group: Coded | None = None) -> Moments:
        """Return the Moments of ones and then *columns*, in every group."""
        numbers = [self._number(name) for name in columns]
        self._refuse_unknown([] if group is None else [group])
        rows = self._rows.mutate(k_group=_one() if group is None else self._position(group))
        return self._sums(rows, numbers, 1 if group is None else len(group.codes))

    def products(self, rows: Sequence[str], columns: Sequence[str]) -> Moments:
        """Return the Moments of all products (1, rows) × (1, columns)."""
        above, across = [None, *map(self._number, rows)], [None, *map(self._number, columns)]
        products = [b if a is None else a if b is None else a * b for a in above for b in across][1:]
        return self._sums(self._rows.mutate(k_group=_one()), products, 1)

    def local(self, purpose: str) -> NoReturn:
        """Raise DataElsewhere: the respondents themselves are not fetched."""
        raise DataElsewhere(
            f"{purpose}: every respondent must be in memory, and the data are on {self.place}. "
            "Copy them to a Parquet file and leave KYSELY_ENGINE_URL empty"
        )

    def close(self) -> None:
        """Leave the database or the cluster; what was kept there goes with the connection."""
        self._at.close()

    def __enter__(self) -> Ibis:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _together(self, numbers: Sequence[int]) -> list[Sequence[int]]:
        size = min(max(ROOM // max(self._n, 1), 1), TOGETHER)
        return [numbers[first : first + size] for first in range(0, len(numbers), size)]

    def _tables(self, crossings: Sequence[Crossing]) -> list[Moments]:
        """Return the Moments of crossings that are all of codes, or all of picks."""
        import ibis

        rows, position = self._positions(crossings)
        cells = []
        for number, (stub, group) in enumerate(crossings):
            first = number * TABLE + (0 if group is None else rows[position[group]] * GROUP)
            if isinstance(stub, Coded):
                cells.append(first + rows[position[stub]])
                continue
            items = [rows[position[item]] for item in stub.items]
            base = first + reduce(lambda a, b: a + b, items) * 0  # nowhere, if an item is missing
            cells += [base, *((item == 1).ifelse(base + place, None) for place, item in enumerate(items, 1))]
        rows = rows.select(STRATUM, PSU, WEIGHT, **{CELL: ibis.array(cells).unnest()})
        rows = rows.filter(rows[CELL].notnull())
        sums = rows.group_by(STRATUM, PSU, CELL).agg(t=rows[WEIGHT].sum(), n=rows.count())
        with self._at.keep(sums) as kept:
            of_base = kept.filter(kept[CELL] % GROUP == 0) if isinstance(crossings[0][0], Picks) else kept
            bases = of_base.group_by(STRATUM, PSU, k_group=_whole(of_base[CELL], GROUP)).agg(
                w=of_base.t.sum(), n=of_base.n.sum()
            )
            return self._moments(kept, bases, [_shape(crossing) for crossing in crossings])

    def _bases(self, crossings: Sequence[Crossing]) -> list[Bases]:
        import ibis

        rows, position = self._positions(crossings)
        size = ibis.least(rows[SIZE].cast("int64"), MEMBERS) - 1
        cells = []
        for number, (stub, group) in enumerate(crossings):
            items = [rows[position[item]] for item in (stub.items if isinstance(stub, Picks) else (stub,))]
            answered = reduce(lambda a, b: a + b, items, _one()) * 0
            none = 1 if group is None else len(group.codes)
            place = 0 if group is None else rows[position[group]].fill_null(none)
            cells.append(number * TABLE + place * GROUP + size + answered)
        rows = rows.select(OWNER, **{CELL: ibis.array(cells).unnest()})
        rows = rows.filter(rows[CELL].notnull())
        found = self._at.fetch(rows.group_by(CELL).agg(n=rows.count(), owners=rows[OWNER].nunique()))
        shape = (len(crossings), max(_shape(crossing)[0] for crossing in crossings) + 1, MEMBERS)
        whole = np.zeros((2, *shape), np.int64)
        cell = found[CELL].astype(np.int64)
        at = (cell // TABLE, cell % TABLE // GROUP, cell % GROUP)
        whole[0][at], whole[1][at] = found["n"], found["owners"]
        groups = [_shape(crossing)[0] + 1 for crossing in crossings]
        return [Bases(whole[0, number, :size], whole[1, number, :size]) for number, size in enumerate(groups)]

    def _positions(self, crossings: Sequence[Crossing]) -> tuple[Any, Mapping[Coded, str]]:
        """Return the rows with a column of positions for everything coded, and its name."""
        found: dict[Coded, str] = {}
        for stub, group in crossings:
            items = stub.items if isinstance(stub, Picks) else (stub,)
            for coded in (*items, *([] if group is None else [group])):
                found.setdefault(coded, f"k_position_{len(found)}")
        self._refuse_unknown(list(found))
        columns = {name: self._position(coded) for coded, name in found.items()}
        return self._rows.select(STRATUM, PSU, WEIGHT, OWNER, SIZE, **columns), found

    def _refuse_unknown(self, wanted: Sequence[Coded]) -> None:
        """Look once at every coded column for values that are not among its codes."""
        unseen = [coded for coded in wanted if coded not in self._known]
        if not unseen:
            return
        strangers = {f"k_{number}": (self._position(coded) == UNKNOWN).sum() for number, coded in enumerate(unseen)}
        found = self._at.fetch(self._rows.agg(**strangers))
        for number, coded in enumerate(unseen):
            if int(found[f"k_{number}"][0] or 0):
                raise DesignError(
                    f"the column {coded.column!r} holds values that are not among its codes "
                    f"({', '.join(map(str, coded.codes[:10]))}); mend the data or the codebook"
                )
        self._known.update(unseen)

    def _sums(self, rows: Any, numbers: Sequence[Any], groups: int) -> Moments:
        """Return the Moments of ones and *numbers*, expressions over the table; *rows* has the groups."""
        names = [f"k_{number}" for number in range(1, len(numbers) + 1)]
        rows = rows.mutate(**dict(zip(names, numbers, strict=True)))
        rows = rows.select(STRATUM, PSU, WEIGHT, "k_group", *names)
        rows = rows.filter([rows[name].notnull() for name in ("k_group", *names)])
        sums = rows.group_by(STRATUM, PSU, "k_group").agg(
            k_0=rows[WEIGHT].sum(),
            n_0=rows.count(),
            **{name: (rows[WEIGHT] * rows[name]).sum() for name in names},
            **{name.replace("k_", "n_"): (rows[name] != 0).sum() for name in names},
        )
        columns = len(numbers) + 1
        cells = [
            sums.select(STRATUM, PSU, t=sums[f"k_{j}"], n=sums[f"n_{j}"], **{CELL: sums.k_group * GROUP + j})
            for j in range(columns)
        ]
        bases = sums.select(STRATUM, PSU, "k_group", w=sums.k_0, n=sums.n_0)
        return self._moments(reduce(_above, cells), bases, [(groups, columns)])[0]

    def _moments(self, cells: Any, bases: Any, shapes: Sequence[tuple[int, int]]) -> list[Moments]:
        """Return the Moments of tables of *shapes* from the sums of every PSU's cells (t, n) and groups (w, n).

        One query, of which each part fills the same columns.
        """
        cells = cells.mutate(k_table=_whole(cells[CELL], TABLE))
        by_group = bases.group_by("k_group").agg(
            v=bases.w.sum(),
            squares=(bases.w * bases.w).sum(),
            n=bases.n.sum(),
            psus=bases.count(),
            strata=self._strata_of(bases),
        )
        psus = bases.select(STRATUM, PSU, table=_whole(bases.k_group, TABLE // GROUP)).distinct()
        of_table = psus.group_by("table").agg(psus=psus.count(), strata=self._strata_of(psus))
        group = by_group.k_group * GROUP
        # Kept, since PostgreSQL would take so few rows out of so many for none, and join them one by one.
        with self._at.keep(self._several(cells)) as several:
            parts = [
                _part(CELLS, cells.group_by(a=cells[CELL]).agg(v=cells.t.sum(), n=cells.n.sum())),
                _part(PAIRS, self._products(cells, several)),
                _part(GROUPS, by_group.select(a=group, b=by_group.psus, v=by_group.v, n=by_group.n)),
                _part(SQUARES, by_group.select(a=group, b=by_group.strata, v=by_group.squares)),
                _part(TABLES, of_table.select(a=of_table.table * TABLE, b=of_table.strata, n=of_table.psus)),
            ]
            found = self._at.fetch(reduce(_above, parts))
        order = np.argsort(found["a"], kind="stable")
        found = {name: values[order] for name, values in found.items()}
        ends = np.searchsorted(found["a"], np.arange(len(shapes) + 1) * TABLE)
        return [
            _arranged({name: values[ends[number] : ends[number + 1]] for name, values in found.items()}, *shape)
            for number, shape in enumerate(shapes)
        ]

    def _strata_of(self, rows: Any) -> Any:
        """Return the number of strata in *rows*; where there are none, the one that all are in needn't be counted."""
        return rows[STRATUM].nunique() if self._columns.stratum else rows[STRATUM].max() + 1

    def _several(self, cells: Any) -> Any:
        """Return the cells of the PSUs that have more than one in a table: most have a single one."""
        of_psu = cells.group_by(STRATUM, PSU, "k_table").agg(k_cells=cells.count())
        return cells.semi_join(of_psu.filter(of_psu.k_cells > 1), [STRATUM, PSU, "k_table"])

    def _products(self, cells: Any, several: Any) -> Any:
        """Return the covariance of the totals as rows (a, b, v), in parts that are to be added, a ≤ b.

        several  as _several() has them: only their cells have products with others, and only they are joined
        """
        by_psu = cells.join(self._strata, STRATUM)
        squares = by_psu.group_by(a=by_psu[CELL]).agg(v=(by_psu.factor * by_psu.t * by_psu.t).sum())
        # Where it was kept Spark holds smaller whole numbers than Ibis takes the expression for.
        several = several.mutate(**{CELL: several[CELL].cast(cells[CELL].type())}).join(self._strata, STRATUM)
        cross = _products(several, several.factor, [STRATUM, PSU, "k_table"])
        by_stratum = cells.group_by(STRATUM, "k_table", CELL).agg(t=cells.t.sum()).join(self._strata, STRATUM)
        less = _products(by_stratum, -by_stratum.centre, [STRATUM, "k_table"])
        parts = [squares.select("a", b="a", v="v"), cross.filter(cross.a < cross.b), less]
        return reduce(_above, parts)

    def _position(self, coded: Coded) -> Any:
        """Return a column's code as its position; NULL where the field is empty, UNKNOWN for another value."""
        column = self._column(coded.column)
        if column.type().is_floating():
            column = column.nullif(float("nan"))
        wants_text = isinstance(coded.codes[0], str)
        if wants_text != column.type().is_string() and not (column.type().is_boolean() and coded.codes == (0, 1)):
            return column.notnull().ifelse(UNKNOWN, None).cast("int64")
        if column.type().is_boolean():
            return column.cases((True, 1), (False, 0)).cast("int64")
        branches = [(code, position) for position, code in enumerate(coded.codes)]
        return column.notnull().ifelse(column.cases(*branches, else_=UNKNOWN), None).cast("int64")

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

    def _refuse_other_designs(self) -> None:
        of = self._columns
        for name in (of.weight, of.psu, of.stratum, of.fpc, of.per, of.respondent):
            if name is not None and name not in self._table.columns:
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

    def _checked(self, rows: Any) -> int:
        """Return how many respondents there are, all of them fit for the design."""
        good = rows[WEIGHT].notnull() & (rows[WEIGHT] > 0) & (rows[WEIGHT] < float("inf"))
        told_apart = self._columns.respondent
        found = self._at.fetch(
            rows.agg(
                n=rows.count(),
                bad=(~good).sum(),
                no_psu=rows[PSU].isnull().sum() + rows[OWNER].isnull().sum(),
                no_stratum=rows[STRATUM].isnull().sum(),
                different=rows.count() if told_apart is None else rows[told_apart].nunique(),
            )
        )
        if not int(found["n"][0]):
            raise DesignError(
                "the table has no respondents: nobody has answered yet, or the plan's `valid` leaves everybody out"
            )
        names = ("n", "bad", "no_psu", "no_stratum", "different")
        n, bad, no_psu, no_stratum, different = (int(found[name][0] or 0) for name in names)
        if bad:
            raise DesignError(
                f"{bad} of {n} weights are zero, negative, missing or not finite. "
                "Give each respondent a positive weight, or make a domain without them"
            )
        if no_psu or no_stratum:
            what = "PSU" if no_psu else "stratum"
            raise DesignError(f"{what} is missing for {no_psu or no_stratum} respondents; every one belongs to one")
        if different < n:
            raise DesignError(
                f"{n} rows have {different} different values in {told_apart!r}: a respondent comes twice or has none, "
                "and counting a person twice would narrow every interval. Take the repetitions out"
            )
        return n

    def _shared_out(self, rows: Any) -> Any:
        """Return the rows with the weight divided by the size of the respondent's organisation."""
        # Kept until the place is left: every table of the design needs it.
        sizes = self._at.keep(rows.group_by(k_of=rows[OWNER]).agg(**{SIZE: rows.count()})).__enter__()
        rows = rows.join(sizes, rows[OWNER] == sizes.k_of)
        return rows.mutate(**{WEIGHT: rows[WEIGHT] / rows[SIZE]})

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
        return self._at.keep(strata.select(STRATUM, "factor", centre=strata.factor / strata.m)).__enter__()

    def _fraction(self, strata: Any) -> Any:
        found = self._at.fetch(
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
        found = self._at.fetch(strata.agg(n=strata.count(), alone=((strata.m < 2) & (strata.f < 1)).sum()))
        alone = int(found["alone"][0] or 0)
        if alone:
            raise DesignError(
                f"{alone} of {int(found['n'][0])} strata have a single PSU, so their variance can't be estimated. "
                "Merge the stratum with a similar one, or say "
                'lonely="certainty" if the PSU was certain to be drawn'
            )


def _numeric(table: Any, name: str) -> Any:
    column = table[name]
    if not column.type().is_numeric():
        raise DesignError(f"the column {name!r} doesn't hold numbers but {column.type()}")
    return column


def _one(expression: Any = None) -> Any:
    import ibis

    return ibis.literal(0, type="int64") if expression is None else expression


def _whole(numbers: Any, by: int) -> Any:
    """Return the whole number of times that *by* goes into numbers from 0 on."""
    # Ibis' own // takes a way through floating point.
    return ((numbers - numbers % by) / by).cast("int64")


def _shape(crossing: Crossing) -> tuple[int, int]:
    stub, group = crossing
    columns = len(stub.codes) if isinstance(stub, Coded) else 1 + len(stub.columns)
    return (1 if group is None else len(group.codes)), columns


def _products(cells: Any, factor: Any, unit: Sequence[str]) -> Any:
    """Return Σ factor · t t' over units, a row (a, b, v) per pair of cells a ≤ b."""
    left = cells.mutate(x=factor * cells.t).select(*unit, "x", a=cells[CELL])
    right = cells.select(*unit, "t", b=cells[CELL])
    pairs = left.join(right, list(unit))
    pairs = pairs.filter(pairs.a <= pairs.b)
    return pairs.group_by("a", "b").agg(v=(pairs.x * pairs.t).sum())


def _above(first: Any, second: Any) -> Any:
    return first.union(second)


def _part(number: int, table: Any) -> Any:
    """Return *table* with the number of its part and all columns that parts have, absent ones 0."""
    import ibis

    filled = {
        column: table[column].fill_null(0).cast(kind) if column in table.columns else ibis.literal(0, type=kind)
        for column, kind in {"a": "int64", "b": "int64", "v": "float64", "n": "int64"}.items()
    }
    return table.select(part=ibis.literal(number, type="int8"), **filled)


def _arranged(found: Mapping[str, np.ndarray], groups: int, columns: int) -> Moments:
    """Return the Moments of a table from its rows of the query."""
    size = groups * columns
    group, column = found["a"] % TABLE // GROUP, found["a"] % GROUP
    cell = group * columns + column

    def placed(part: int, what: str, places: int, of: np.ndarray) -> np.ndarray:
        here = found["part"] == part
        values = np.zeros(places)
        np.add.at(values, of[here], found[what][here])
        return values

    def counted(part: int, what: str) -> np.ndarray:
        return placed(part, what, groups, group).astype(np.int64)

    pair = found["part"] == PAIRS
    other = found["b"][pair] % TABLE // GROUP * columns + found["b"][pair] % GROUP
    upper = np.bincount(cell[pair] * size + other, found["v"][pair], size * size).astype(float).reshape(size, size)
    return Moments(
        n=placed(CELLS, "n", size, cell).astype(np.int64).reshape(groups, columns),
        total=placed(CELLS, "v", size, cell).reshape(groups, columns),
        covariance=upper + np.triu(upper, 1).T,
        base_n=counted(GROUPS, "n"),
        base_weighted=placed(GROUPS, "v", groups, group),
        psus=counted(GROUPS, "b"),
        strata=counted(SQUARES, "b"),
        squares=placed(SQUARES, "v", groups, group),
        table_psus=int(found["n"][found["part"] == TABLES].sum()),
        table_strata=int(found["b"][found["part"] == TABLES].sum()),
    )
