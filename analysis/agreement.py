"""Agreement inside organisations: r_wg, AD, a_wg and distances for each one, ICC(1) and ICC(2) over all of them.

Every function takes the answers of n respondents and the organisation of each. A respondent with a missing
answer (NaN; in a scale, to any item) is in no base, and an organisation with fewer than two answers is in no
result, for nothing can be said about agreement of one. Each result therefore tells how many organisations had
two and how many had three or more answers. No weights: an organisation's members speak for themselves, and
organisations that sent several answers are no random part of all (DOMAIN.md, section d).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.design import Codes, Floats
from kysely.errors import AnalystError


class AgreementError(AnalystError):
    """Agreement can't be computed from these answers. Says why and what to give instead."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """One measure of each organisation with at least two answers; arrays have shape (G,), organisations sorted.

    organisation  labels as given
    n             answers of each organisation
    value         the measure; NaN only for a_wg, where the mean lies too near an end of the scale
    raw           r_wg: before truncation to [0, 1]; r_wg(j): the mean r_wg of its items, before the step up to
                  j of them; otherwise equal to value
    alone         organisations left out because they had a single answer
    """

    measure: str
    organisation: NDArray[Any]
    n: Codes
    value: Floats
    raw: Floats
    alone: int

    def __len__(self) -> int:
        return len(self.n)

    @property
    def two_or_more(self) -> int:
        """Organisations with at least two answers: those of the result."""
        return len(self.n)

    @property
    def three_or_more(self) -> int:
        """Organisations with at least three answers."""
        return int((self.n >= 3).sum())

    def by_organisation(self) -> dict[Any, float]:
        """Return organisation → value."""
        return dict(zip(self.organisation.tolist(), self.value.tolist(), strict=True))


@dataclass(frozen=True)
class Intraclass:
    """How much of the variance lies between organisations: a one-way analysis of variance.

    n0              size of organisations that enters ICC(1) where they differ: (N - Σn²/N) / (G - 1)
    mean_size       N / G
    f, p            of the hypothesis that organisations don't differ; F(G - 1, N - G), f infinite if msw is 0
    icc1            (msb - msw) / (msb + (n0 - 1) msw): share of variance between organisations; its floor is
                    -1/(n0 - 1), where all organisations have one mean
    icc2            (msb - msw) / msb: reliability of organisations' means; -inf if msb is 0
    icc1_mean_size  icc1 with mean_size for n0, as R's multilevel::ICC1 computes it; for comparison only
    """

    organisations: int
    n: int
    two_or_more: int
    three_or_more: int
    alone: int
    msb: float
    msw: float
    n0: float
    mean_size: float
    f: float
    p: float
    icc1: float
    icc2: float
    icc1_mean_size: float

    def design_effect(self, size: float) -> float:
        """Return 1 + (size - 1) icc1: what clusters of *size* answers do to the variance of a mean (Kish 1965)."""
        return 1 + (size - 1) * self.icc1

    def limits(self, level: float = 0.95) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the lower and upper limit of icc1, and those of icc2, from the F distribution (McGraw and Wong 1996).

        F is divided and multiplied by its quantiles, and the results take its place in (F - 1)/(F - 1 + n0) and
        1 - 1/F. Exact for normal answers in organisations of one size, where R's irr::icc() gives the same;
        approximate for unequal sizes, of which n0 stands for all. NaN where all answers within organisations are
        the same, or all their means.
        """
        from scipy.special import fdtri

        if not 0 < level < 1:
            raise AgreementError(f"a level lies between 0 and 1, not {level}; 0.95 is usual")
        if not (self.msb and self.msw):
            return (np.nan, np.nan), (np.nan, np.nan)
        between, within = self.organisations - 1, self.n - self.organisations
        low = self.f / float(fdtri(between, within, (1 + level) / 2))
        high = self.f * float(fdtri(within, between, (1 + level) / 2))
        first = tuple((f - 1) / (f - 1 + self.n0) for f in (low, high))
        return (first[0], first[1]), (1 - 1 / low, 1 - 1 / high)


@dataclass(frozen=True, eq=False)
class Chance:
    """How organisations agree beside teams drawn at random from all respondents; arrays as in `observed`.

    expected  (G,) mean of the measure over the random teams of the organisation's size
    p         (G,) share of random teams that agree at least as well, the organisation itself counted as one
    """

    observed: Agreement
    expected: Floats
    p: Floats
    permutations: int


def uniform_null(categories: int) -> float:
    """Return the variance (A² - 1)/12 of answers drawn evenly from A categories that are 1 apart."""
    if categories != int(categories) or categories < 2:
        raise AgreementError(f"a null of {categories} categories has no spread; give the number of answer categories")
    return (categories**2 - 1) / 12


