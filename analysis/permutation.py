"""Permutation tests that move whole organisations, because it is organisations that were drawn, not leaders.

Three things can be exchanged under a null hypothesis, and each test exchanges one: the organisations' places
in a banner (`permute_organisations`), the places of colleagues inside an organisation (`permute_within`), or
the direction of every organisation's differences (`flip_organisations`). Shuffling respondents across
organisations would claim far more independent answers than there are.

Chance is an argument: *rng* is a seeded numpy Generator, and the same seed gives the same p-value. The observed
arrangement counts as one of the permutations, p = (b + 1) / (m + 1), so p is never 0 and the test keeps its
level exactly at any number of permutations (Phipson and Smyth 2010; Davison and Hinkley 1997, chapter 4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from analysis.categories import NotTestable, categories, several
from analysis.design import Codes, DesignError, Floats

Alternative = Literal["greater", "less", "two-sided"]
Statistic = Callable[[Codes], float]

PERMUTATIONS = 9999

_SAME = 1e-9
"""Statistics nearer than this, relative to the observed one, are equal: sums in another order differ by rounding."""


@dataclass(frozen=True, eq=False)
class PermutationTest:
    """A statistic with its permutation distribution.

    statistic     of the answers as they are
    p             (exceeding + 1) / (permutations + 1)
    exceeding     permutations at least as extreme as the answers
    permutations  how many were drawn
    units         what was exchanged: organisations (permute_organisations, flip_organisations, correlate), or
                  organisations with something to exchange (permute_within)
    draws         (permutations,) the statistic of each
    """

    statistic: float
    p: float
    exceeding: int
    permutations: int
    units: int
    draws: Floats


def permute_organisations(
    statistic: Statistic,
    group: ArrayLike,
    organisation: ArrayLike,
    *,
    rng: np.random.Generator,
    stratum: ArrayLike | None = None,
    permutations: int = PERMUTATIONS,
    alternative: Alternative = "greater",
) -> PermutationTest:
    """Test a banner of organisations (type, size, region) by exchanging organisations between its groups.

    statistic     takes group codes (n,), 0 … B-1 in the order of the sorted labels, and returns a number;
                  `between` makes one
    group         (n,) labels, the same for all respondents of an organisation
    organisation  (n,) labels
    stratum       (n,) labels, the same within an organisation: organisations change places only inside it
    alternative   which values speak against the null; "two-sided" compares distances from 0

    All respondents of an organisation move together, so their likeness, and their number, stay as they are.

    Raises DesignError if respondents of an organisation differ in group or stratum, NotTestable for a single
    group and for missing labels, which would leave the organisation without a place.
    """
    codes, labels = _complete(group, "the banner")
    several(labels, "the banner")
    units, count = _organisations(organisation, len(codes))
    of_unit = _of_organisations(codes, units, count, "group")
    strata = np.zeros(len(codes), np.int64) if stratum is None else _complete(stratum, "the stratum", len(codes))[0]
    within = _of_organisations(strata, units, count, "stratum")
    order = np.argsort(within, kind="stable")

    def draw() -> float:
        # Sorting random numbers within strata permutes the organisations of each stratum among themselves.
        moved = np.empty(count, np.int64)
        moved[order] = of_unit[np.lexsort((rng.random(count), within))]
        return statistic(moved[units])

    return _counted(statistic(codes), draw, permutations, alternative, count)


def permute_within(
    statistic: Statistic,
    group: ArrayLike,
    organisation: ArrayLike,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    alternative: Alternative = "greater",
) -> PermutationTest:
    """Test a banner of respondents (role) by exchanging colleagues inside each organisation.

    Arguments as in `permute_organisations`; *group* may differ between colleagues. Differences between
    organisations, of whatever cause, cannot enter. Organisations of one respondent or one group say nothing.

    Raises NotTestable if no organisation has respondents of two groups, for a single group and missing labels.
    """
    codes, labels = _complete(group, "the banner")
    several(labels, "the banner")
    units, count = _organisations(organisation, len(codes))
    pairs = np.unique(np.stack([units, codes]), axis=1)[0]
    mixed = int((np.bincount(pairs, minlength=count) > 1).sum())
    if not mixed:
        raise NotTestable(
            "no organisation has respondents of two groups, so nobody can change places inside one; "
            "a banner of organisations is tested by permute_organisations"
        )
    order = np.argsort(units, kind="stable")

    def draw() -> float:
        moved = np.empty(len(codes), np.int64)
        moved[order] = codes[np.lexsort((rng.random(len(codes)), units))]
        return statistic(moved)

    return _counted(statistic(codes), draw, permutations, alternative, mixed)


def flip_organisations(
    differences: ArrayLike,
    organisation: ArrayLike,
    *,
    rng: np.random.Generator,
    weight: ArrayLike | None = None,
    permutations: int = PERMUTATIONS,
    alternative: Alternative = "two-sided",
) -> PermutationTest:
    """Test that the mean of paired *differences*, (n,), is 0 by turning the signs of whole organisations.

    differences  after - before; a missing one is left out
    weight       (n,) positive; None: 1 each

    The null is that an organisation's differences are as likely to be their opposites, all together; the
    statistic is the weighted mean. Raises NotTestable if no difference is known or all are 0.
    """
    values = np.asarray(differences, dtype=float)
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    if values.ndim != 1 or weights.shape != values.shape or not (np.isfinite(weights) & (weights > 0)).all():
        raise DesignError("differences need one number and one positive weight for each respondent")
    if np.isinf(values).any():
        raise DesignError("a difference is infinite; missing ones are NaN")
    known = ~np.isnan(values)
    if not values[known].any():
        raise NotTestable("no difference is known, or all are 0; nothing can be turned round")
    units, count = _organisations(np.asarray(organisation)[known], int(known.sum()))
    sums = np.bincount(units, (weights * values)[known], count) / weights[known].sum()

    def draw() -> float:
        return float(sums @ (2.0 * rng.integers(2, size=count) - 1))

    return _counted(float(sums.sum()), draw, permutations, alternative, count)


def correlate(
    x: ArrayLike,
    y: ArrayLike,
    *,
    rng: np.random.Generator,
    permutations: int = PERMUTATIONS,
    alternative: Alternative = "two-sided",
) -> PermutationTest:
    """Return Spearman's correlation of *x* and *y*, one value an organisation, (G,), with its permutation test.

    Organisations without one of the two (NaN) are left out; ties have mid-ranks. operating_mode.md, 4.11.
    Raises NotTestable with fewer than three organisations or where all have the same value.
    """
    from scipy.stats import rankdata

    one, other = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if one.ndim != 1 or one.shape != other.shape:
        raise DesignError(f"the values have shapes {one.shape} and {other.shape}; two of each organisation are needed")
    known = ~np.isnan(one) & ~np.isnan(other)
    if known.sum() < 3 or np.ptp(one[known]) == 0 or np.ptp(other[known]) == 0:
        raise NotTestable(
            f"{known.sum()} organisations have both values, or one of them never varies; a correlation needs three "
            "organisations and two values that differ"
        )
    first, second = _standard(rankdata(one[known])), _standard(rankdata(other[known]))

    def draw() -> float:
        return float(first @ rng.permutation(second))

    return _counted(float(first @ second), draw, permutations, alternative, len(first))


def between(y: ArrayLike, *, weight: ArrayLike | None = None, standardise: bool = True) -> Statistic:
    """Return the statistic "how far the groups' means of *y*, (n,) or (n, k), lie from the overall mean".

    weight       (n,) positive; None: 1 each
    standardise  divide each column by its variance first. With picks, the statistic is then Σ X² / n of `mmi`;
                 log-ratios (`compositions.clr`) are summed without, since their scale is common

    It is Σ_g W_g |ȳ_g - ȳ|² / W, the between-groups part of a multivariate analysis of variance; its F is a
    rising function of it, so both have one permutation distribution. A column that never varies adds 0.

    Raises DesignError for missing or infinite values: take their respondents out of all arrays first.
    """
    values = np.asarray(y, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=float)
    if weights.shape != (len(values),) or not (np.isfinite(weights) & (weights > 0)).all():
        raise DesignError("one positive weight for each respondent is needed")
    if not np.isfinite(values).all():
        raise DesignError("an answer is missing or infinite; leave its respondent out of every array")
    share = weights / weights.sum()
    centred = values - share @ values
    spread = share @ centred**2
    scaled = centred / np.sqrt(np.where(spread > 0, spread, 1.0)) if standardise else centred
    columns = (share[:, None] * scaled).T

    def statistic(codes: Codes) -> float:
        groups = int(codes.max()) + 1
        size = np.bincount(codes, share, groups)
        sums = np.array([np.bincount(codes, column, groups) for column in columns])
        return float((sums**2 / np.where(size > 0, size, 1.0)).sum())

    return statistic


def _counted(
    observed: float, draw: Callable[[], float], permutations: int, alternative: Alternative, units: int
) -> PermutationTest:
    if permutations < 1 or alternative not in get_args(Alternative):
        raise DesignError(
            f"{permutations} permutations, alternative {alternative!r}: draw at least one, "
            f"and choose of {', '.join(get_args(Alternative))}"
        )
    draws = np.array([draw() for _ in range(permutations)])
    if not np.isfinite(observed) or not np.isfinite(draws).all():
        raise NotTestable("the statistic is not finite for some arrangement; choose one that is defined for all")
    slack = _SAME * max(abs(observed), 1e-300)
    if alternative == "greater":
        extreme = draws >= observed - slack
    elif alternative == "less":
        extreme = draws <= observed + slack
    else:
        extreme = np.abs(draws) >= abs(observed) - slack
    exceeding = int(extreme.sum())
    return PermutationTest(observed, (exceeding + 1) / (permutations + 1), exceeding, permutations, units, draws)


def _complete(labels: ArrayLike, what: str, n: int | None = None) -> tuple[Codes, tuple[str, ...]]:
    size = len(np.asarray(labels)) if n is None else n
    codes, names = categories(labels, size, what)
    if (codes < 0).any():
        raise NotTestable(
            f"{what} is missing for {(codes < 0).sum()} respondents, who have no place to change; "
            "leave them out of every array"
        )
    return codes, names


def _organisations(organisation: ArrayLike, n: int) -> tuple[Codes, int]:
    codes, names = _complete(organisation, "the organisation", n)
    if len(names) < 2:
        raise NotTestable("there is a single organisation, so nothing can change places")
    return codes, len(names)


def _of_organisations(codes: Codes, units: Codes, count: int, what: str) -> Codes:
    """Return the code of each organisation, (count,)."""
    of_unit = np.zeros(count, np.int64)
    of_unit[units] = codes
    if (of_unit[units] != codes).any():
        torn = len(np.unique(units[of_unit[units] != codes]))
        raise DesignError(
            f"respondents of {torn} organisations differ in {what}; a banner that varies inside organisations "
            "is tested by permute_within"
        )
    return of_unit


def _standard(ranks: Floats) -> Floats:
    centred = ranks - ranks.mean()
    return centred / np.sqrt((centred**2).sum())
