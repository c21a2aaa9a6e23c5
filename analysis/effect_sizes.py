"""How large a difference or an association is, whatever its p-value: of tables, of two groups, of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.categories import NotTestable, categories, several
from analysis.design import Floats
from analysis.estimators import LEVEL


def cramer_v(phi2: float, rows: int, columns: int) -> float:
    """Return Cramér's V from φ² = X²/n: 0 independent, 1 where one question tells the other."""
    return float(np.sqrt(phi2 / min(rows - 1, columns - 1)))


def bias_corrected_v(phi2: float, rows: int, columns: int, n: float) -> float:
    """Return Cramér's V without what chance alone adds in a sample of n (Bergsma 2013, J. Korean Stat. Soc. 42).

    Raises NotTestable for n of 1 or less: the table holds shares, and should hold counts.
    """
    if not n > 1:
        raise NotTestable(f"the table sums to {n}; scale it to the number of respondents, two or more")
    excess = max(0.0, phi2 - (rows - 1) * (columns - 1) / (n - 1))
    smaller = min(size - (size - 1) ** 2 / (n - 1) for size in (rows, columns)) - 1
    return float(np.sqrt(excess / smaller)) if smaller > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Association:
    """A table of counts against independence; X² and its p are those of a simple random sample of n.

    expected            (R, C) counts under independence
    pearson_residuals   (R, C) (count - expected) / √expected
    adjusted_residuals  (R, C) the same over their standard error: beyond ±2 worth a look in a simple random sample
    g2                  likelihood ratio; an empty cell adds 0
    """

    n: float
    x2: float
    df: int
    p: float
    g2: float
    phi: float
    cramer_v: float
    cramer_v_corrected: float
    tschuprow_t: float
    contingency_c: float
    expected: Floats
    pearson_residuals: Floats
    adjusted_residuals: Floats


def association(table: ArrayLike) -> Association:
    """Return the association of a table of counts, shape (R, C); weighted counts are best scaled to n before.

    A design's p-value is rao_scott()'s. Raises NotTestable for fewer than two rows or columns, for empty ones
    and for counts that are negative or not finite.
    """
    from scipy.special import chdtrc

    counts = _counts(table)
    n, (rows, columns) = float(counts.sum()), counts.shape
    row, column = counts.sum(axis=1, keepdims=True) / n, counts.sum(axis=0, keepdims=True) / n
    expected = n * row * column
    residuals = (counts - expected) / np.sqrt(expected)
    x2, df = float((residuals**2).sum()), (rows - 1) * (columns - 1)
    phi2 = x2 / n
    return Association(
        n=n,
        x2=x2,
        df=df,
        p=float(chdtrc(df, x2)),
        g2=float(2 * (counts * np.log(np.where(counts > 0, counts, expected) / expected)).sum()),
        phi=float(np.sqrt(phi2)),
        cramer_v=cramer_v(phi2, rows, columns),
        cramer_v_corrected=bias_corrected_v(phi2, rows, columns, n),
        tschuprow_t=float(np.sqrt(phi2 / np.sqrt(df))),
        contingency_c=float(np.sqrt(phi2 / (1 + phi2))),
        expected=expected,
        pearson_residuals=residuals,
        adjusted_residuals=residuals / np.sqrt((1 - row) * (1 - column)),
    )


def counted(row: ArrayLike, column: ArrayLike, *, weight: ArrayLike | None = None) -> Floats:
    """Return the table of two questions given as labels of shape (n,), sorted: counts, or weights scaled to n.

    None and NaN are missing; n are those who have both answers. Raises NotTestable for a single row or column.
    """
    labels = np.asarray(row)
    codes, down = categories(labels, len(labels), "the row question")
    groups, across = categories(column, len(labels), "the column question")
    both = (codes >= 0) & (groups >= 0)
    weights = np.ones(len(labels)) if weight is None else np.asarray(weight, float)
    if weights.shape != codes.shape or not (np.isfinite(weights) & (weights > 0)).all():
        raise NotTestable(f"weights are needed for all {len(labels)} respondents, positive and finite")
    size = len(down) * len(across)
    cells = np.bincount(codes[both] * len(across) + groups[both], weights[both], size).reshape(len(down), len(across))
    cells = cells[np.ix_(cells.any(axis=1), cells.any(axis=0))]
    several(down if len(cells) > 1 else down[:1], "the row question")
    several(across if cells.shape[1] > 1 else across[:1], "the column question")
    return cells * (both.sum() / cells.sum())


