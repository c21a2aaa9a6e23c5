"""Multiple-response questions: tests under the design, percentages of three bases, and who picks what together.

A question's *items* are an array (n, J) of picks: 1 picked, 0 not, NaN missing. A question is answered as a
whole: a respondent with any missing item, or without a group of the banner, is out of the base as a domain.

Two questions are asked of picks. Does picking differ between the groups of a banner (`mmi`: multiple
marginal independence)? Is picking one question's items related to picking another's (`spmi`: simultaneous
pairwise marginal independence)? Both are sums of the items' own X², whose distribution the second-order
Rao-Scott correction takes from the design, so weights, strata, clusters and fpc count and a respondent's
picks may depend on each other in any way. The work grows with items squared, never with 2 to their number.

Everything after `cross_totals` needs totals only: an engine that sums elsewhere hands a `CrossTotals` to
`mmi_of_totals` or `spmi_of_totals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.categories import NotTestable, categories, several
from analysis.design import Codes, Design, DesignError, Floats, Mask
from analysis.estimators import Estimate, ratio, share
from analysis.multiplicity import adjusted
from analysis.significance import Test
from analysis.variance import covariance

TESTED, NOBODY, EVERYBODY, NO_VARIANCE = "", "nobody", "everybody", "no_variance"
"""Why an item takes no part in a test: nobody or everybody picked it, or nothing about it varies between PSUs."""

_NOTHING = 1e-12
"""A share of picks closer to 0 or 1 than this is rounding of sums, not a share."""

_BLOCK = 2**21
"""Numbers held at once while respondents are reduced to totals (16 MiB)."""


@dataclass(frozen=True, eq=False)
class CrossTotals:
    """What a multiple-response test needs to know: weighted totals of L · R cells, and their covariance.

    A cell (a, b) sums weight · left[a] · right[b] over the base. Column 0 of `right` is 1 for everybody, so
    total[:, 0] are bases; for `mmi`, `left` tells the groups apart; for `spmi`, its column 0 is 1 as well.

    n           respondents of the base, unweighted
    df          PSUs - strata of the base
    total       (L, R)
    covariance  (L·R, L·R) of the totals, ultimate clusters with fpc; cells in the order of total.ravel()
    """

    n: int
    df: int
    total: Floats
    covariance: Floats


Totals = Callable[[Floats, Floats, Design], CrossTotals]
"""(left, right, design of the base) → the totals of left ⊗ right with their covariance."""


@dataclass(frozen=True, eq=False)
class IndependenceTest:
    """Whether picks are independent of a banner's groups, or of another question's picks.

    n             respondents of the base; scales x2 and nothing else
    df            PSUs - strata of the base, ν
    x2            sum of the items' X² on the weighted tables scaled to n
    eigenvalues   of the design effect matrix, largest first; their sum is what x2 would be by chance
    first_order   x2 / mean eigenvalue against χ²: right on average, too bold where the eigenvalues differ
    second_order  x2 Σλ / Σλ² against χ²(Σλ² over …): Satterthwaite; ndf = (Σλ)² / Σλ²
    f             x2 / Σλ against F(ndf, ndf · ν): the one to report
    item_x2       (J,) for mmi, (I, J) for spmi: each item's (pair's) own X²
    item          tests of the single items, in the order of item_x2.ravel(): their own F
    item_holm     adjusted p-values of `item` by Holm, in the shape of item_x2
    status        in the shape of item_x2: "" tested; "nobody", "everybody" or "no_variance" where the item
                  can't be tested. Such an item is in neither x2 nor the eigenvalues; its item_x2, item and
                  item_holm are NaN, and Holm counts it as p = 1, so that it makes no other look better.
    groups        labels of the banner's groups in the order of the totals; () for spmi
    fixed         (B,) true for a group none of whose shares varies between PSUs: it lies in one PSU, or all of
                  it answer alike. The test takes its shares for known, which is too bold; merge it. () for spmi

    Where no item can be tested `estimable` is False and every statistic is NaN.
    """

    n: int
    df: int
    x2: float
    eigenvalues: Floats
    first_order: Test
    second_order: Test
    f: Test
    item_x2: Floats
    item: tuple[Test, ...]
    item_holm: Floats
    status: NDArray[np.str_]
    groups: tuple[str, ...] = ()
    fixed: tuple[bool, ...] = ()

    @property
    def estimable(self) -> bool:
        return bool((self.status == TESTED).any())

    @property
    def item_p(self) -> Floats:
        """In the shape of item_x2: p-values of the single items before Holm."""
        return np.array([one.p for one in self.item]).reshape(self.item_x2.shape)


def mmi(items: ArrayLike, group: ArrayLike, design: Design, *, totals: Totals | None = None) -> IndependenceTest:
    """Test whether picks are the same in every group of a banner, under the design.

    items  (n, J) 1 picked, 0 not, NaN missing
    group  (n,) labels of any kind; None or NaN missing
    totals what makes the totals and their covariance; None: `cross_totals`, by linearisation

    X² = n Σ_j Σ_g π_g (p_gj - p_j)² / p_j(1 - p_j), with weighted shares; F = X² / Σλ on (d, d·ν) degrees of
    freedom, d = (Σλ)² / Σλ², λ the eigenvalues of n·A·V: V the linearised covariance of the p_gj, A the
    block-diagonal matrix of (diag(π) - ππ') / p_j(1 - p_j). The statistic is Bilder and Loughin's (2004,
    Biometrics 60), equal to theirs at weight 1; the correction is Rao and Scott's (1984) second order in its
    F form (Thomas and Rao 1987). Two groups and one item give the square of the t of the difference.

    Raises DesignError for picks that are not 0, 1 or missing; NotTestable for an empty base, a single group,
    and a base without degrees of freedom (a single PSU in every stratum).
    """
    picks = _picks(items, design)
    codes, labels = categories(group, len(design), "the banner")
    base = _base(_complete(picks) & (codes >= 0), design)
    present = np.unique(codes[base.members])
    names = tuple(labels[one] for one in present)
    several(names, "the banner")
    made = (totals or cross_totals)((codes[:, None] == present).astype(float), _with_base(picks), base)
    return mmi_of_totals(made, groups=names)


def spmi(rows: ArrayLike, columns: ArrayLike, design: Design) -> IndependenceTest:
    """Test whether picks of one question are unrelated to picks of another, pair by pair, under the design.

    rows     (n, I) picks of the one, columns (n, J) of the other: 1, 0 or NaN

    X² = n Σ_ij (p_ij - p_i p_j)² / p_i(1 - p_i) p_j(1 - p_j); F as in `mmi`, λ the eigenvalues of n times the
    linearised covariance of the (p_ij - p_i p_j), each divided by the root of its denominator. Bilder and
    Loughin (2004); equal to their statistic at weight 1. A pair with an item that nobody or everybody picked
    is flagged with that word.

    Raises as `mmi` does.
    """
    one, other = _picks(rows, design), _picks(columns, design)
    base = _base(_complete(one) & _complete(other), design)
    return spmi_of_totals(cross_totals(_with_base(one), _with_base(other), base))


def cross_totals(left: ArrayLike, right: ArrayLike, design: Design) -> CrossTotals:
    """Return the totals of left ⊗ right with their covariance; left (n, L) and right (n, R) without missing.

    Respondents outside the domain of *design* add nothing; their PSUs stay in the design. Memory is a block
    of respondents and the (L·R)² covariance, whatever n, where the design is of one stage.

    Raises DesignError if a stratum has a single PSU (unless the design says they are certain).
    """
    first, second = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    shape = (first.shape[1], second.shape[1])
    if design.by_factor:
        total, spread = _by_factor(first, second, design)
    else:  # further stages, or lonely PSUs compared across strata: the general routine, which holds every cell
        cells = (first[:, :, None] * second[:, None, :]).reshape(len(design), -1) * design.weight[:, None]
        total, spread = cells.sum(axis=0), covariance(cells, design)
    return CrossTotals(int(design.members.sum()), design.degrees(), total.reshape(shape), spread)


def _by_factor(first: Floats, second: Floats, design: Design) -> tuple[Floats, Floats]:
    """Return the totals, (C,), and their covariance as Σ factor · (PSU total - its stratum mean)²."""
    factor = design.factor
    cells = first.shape[1] * second.shape[1]
    total, cross = np.zeros(cells), np.zeros((cells, cells))
    of_stratum = np.zeros((design.strata, cells))
    rows = np.flatnonzero(design.members)
    rows = rows[np.argsort(design.psu[rows], kind="stable")]
    for part in _whole_psus(rows, design.psu, max(_BLOCK // max(cells, 1), 1)):
        weighted = first[part] * design.weight[part, None]
        values = (weighted[:, :, None] * second[part][:, None, :]).reshape(len(part), cells)
        starts = np.flatnonzero(np.diff(design.psu[part], prepend=-1))
        psu_totals = np.add.reduceat(values, starts, axis=0)
        stratum = design.stratum[part[starts]]
        total += psu_totals.sum(axis=0)
        cross += _products(psu_totals, psu_totals * factor[stratum][:, None])
        np.add.at(of_stratum, stratum, psu_totals)
    centre = factor / np.maximum(design.psus_in, 1)
    return total, cross - (of_stratum * centre[:, None]).T @ of_stratum


def _products(one: Floats, other: Floats) -> Floats:
    """Return one' other. With many groups most cells of a PSU are 0, and skipping them is the faster way."""
    if one.size < _BLOCK // 4 or np.count_nonzero(one) > one.size / 8:
        return np.asarray(one.T @ other)
    from scipy.sparse import csr_array

    return np.asarray((csr_array(one).T @ csr_array(other)).toarray())


def _whole_psus(rows: Codes, psu: Codes, size: int) -> Iterator[Codes]:
    """Yield *rows*, sorted by PSU, in parts of about *size* that cut no PSU in two."""
    ends = np.flatnonzero(np.diff(psu[rows], append=-1)) + 1
    start = 0
    while start < len(rows):
        at = min(int(np.searchsorted(ends, start + size)), len(ends) - 1)
        stop = int(ends[at])
        yield rows[start:stop]
        start = stop


def mmi_of_totals(totals: CrossTotals, *, groups: tuple[str, ...] = ()) -> IndependenceTest:
    """Return the test of `mmi` from totals: total[g, 0] is group g's base, total[g, j] who of it picked item j.

    Every group must have a base. Raises NotTestable if not, or if there are no degrees of freedom.
    """
    base = totals.total[:, 0]
    if not (base > 0).all():
        raise NotTestable("a group of the banner has no respondents in the base; leave it out of the totals")
    within = totals.total[:, 1:] / base[:, None]
    size = base / base.sum()
    overall = size @ within
    scale = _scale(overall * (1 - overall))
    # √π and the contrasts orthogonal to it split Σ_g π_g (p_gj - p_j)² into B - 1 squares.
    contrast = np.sqrt(size)[:, None] * _orthogonal_to(np.sqrt(size))
    deviations = (contrast.T @ within).T / scale[:, None]
    slope = contrast / base[:, None]  # of p_gj by its pickers; by its base it is -p_gj times that
    count, step = len(base), slope.shape[1]
    jacobian = np.zeros((len(overall), step, count, len(overall) + 1))
    for j in range(len(overall)):
        jacobian[j, :, :, j + 1] = slope.T / scale[j]
        jacobian[j, :, :, 0] = -(slope * within[:, j][:, None]).T / scale[j]
    found = _decide(deviations, jacobian.reshape(*deviations.shape, -1), totals, _status(overall))
    return replace(found, groups=groups, fixed=_fixed(within, totals))


def _fixed(within: Floats, totals: CrossTotals) -> tuple[bool, ...]:
    """Return which groups' shares *within*, (B, J), have no variance."""
    groups, items = within.shape
    own = totals.covariance.reshape(groups, items + 1, groups, items + 1)[np.arange(groups), :, np.arange(groups), :]
    picked, mixed, base = np.diagonal(own, axis1=1, axis2=2)[:, 1:], own[:, 1:, 0], own[:, 0, 0]
    variance = picked - 2 * within * mixed + within**2 * base[:, None]
    known = np.all(variance <= 1e-12 * totals.total[:, :1] ** 2, axis=1)
    return tuple(known.tolist())


def spmi_of_totals(totals: CrossTotals) -> IndependenceTest:
    """Return the test of `spmi` from totals: total[0, 0] the base, total[i, 0] and total[0, j] pickers, [i, j] of both.

    Raises NotTestable if the base is empty or has no degrees of freedom.
    """
    if not totals.total[0, 0] > 0:
        raise NotTestable("nobody is in the base of both questions; there is nothing to test")
    shares = totals.total / totals.total[0, 0]
    one, other, both = shares[1:, 0], shares[0, 1:], shares[1:, 1:]
    scale = _scale(np.outer(one * (1 - one), other * (1 - other)))
    chance = np.outer(one, other)
    jacobian = np.zeros((*both.shape, *shares.shape))
    for i, j in np.ndindex(both.shape):
        jacobian[i, j, i + 1, j + 1] = 1
        jacobian[i, j, i + 1, 0] = -other[j]
        jacobian[i, j, 0, j + 1] = -one[i]
    jacobian[:, :, 0, 0] = 2 * chance - both
    jacobian /= scale[:, :, None, None] * totals.total[0, 0]
    rows, columns = _status(one), _status(other)
    status = np.where(rows[:, None] != TESTED, rows[:, None], columns[None, :])
    deviations = ((both - chance) / scale).reshape(-1, 1)
    flat = jacobian.reshape(len(deviations), 1, -1)
    return _decide(deviations, flat, totals, status)


def _decide(deviations: Floats, jacobian: Floats, totals: CrossTotals, status: NDArray[np.str_]) -> IndependenceTest:
    """Return the test of items whose X² is n |deviation|², (J, m), with their *jacobian* by the totals, (J, m, C)."""
    if totals.df < 1:
        raise NotTestable(
            "the base lies in a single PSU of each stratum, so nothing tells chance from difference; "
            "merge strata or banner codes until there are at least two organisations"
        )
    flags = status.ravel()
    items, step = deviations.shape
    flat = jacobian.reshape(items * step, -1)
    effect = totals.n * flat @ totals.covariance @ flat.T
    x2 = totals.n * (deviations**2).sum(axis=1)
    blocks = effect.reshape(items, step, items, step)[np.arange(items), :, np.arange(items), :]
    expected = np.trace(blocks, axis1=1, axis2=2)
    flags = np.where((flags == TESTED) & ~(expected > 1e-10 * step), NO_VARIANCE, flags)
    tested = flags == TESTED
    single = tuple(
        _f(x2[j], expected[j], float((blocks[j] ** 2).sum()), totals.df) if tested[j] else UNTESTED
        for j in range(items)
    )
    item_x2 = np.where(tested, x2, np.nan)
    p = np.array([one.p for one in single])
    holm = np.where(tested, adjusted(np.where(tested, p, 1.0), "holm"), np.nan)
    kept = np.repeat(tested, step)
    spectrum = np.linalg.eigvalsh(effect[np.ix_(kept, kept)])[::-1] if kept.any() else np.empty(0)
    sums = (float(x2[tested].sum()), float(spectrum.sum()), float((spectrum**2).sum()))
    known = bool(tested.any())
    return IndependenceTest(
        n=totals.n,
        df=totals.df,
        x2=sums[0] if known else np.nan,
        eigenvalues=spectrum,
        first_order=chi_squared(sums[0] * len(spectrum) / sums[1], len(spectrum)) if known else UNTESTED,
        second_order=chi_squared(sums[0] * sums[1] / sums[2], sums[1] ** 2 / sums[2]) if known else UNTESTED,
        f=_f(*sums, totals.df) if known else UNTESTED,
        item_x2=item_x2.reshape(status.shape),
        item=single,
        item_holm=holm.reshape(status.shape),
        status=flags.reshape(status.shape),
    )


UNTESTED = Test(np.nan, np.nan, None, np.nan)


def chi_squared(statistic: float, ndf: float) -> Test:
    from scipy.special import chdtrc

    return Test(float(statistic), float(ndf), None, float(chdtrc(ndf, statistic)))


def _f(x2: float, trace: float, squares: float, df: int) -> Test:
    from scipy.special import fdtrc

    ndf = trace**2 / squares
    return Test(float(x2 / trace), float(ndf), float(ndf * df), float(fdtrc(ndf, ndf * df, x2 / trace)))


def _scale(variance: Floats) -> Floats:
    """Return the root of *variance*, and 1 where there is none: such an item is flagged and never read."""
    return np.sqrt(np.where(variance > 0, variance, 1.0))


def _status(share_of_all: Floats) -> NDArray[np.str_]:
    nobody, everybody = share_of_all < _NOTHING, share_of_all > 1 - _NOTHING
    return np.where(nobody, NOBODY, np.where(everybody, EVERYBODY, TESTED)).astype("<U11")


def _orthogonal_to(unit: Floats) -> Floats:
    """Return an orthonormal basis of what is orthogonal to the unit vector *unit*, (B, B - 1)."""
    return np.linalg.qr(np.column_stack([unit, np.eye(len(unit))[:, :-1]]))[0][:, 1:]


# ---- how often, of whom, and together -----------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PercentBases:
    """The same picks as shares of three bases; every tuple has one Estimate an item.

    of_respondents  share of the respondents who picked the item; logit-t interval
    of_pickers      the same among those who picked anything ("% of cases"); logit-t interval
    of_picks        share of all picks that are of the item ("% of responses"): a ratio of totals, adds to 1
    pickers         share of respondents who picked anything
    """

    of_respondents: tuple[Estimate, ...]
    of_pickers: tuple[Estimate, ...]
    of_picks: tuple[Estimate, ...]
    pickers: Estimate


def percent_bases(items: ArrayLike, design: Design) -> PercentBases:
    """Return the shares of *items*, (n, J) of 1, 0 or NaN, on their three bases, under the design.

    A respondent with a missing item is in no base. Counts agree with any program, standard errors with R's
    svymean and svyratio. Raises as `mmi` does, and NotTestable where nobody picked anything.
    """
    picks = _picks(items, design)
    base = _base(_complete(picks), design)
    made = np.nan_to_num(picks).sum(axis=1)
    if not made[base.members].any():
        raise NotTestable("nobody picked anything, so there are no pickers and no picks to take shares of")
    return PercentBases(
        of_respondents=tuple(share(column, base) for column in picks.T),
        of_pickers=tuple(share(column, base.domain(base.members & (made > 0))) for column in picks.T),
        of_picks=tuple(ratio(column, made, base) for column in picks.T),
        pickers=share(np.where(base.members, made > 0, np.nan), base),
    )


@dataclass(frozen=True, eq=False)
class Overlap:
    """Who picks two items together: the diagonal is who picks the one. *n* unweighted, *weighted* not; (J, J)."""

    n: Codes
    weighted: Floats


def overlap(items: ArrayLike, design: Design) -> Overlap:
    """Return how many respondents picked each pair of *items*, (n, J) of 1, 0 or NaN; missing as in `percent_bases`."""
    picks = _picks(items, design)
    inside = _base(_complete(picks), design).members
    picked = picks[inside]
    return Overlap((picked.T @ picked).astype(np.int64), (picked * design.weight[inside, None]).T @ picked)


@dataclass(frozen=True, eq=False)
class Combinations:
    """The sets of items that occur, largest weighted total first (ties: more respondents, then items' order).

    picked    (K, J) true for the items of each set; the set of nobody's choice is a row of false
    n         (K,) respondents who picked exactly this set, weighted (K,) their weight
    of        (n,) which of the K sets each respondent picked; -1 out of the base
    """

    picked: Mask
    n: Codes
    weighted: Floats
    of: Codes


def combinations(items: ArrayLike, design: Design) -> Combinations:
    """Return the sets of *items*, (n, J) of 1, 0 or NaN, that respondents picked; at most as many as respondents."""
    picks = _picks(items, design)
    inside = _base(_complete(picks), design).members
    sets, found = np.unique(picks[inside] > 0, axis=0, return_inverse=True)
    found = found.ravel()
    n, weighted = np.bincount(found), np.bincount(found, design.weight[inside]).astype(float)
    order = np.lexsort((-np.arange(len(sets)), -n, -weighted))
    of = np.full(len(design), -1, np.int64)
    of[inside] = np.argsort(order)[found]
    return Combinations(sets[order], n[order], weighted[order], of)


# ---- reading the arguments ----------------------------------------------------------------------------


def _picks(items: ArrayLike, design: Design) -> Floats:
    picks = _numbers(items)
    if picks.ndim != 2 or picks.shape[0] != len(design) or not picks.shape[1]:
        raise DesignError(
            f"picks have shape {picks.shape}; one row for each of the {len(design)} respondents "
            "and one column an item are needed"
        )
    wrong = ~(np.isnan(picks) | (picks == 0) | (picks == 1))
    if wrong.any():
        row, column = (int(place[0]) for place in np.nonzero(wrong))
        raise DesignError(
            f"a pick is {picks[row, column]} (row {row + 1}, item {column + 1}); picks are 1, 0 or missing. "
            "Levels of a weighted choice are made picks by level > 0"
        )
    return picks


def _numbers(values: ArrayLike) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise DesignError(f"picks must be numbers or NaN: {error}") from error


def _complete(picks: Floats) -> Mask:
    """Return who answered every item, (n,)."""
    return np.asarray(~np.isnan(picks).any(axis=1))


def _base(inside: Mask, design: Design) -> Design:
    base = design.domain(inside)
    if not base.members.any():
        raise NotTestable(
            "nobody is in the base: every respondent misses an item or the banner, or is out of the domain"
        )
    return base


def _with_base(picks: Floats) -> Floats:
    """Return 1 and the picks, (n, 1 + J); a missing pick is outside every base and becomes 0."""
    return np.column_stack([np.ones(len(picks)), np.nan_to_num(picks)])
