"""Repeated measures: several answers of the same respondent, such as today, wished and in the strategy.

`gap` and `gaps_by_group` are under the design and are what reports should use. Friedman, Wilcoxon, the sign
test, Cochran's Q, McNemar, Bowker and Stuart-Maxwell are the textbook's unweighted companions: they take every
respondent for independent, which colleagues are not, so their p-values are too small where colleagues agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from analysis.categories import NotTestable, categories
from analysis.design import Design, DesignError, Floats
from analysis.estimators import Estimate, mean
from analysis.multiplicity import adjusted
from analysis.significance import Test

# ---- under the design -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Gap:
    """A mean difference after - before with the test that it is 0.

    estimate  the mean gap in scale points, its standard error, interval and base
    t, df, p  estimate / standard error against t(df), two-sided; NaN where the estimate is not estimable
    holm      p adjusted by Holm among the gaps that were asked for together; NaN where p is. A gap that could
              not be tested counts as one with p = 1.
    """

    estimate: Estimate
    t: float
    df: int
    p: float
    holm: float

    @property
    def estimable(self) -> bool:
        return self.estimate.estimable


def gap(before: ArrayLike, after: ArrayLike, design: Design) -> Gap:
    """Return the mean of after - before, (n,) each, among those who gave both, with its test. R: svyttest(gap ~ 0).

    As svyttest, the test gives up one degree of freedom more than PSUs - strata, for the mean it estimates
    (the interval of `estimate` does not: it is svymean's).

    Raises DesignError for answers of another length than the design or infinite ones, NotTestable if nobody
    gave both.
    """
    found = _gap(_numbers(before, design), _numbers(after, design), design)
    return _tested(found, found.df - 1)


def gaps_by_group(
    before: ArrayLike, after: ArrayLike, group: ArrayLike, design: Design, *, wide_df: bool = True
) -> dict[str, Gap]:
    """Return the gap of every group, adjusted by Holm over the groups. R: svyby(~gap, ~group, svymean).

    group    (n,) labels; None or NaN: in no group
    wide_df  take the degrees of freedom of the whole base for the tests, as R's confint(svyby(), df=degf());
             False: those of each group's own PSUs, which is more cautious where a group has few

    Raises as `gap` does; a group in which nobody gave both answers is left out.
    """
    first, second = _numbers(before, design), _numbers(after, design)
    codes, labels = categories(group, len(design), "the groups")
    both = ~np.isnan(first + second) & (codes >= 0)
    base = design.domain(both)
    found = {}
    for position, label in enumerate(labels):
        inside = both & (codes == position) & design.members
        if inside.any():
            one = _gap(first, second, design.domain(inside))
            found[label] = _tested(one, base.degrees() if wide_df else one.df)
    if not found:
        raise NotTestable("nobody in any group gave both answers; there is no gap to test")
    return dict(zip(found, together(tuple(found.values())), strict=True))


def together(gaps: Sequence[Gap]) -> tuple[Gap, ...]:
    """Return *gaps* with their p-values adjusted by Holm over all of them."""
    tested = [not np.isnan(one.p) for one in gaps]
    holm = adjusted([one.p if known else 1.0 for one, known in zip(gaps, tested, strict=True)], "holm")
    return tuple(
        replace(one, holm=float(p) if known else np.nan) for one, known, p in zip(gaps, tested, holm, strict=True)
    )


def _gap(before: Floats, after: Floats, design: Design) -> Estimate:
    found = mean(after - before, design)
    if not found.n:
        raise NotTestable("nobody gave both answers; there is no gap to test")
    return found


def _tested(estimate: Estimate, df: int) -> Gap:
    from scipy.special import stdtr

    if not estimate.estimable or df < 1:
        return Gap(estimate, np.nan, max(df, 0), np.nan, np.nan)
    t = estimate.value / estimate.se
    p = float(2 * stdtr(df, -abs(t)))
    return Gap(estimate, float(t), df, p, p)


def _numbers(values: ArrayLike, design: Design) -> Floats:
    numbers = np.asarray(values, dtype=float)
    if numbers.shape != design.weight.shape:
        raise DesignError(f"the answers have shape {numbers.shape}, the design has {len(design)} respondents")
    return numbers


# ---- ranks of several answers -------------------------------------------------------------------------


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that k answers of the same n respondents have one distribution.

    test       χ² with k - 1 degrees of freedom, corrected for ties
    kendall_w  Kendall's coefficient of concordance, χ² / n(k - 1): 0 no common order … 1 all rank alike
    n          respondents who gave all k answers
    """

    test: Test
    kendall_w: float
    n: int


def friedman(y: ArrayLike) -> Friedman:
    """Return Friedman's test of the columns of *y*, (n, k). R: friedman.test().

    A respondent with a missing answer is left out. Numbers are compared as they are: round averages of
    unequal numbers of items first, or sums in another order may break their ties.
    Friedman (1937), J. Am. Stat. Assoc. 32.

    Raises NotTestable with fewer than two answers each, without complete respondents, and where every
    respondent gave the same answer every time.
    """
    from scipy.stats import rankdata

    answers = _complete(_table(y))
    n, k = answers.shape
    ranks = rankdata(answers, axis=1)
    spread = float(((ranks - (k + 1) / 2) ** 2).sum())  # n k (k² - 1) / 12 without ties
    if spread == 0:
        raise NotTestable("every respondent gave the same answer each time, so there is nothing to rank")
    centred = ranks.sum(axis=0) - n * (k + 1) / 2
    statistic = float((centred**2).sum()) * (k - 1) / spread
    return Friedman(_chi2(statistic, k - 1), statistic / (n * (k - 1)), n)


@dataclass(frozen=True)
class PairedComparison:
    """Two answers of the same respondents, first - second, by Wilcoxon's signed ranks and by signs.

    first, second   the columns compared, by number or by the names given
    n, n_nonzero    respondents who gave both; those of them whose answers differ
    v               sum of the ranks of positive differences; zeros dropped, ties at mid-rank
    p, p_corrected  two-sided normal p-value of v with the variance of tied ranks; with continuity correction
    holm            p adjusted by Holm over the pairs
    sign_p          exact two-sided p-value of the sign test
    mean_difference of all n
    dz              mean difference over its standard deviation; NaN where all differences are equal
    rank_biserial   (positive - negative rank sum) / rank sum, -1 … 1

    Where nobody's answers differ, v and rank_biserial are 0 and every p-value is 1.
    """

    first: int | str
    second: int | str
    n: int
    n_nonzero: int
    v: float
    p: float
    p_corrected: float
    holm: float
    sign_p: float
    mean_difference: float
    dz: float
    rank_biserial: float


def wilcoxon_pairs(y: ArrayLike, *, names: Sequence[str] | None = None) -> tuple[PairedComparison, ...]:
    """Return Wilcoxon's signed-rank and the sign test of every pair of columns of *y*, (n, k). R: wilcox.test().

    names  of the columns; None: their numbers from 0

    Each pair uses those who gave both. Numbers are compared as they are, as in `friedman`.
    Wilcoxon (1945), Biometrics Bulletin 1. Raises NotTestable for fewer than two columns, or a pair that
    nobody answered.
    """
    answers = _table(y)
    labels = _names(names, answers.shape[1])
    made = [_signed_ranks(answers[:, [i, j]], labels[i], labels[j]) for i, j in combinations(range(len(labels)), 2)]
    holm = adjusted([one.p for one in made], "holm")
    return tuple(replace(one, holm=float(p)) for one, p in zip(made, holm, strict=True))


def _signed_ranks(pair: Floats, first: int | str, second: int | str) -> PairedComparison:
    from scipy.special import ndtr
    from scipy.stats import rankdata

    known = _complete(pair)
    d = known[:, 0] - known[:, 1]
    nonzero = d[d != 0]
    m = len(nonzero)
    ranks = rankdata(np.abs(nonzero)) if m else np.zeros(0)
    v = float(ranks[nonzero > 0].sum())
    ties = np.unique(ranks, return_counts=True)[1]
    variance = m * (m + 1) * (2 * m + 1) / 24 - float((ties.astype(float) ** 3 - ties).sum()) / 48
    off = v - m * (m + 1) / 4
    z = off / np.sqrt(variance) if m else 0.0
    z_corrected = (off - np.sign(off) / 2) / np.sqrt(variance) if m else 0.0
    spread = float(d.std(ddof=1)) if len(d) > 1 and np.ptp(d) > 0 else np.nan
    return PairedComparison(
        first=first,
        second=second,
        n=len(d),
        n_nonzero=m,
        v=v,
        p=float(2 * ndtr(-abs(z))),
        p_corrected=float(2 * ndtr(-abs(z_corrected))),
        holm=np.nan,
        sign_p=sign_test(d),
        mean_difference=float(d.mean()),
        dz=float(d.mean()) / spread,
        rank_biserial=float((np.sign(nonzero) * ranks).sum() / ranks.sum()) if m else 0.0,
    )


def sign_test(differences: ArrayLike) -> float:
    """Return the exact two-sided p-value that positive and negative *differences*, (n,), are equally likely.

    Zeros and missing ones are dropped; 1 where nothing is left. R: binom.test() of the positive ones.
    """
    d = np.asarray(differences, dtype=float)
    return _exact(int((d > 0).sum()), int((d < 0).sum()))


# ---- picks of several items ---------------------------------------------------------------------------


@dataclass(frozen=True)
class CochranQ:
    """Cochran's test that k items are picked equally often by the same respondents.

    test         Q against χ²(k - 1); statistic 0 and p 1 where nobody tells the items apart
    n            respondents who answered all items
    informative  those of them who picked some but not all: only they tell the items apart
    """

    test: Test
    n: int
    informative: int


def cochran_q(items: ArrayLike) -> CochranQ:
    """Return Cochran's Q of *items*, (n, k) of 1, 0 or NaN; a respondent with a missing one is left out.

    Cochran (1950), Biometrika 37. Raises DesignError for other numbers, NotTestable for fewer than two items.
    """
    picks = _complete(_picks(items))
    n, k = picks.shape
    of_item, of_respondent = picks.sum(axis=0), picks.sum(axis=1)
    below = float(k * of_respondent.sum() - (of_respondent**2).sum())
    above = float((k - 1) * (k * (of_item**2).sum() - of_item.sum() ** 2))
    informative = int(((of_respondent > 0) & (of_respondent < k)).sum())
    return CochranQ(_chi2(above / below if below else 0.0, k - 1), n, informative)


@dataclass(frozen=True)
class McNemar:
    """Two items picked by the same respondents: is one picked more often?

    only_first, only_second  respondents who picked just the one
    test                     (b - c)² / (b + c) against χ²(1), without continuity correction
    exact                    two-sided binomial p-value; holm that adjusted over the pairs

    Where nobody picked just one of the two, the statistic is 0 and every p-value 1.
    """

    first: int | str
    second: int | str
    n: int
    only_first: int
    only_second: int
    test: Test
    exact: float
    holm: float


def mcnemar_pairs(items: ArrayLike, *, names: Sequence[str] | None = None) -> tuple[McNemar, ...]:
    """Return McNemar's test of every pair of *items*, (n, k) of 1, 0 or NaN, with Holm over the exact p-values.

    names  of the items; None: their numbers from 0

    Each pair uses those who answered both. McNemar (1947), Psychometrika 12. Raises as `cochran_q` does.
    """
    picks = _picks(items)
    labels = _names(names, picks.shape[1])
    made = []
    for i, j in combinations(range(len(labels)), 2):
        pair = _complete(picks[:, [i, j]])
        b, c = int((pair[:, 0] > pair[:, 1]).sum()), int((pair[:, 0] < pair[:, 1]).sum())
        statistic = (b - c) ** 2 / (b + c) if b + c else 0.0
        made.append(McNemar(labels[i], labels[j], len(pair), b, c, _chi2(statistic, 1), _exact(b, c), np.nan))
    holm = adjusted([one.exact for one in made], "holm")
    return tuple(replace(one, holm=float(p)) for one, p in zip(made, holm, strict=True))


# ---- two answers as a square table --------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class MarginalHomogeneity:
    """A square table of the same question asked twice: is change as frequent one way as the other?

    table           (k, k) respondents by first (rows) and second answer
    bowker          symmetry: Σ (n_ij - n_ji)² / (n_ij + n_ji) over the pairs that occur, χ²(their number)
    stuart_maxwell  equal margins: d' S⁻ d, χ²(rank of S); rank is k - 1 where change links all categories

    Where nobody changed, statistics and degrees of freedom are 0 and p-values 1.
    """

    table: Floats
    bowker: Test
    stuart_maxwell: Test


def square_table(first: ArrayLike, second: ArrayLike) -> tuple[Floats, tuple[str, ...]]:
    """Return the counts of two answers to one question, (k, k), and its k sorted labels; missing ones are left out."""
    one, other = np.asarray(first), np.asarray(second)
    if one.ndim != 1 or one.shape != other.shape:
        raise DesignError(f"the answers have shapes {one.shape} and {other.shape}; two of each respondent are needed")
    codes, labels = categories(np.concatenate([one, other]), 2 * len(one), "the answers")
    pair = codes.reshape(2, -1)
    inside = (pair >= 0).all(axis=0)
    k = len(labels)
    return np.bincount(pair[0][inside] * k + pair[1][inside], minlength=k * k).reshape(k, k).astype(float), labels


def marginal_homogeneity(table: ArrayLike) -> MarginalHomogeneity:
    """Return Bowker's and Stuart and Maxwell's tests of a square *table* of counts, (k, k). R: mcnemar.test().

    Differs from R where a pair of categories was never exchanged: R's statistic is then NaN; here such a pair
    adds nothing and takes its degree of freedom along. Bowker (1948), J. Am. Stat. Assoc. 43; Stuart (1955),
    Biometrika 42; Maxwell (1970), Br. J. Psychiatry 116.

    Raises DesignError for a table that is not square, has a negative or missing count, or is empty.
    """
    counts = np.asarray(table, dtype=float)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or len(counts) < 2:
        raise DesignError(f"the table has shape {counts.shape}; the same two or more categories both ways are needed")
    if not (np.isfinite(counts) & (counts >= 0)).all() or not counts.any():
        raise DesignError("the table has a negative or missing count, or none at all; give numbers of respondents")
    return MarginalHomogeneity(counts, _bowker(counts), _stuart_maxwell(counts))


def _bowker(counts: Floats) -> Test:
    upper = np.triu_indices(len(counts), 1)
    one, other = counts[upper], counts.T[upper]
    changed = one + other > 0
    statistic = float(((one - other)[changed] ** 2 / (one + other)[changed]).sum())
    return _chi2(statistic, int(changed.sum()))


def _stuart_maxwell(counts: Floats) -> Test:
    difference = counts.sum(axis=1) - counts.sum(axis=0)
    moved = counts + counts.T
    np.fill_diagonal(moved, 0)
    # The covariance of the differences is the Laplacian of who moved where; it always lacks one rank at least,
    # and one more for every group of categories that nobody left or entered.
    laplacian = np.diag(moved.sum(axis=1)) - moved
    rank = len(counts) - _linked_groups(moved > 0)
    return _chi2(float(difference @ np.linalg.pinv(laplacian, hermitian=True) @ difference), rank)


def _linked_groups(linked: np.ndarray) -> int:
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(linked, directed=False, return_labels=False))