@dataclass(frozen=True)
class TwoGroups:
    """A yes/no answer in groups a and b: shares, their difference, odds ratio and tests, for a simple random sample.

    difference  share_a - share_b, with low and high: Newcombe's interval
    odds_ratio  that of the sample; infinite where a cell of its denominator is empty
    odds_ratio_low, odds_ratio_high  Wald's interval on the log scale; None where a cell is empty
    odds_ratio_conditional  the conditional maximum likelihood estimate that goes with Fisher's test
    phi         the correlation of answer and group, with sign
    """

    share_a: float
    share_b: float
    difference: float
    low: float
    high: float
    odds_ratio: float
    odds_ratio_low: float | None
    odds_ratio_high: float | None
    odds_ratio_conditional: float
    fisher_p: float
    x2: float
    x2_p: float
    yates_x2: float
    yates_p: float
    phi: float


def two_groups(*, yes_a: int, n_a: int, yes_b: int, n_b: int, level: float = LEVEL) -> TwoGroups:
    """Return the comparison of yes_a of n_a with yes_b of n_b, unweighted.

    Fisher's exact test, two-sided by probability; difference after Newcombe (1998, Stat. Med. 17, method 10)
    from Wilson's intervals; Yates' correction as R's chisq.test(), never more than the difference itself.
    Raises NotTestable for counts that don't fit, an empty group and an answer that nobody or everybody gave.
    """
    from scipy.special import chdtrc, ndtri
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    counts = (yes_a, n_a - yes_a, yes_b, n_b - yes_b)
    if any(count != int(count) or count < 0 for count in counts) or not n_a or not n_b:
        raise NotTestable(f"{yes_a} of {n_a} and {yes_b} of {n_b} are no two groups: whole numbers, yes at most n")
    if not yes_a + yes_b or yes_a + yes_b == n_a + n_b:
        raise NotTestable("both groups gave the same answer throughout; there is nothing to compare")
    a, b, c, d = (int(count) for count in counts)
    n, z = n_a + n_b, float(ndtri((1 + level) / 2))
    p_a, p_b = yes_a / n_a, yes_b / n_b
    (low_a, high_a), (low_b, high_b) = _wilson(p_a, n_a, z), _wilson(p_b, n_b, z)
    gap, determinant = p_a - p_b, a * d - b * c
    margins = n_a * n_b * (yes_a + yes_b) * (n - yes_a - yes_b)
    x2 = n * determinant**2 / margins
    yates = n * max(0.0, abs(determinant) - n / 2) ** 2 / margins
    cross, whole = (a * d / (b * c) if b * c else np.inf), min(counts) > 0
    half = z * np.sqrt(sum(1 / count for count in counts)) if whole else np.nan
    return TwoGroups(
        share_a=p_a,
        share_b=p_b,
        difference=gap,
        low=float(gap - np.hypot(p_a - low_a, high_b - p_b)),
        high=float(gap + np.hypot(high_a - p_a, p_b - low_b)),
        odds_ratio=float(cross),
        odds_ratio_low=float(np.exp(np.log(cross) - half)) if whole else None,
        odds_ratio_high=float(np.exp(np.log(cross) + half)) if whole else None,
        odds_ratio_conditional=float(odds_ratio([[a, b], [c, d]]).statistic),
        fisher_p=float(fisher_exact([[a, b], [c, d]]).pvalue),
        x2=x2,
        x2_p=float(chdtrc(1, x2)),
        yates_x2=yates,
        yates_p=float(chdtrc(1, yates)),
        phi=float(determinant / np.sqrt(float(margins))),
    )