def maximum_null(low: float, high: float) -> float:
    """Return ((high - low)/2)²: the variance, divisor n, where half answers *low* and half *high*."""
    _range(low, high)
    return ((high - low) / 2) ** 2


def ad_cutoff(categories: int) -> float:
    """Return A/6, up to which AD is called acceptable on A categories (Burke and Dunlap 2002)."""
    uniform_null(categories)  # refuses what is no number of categories
    return categories / 6


def rwg(y: ArrayLike, organisation: ArrayLike, *, null: float) -> Agreement:
    """Return r_wg = 1 - S²/*null* of each organisation; S² has divisor n - 1 (James, Demaree and Wolf 1984).

    y     (n,) answers to one item
    null  the variance if members answered without regard to anything shared, e.g. `uniform_null(5)`; the
          answer depends on it, so say it beside the number

    R: multilevel::rwg(ranvar=null) gives `value`; its cells below 0 are 0, ours are kept in `raw`.
    """
    values, groups = _grouped(_one_item(y), organisation)
    raw = 1 - _variance(values, groups)[:, 0] / _null(null)
    return groups.agreement("rwg", np.clip(raw, 0, 1), raw)


def rwg_j(items: ArrayLike, organisation: ArrayLike, *, null: float) -> Agreement:
    """Return r_wg(j) of each organisation over j parallel items, (n, j), scaled alike (James et al. 1984).

    J r / (J r + 1 - r) with r = 1 - S̄²/*null*, S̄² the mean variance of the items; 0 where S̄² exceeds the null.
    It grows with j at equal agreement; `raw` is r. R: multilevel::rwg.j().
    """
    values, groups = _grouped(_items(items, at_least=2), organisation)
    raw = 1 - _variance(values, groups).mean(axis=1) / _null(null)
    r, j = np.clip(raw, 0, 1), values.shape[1]
    return groups.agreement("rwg_j", j * r / (j * r + 1 - r), raw)


def ad(y: ArrayLike, organisation: ArrayLike, *, around: Literal["mean", "median"] = "mean") -> Agreement:
    """Return the mean absolute deviation from the organisation's mean (AD_M) or median (AD_Md), in scale units.

    y  (n,), or (n, j) items: then the mean of the items' AD (Burke and Dunlap 2002). 0 is full agreement.
    R: multilevel::ad.m(type=around).
    """
    values, groups = _grouped(_items(y), organisation)
    if around == "mean":
        centre = _sums(values, groups) / groups.n[:, None]
    elif around == "median":
        centre = _medians(values, groups)
    else:
        raise AgreementError(f'AD is around the "mean" or the "median", not {around!r}')
    deviation = _sums(np.abs(values - centre[groups.code]), groups) / groups.n[:, None]
    value = deviation.mean(axis=1)
    return groups.agreement(f"ad_{around}", value, value)


def awg(y: ArrayLike, organisation: ArrayLike, *, low: float, high: float) -> Agreement:
    """Return a_wg of each organisation: 1 - 2S² over the largest S² that its mean allows, on a scale low … high.

    1 - 2 S² / {[(H + L) M - M² - H L] n/(n - 1)} (Brown and Hauenstein 2005), -1 … 1. NaN where the mean M lies
    outside [(L (n - 1) + H)/n, (H (n - 1) + L)/n], where it can't be interpreted. R: multilevel::awg(range=c(L, H)).

    Raises AgreementError for an answer outside low … high.
    """
    _range(low, high)
    values, groups = _grouped(_one_item(y), organisation)
    outside = (values < low) | (values > high)
    if outside.any():
        raise AgreementError(f"{outside.sum()} answers lie outside {low} … {high} (one is {values[outside][0]})")
    n = groups.n.astype(float)
    mean = _sums(values, groups)[:, 0] / n
    least, most = (low * (n - 1) + high) / n, (high * (n - 1) + low) / n
    inside = (mean >= least - 1e-9) & (mean <= most + 1e-9)
    largest = ((high + low) * mean - mean**2 - high * low) * n / (n - 1)
    value = 1 - 2 * _variance(values, groups)[:, 0] / np.where(inside, largest, 1.0)
    value = np.where(inside, value, np.nan)
    return groups.agreement("awg", value, value)


def same_answer(y: ArrayLike, organisation: ArrayLike) -> Agreement:
    """Return the share of an organisation's pairs that gave the same answer; *y* (n,) are numbers or NaN."""
    values, groups = _grouped(_one_item(y), organisation)
    answer = np.unique(values[:, 0], return_inverse=True)[1]
    times = np.unique(np.stack([groups.code, answer]), axis=1, return_counts=True)
    pairs = np.bincount(times[0][0], times[1] * (times[1] - 1.0), len(groups.n))
    value = pairs / (groups.n * (groups.n - 1.0))
    return groups.agreement("same_answer", value, value)


