"""Tests of ranks: under the design, and their plain companions for a simple random sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from analysis import estimators, multiplicity
from analysis.categories import NotTestable, categories, several, two
from analysis.design import Codes, Design, Floats
from analysis.significance import Test, quadratic, two_sided

Score = Literal["wilcoxon", "van_der_waerden", "median"]
Ties = Literal["in_order", "midrank"]


@dataclass(frozen=True)
class RankTest:
    """Two groups under the design: the difference of their mean rank scores (second group - first) and its t."""

    groups: tuple[str, str]
    difference: float
    se: float
    t: float
    df: int
    p: float


def rank_test(
    y: ArrayLike, group: ArrayLike, design: Design, *, score: Score = "wilcoxon", ties: Ties = "in_order"
) -> RankTest:
    """Return the rank test of *y* between two groups under the design. R: svyranktest().

    y      (n,) numbers, NaN missing
    group  (n,) two labels, None or NaN missing
    score  what is made of the estimated population rank r of N: wilcoxon r/N, van_der_waerden its normal
           quantile, median whether it is above 1/2
    ties   equal answers get the mean of their weighted ranks. "in_order", as R, takes the ranks in the order of
           the rows, so that with unequal weights and ties the order of the file enters (t moves by up to 0.2 % in
           our reference cases);
           "midrank" gives all of them the middle of their common weight, whatever the order

    Lumley and Scott (2013, Biometrika 100): ranks are estimated with the weights and then taken as given.
    Degrees of freedom: PSUs - strata of the base, less one. Raises NotTestable unless there are two groups, a
    degree of freedom and a spread.
    """
    scores, codes, labels, base = _scored(y, group, design, score, ties)
    two(labels, "the group")
    first, second = (estimators.mean(np.where(codes == number, scores, np.nan), base) for number in range(2))
    difference = estimators.difference(second, first)
    df = base.degrees() - 1
    if df < 1:
        raise NotTestable(f"{df + 1} degrees of freedom (PSUs - strata) are too few to compare two groups")
    if not difference.estimable:
        raise NotTestable("the rank scores have no variance under this design; there is nothing to compare")
    t = difference.value / difference.se
    return RankTest((labels[0], labels[1]), difference.value, difference.se, t, df, two_sided(t, df))


@dataclass(frozen=True)
class RankTestOfSeveral:
    """Several groups under the design: Wald's chi-squared of their mean rank scores, and the F made of it."""

    groups: tuple[str, ...]
    mean_scores: tuple[float, ...]
    chi_squared: float
    test: Test


def rank_test_of_several(
    y: ArrayLike, group: ArrayLike, design: Design, *, score: Score = "wilcoxon", ties: Ties = "in_order"
) -> RankTestOfSeveral:
    """Return the rank test of *y* between k groups under the design. R: svyranktest(test="KruskalWallis").

    Arguments as rank_test(). F = chi-squared / (k - 1) with k - 1 and PSUs - strata - (k - 1) degrees of freedom.
    (R's object has chi-squared under "parameter" and k - 1 under "statistic".)
    Raises NotTestable as rank_test(), and where the groups' scores have a singular covariance.
    """
    from scipy.special import fdtrc

    scores, codes, labels, base = _scored(y, group, design, score, ties)
    several(labels, "the group")
    means = [estimators.mean(np.where(codes == number, scores, np.nan), base) for number in range(len(labels))]
    ndf = len(labels) - 1
    ddf = base.degrees() - ndf
    if ddf < 1:
        raise NotTestable(
            f"{len(labels)} groups need more than {ndf} degrees of freedom (PSUs - strata); there are {base.degrees()}"
        )
    against_first = np.column_stack([-np.ones(ndf), np.eye(ndf)])
    values = np.array([one.value for one in means])
    spread = against_first @ estimators.covariances(means) @ against_first.T
    wald = quadratic(against_first @ values, spread, "the rank test")
    test = Test(wald / ndf, ndf, ddf, float(fdtrc(ndf, ddf, wald / ndf)))
    return RankTestOfSeveral(labels, tuple(float(value) for value in values), wald, test)


def weighted_ranks(y: Floats, weight: Floats, *, ties: Ties = "in_order") -> Floats:
    """Return the estimated population rank of each answer: the weight below it and half its own. Positive weights."""
    order = np.argsort(y, kind="stable")
    middle = np.cumsum(weight[order]) - weight[order] / 2
    _, tied = np.unique(y[order], return_inverse=True)
    share = np.ones(len(y)) if ties == "in_order" else weight[order]
    ranks = np.empty(len(y))
    # Weighted by their own weights, the ranks of tied answers average to the middle of their common weight.
    ranks[order] = (np.bincount(tied, middle * share) / np.bincount(tied, share))[tied]
    return ranks


def _scored(
    y: ArrayLike, group: ArrayLike, design: Design, score: Score, ties: Ties
) -> tuple[Floats, Codes, tuple[str, ...], Design]:
    """Return the scores, the groups' positions and labels, and the base."""
    if score not in get_args(Score) or ties not in get_args(Ties):
        raise NotTestable(f"score {score!r} or ties {ties!r} is unknown; see rank_test()")
    values = np.asarray(y, dtype=float)
    labels = np.asarray(group)
    codes, names = categories(labels, len(design), "the group")
    if values.shape != codes.shape:
        raise NotTestable(f"the answers have shape {values.shape}, the design has {len(design)} respondents")
    inside = ~np.isnan(values) & (codes >= 0) & design.members
    present = np.unique(codes[inside])
    if inside.any() and np.ptp(values[inside]) == 0:
        raise NotTestable("everybody gave the same answer; there are no ranks to compare")
    weight = design.weight[inside]
    scores = np.full(len(design), np.nan)
    ranks = weighted_ranks(values[inside], weight, ties=ties)
    scores[inside] = _SCORES[score](ranks, float(weight.sum()))
    place = np.full(len(names) + 1, -1, np.int64)
    place[present] = np.arange(len(present))
    return scores, place[codes], tuple(names[code] for code in present), design.domain(inside)


