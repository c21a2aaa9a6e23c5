"""Totals, means, shares, ratios and differences of respondents, each with its influence values.

Every estimator takes the answers as an array over all respondents of the design and a `Design`; NaN is an
answer that is missing and takes the respondent out of the base, as a domain: the design stays whole.
An estimate keeps its influence values, so any two estimates of one design can be compared with their
covariance (`difference`, `combination`), whether or not they are of the same respondents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, DesignError, Floats
from analysis.variance import covariance

LEVEL = 0.95

Scale = Literal["share", "number"]


@dataclass(frozen=True, eq=False)
class Estimate:
    """One statistic with its uncertainty.

    value         NaN only if the base is empty
    se            NaN where it is not estimable: no degrees of freedom, or everybody gave the same answer
    low, high     95 % interval: logit-t for a share, t otherwise; where a share is not estimable, a
                  Korn-Graubard bound; where a number is not, NaN
    df            PSUs - strata of the base
    n             respondents of the base, unweighted
    deff          variance over that of a simple random sample of n with replacement; of a mean or share
    influence     (n,) the linearised contribution of each respondent, weight included
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


def total(y: ArrayLike, design: Design) -> Estimate:
    """Return the weighted total of *y*, shape (n,). R: svytotal()."""
    values, base = _base(y, design)
    influence = base.weight * values
    return _estimate(float(influence.sum()), influence, base, scale="number")


def mean(y: ArrayLike, design: Design) -> Estimate:
    """Return the weighted mean of *y*, shape (n,): a Hájek ratio, linearised. R: svymean()."""
    values, base = _base(y, design)
    return _hajek(values, base, scale="number")


def share(is_so: ArrayLike, design: Design) -> Estimate:
    """Return the share of respondents of whom *is_so* (0 or 1, NaN missing) is 1. R: svyciprop(method="logit")."""
    values, base = _base(is_so, design)
    if not np.isin(values[base.members], (0, 1)).all():
        raise DesignError("a share needs answers that are 0, 1 or missing; use mean() for numbers")
    return _hajek(values, base, scale="share")


def ratio(y: ArrayLike, x: ArrayLike, design: Design) -> Estimate:
    """Return total *y* over total *x* among those who have both, linearised. R: svyratio()."""
    numerator = np.asarray(y, dtype=float)
    denominator = np.asarray(x, dtype=float)
    _, base = _base(numerator + denominator, design)
    numerator, denominator = np.nan_to_num(numerator), np.nan_to_num(denominator)
    below = float((base.weight * denominator).sum())
    if base.members.any() and below == 0:
        raise DesignError("the denominator of the ratio sums to 0 in this base")
    value = float((base.weight * numerator).sum()) / below if below else np.nan
    influence = base.weight * (numerator - value * denominator) / below if below else np.zeros(len(design))
    return _estimate(value, influence, base, scale="number")


def difference(a: Estimate, b: Estimate) -> Estimate:
    """Return a - b with the covariance of the two. R: svycontrast(). df: those of the larger domain of the two."""
    return combination([a, b], [1, -1])


def combination(estimates: Sequence[Estimate], coefficients: Sequence[float]) -> Estimate:
    """Return Σ coefficient · estimate, with the covariances between them.

    The estimates must be of one design (domains of it may differ). Degrees of freedom are those of the
    union of their bases.
    """
    first = estimates[0].design
    for other in estimates[1:]:
        if other.design.psu is not first.psu and not np.array_equal(other.design.psu, first.psu):
            raise DesignError("estimates of different designs have no covariance; compare them as independent samples")
    value = float(sum(c * e.value for c, e in zip(coefficients, estimates, strict=True)))
    influence = sum((c * e.influence for c, e in zip(coefficients, estimates, strict=True)), np.zeros(len(first)))
    anyone = np.any([e.design.members for e in estimates], axis=0)
    weight = np.max([e.design.weight for e in estimates], axis=0)
    union = Design(np.where(anyone, weight, 0.0), first.stratum, first.psu, first.fraction, first.lonely)
    return _estimate(value, influence, union, scale="number")


