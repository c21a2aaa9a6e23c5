"""The respondents table: a row a valid respondent, put where an engine can read it.

Columns, beside those of the design: every closed variable of the codebook that was asked, with its codes (of a level
its value, of an option 1 or 0), the plan's recodes and what it derives from a score, and of each score whether
its options are central. Nothing else of a respondent is in it. It is made a batch at a time.
"""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.answers import MISSING, Frame
from analysis.blocks import Banner
from analysis.disclosure import RESPONDENTS
from analysis.engines import Coded, DesignColumns, EngineError, Picks, on_postgresql
from analysis.estimates import TOTAL
from analysis.extract_batches import BATCH, Stored
from analysis.plan import Plan, Score
from analysis.study import ORGANISATION, RESPONDENT, Study
from analysis.tabulate import unanswered
from kysely.codebook import Codebook, Kind, Variable
from kysely.errors import AnalystError

if TYPE_CHECKING:
    import pyarrow as pa

KEY, OWNER, WEIGHT, STRATUM, PSU, FPC = "respondent", "organisation", "weight", "stratum", "psu", "fpc"
"""Columns of the design."""

_MARK = "Respondents table of kysely: made anew by python -m analysis"


class RespondentsError(AnalystError):
    """The respondents table does not fit the codebook or the plan. Says what is lacking, and the cure."""


@dataclass(frozen=True)
class Layout:
    """What the respondents table of a plan holds: *study* has no respondent, but knows what was asked."""

    study: Study

    @classmethod
    def of(cls, codebook: Codebook, plan: Plan, columns: Sequence[str], *, promised: int = RESPONDENTS) -> Layout:
        """Return the layout of a table with *columns*. Raises RespondentsError for others that the plan needs.

        promised  of how many respondents they were told that figures are at least
        """
        import pandas as pd

        names = [one.name for one in codebook.variables if one.closed and one.name in columns]
        if not names:
            raise RespondentsError(
                "the table has no column of the codebook's closed questions; name each column as its variable"
            )
        nobody = pd.DataFrame({name: [] for name in names}, dtype=object)
        layout = cls(Study(Frame(nobody, codebook, promised=promised), plan))
        if lacking := sorted(layout._needed - set(columns)):
            raise RespondentsError(
                f"the table lacks {len(lacking)} columns that the plan needs: {', '.join(lacking)}. Add them "
                '(docs/methods.md, "The respondents table", says what each holds), or take what needs them out of '
                "the plan"
            )
        return layout

    def design(self, estimand: str, *, told_apart: bool = True) -> DesignColumns:
        """Return the columns of an estimand's design; *told_apart* says whether the table has KEY."""
        columns = self.study.plan.design
        return DesignColumns(
            WEIGHT,
            psu=OWNER if columns.psu == OWNER else PSU,
            stratum=None if columns.stratum is None else STRATUM,
            fpc=None if columns.fpc is None else FPC,
            per=OWNER if estimand == ORGANISATION else None,
            respondent=KEY if told_apart else None,
        )

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The closed variables that were asked and have codes, the recodes, and what is derived from scores."""
        own = self.study.answers.codebook
        asked = {one.name for one in self.study.asked() if one.categories or one.kind is Kind.BINARY}
        return tuple(one for one in self.study.codebook.variables if one.name in asked or one.name not in own)

    def coded(self, name: str) -> Coded:
        """Return the column of a variable with the codes it holds."""
        variable = self.study.codebook[name]
        if variable.kind is Kind.BINARY:
            return Coded(name, (0, 1))
        if variable.kind is Kind.LEVEL:
            return Coded(name, tuple(int(category.value or 0) for category in variable.categories))
        return Coded(name, tuple(category.code for category in variable.categories))

    def groups(self, banner: Banner) -> Coded | None:
        """Return the column of a banner's groups; None for the total."""
        if not banner.strict:
            return None if banner.variable == TOTAL else self.coded(banner.variable)
        codes = ("total",) if banner.variable == TOTAL else self.coded(banner.variable).codes
        return Coded(f"strict_{banner.variable}", codes)

    def central(self, score: Score) -> Picks:
        """Return the columns that say of each option of a score whether it is central."""
        return Picks(tuple(f"{score.name}_central_{code}" for code in score.codes))

    @property
    def strict(self) -> tuple[Banner, ...]:
        """The banners of tables that keep to the strict population."""
        tables = [table for table in self.study.plan.tables if table.strict]
        return tuple(dict.fromkeys(Banner(name, True) for table in tables for name in (TOTAL, *table.banners)))

    @property
    def _needed(self) -> frozenset[str]:
        plan, own = self.study.plan, self.study.answers.codebook
        design = self.design(RESPONDENT)
        names = {WEIGHT, OWNER, *(one for one in (design.psu, design.stratum, design.fpc) if one), *plan.banners}
        for name in (name for table in plan.tables for name in (*table.variables, *table.banners)):
            names |= {name} if name in own else {member.name for member in own.set(name)}
        for score in plan.scores:
            names |= {f"{which}_{code}" for which in (score.chosen, score.level) for code in score.codes}
            names |= set(self.central(score).columns)
        names |= {one.name for one in self.study.codebook.variables if one.name not in own}
        names |= {f"strict_{banner.variable}" for banner in self.strict}
        return frozenset(names)


