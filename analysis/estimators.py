"""Totals, means, shares, ratios, variances and differences of respondents, each with its influence values.

Every estimator takes the answers as an array over all respondents of the design and a `Design`; NaN is an
answer that is missing and takes the respondent out of the base, as a domain: the design stays whole.
An estimate keeps its influence values, so any two estimates of one design can be compared with their
covariance (`difference`, `combination`), whether or not they are of the same respondents. Quantiles, which
have no influence values worth the name, are in analysis/quantiles.py.

All raise DesignError for answers of another shape than the design's, for an infinite answer, and for what
`Design` and `covariance` raise. An empty base (an empty domain, all answers missing), a base without degrees
of freedom (a single PSU) and a base where everybody answered alike are no errors: the estimate says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, DesignError, Floats
from analysis.intervals import LEVEL as LEVEL
from analysis.intervals import bounded_interval, first_iteration, share_interval
from analysis.intervals import korn_graubard as korn_graubard
from analysis.intervals import logit_interval as logit_interval
from analysis.intervals import t_interval as t_interval
from analysis.variance import covariance

Scale = Literal["share", "number"]

# A sum has a rounding error of about ε times the sum of its terms' sizes: a standard error below that is a zero.
NOISE = 64 * float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Estimate:
    """One statistic with its uncertainty.

    value         NaN only if the base is empty
    se            NaN where it is not estimable: no degrees of freedom, or everybody gave the same answer.
                  0 where all PSUs there are were sampled (fpc), or where the weights are calibrated to this very
                  figure, and then low = high = value
    low, high     95 % interval (or another *level*): logit-t for a share unless another was asked for, and for a
                  mean between known ends, t otherwise; where a share is not estimable, a Korn-Graubard bound;
                  where a number is not, NaN
    df            PSUs - strata of the base
    n             respondents of the base, unweighted
    deff          variance over that of a simple random sample of n with replacement; of a total, mean or
                  share, else NaN. `design_effect` gives it without replacement too
    estimable     whether there is a standard error
    influence     (n,) the linearised contribution of each respondent, weight included
    design        the design of the base: weight 0 outside it
    simple        variance of the same statistic from a simple random sample of n with replacement; NaN if unknown
    """

    value: float
    se: float
    low: float
    high: float
    df: int
    n: int
    deff: float
    estimable: bool
    influence: Floats
    design: Design
    simple: float = np.nan

    @property
    def cv(self) -> float:
        """The coefficient of variation, se / |value|; NaN where there is no standard error or the value is 0."""
        return self.se / abs(self.value) if self.value else np.nan


def total(y: ArrayLike, design: Design, *, level: float = LEVEL) -> Estimate:
    """Return the weighted total of *y*, shape (n,). R: svytotal(). NaN of an empty base: nobody said it is 0."""
    values, base = answered(y, design)
    influence = base.weight * values
    people, n = base.weight.sum(), int(base.members.sum())
    if not n:
        return _estimate(np.nan, influence, base, scale="number", level=level)
    spread = float((base.weight * (values - influence.sum() / people) ** 2).sum() / people)
    simple = spread * people**2 / (n - 1) if n > 1 else np.nan
    size = float(np.abs(influence).sum())
    return _estimate(float(influence.sum()), influence, base, scale="number", level=level, size=size, simple=simple)


def mean(y: ArrayLike, design: Design, *, between: tuple[float, float] | None = None, level: float = LEVEL) -> Estimate:
    """Return the weighted mean of *y*, shape (n,): a Hájek ratio, linearised. R: svymean().

    between  the ends of the scale that the answers are given on, which the interval then keeps within
             (`intervals.bounded_interval`); None: value ± t·se. Raises DesignError for an answer beyond them
    """
    values, base = answered(y, design)
    found = _hajek(values, base, scale="number", level=level)
    if between is None:
        return found
    inside = values[base.members]
    if not between[0] < between[1] or ((inside < between[0]) | (inside > between[1])).any():
        raise DesignError(f"an answer lies beyond the ends of its scale, {between[0]:g} and {between[1]:g}")
    if not found.estimable or not found.se:
        return found
    low, high = bounded_interval(found.value, found.se, found.df, between, level)
    return replace(found, low=float(low), high=float(high))


def share(is_so: ArrayLike, design: Design, *, interval: str = "logit", level: float = LEVEL) -> Estimate:
    """Return the share of respondents of whom *is_so* (0 or 1, NaN missing) is 1. R: svyciprop(method=interval).

    interval  one of analysis.intervals.METHODS: logit, xlogit, asin, mean, wilson, beta, likelihood
    """
    values, base = answered(is_so, design)
    if not np.isin(values[base.members], (0, 1)).all():
        raise DesignError("a share needs answers that are 0, 1 or missing; use mean() for numbers")
    found = _hajek(values, base, scale="share", level=level)
    if interval == "logit" or not found.estimable or not found.se:
        return found
    first = first_iteration(values[base.members], base.weight[base.members]) if interval == "likelihood" else None
    low, high = share_interval(interval, found.value, found.se, df=found.df, n=found.n, level=level, first=first)
    return replace(found, low=float(low), high=float(high))


def shares(code: ArrayLike, codes: int, design: Design, *, interval: str = "logit") -> list[Estimate]:
    """Return the share of each of *codes* answers, which sum to 1. R: svymean(~factor).

    code  (n,) whole numbers 0 … codes-1, or -1: missing
    """
    answers = np.asarray(code)
    if answers.dtype.kind not in "iu" or answers.shape != (len(design),):
        raise DesignError(f"codes are whole numbers of shape ({len(design)},), not {answers.dtype} {answers.shape}")
    if ((answers < -1) | (answers >= codes)).any():
        raise DesignError(f"a code lies outside -1 … {codes - 1}; -1 is a missing answer")
    return [
        share(np.where(answers < 0, np.nan, answers == position), design, interval=interval)
        for position in range(codes)
    ]


def ratio(y: ArrayLike, x: ArrayLike, design: Design, *, level: float = LEVEL) -> Estimate:
    """Return total *y* over total *x* among those who have both, linearised. R: svyratio().

    Raises DesignError if the totals of *x* cancel to 0.
    """
    numerator = np.asarray(y, dtype=float)
    denominator = np.asarray(x, dtype=float)
    if numerator.shape != denominator.shape:
        raise DesignError(f"numerator and denominator differ in shape: {numerator.shape}, {denominator.shape}")
    absent = np.isnan(numerator) | np.isnan(denominator)
    numerator, base = answered(np.where(absent, np.nan, numerator), design)
    denominator, _ = answered(np.where(absent, np.nan, denominator), design)
    below = float((base.weight * denominator).sum())
    if base.members.any() and below == 0:
        raise DesignError("the denominator of the ratio sums to 0 in this base")
    if not below:
        return _estimate(np.nan, np.zeros(len(design)), base, scale="number", level=level)
    above = base.weight * numerator / below
    value = float(above.sum())
    explained = value * base.weight * denominator / below
    size = float(np.abs(above).sum() + np.abs(explained).sum())
    return _estimate(value, above - explained, base, scale="number", level=level, size=size)


def variance(y: ArrayLike, design: Design, *, level: float = LEVEL) -> Estimate:
    """Return the population variance of *y*, shape (n,), estimated by Σw(y - ȳ)²/Σw · n/(n - 1). R: svyvar().

    NaN, and not estimable, for a base of one respondent. The interval is value ± t·se, as R's; of a skewed
    variable it is rough.
    """
    values, base = answered(y, design)
    n = int(base.members.sum())
    if n < 2:
        return _estimate(np.nan, np.zeros(len(base)), base, scale="number", level=level)
    inside = values[base.members]
    alike = np.ptp(inside) == 0  # then the mean is exactly theirs, where the sums would leave rounding noise
    centre = inside[0] if alike else (base.weight * values).sum() / base.weight.sum()
    squares = np.where(base.members, (values - centre) ** 2 * n / (n - 1), 0.0)
    # The mean is estimated too, but the derivative of Σw(y - m)² by m is 0 at the mean.
    return _hajek(squares, base, scale="number", level=level)


def standard_deviation(y: ArrayLike, design: Design, *, level: float = LEVEL) -> Estimate:
    """Return the square root of `variance` with its standard error by the delta method."""
    of_square = variance(y, design, level=level)
    if not of_square.value > 0:
        return of_square
    value = float(np.sqrt(of_square.value))
    return _estimate(
        value, of_square.influence / (2 * value), of_square.design, scale="number", level=level, size=value
    )


def difference(a: Estimate, b: Estimate, *, level: float = LEVEL) -> Estimate:
    """Return a - b with the covariance of the two. R: svycontrast(). df: those of the union of their bases."""
    return combination([a, b], [1, -1], level=level)


def combination(estimates: Sequence[Estimate], coefficients: Sequence[float], *, level: float = LEVEL) -> Estimate:
    """Return Σ coefficient · estimate, with the covariances between them.

    The estimates must be of one design (domains of it may differ). Degrees of freedom are those of the
    union of their bases. NaN, and not estimable, if one of them has an empty base.
    """
    union = _union(estimates)
    value = float(sum(c * e.value for c, e in zip(coefficients, estimates, strict=True)))
    influence = sum((c * e.influence for c, e in zip(coefficients, estimates, strict=True)), np.zeros(len(union)))
    size = sum(abs(c) * float(np.abs(e.influence).sum()) for c, e in zip(coefficients, estimates, strict=True))
    return _estimate(value, influence, union, scale="number", level=level, size=size)


def covariances(estimates: Sequence[Estimate]) -> Floats:
    """Return the covariance matrix of estimates of one design, shape (k, k). R: vcov(svyby(covmat=TRUE))."""
    return covariance(np.stack([estimate.influence for estimate in estimates], axis=1), _union(estimates))


def design_effect(estimate: Estimate, *, replacement: bool = True) -> float:
    """Return the variance over that of a simple random sample of the same n. R: svymean(deff="replace" or TRUE).

    replacement  False: over that of a sample without replacement from Σw units, (1 - n/Σw) times as large

    NaN where the standard error is not estimable or the statistic has no such variance.
    Raises DesignError for replacement=False where the weights don't sum to more than n: they are scaled to the
    sample and say nothing of the population (R gives Inf or NA).
    """
    if replacement or not estimate.n:
        return estimate.deff
    size = float(estimate.design.weight.sum())
    # Weights raked to n sum to it but for rounding.
    if size <= estimate.n * (1 + 1e-9):
        raise DesignError(
            f"the weights sum to {size:.6g}, no more than the {estimate.n} respondents, so there is no population "
            "to have sampled without replacement; give weights that sum to it, or take replacement=True"
        )
    return estimate.deff / (1 - estimate.n / size)


def answered(y: ArrayLike, design: Design) -> tuple[Floats, Design]:
    """Return *y*, (n,), with 0 for a missing answer, and the domain of those who answered."""
    try:
        values = np.asarray(y, dtype=float)
    except (TypeError, ValueError) as error:
        raise DesignError(f"answers must be numbers, NaN where missing ({error})") from None
    if values.shape != design.weight.shape:
        raise DesignError(f"the answers have shape {values.shape}, the design has {len(design)} respondents")
    if np.isinf(values).any():
        raise DesignError("an answer is infinite; missing answers are NaN")
    return np.nan_to_num(values), design.domain(~np.isnan(values))


def _union(estimates: Sequence[Estimate]) -> Design:
    """Return the design of the respondents who are in the base of at least one of the estimates."""
    if not estimates:
        raise DesignError("there is no estimate to combine")
    first = estimates[0].design
    for other in estimates[1:]:
        if other.design.psu is not first.psu and not np.array_equal(other.design.psu, first.psu):
            raise DesignError("estimates of different designs have no covariance; compare them as independent samples")
        if other.design.calibration is not first.calibration:
            raise DesignError(
                "estimates with weights that were calibrated differently are not combined; "
                "make both with the one design, or jackknife the difference"
            )
    weight: Floats = np.max([e.design.weight for e in estimates], axis=0)
    return replace(first, weight=weight)


def _hajek(values: Floats, base: Design, *, scale: Scale, level: float) -> Estimate:
    people = base.weight.sum()
    if not people:
        return _estimate(np.nan, np.zeros(len(base)), base, scale=scale, level=level)
    value = float((base.weight * values).sum() / people)
    inside = base.members
    if np.ptp(values[inside]) == 0:  # exactly, where the sums would leave rounding noise
        return _estimate(float(values[inside][0]), np.zeros(len(base)), base, scale=scale, level=level)
    deviation = values - value
    simple = float((base.weight * deviation**2).sum() / people) / (int(inside.sum()) - 1)
    size = float((base.weight * np.abs(values)).sum() / people)
    return _estimate(value, base.weight * deviation / people, base, scale=scale, level=level, size=size, simple=simple)


def _estimate(
    value: float,
    influence: Floats,
    base: Design,
    *,
    scale: Scale,
    level: float,
    size: float = 0.0,
    simple: float = np.nan,
) -> Estimate:
    """Return the estimate with its error and interval; *size* is the sum of the sizes of the terms it is a sum of."""
    n, df = int(base.members.sum()), max(base.degrees(), 0)
    spread = float(covariance(influence, base)[0, 0]) if df > 0 else 0.0
    some = spread > (NOISE * size) ** 2
    if n and not np.isnan(value) and (_all_sampled(base) or (df > 0 and not some and _calibrated_to(influence, base))):
        return Estimate(value, 0.0, value, value, df, n, 0.0 * simple, True, influence, base, simple)
    estimable = df > 0 and some
    se = float(np.sqrt(spread)) if estimable else np.nan
    if estimable and scale == "share":
        low, high = logit_interval(value, se, df, level)
    elif estimable:
        low, high = t_interval(value, se, df, level)
    elif scale == "share":
        low, high = korn_graubard(value, _effective(base), level)
    else:
        low, high = np.array(np.nan), np.array(np.nan)
    deff = spread / simple if estimable else np.nan
    return Estimate(value, se, float(low), float(high), df, n, deff, estimable, influence, base, simple)


def _all_sampled(base: Design) -> bool:
    """Whether every unit there is was sampled at every stage, where the base has members: nothing is left to chance."""
    return all((level.fraction[level.stratum[base.members]] == 1).all() for level in base.levels)


def _calibrated_to(influence: Floats, base: Design) -> bool:
    """Whether the figure would vary between samples, but for the weights being calibrated to it."""
    if base.calibration is None:
        return False
    size = float(np.abs(influence).sum())
    return bool(covariance(influence, replace(base, calibration=None))[0, 0] > (NOISE * size) ** 2)


def _effective(base: Design) -> float:
    per_psu = np.bincount(base.psu, base.weight, base.psus)
    return float(per_psu.sum() ** 2 / (per_psu**2).sum()) if per_psu.any() else np.nan
