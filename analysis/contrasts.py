"""The differences between figures that headlines claim, with the covariance of the two: rows of the estimates.

Both figures are of one design, so that a respondent who is in both bases, or two of one organisation, count as what
they are: of the same respondents the comparison is paired, of two groups it is not, and of groups that share
organisations it is something between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from analysis.estimates import HIDDEN, TOTAL
from analysis.estimators import Estimate, difference, mean
from analysis.facts import fact
from analysis.headlines import DIFFERENCE, TABLE
from analysis.plan import CellSpec, ChartSpec, TableSpec
from analysis.stubs import Stub, stubs
from analysis.study import RESPONDENT, Study


def tables(study: Study, made: Sequence[pd.DataFrame]) -> list[pd.DataFrame]:
    """Return the table with a row for each figure that a headline calls less than another, if any headline does.

    made  the tables of the plan: a difference is hidden where disclosure control hides one of its figures
    """
    found = [row for chart in study.plan.charts for row in _rows(study, chart, made)]
    return [pd.DataFrame(found).assign(table=TABLE)] if found else []


def differences(study: Study, chart: ChartSpec) -> Iterator[tuple[tuple[CellSpec, CellSpec], Estimate]]:
    """Yield each pair of figures of which the headline of *chart* calls the first more, and their difference."""
    if chart.claim is None or not chart.claim.than:
        return
    spec = next(one for one in study.plan.tables if one.id == chart.table)
    known = stubs(study)
    first = _mean(study, chart.claim.cell, spec, known)
    for cell in chart.claim.than:
        yield (chart.claim.cell, cell), difference(first, _mean(study, cell, spec, known))


def _rows(study: Study, chart: ChartSpec, made: Sequence[pd.DataFrame]) -> Iterator[dict[str, object]]:
    for place, (pair, apart) in enumerate(differences(study, chart), start=1):
        yield fact(
            chart.id,
            str(place),
            DIFFERENCE,
            None if np.isnan(apart.value) else apart.value,
            n=apart.n,
            organisations=len(np.unique(study.organisation[apart.design.members])),
            limits=study.limits,
            hidden=bool({*pair} & _hidden(chart, made)),
            estimable=apart.estimable,
            se=apart.se,
            ci_low=apart.low,
            ci_high=apart.high,
            df=float(apart.df),
        )


def _hidden(chart: ChartSpec, made: Sequence[pd.DataFrame]) -> set[CellSpec]:
    """Return the figures of the chart's table that disclosure control hides."""
    columns = ["variable", "code", "statistic", "banner", "banner_code"]
    rows = pd.concat([one[one["table"] == chart.table] for one in made])
    rows = rows[rows["flag"].isin(HIDDEN) & (rows["estimand"] == RESPONDENT)]
    return {CellSpec(*map(str, row)) for row in rows[columns].itertuples(index=False)}


def _mean(study: Study, cell: CellSpec, spec: TableSpec, known: tuple[Stub, ...]) -> Estimate:
    """Return a figure of the table *spec*, made from the respondents."""
    key = (cell.variable, cell.code, cell.statistic)
    stub, values = next(
        (stub, one.values) for stub in known for one in stub.statistics if (one.variable, one.code, one.name) == key
    )
    worth = np.append(values, np.nan)[study.codes(stub.variable)]
    inside = study.strict if spec.strict else np.ones(len(study), bool)
    if cell.banner != TOTAL:
        inside = inside & study.among(cell.banner, [cell.banner_code])
    return mean(worth, study.designs[RESPONDENT].domain(inside))
