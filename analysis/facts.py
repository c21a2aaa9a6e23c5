"""Rows of Estimates that are counted and not estimated by the engine: a number, its bases, and whether it is shown."""

from __future__ import annotations

import numpy as np

from analysis.disclosure import Limits
from analysis.estimates import NOT_ESTIMABLE, SHOWN, SMALL_BASE, SUPPRESSED, TOTAL

EMPTY = ("estimate", "se", "ci_low", "ci_high", "df", "deff")


def fact(
    variable: str,
    code: str,
    statistic: str,
    estimate: float | None,
    *,
    n: int,
    organisations: int,
    limits: Limits,
    estimand: str = "respondent",
    hidden: bool = False,
    estimable: bool = True,
    **numbers: float,
) -> dict[str, object]:
    """Return a row of the whole sample, columns as in estimates.COLUMNS but for table and weighting.

    estimate       None where the base gives no number, as a rate of nobody
    n              respondents of the base; with organisations under the thresholds of disclosure, or where *hidden*
                   is true for another reason, the row keeps its bases only
    estimable      false of an estimate that has no standard error although it should have one
    numbers        se, ci_low, ci_high, df
    """
    few = hidden or limits.hide(n, organisations)
    small = n < limits.small_base
    flag = SMALL_BASE if small else SHOWN
    if estimate is None or not estimable:
        flag = NOT_ESTIMABLE
    shown = {} if few else {**numbers, "estimate": np.nan if estimate is None else float(estimate)}
    base = organisations if estimand == "organisation" else n
    return {
        **{"variable": variable, "code": code, "statistic": statistic, "estimand": estimand},
        **{"banner": TOTAL, "banner_code": TOTAL, "base_n": n, "base_organisations": organisations},
        **dict.fromkeys(EMPTY, np.nan),
        **shown,
        "base_weighted": np.nan if few else float(base),
        "small_base": small,
        "letters": "",
        "flag": SUPPRESSED if few else flag,
    }