def correlation(
    x: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    method: Literal["pearson", "spearman", "kendall"] = "pearson",
) -> Floats:
    """Return the correlations of k variables, shape (n, k) → (k, k), over those who have all of them (NaN missing).

    pearson takes weights (R: cov.wt(cor=TRUE), and svyvar() as a correlation); spearman and kendall (tau-b) are
    unweighted: there is no agreed weighted rank correlation.
    Raises NotTestable for weights with ranks, a constant variable, or fewer than two complete respondents.
    """
    values = np.asarray(x, dtype=float)
    if values.ndim != 2 or np.isinf(values).any():
        raise NotTestable(f"correlations need finite numbers of shape (n, k), not {values.shape}")
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, float)
    if weights.shape != (len(values),) or not (np.isfinite(weights) & (weights > 0)).all():
        raise NotTestable(f"weights are needed for all {len(values)} respondents, positive and finite")
    if weight is not None and method != "pearson":
        raise NotTestable(f"{method} correlations are of ranks and take no weights; use pearson, or leave them out")
    complete = ~np.isnan(values).any(axis=1)
    values, weights = values[complete], weights[complete]
    if len(values) < 2 or (np.ptp(values, axis=0) == 0).any():
        raise NotTestable(f"{len(values)} respondents have all variables, and none may answer the same throughout")
    if method == "kendall":
        return _kendall(values)
    if method == "spearman":
        from scipy.stats import rankdata

        values = rankdata(values, axis=0)
    centred = values - np.average(values, axis=0, weights=weights)
    products = (centred * weights[:, None]).T @ centred
    spread = np.sqrt(np.diag(products))
    result = products / np.outer(spread, spread)
    np.fill_diagonal(result, 1)
    return result


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Correspondence analysis of a table: d = min(R, C) - 1 dimensions, the largest inertia first.

    inertia       (d,) principal inertias; their sum is φ² = X²/n
    share         (d,) of the total
    correlation   (d,) canonical correlations, √inertia
    rows, columns (R, d), (C, d) principal coordinates. A dimension's sign is arbitrary; here the row farthest
                  from the origin (the first of several) is on its positive side
    """

    inertia: Floats
    total: float
    share: Floats
    correlation: Floats
    rows: Floats
    columns: Floats


def correspondence(table: ArrayLike) -> Correspondence:
    """Return the correspondence analysis of a table of counts, weighted or not, shape (R, C) (Greenacre 2017).

    Raises NotTestable as association(), and for a table without any association.
    """
    counts = _counts(table)
    share = counts / counts.sum()
    row, column = share.sum(axis=1), share.sum(axis=0)
    expected = np.outer(row, column)
    left, values, right = np.linalg.svd((share - expected) / np.sqrt(expected), full_matrices=False)
    size = min(counts.shape) - 1
    left, values, right = left[:, :size], values[:size], right[:size].T
    inertia = values**2
    if inertia.sum() < 1e-20:
        raise NotTestable("rows and columns are exactly independent; there are no dimensions to show")
    rows, columns = left * values / np.sqrt(row)[:, None], right * values / np.sqrt(column)[:, None]
    # The largest by a margin, so that rounding doesn't choose between two equally far.
    distance = np.abs(rows)
    farthest = (distance >= distance.max(axis=0) * (1 - 1e-9)).argmax(axis=0)
    sign = np.where(rows[farthest, np.arange(size)] < 0, -1.0, 1.0)
    total = float(inertia.sum())
    return Correspondence(inertia, total, inertia / total, values, rows * sign, columns * sign)


def _kendall(values: Floats) -> Floats:
    from scipy.stats import kendalltau

    k = values.shape[1]
    result = np.eye(k)
    for i in range(k):
        for j in range(i):
            result[i, j] = result[j, i] = kendalltau(values[:, i], values[:, j]).statistic
    return result


def _wilson(p: float, n: int, z: float) -> tuple[float, float]:
    middle, below = p + z**2 / (2 * n), 1 + z**2 / n
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return float((middle - half) / below), float((middle + half) / below)


def _counts(table: ArrayLike) -> Floats:
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or min(counts.shape) < 2:
        raise NotTestable(f"a table of shape {counts.shape} has no association; two rows and two columns are needed")
    if not np.isfinite(counts).all() or (counts < 0).any():
        raise NotTestable("the counts of a table must be finite and not negative")
    for axis, what in ((1, "row"), (0, "column")):
        empty = np.flatnonzero(counts.sum(axis=axis) == 0)
        if len(empty):
            raise NotTestable(f"{what} {empty[0] + 1} of the table is empty; leave it out")
    return counts