def profile_distance(composition: ArrayLike, organisation: ArrayLike) -> Agreement:
    """Return the mean total variation between the profiles of an organisation's members: 0 the same, 1 opposite.

    composition  (n, k) non-negative: levels, points or shares; each row is divided by its sum. A row with a
                 missing value or of sum 0 has no profile.

    TV(p, q) = ½ Σ |p - q|, averaged over all pairs (`conf` of operating_mode.md, 4.9).
    """
    values, groups = _grouped(profiles(composition), organisation)
    value = _mean_total_variation(values, groups)
    return groups.agreement("profile_distance", value, value)


def profiles(composition: ArrayLike) -> Floats:
    """Return each row of *composition*, (n, k) non-negative, over its sum; NaN where a part is missing or the sum 0."""
    parts = _items(composition, at_least=2)
    if (parts < 0).any():
        raise AgreementError("a part of a profile is negative; profiles are made of levels, points or shares")
    total = parts.sum(axis=1, keepdims=True)
    return parts / np.where(total == 0, np.nan, total)


def icc(y: ArrayLike, organisation: ArrayLike, *, minimum: int = 2) -> Intraclass:
    """Return ICC(1) and ICC(2) of *y*, (n,), from a one-way analysis of variance with unequal sizes (Bliese 2000).

    minimum  organisations with fewer answers are left out; 1 keeps them all (they widen msb and tell nothing of msw)

    R: summary(aov(y ~ factor(organisation))). Raises AgreementError unless there are two organisations, one of
    them with two answers, and if all answers are the same.
    """
    from scipy.special import fdtrc

    values, groups = _grouped(_one_item(y), organisation, minimum=minimum)
    big, total = len(groups.n), int(groups.n.sum())
    if big < 2 or total == big:
        raise AgreementError(
            f"{big} organisations with {total} answers don't tell variance between from variance within; "
            "two organisations are needed, and one with two answers"
        )
    if np.ptp(values) == 0:
        raise AgreementError("all answers are the same, so there is no variance to divide; say so instead of an ICC")
    mean = _sums(values, groups)[:, 0] / groups.n
    msb = float((groups.n * (mean - values.mean()) ** 2).sum() / (big - 1))
    msw = float(((values[:, 0] - mean[groups.code]) ** 2).sum() / (total - big))
    n0 = (total - float((groups.n.astype(float) ** 2).sum()) / total) / (big - 1)
    f = msb / msw if msw else np.inf
    return Intraclass(
        organisations=big,
        n=total,
        two_or_more=int((groups.n >= 2).sum()),
        three_or_more=int((groups.n >= 3).sum()),
        alone=groups.alone,
        msb=msb,
        msw=msw,
        n0=n0,
        mean_size=total / big,
        f=f,
        p=float(fdtrc(big - 1, total - big, f)) if msw else 0.0,
        icc1=_icc1(msb, msw, n0),
        icc2=(msb - msw) / msb if msb else -np.inf,
        icc1_mean_size=_icc1(msb, msw, total / big),
    )


def chance(
    measure: Callable[[Floats, NDArray[Any]], Agreement],
    answers: ArrayLike,
    organisation: ArrayLike,
    *,
    agreeing: Literal["low", "high"],
    rng: np.random.Generator,
    permutations: int = 999,
) -> Chance:
    """Return how organisations agree beside as many answers drawn from the whole sample (DOMAIN.md, section d).

    measure   answers and organisations → Agreement, e.g. `ad`, or `lambda y, o: rwg(y, o, null=2)`
    answers   (n,) or (n, k); for `profile_distance` the `profiles` of the levels, so that who has none is known
    agreeing  whether a low value is agreement (AD, distance) or a high one (r_wg, a_wg)

    Complete answers change places among all respondents, those of single answers too; organisations keep their
    sizes. It is the null for one organisation; that organisations differ at all is tested by `icc`.

    Raises AgreementError where the measure is undefined (NaN) for a random team, as a_wg may be.
    """
    if agreeing not in ("low", "high") or permutations < 1:
        raise AgreementError('say agreeing="low" or "high", and draw one permutation at least')
    values = np.asarray(answers, dtype=float)
    complete = ~np.isnan(_items(values)).any(axis=1)
    label, code = organisations(organisation, len(values))
    values, labels = values[complete], label[code[complete]]
    observed = measure(values, labels)
    drawn = np.stack([measure(rng.permutation(values), labels).value for _ in range(permutations)])
    if np.isnan(drawn).any() or np.isnan(observed.value).any():
        raise AgreementError(
            f"{observed.measure} is undefined for some teams; compare by a measure that always is, as AD"
        )
    sign = 1 if agreeing == "low" else -1
    close = 1e-9  # sums in another order differ by rounding
    as_well = (sign * drawn <= sign * observed.value + close).sum(axis=0)
    return Chance(observed, drawn.mean(axis=0), (as_well + 1) / (permutations + 1), permutations)