# ---- what they share ----------------------------------------------------------------------------------


def _chi2(statistic: float, df: int) -> Test:
    from scipy.special import chdtrc

    return Test(float(statistic), float(df), None, float(chdtrc(df, statistic)) if df else 1.0)


def _exact(one: int, other: int) -> float:
    """Return the two-sided p-value that of one + other even chances so few, or fewer, fell to the rarer side."""
    from scipy.special import bdtr

    n, rarer = one + other, min(one, other)
    return 1.0 if 2 * rarer == n else min(1.0, 2 * float(bdtr(rarer, n, 0.5)))


def _table(y: ArrayLike) -> Floats:
    answers = np.asarray(y, dtype=float)
    if answers.ndim != 2 or answers.shape[1] < 2:
        raise NotTestable(f"the answers have shape {answers.shape}; two or more columns of n respondents are needed")
    if np.isinf(answers).any():
        raise DesignError("an answer is infinite; missing answers are NaN")
    return answers


def _picks(items: ArrayLike) -> Floats:
    picks = _table(items)
    if not (np.isnan(picks) | (picks == 0) | (picks == 1)).all():
        raise DesignError("picks are 1, 0 or missing (NaN); levels of a weighted choice are made picks by level > 0")
    return picks


def _complete(answers: Floats) -> Floats:
    kept = answers[~np.isnan(answers).any(axis=1)]
    if not len(kept):
        raise NotTestable("no respondent gave all of these answers; there is nothing to compare")
    return kept


def _names(names: Sequence[str] | None, columns: int) -> Sequence[int | str]:
    if names is not None and len(names) != columns:
        raise DesignError(f"{len(names)} names were given for {columns} columns")
    return range(columns) if names is None else names
