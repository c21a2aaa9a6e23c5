"""Means of groups as other programs compare them: a simple random sample, no weights, no clusters.

For comparing with those programs, and for experiments. Under a design use letters.compare_means_of().
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from analysis import multiplicity
from analysis.categories import NotTestable, categories, several
from analysis.design import Codes, Floats
from analysis.estimators import LEVEL, t_interval

Spread = Literal["pooled", "welch"]


@dataclass(frozen=True, eq=False)
class GroupMeans:
    """What the tests are made of: each group's size, mean and standard deviation (n - 1; NaN of one respondent)."""

    groups: tuple[str, ...]
    n: Codes
    mean: Floats
    sd: Floats

    @property
    def within(self) -> float:
        """Sum of squares within the groups."""
        return float((np.nan_to_num(self.sd) ** 2 * (self.n - 1)).sum())

    @property
    def df(self) -> int:
        """Degrees of freedom within the groups."""
        return int(self.n.sum()) - len(self.n)

    @property
    def mean_square(self) -> float:
        return self.within / self.df


def group_means(y: ArrayLike, group: ArrayLike) -> GroupMeans:
    """Return the groups' sizes, means and standard deviations of *y*, shape (n,), NaN missing; *group* labels.

    Raises NotTestable for a single group, and where nobody differs from the rest of the group.
    """
    values = np.asarray(y, dtype=float)
    if values.ndim != 1 or np.isinf(values).any():
        raise NotTestable("the answers must be one finite number a respondent, NaN where missing")
    codes, _ = categories(group, len(values), "the group")
    inside = ~np.isnan(values) & (codes >= 0)
    codes, labels = categories(np.asarray(group)[inside], int(inside.sum()), "the group")
    several(labels, "the group")
    values = values[inside]
    n = np.bincount(codes)
    mean = np.bincount(codes, values) / n
    squares = np.bincount(codes, (values - mean[codes]) ** 2)
    if squares.sum() <= 1e-24 * (values**2).sum():
        raise NotTestable("within every group all answers are the same; means without spread can't be tested")
    sd = np.sqrt(np.where(n > 1, squares / np.maximum(n - 1, 1), np.nan))
    return GroupMeans(labels, n, mean, sd)


@dataclass(frozen=True)
class MeanPair:
    """The means of two groups: first - second, with the interval that goes with the test."""

    first: str
    second: str
    difference: float
    se: float
    low: float
    high: float
    t: float
    df: float
    p: float
    p_adjusted: float


def compare_means(
    y: ArrayLike, group: ArrayLike, *, spread: Spread, adjust: multiplicity.Method = "bonferroni"
) -> tuple[MeanPair, ...]:
    """Return the t test of every pair of groups. R: pairwise.t.test().

    spread  "pooled": one standard deviation from all groups (SPSS' ALLCATS; R: pool.sd=TRUE); "welch": each
            pair from its own two, with Welch's degrees of freedom (R: pool.sd=FALSE)
    adjust  over all pairs; the intervals are of one pair alone, 95 %

    The other arguments as group_means(). Raises NotTestable also for a group of one or without spread under "welch".
    """
    if spread not in get_args(Spread):
        raise NotTestable(f"no spread is called {spread!r}; choose pooled or welch")
    of = group_means(y, group)
    first, second = np.array(list(combinations(range(len(of.n)), 2))).T
    if spread == "pooled":
        se = np.sqrt(of.mean_square * (1 / of.n[first] + 1 / of.n[second]))
        df = np.full(len(se), float(of.df))
    else:
        variance = _own_variance(of)
        se = np.sqrt(variance[first] + variance[second])
        parts = variance**2 / (of.n - 1)
        df = se**4 / (parts[first] + parts[second])
    return _pairs(of, first, second, se, df, adjust)


