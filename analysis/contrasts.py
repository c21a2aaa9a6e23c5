"""Differences between figures, of headlines and of perspectives, with the covariance of the two: rows of the estimates.

Both figures are of one design, so that a respondent who is in both bases, or two of one organisation, count as what
they are: of the same respondents the comparison is paired, of two groups it is not, and of groups that share
organisations it is something between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pandas as pd

from analysis.estimates import HIDDEN, TOTAL
from analysis.estimators import Estimate, difference, mean
from analysis.facts import fact
from analysis.headlines import DIFFERENCE, TABLE
from analysis.plan import CellSpec, ChartSpec
from analysis.stubs import CENTRAL, MEAN100, Stub, stubs
from analysis.study import RESPONDENT, Study

CHANGES = "changes"
"""The table of how far the other scores are from the one that the plan's `changes_from` names."""
CHANGING = (CENTRAL, MEAN100)


def tables(study: Study, made: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the table with a row for each figure that a headline calls less than another, and that of changes.

    A table without rows is left out.

    made  the tables of the plan: a difference is hidden where disclosure control hides one of its figures
    """
    claimed = [row for chart in study.plan.charts for row in _claimed(study, chart, made)]
    changed = list(_changes(study, made))
    return [pd.DataFrame(rows).assign(table=name) for name, rows in ((TABLE, claimed), (CHANGES, changed)) if rows]


def differences(study: Study, chart: ChartSpec) -> Iterator[tuple[tuple[CellSpec, CellSpec], Estimate]]:
    """Yield each pair of figures of which the headline of *chart* calls the first more, and their difference."""
    if chart.claim is None or not chart.claim.than:
        return
    spec = next(one for one in study.plan.tables if one.id == chart.table)
    known = stubs(study)
    first = _mean(study, chart.claim.cell, known, strict=spec.strict)
    for cell in chart.claim.than:
        yield (chart.claim.cell, cell), difference(first, _mean(study, cell, known, strict=spec.strict))


def _claimed(study: Study, chart: ChartSpec, made: Sequence[pd.DataFrame]) -> Iterator[dict[str, object]]:
    hidden = _hidden(made, [chart.table])
    for place, (pair, apart) in enumerate(differences(study, chart), start=1):
        yield _row(study, chart.id, str(place), DIFFERENCE, apart, hidden=bool({*pair} & hidden))


def _changes(study: Study, made: Sequence[pd.DataFrame]) -> Iterator[dict[str, object]]:
    start = next((score for score in study.plan.scores if score.name == study.plan.changes_from), None)
    if start is None:
        return
    hidden, known = _hidden(made), stubs(study)
    for score in (one for one in study.plan.scores if one is not start and one.codes == start.codes):
        for code, statistic in product(score.codes, CHANGING):
            then, now = (CellSpec(one.name, code, statistic) for one in (score, start))
            apart = difference(*(_mean(study, cell, known) for cell in (then, now)))
            yield _row(study, score.name, code, statistic, apart, hidden=bool({then, now} & hidden))


def _row(study: Study, variable: str, code: str, statistic: str, apart: Estimate, *, hidden: bool) -> dict[str, object]:
    return fact(
        variable,
        code,
        statistic,
        None if np.isnan(apart.value) else apart.value,
        n=apart.n,
        organisations=len(np.unique(study.organisation[apart.design.members])),
        limits=study.limits,
        hidden=hidden,
        estimable=apart.estimable,
        se=apart.se,
        ci_low=apart.low,
        ci_high=apart.high,
        df=float(apart.df),
    )


def _hidden(made: Sequence[pd.DataFrame], tables: Sequence[str] | None = None) -> set[CellSpec]:
    """Return the figures that disclosure control hides in *tables*, or in any."""
    columns = ["variable", "code", "statistic", "banner", "banner_code"]
    rows = pd.concat([one if tables is None else one[one["table"].isin(tables)] for one in made])
    rows = rows[rows["flag"].isin(HIDDEN) & (rows["estimand"] == RESPONDENT)]
    return {CellSpec(*map(str, row)) for row in rows[columns].itertuples(index=False)}


def _mean(study: Study, cell: CellSpec, known: tuple[Stub, ...], *, strict: bool = False) -> Estimate:
    """Return a figure of the tables, made from the respondents; *strict*: of those of the plan's population."""
    key = (cell.variable, cell.code, cell.statistic)
    stub, values = next(
        (stub, one.values) for stub in known for one in stub.statistics if (one.variable, one.code, one.name) == key
    )
    worth = np.append(values, np.nan)[study.codes(stub.variable)]
    inside = study.strict if strict else np.ones(len(study), bool)
    if cell.banner != TOTAL:
        inside = inside & study.among(cell.banner, [cell.banner_code])
    return mean(worth, study.designs[RESPONDENT].domain(inside))