@dataclass(eq=False)
class Making:
    """Makes the table of an extract, a batch of it at a time, and counts what the table does not hold.

    rows    responses that are in memory at a time
    n       valid respondents so far
    counts  (variables asked, kinds of missing) of their missing answers
    """

    extract: Stored
    plan: Plan
    rows: int = BATCH
    n: int = 0
    counts: np.ndarray = field(default_factory=lambda: np.zeros((0, len(MISSING)), np.int64))

    @cached_property
    def layout(self) -> Layout:
        return Layout(Study(self.extract.empty, self.plan))

    def tables(self) -> Iterator[pa.Table]:
        """Yield the table in parts, one for every batch of the extract; an empty one first."""
        yield _table(self.layout, self.layout.study)
        self.n, self.counts = 0, unanswered(self.layout.study).counts
        design = self.plan.design
        sampled = [design.weight, design.stratum, design.fpc, None if design.psu == OWNER else design.psu]
        for part in self.extract.batches(self.rows, case_columns=[name for name in sampled if name]):
            study = Study(part, self.plan)
            self.n, self.counts = self.n + len(study), self.counts + unanswered(study).counts
            yield _table(self.layout, study)


def _table(layout: Layout, study: Study) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = {
        KEY: pa.array(study.column("response").tolist(), pa.string()),
        OWNER: pa.array(study.answers.organisation[study.valid].tolist(), pa.string()),
    }
    design = study.plan.design
    weight = np.ones(len(study)) if design.weight is None else study.case_column(design.weight)
    columns[WEIGHT] = pa.array(weight.astype(float))
    for name, source in ((STRATUM, design.stratum), (PSU, None if design.psu == OWNER else design.psu)):
        if source is not None:
            columns[name] = pa.array(study.case_column(source).astype(str).tolist(), pa.string())
    if design.fpc is not None:
        columns[FPC] = pa.array(study.case_column(design.fpc).astype(float))
    for variable in layout.variables:
        columns[variable.name] = _answers(study.codes(variable.name), layout.coded(variable.name))
    for score in study.plan.scores:
        for name, central in zip(layout.central(score).columns, study.central(score).T, strict=True):
            columns[name] = pa.array(np.nan_to_num(central).astype(np.int8), mask=np.isnan(central))
    for banner in layout.strict:
        coded = layout.groups(banner)
        assert coded is not None
        of = np.zeros(len(study), np.int64) if banner.variable == TOTAL else study.codes(banner.variable)
        columns[coded.column] = _answers(np.where(study.strict, of, -1), coded)
    return pa.table(columns)


def _answers(positions: np.ndarray, coded: Coded) -> Any:
    """Return the codes at *positions*, empty where -1."""
    import pyarrow as pa

    if isinstance(coded.codes[0], str):
        place = pa.array(positions.astype(np.int16), mask=positions < 0)
        return pa.DictionaryArray.from_arrays(place, pa.array(coded.codes, pa.string()))
    return pa.array(np.array(coded.codes, np.int16)[positions], mask=positions < 0)


def put(making: Making, url: str, folder: Path) -> str:
    """Put the table where the engine at *url* reads it, in place of an earlier one, and return its name there.

    In a database it is kysely_respondents_<instrument>; for a cluster a Parquet file in *folder*, which every worker
    must be able to read.
    """
    if on_postgresql(url):
        name = f"kysely_respondents_{making.extract.codebook.instrument}"
        _copy(making.tables(), url, name)
        return name
    path = (folder / "respondents.parquet").resolve()
    _write(making.tables(), path)
    return str(path)


def _write(tables: Iterator[pa.Table], path: Path) -> None:
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        first = next(tables)
        with pq.ParquetWriter(draft, first.schema) as writer:
            for table in tables:
                writer.write_table(table)
        os.replace(draft, path)
    except OSError as error:
        raise EngineError(
            f"the respondents table can't be written to {path}: {error.strerror or error}. Make its folder writable, "
            "or let KYSELY_BUILD name another"
        ) from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


_TYPES: Mapping[str, str] = {"int8": "smallint", "int16": "smallint", "double": "float8"}


def _copy(tables: Iterator[pa.Table], url: str, name: str) -> None:
    """Copy the table into the database: others see the old one until the new one is whole."""
    from analysis.engines import places

    first = next(tables)
    types = [(column.name, _TYPES.get(str(column.type), "text")) for column in first.schema]
    draft = f"kysely_{secrets.token_hex(8)}"
    with places.connect(url) as connection, places.sql_errors_named(url), connection.transaction():
        _refuse_other_tables(connection, name)
        columns = ", ".join(f'"{column}" {kind}' for column, kind in types)
        connection.execute(f"CREATE TABLE {draft} ({columns})")
        connection.execute(f"COMMENT ON TABLE {draft} IS '{_MARK}'")
        with connection.cursor().copy(f"COPY {draft} FROM STDIN (FORMAT csv)") as copy:
            for table in tables:
                copy.write(_csv(table))
        connection.execute(f"ANALYZE {draft}")
        connection.execute(f'DROP TABLE IF EXISTS "{name}"')
        connection.execute(f'ALTER TABLE {draft} RENAME TO "{name}"')


def _refuse_other_tables(connection: Any, name: str) -> None:
    """Raise EngineError if there is a table of this name that was not made here."""
    found = connection.execute("SELECT obj_description(to_regclass(%s), 'pg_class') = %s", (name, _MARK))
    exists = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone()[0]
    if exists and found.fetchone()[0] is not True:
        raise EngineError(
            f"the database has a table {name!r} that kysely did not make, and it is not replaced. "
            "Rename it, or let KYSELY_ENGINE_URL name another database"
        )


def _csv(table: pa.Table) -> bytes:
    import pyarrow as pa
    import pyarrow.csv

    plain = table.cast(
        pa.schema([(one.name, pa.string() if pa.types.is_dictionary(one.type) else one.type) for one in table.schema])
    )
    written = io.BytesIO()
    pa.csv.write_csv(plain, written, pa.csv.WriteOptions(include_header=False))
    return written.getvalue()
