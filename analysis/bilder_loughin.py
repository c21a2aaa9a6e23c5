"""The tests of picks as Bilder and Loughin published them: no weights, no clusters. For comparison, not for reports.

With leaders who share organisations they find a difference that isn't there two to four times as often as
they say (benchmarks/type_one_error.py); `analysis.multiple_response` has the tests under the design.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.categories import categories
from analysis.design import Design, DesignError, Floats
from analysis.multiple_response import (
    TESTED,
    UNTESTED,
    IndependenceTest,
    chi_squared,
    mmi,
    spmi,
)
from analysis.significance import Test


@dataclass(frozen=True, eq=False)
class PublishedTest:
    """Bilder and Loughin's test as they published it, for comparison with other programs. R: MRCV::MI.test().

    x2            sum of item_x2
    item_x2       (J,) or (I, J): Pearson X² of every table of counts
    rs2           second-order Rao-Scott: k·x2 / Σλ² against χ²(k² / Σλ²), k = (B - 1)·J or I·J
    bonferroni    the smallest of item_p
    item_p        χ² p-values of the items, times their number, at most 1
    status        as in IndependenceTest; flagged items are in no sum and don't count in k
    """

    n: int
    x2: float
    item_x2: Floats
    rs2: Test
    bonferroni: float
    item_p: Floats
    status: NDArray[np.str_]


def published_mmi(items: ArrayLike, group: ArrayLike, *, zero_cells: float = 0.0) -> PublishedTest:
    """Return the unweighted, unclustered test of picks × banner; arguments as in `mmi`.

    zero_cells  count put in place of every empty cell in X². MRCV puts 0.5 and leaves the eigenvalues as they
                are, which makes statistic and reference distribution those of two different tables; so the
                default is to leave the zeros alone, and 0.5 is there to compare with MRCV.

    Differs from `mmi` at weight 1 in three published conventions: Σλ is replaced by its null value k, the
    variance is a multinomial's (n, not n - 1), and the reference is χ². Raises as `mmi` does.
    """
    picks = np.asarray(items, dtype=float)
    made = mmi(picks, group, Design.of(np.ones(len(picks))))
    codes, _ = categories(group, len(picks), "the banner")
    inside = ~np.isnan(picks).any(axis=1) & (codes >= 0)
    picks, codes = picks[inside], codes[inside]
    bases = np.array([(codes == one).sum() for one in np.unique(codes)], float)
    yes = np.array([picks[codes == one].sum(axis=0) for one in np.unique(codes)])
    x2 = _pearson(np.stack([yes, bases[:, None] - yes]), zero_cells)
    return _published(made, x2, rows=len(bases))


def published_spmi(rows: ArrayLike, columns: ArrayLike, *, zero_cells: float = 0.0) -> PublishedTest:
    """Return the unweighted, unclustered test of picks × picks; arguments as in `spmi` and `published_mmi`."""
    one, other = np.asarray(rows, dtype=float), np.asarray(columns, dtype=float)
    made = spmi(one, other, Design.of(np.ones(len(one))))
    inside = ~np.isnan(one).any(axis=1) & ~np.isnan(other).any(axis=1)
    one, other = one[inside], other[inside]
    both, first, second = one.T @ other, one.sum(axis=0)[:, None], other.sum(axis=0)[None, :]
    table = np.stack([both, first - both, second - both, len(one) - first - second + both])
    x2 = _pearson(table.reshape(2, 2, *both.shape), zero_cells)
    return _published(made, x2, rows=2)


def _pearson(table: Floats, zero_cells: float) -> Floats:
    """Return Pearson's X² of tables (R, C, …); where a margin is empty the number means nothing and isn't read."""
    if not 0 <= zero_cells < 1:
        raise DesignError(
            f"zero_cells is {zero_cells}; what stands for no respondent is 0 or a part of one (MRCV: 0.5)"
        )
    filled = np.where(table == 0, zero_cells, table)
    expected = filled.sum(axis=0, keepdims=True) * filled.sum(axis=1, keepdims=True) / filled.sum(axis=(0, 1))
    return ((filled - expected) ** 2 / np.where(expected > 0, expected, 1.0)).sum(axis=(0, 1))


def _published(made: IndependenceTest, x2: Floats, *, rows: int) -> PublishedTest:
    tested = made.status == TESTED
    count = int(tested.sum())
    p = np.full(x2.shape, np.nan)
    p[tested] = [min(1.0, chi_squared(one, rows - 1).p * count) for one in x2[tested]]
    squares = float((made.eigenvalues**2).sum()) * ((made.n - 1) / made.n) ** 2
    k, total = len(made.eigenvalues), float(x2[tested].sum())
    rs2 = chi_squared(k * total / squares, k**2 / squares) if count else UNTESTED
    item_x2 = np.where(tested, x2, np.nan)
    best = float(p[tested].min()) if count else np.nan
    return PublishedTest(made.n, total if count else np.nan, item_x2, rs2, best, p, made.status)
