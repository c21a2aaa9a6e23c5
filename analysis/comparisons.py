"""What the book compares: every closed question with every banner, by a test, and the groups of a banner by letters.

A group that disclosure control hides takes part in nothing here: neither its share nor a test that rests on it
leaves analysis. Which tests count together is declared by the plan before any is made: the family of the book,
all tests of one estimand and weighting, and in every row the pairs of its groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis import letters, multiplicity
from analysis.categories import NotTestable
from analysis.design import Codes, Design, DesignError, Floats
from analysis.moments import Moments
from analysis.multiple_response import IndependenceTest, Totals, mmi
from analysis.population import NONE
from analysis.significance import Test, rao_scott_of_moments

if TYPE_CHECKING:
    import pandas as pd

RAO_SCOTT, MMI = "rao_scott", "mmi"

NOT_TESTED = "not_tested"
"""Reason of a test that could not be made: too few groups or answers, or no degrees of freedom."""


@dataclass(frozen=True)
class Independence:
    """One test of whether the answers differ between the groups of a banner.

    test        "rao_scott": second-order F of a cross-tab; "mmi": design-based test of picks by group
    f, ndf, ddf the statistic and its degrees of freedom; NaN where no test could be made, for the *reason*
    p_adjusted  over the family of the book: all tests of the estimand and weighting that could be made
    cramer_v    bias-corrected, of a cross-tab; NaN for picks
    deff        design effect of the table, the mean of the generalised ones
    n, groups   respondents in the tested table, and groups that took part
    """

    variable: str
    banner: str
    estimand: str
    test: str
    f: float = np.nan
    ndf: float = np.nan
    ddf: float = np.nan
    p: float = np.nan
    p_adjusted: float = np.nan
    cramer_v: float = np.nan
    deff: float = np.nan
    n: int = 0
    groups: int = 0
    reason: str = ""
    weighting: str = NONE


COLUMNS = tuple(Independence.__dataclass_fields__)


def of_crosstab(variable: str, banner: str, estimand: str, moments: Moments, *, weighting: str = NONE) -> Independence:
    """Return the Rao-Scott test of a cross-tab. Hidden groups are without respondents in *moments*."""
    groups = _groups(moments.base_n)
    about = Independence(variable, banner, estimand, RAO_SCOTT, n=moments.table_n, groups=groups, weighting=weighting)
    try:
        found = rao_scott_of_moments(moments, df=moments.table_df)
    except NotTestable:
        return replace(about, reason=NOT_TESTED)
    return _tested(about, found.second_order, cramer_v=found.cramer_v_corrected, deff=found.deff)


def of_picks(
    variable: str,
    banner: str,
    estimand: str,
    *,
    picks: Floats,
    group: Codes,
    design: Design,
    weighting: str = NONE,
    totals: Totals | None = None,
) -> Independence:
    """Return the design-based MMI test of *picks*, (n, J) 1, 0 or NaN, by *group*, (n,), where -1 is in no group.

    totals  as mmi() takes it
    """
    inside = (group >= 0) & ~np.isnan(picks).any(axis=1) & design.members
    base_n = np.bincount(group[inside], minlength=1)
    n, groups = int(inside.sum()), _groups(base_n)
    about = Independence(variable, banner, estimand, MMI, n=n, groups=groups, weighting=weighting)
    try:
        found = mmi(picks, np.where(group >= 0, group.astype(float), np.nan), design, totals=totals)
    except NotTestable:
        return replace(about, reason=NOT_TESTED)
    return of_mmi(about, found)


def of_mmi(about: Independence, found: IndependenceTest) -> Independence:
    """Return what an MMI test found, or that it could not be made."""
    if not found.estimable:
        return replace(about, reason=NOT_TESTED)
    # Rounding makes something of those that are nothing.
    effects = found.eigenvalues[found.eigenvalues > 1e-12 * found.eigenvalues.max()]
    return _tested(about, found.f, deff=float(effects.mean()))


def lettered(moments: Moments, values: Floats, *, small_base: int) -> tuple[tuple[str, ...], ...]:
    """Return for each group and statistic the letters of the groups whose figure is significantly smaller, (B, S).

    values  (S, K) what each code counts for in a statistic: a share or a mean

    By the covariance of the moments, t(df), Holm within the row. All empty where nothing can be compared.
    """
    try:
        found = letters.compare_columns(moments, values=values, df=moments.table_df, small_base=small_base)
    except (NotTestable, DesignError):
        return (("",) * len(values),) * len(moments.total)
    return tuple(zip(*found.letters, strict=True))


def frame(tests: Sequence[Independence], *, adjust: multiplicity.Method = "holm") -> pd.DataFrame:
    """Return the tests as a table, a row each, adjusted within each estimand and weighting over all that were made."""
    import pandas as pd

    rows = pd.DataFrame([asdict(test) for test in tests], columns=list(COLUMNS))
    for _, family in rows[rows["reason"] == ""].groupby(["estimand", "weighting"]):
        rows.loc[family.index, "p_adjusted"] = multiplicity.adjusted(family["p"].to_numpy(), adjust)
    return rows


def letter(position: int) -> str:
    """Return the letter of a banner's group by its place among the banner's categories: A … Z, AA …"""
    return letters.column_letter(position)


def _groups(base_n: Codes) -> int:
    return int((base_n > 0).sum())


def _tested(about: Independence, test: Test, *, deff: float, cramer_v: float = np.nan) -> Independence:
    assert test.ddf is not None
    return replace(about, f=test.statistic, ndf=test.ndf, ddf=test.ddf, p=test.p, deff=deff, cramer_v=cramer_v)