def _normal(rank: Floats, size: float) -> Floats:
    from scipy.special import ndtri

    return ndtri(rank / size)


_SCORES: dict[str, Callable[[Floats, float], Floats]] = {
    "wilcoxon": lambda rank, size: rank / size,
    "van_der_waerden": _normal,
    "median": lambda rank, size: (rank > size / 2).astype(float),
}


@dataclass(frozen=True)
class Kruskal:
    """Kruskal-Wallis' H, corrected for ties, and ε² = H / (n - 1): 0 no difference, 1 the groups don't overlap."""

    groups: tuple[str, ...]
    n: int
    h: float
    df: int
    p: float
    epsilon_squared: float


def kruskal(y: ArrayLike, group: ArrayLike) -> Kruskal:
    """Return the Kruskal-Wallis test of *y*, shape (n,), NaN missing, between groups of labels; unweighted.

    R: kruskal.test(). Raises NotTestable for a single group and a constant answer.
    """
    from scipy.special import chdtrc

    ranks, codes, labels = _ranked(y, group)
    n, sizes = len(ranks), np.bincount(codes)
    means = np.bincount(codes, ranks) / sizes
    h = float((sizes * (means - (n + 1) / 2) ** 2).sum() / _rank_variance(ranks))
    df = len(labels) - 1
    return Kruskal(labels, n, h, df, float(chdtrc(df, h)), h / (n - 1))


@dataclass(frozen=True)
class DunnPair:
    """Two groups of Dunn's test: z is positive where the first group's answers are the larger."""

    first: str
    second: str
    z: float
    p: float
    p_adjusted: float


def dunn(y: ArrayLike, group: ArrayLike, *, adjust: multiplicity.Method = "holm") -> tuple[DunnPair, ...]:
    """Return Dunn's (1964) test of every pair of groups on the common ranks, corrected for ties; unweighted.

    Arguments as kruskal(); *adjust* is the adjustment over all pairs. Raises NotTestable as kruskal().
    """
    from scipy.special import ndtr

    ranks, codes, labels = _ranked(y, group)
    sizes = np.bincount(codes)
    means = np.bincount(codes, ranks) / sizes
    pairs = list(combinations(range(len(labels)), 2))
    first, second = np.array(pairs).T
    z = (means[first] - means[second]) / np.sqrt(_rank_variance(ranks) * (1 / sizes[first] + 1 / sizes[second]))
    p = 2 * ndtr(-np.abs(z))
    found = zip(pairs, z, p, multiplicity.adjusted(p, adjust), strict=True)
    return tuple(DunnPair(labels[a], labels[b], float(t), float(raw), float(new)) for (a, b), t, raw, new in found)


@dataclass(frozen=True)
class MannWhitney:
    """Two groups: U of the first, its p-value and Cliff's delta (the rank-biserial correlation).

    cliff_delta  share of pairs in which the first group's answer is the larger, less those in which it is the smaller
    """

    groups: tuple[str, str]
    u: float
    p: float
    cliff_delta: float


def mann_whitney(y: ArrayLike, group: ArrayLike) -> MannWhitney:
    """Return the Mann-Whitney test of *y* between two groups, by the normal approximation corrected for ties.

    Unweighted, without continuity correction (R: wilcox.test(exact=FALSE, correct=FALSE)). Arguments as
    kruskal(). Raises NotTestable unless there are two groups, and for a constant answer.
    """
    from scipy.special import ndtr

    ranks, codes, labels = _ranked(y, group)
    two(labels, "the group")
    size, other = (int(number) for number in np.bincount(codes))
    u = float(ranks[codes == 0].sum() - size * (size + 1) / 2)
    pairs = size * other
    z = (u - pairs / 2) / np.sqrt(_rank_variance(ranks) * pairs * (1 / (size + other)))
    return MannWhitney((labels[0], labels[1]), u, float(2 * ndtr(-abs(z))), 2 * u / pairs - 1)


def _rank_variance(ranks: Floats) -> float:
    """Return the variance of the ranks with n - 1: n(n + 1)/12 without ties."""
    return float(np.var(ranks, ddof=1))


def _ranked(y: ArrayLike, group: ArrayLike) -> tuple[Floats, Codes, tuple[str, ...]]:
    from scipy.stats import rankdata

    values = np.asarray(y, dtype=float)
    if values.ndim != 1:
        raise NotTestable(f"the answers have shape {values.shape}; one number a respondent is needed")
    codes, _ = categories(group, len(values), "the group")
    inside = ~np.isnan(values) & (codes >= 0)
    codes, labels = categories(np.asarray(group)[inside], int(inside.sum()), "the group")
    several(labels, "the group")
    if np.ptp(values[inside]) == 0:
        raise NotTestable("everybody gave the same answer; there are no ranks to compare")
    return rankdata(values[inside]), codes, labels