def covariances(estimates: Sequence[Estimate]) -> Floats:
    """Return the covariance matrix of estimates of one design, shape (k, k)."""
    return covariance(np.stack([estimate.influence for estimate in estimates], axis=1), estimates[0].design)


def t_interval(value: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return value ± t(df) · se, elementwise."""
    half = _t(df, level) * np.asarray(se, dtype=float)
    return np.asarray(value - half), np.asarray(value + half)


def logit_interval(p: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the interval of shares that is symmetric on the logit scale. R: svyciprop(method="logit")."""
    shares = np.asarray(p, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(shares) - np.log1p(-shares)
        half = _t(df, level) * np.asarray(se, dtype=float) / (shares * (1 - shares))
        return 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))


def korn_graubard(p: ArrayLike, effective: ArrayLike, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the Clopper-Pearson bounds of shares with an *effective* sample size.

    Korn and Graubard (1998, Survey Methodology 24). Where a share is 0 or 1 its variance gives no design
    effect; we then take the effective number of PSUs, as if all respondents of a PSU had to answer alike,
    which is the most cautious of the possible ones.
    """
    from scipy.special import betaincinv

    shares, size = np.broadcast_arrays(np.asarray(p, dtype=float), np.asarray(effective, dtype=float))
    tail = (1 - level) / 2
    yes, no = shares * size, (1 - shares) * size
    with np.errstate(invalid="ignore"):
        low = np.where(yes > 0, betaincinv(np.maximum(yes, 1e-300), no + 1, tail), 0.0)
        high = np.where(no > 0, betaincinv(yes + 1, np.maximum(no, 1e-300), 1 - tail), 1.0)
    unknown = np.isnan(shares) | np.isnan(size)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def _base(y: ArrayLike, design: Design) -> tuple[Floats, Design]:
    values = np.asarray(y, dtype=float)
    if values.shape != design.weight.shape:
        raise DesignError(f"the answers have shape {values.shape}, the design has {len(design)} respondents")
    if np.isinf(values).any():
        raise DesignError("an answer is infinite; missing answers are NaN")
    return np.nan_to_num(values), design.domain(~np.isnan(values))


def _hajek(values: Floats, base: Design, scale: Scale) -> Estimate:
    size = base.weight.sum()
    if not size:
        return _estimate(np.nan, np.zeros(len(base)), base, scale=scale)
    value = float((base.weight * values).sum() / size)
    inside = base.members
    if np.ptp(values[inside]) == 0:  # exactly, where the sums would leave rounding noise
        return _estimate(float(values[inside][0]), np.zeros(len(base)), base, scale=scale)
    n = int(inside.sum())
    spread = float((base.weight * (values - value) ** 2).sum() / size)
    simple = spread / (n - 1)
    return _estimate(value, base.weight * (values - value) / size, base, scale=scale, simple=simple)


def _estimate(value: float, influence: Floats, base: Design, *, scale: Scale, simple: float = np.nan) -> Estimate:
    n, df = int(base.members.sum()), base.degrees()
    spread = float(covariance(influence, base)[0, 0]) if df > 0 else 0.0
    estimable = df > 0 and spread > 0
    se = float(np.sqrt(spread)) if estimable else np.nan
    if estimable and scale == "share":
        low, high = logit_interval(value, se, df)
    elif estimable:
        low, high = t_interval(value, se, df)
    elif scale == "share":
        low, high = korn_graubard(value, _effective(base))
    else:
        low, high = np.array(np.nan), np.array(np.nan)
    deff = spread / simple if estimable else np.nan
    return Estimate(value, se, float(low), float(high), max(df, 0), n, deff, estimable, influence, base)


def _effective(base: Design) -> float:
    per_psu = np.bincount(base.psu, base.weight, base.psus)
    return float(per_psu.sum() ** 2 / (per_psu**2).sum()) if per_psu.any() else np.nan


def _t(df: ArrayLike, level: float) -> Floats:
    from scipy.special import stdtrit

    degrees = np.asarray(df, dtype=float)
    with np.errstate(invalid="ignore"):
        return np.where(degrees > 0, stdtrit(np.maximum(degrees, 1), (1 + level) / 2), np.nan)