# ---- the answers of organisations -------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Groups:
    """Organisations 0 … G-1 of the answers kept; *code* (n kept,) is the organisation of each."""

    code: Codes
    label: NDArray[Any]
    n: Codes
    alone: int

    def agreement(self, measure: str, value: Floats, raw: Floats) -> Agreement:
        return Agreement(measure, self.label, self.n, value, raw, self.alone)


def _grouped(values: Floats, organisation: ArrayLike, *, minimum: int = 2) -> tuple[Floats, _Groups]:
    """Return the complete rows of organisations with at least *minimum* of them, and their organisations."""
    label, code = organisations(organisation, len(values))
    given = ~np.isnan(values).any(axis=1)
    n = np.bincount(code[given], minlength=len(label))
    enough = n >= max(minimum, 1)
    if not enough.any():
        raise AgreementError(
            f"no organisation has {minimum} answers ({given.sum()} answers of {(n > 0).sum()} organisations); "
            "there is no agreement to measure"
        )
    kept = given & enough[code]
    place = np.cumsum(enough) - 1
    return values[kept], _Groups(place[code[kept]], label[enough], n[enough], int((n == 1).sum()))


def organisations(organisation: ArrayLike, n: int) -> tuple[NDArray[Any], Codes]:
    """Return the sorted labels and the position of each of the *n* respondents' labels; every one has a label."""
    labels = np.asarray(organisation)
    if labels.shape != (n,):
        raise AgreementError(f"organisations have shape {labels.shape}, the answers are of {n} respondents")
    if labels.dtype.kind in "fO" and any(one is None or one != one for one in labels.tolist()):
        raise AgreementError(
            "a respondent has no organisation; give each who named none a label of their own, "
            "as Extract.organisation does"
        )
    label, code = np.unique(labels, return_inverse=True)
    return label, code.astype(np.int64)


def _items(values: ArrayLike, *, at_least: int = 1) -> Floats:
    items = np.asarray(values, dtype=float)
    items = items[:, None] if items.ndim == 1 else items
    if items.ndim != 2 or items.shape[1] < at_least:
        raise AgreementError(
            f"the answers have shape {np.shape(values)}; (respondents, items) with {at_least} items or more are needed"
        )
    if np.isinf(items).any():
        raise AgreementError("an answer is infinite; missing answers are NaN")
    return items


def _one_item(y: ArrayLike) -> Floats:
    if np.ndim(y) != 1:
        raise AgreementError(f"the answers have shape {np.shape(y)}; this measure takes one item, shape (n,)")
    return _items(y)


def _sums(values: Floats, groups: _Groups) -> Floats:
    total = np.zeros((len(groups.n), values.shape[1]))
    np.add.at(total, groups.code, values)
    return total


def _variance(values: Floats, groups: _Groups) -> Floats:
    """Return the variance of each item in each organisation, divisor n - 1, shape (G, k)."""
    mean = _sums(values, groups) / groups.n[:, None]
    return _sums((values - mean[groups.code]) ** 2, groups) / (groups.n[:, None] - 1)


def _medians(values: Floats, groups: _Groups) -> Floats:
    start = np.cumsum(groups.n) - groups.n
    columns = []
    for item in values.T:
        ordered = item[np.lexsort((item, groups.code))]
        columns.append((ordered[start + (groups.n - 1) // 2] + ordered[start + groups.n // 2]) / 2)
    return np.stack(columns, axis=1)


def _mean_total_variation(values: Floats, groups: _Groups) -> Floats:
    # Sorted within the organisation, x_r is the larger of r pairs and the smaller of n - 1 - r: no list of pairs.
    start, n = np.cumsum(groups.n) - groups.n, groups.n
    code = np.repeat(np.arange(len(n)), n)
    times = 2 * (np.arange(len(values)) - start[code]) - (n[code] - 1)
    total = np.zeros(len(n))
    for part in values.T:
        total += np.bincount(code, times * part[np.lexsort((part, groups.code))], len(n))
    return np.maximum(total, 0) / (n * (n - 1.0))


def _icc1(msb: float, msw: float, size: float) -> float:
    return (msb - msw) / (msb + (size - 1) * msw)


def _null(null: float) -> float:
    if not (np.isfinite(null) and null > 0):
        raise AgreementError(f"the null variance is {null}; it is a positive number, e.g. uniform_null(5)")
    return float(null)


def _range(low: float, high: float) -> None:
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise AgreementError(f"a scale from {low} to {high} has no room; give its lowest and highest answer")