def tukey(y: ArrayLike, group: ArrayLike, *, level: float = LEVEL) -> tuple[MeanPair, ...]:
    """Return Tukey's honest significant differences of every pair, with simultaneous intervals. R: TukeyHSD().

    Tukey-Kramer for groups of unequal size. p_adjusted and the interval are of the studentised range; p is of
    the pair alone with the pooled standard deviation. Arguments and errors as group_means().
    """
    from scipy.stats import studentized_range

    of = group_means(y, group)
    first, second = np.array(list(combinations(range(len(of.n)), 2))).T
    se = np.sqrt(of.mean_square * (1 / of.n[first] + 1 / of.n[second]))
    plain = _pairs(of, first, second, se, np.full(len(se), float(of.df)), "none")
    q = np.abs(of.mean[first] - of.mean[second]) / se * np.sqrt(2)
    p = studentized_range.sf(q, len(of.n), of.df)
    half = studentized_range.ppf(level, len(of.n), of.df) / np.sqrt(2)
    return tuple(
        MeanPair(
            one.first,
            one.second,
            one.difference,
            one.se,
            float(one.difference - half * one.se),
            float(one.difference + half * one.se),
            one.t,
            one.df,
            one.p,
            float(np.clip(adjusted, 0, 1)),
        )
        for one, adjusted in zip(plain, p, strict=True)
    )


@dataclass(frozen=True)
class Anova:
    """Analysis of variance of groups: F, and the share of the variance the groups explain.

    omega_squared  η² without what chance adds; may be slightly negative where there is nothing
    """

    f: float
    ndf: int
    ddf: int
    p: float
    eta_squared: float
    omega_squared: float


def anova(y: ArrayLike, group: ArrayLike) -> Anova:
    """Return the one-way analysis of variance. R: aov(). Arguments and errors as group_means()."""
    from scipy.special import fdtrc

    of = group_means(y, group)
    ndf = len(of.n) - 1
    grand = float((of.n * of.mean).sum() / of.n.sum())
    between = float((of.n * (of.mean - grand) ** 2).sum())
    f = between / ndf / of.mean_square
    eta = between / (between + of.within)
    omega = (between - ndf * of.mean_square) / (between + of.within + of.mean_square)
    return Anova(f, ndf, of.df, float(fdtrc(ndf, of.df, f)), eta, omega)


@dataclass(frozen=True)
class WelchAnova:
    """Welch's analysis of variance, which doesn't suppose that the groups vary alike."""

    f: float
    ndf: int
    ddf: float
    p: float


def welch_anova(y: ArrayLike, group: ArrayLike) -> WelchAnova:
    """Return Welch's (1951, Biometrika 38) one-way test. R: oneway.test(). Arguments as group_means().

    Raises NotTestable as group_means(), and for a group of one respondent or without spread.
    """
    from scipy.special import fdtrc

    of = group_means(y, group)
    k = len(of.n)
    weight = 1 / _own_variance(of)
    centre = float((weight * of.mean).sum() / weight.sum())
    uneven = float(((1 - weight / weight.sum()) ** 2 / (of.n - 1)).sum() / (k**2 - 1))
    f = float((weight * (of.mean - centre) ** 2).sum() / (k - 1) / (1 + 2 * (k - 2) * uneven))
    ddf = 1 / (3 * uneven)
    return WelchAnova(f, k - 1, ddf, float(fdtrc(k - 1, ddf, f)))


def _own_variance(of: GroupMeans) -> Floats:
    """Return the variance of each group's mean."""
    poor = np.flatnonzero(~(of.sd > 0))
    if len(poor):
        raise NotTestable(
            f"group {of.groups[poor[0]]} has {of.n[poor[0]]} respondents and no spread of its own; "
            "leave it out, or compare with the pooled standard deviation"
        )
    return of.sd**2 / of.n


def _pairs(
    of: GroupMeans, first: Codes, second: Codes, se: Floats, df: Floats, adjust: multiplicity.Method
) -> tuple[MeanPair, ...]:
    from scipy.special import stdtr

    difference = of.mean[first] - of.mean[second]
    t = difference / se
    p = 2 * stdtr(df, -np.abs(t))
    low, high = t_interval(difference, se, df)
    numbers = np.stack([difference, se, low, high, t, df, p, multiplicity.adjusted(p, adjust)], axis=1)
    return tuple(
        MeanPair(of.groups[a], of.groups[b], *row)
        for a, b, row in zip(first.tolist(), second.tolist(), numbers.tolist(), strict=True)
    )
