"""Intervals of shares and numbers, as functions of arrays: what R's svyciprop(), prop.test() and binom.test() give.

A share p, its standard error se, the degrees of freedom df of the design and a base n broadcast against each
other; the limits have the broadcast shape. NaN in any of them is "not estimable" and gives NaN limits. Where a
share is exactly 0 or 1, or there are no degrees of freedom, an interval that needs a standard error has none:
use `korn_graubard` with an effective size, as `estimators.share` does.

All raise IntervalError for a share outside 0 … 1, a negative standard error or base, and a level outside 0 … 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kysely.errors import AnalystError

Floats = NDArray[np.float64]
Limits = tuple[Floats, Floats]

LEVEL = 0.95


class IntervalError(AnalystError):
    """No interval can be made of these numbers. Says which one is wrong."""


# ---- from a standard error ----------------------------------------------------------------------------


def t_interval(value: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = LEVEL) -> Limits:
    """Return value ± t(df) · se, elementwise. R: confint(df=); of a share, svyciprop(method="mean")."""
    centre, half = np.asarray(value, dtype=float), _t(df, level) * _error(se)
    return np.asarray(centre - half), np.asarray(centre + half)


def logit_interval(p: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the interval of shares that is symmetric on the logit scale. R: svyciprop(method="logit", "xlogit")."""
    shares = _share(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(shares) - np.log1p(-shares)
        half = _t(df, level) * _error(se) / (shares * (1 - shares))
        return _expit(centre - half), _expit(centre + half)


def bounded_interval(
    value: ArrayLike, se: ArrayLike, df: ArrayLike, between: tuple[ArrayLike, ArrayLike], level: float = LEVEL
) -> Limits:
    """Return the interval of means of a scale whose ends are known: the logit interval on the scale's length.

    The logistic transform for bounded outcomes (Lesaffre, Rizopoulos and Tsonaka 2007, Biostatistics 8) with the
    delta method. value ± t·se passes the ends in small groups near one, and covers the mean too seldom there.
    R: svyciprop(~I((x - low) / (high - low)), method="xlogit").
    """
    low, high = (np.asarray(end, dtype=float) for end in between)
    length = high - low
    below, above = logit_interval(np.clip((np.asarray(value) - low) / length, 0, 1), _error(se) / length, df, level)
    return np.asarray(low + length * below), np.asarray(low + length * above)


def asin_interval(p: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the interval of shares that is symmetric on the scale of arcsin √p. R: svyciprop(method="asin").

    As in R a limit that passes 0 or π/2 on that scale turns back, and the interval is too short there: for
    shares near 0 or 1 take another.
    """
    shares = _share(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.arcsin(np.sqrt(shares))
        half = _t(df, level) * _error(se) / (2 * np.sqrt(shares * (1 - shares)))
        low, high = (np.sin(limit) ** 2 for limit in (centre - half, centre + half))
    return np.asarray(low), np.asarray(high)


def design_wilson(p: ArrayLike, se: ArrayLike, df: ArrayLike, level: float = LEVEL) -> Limits:
    """Return Wilson's interval with the size p(1 - p)/se², t(df) for z. R: svyciprop(method="wilson") of survey 4.5."""
    return wilson(p, _effective(p, se), level, df=df)


def design_korn_graubard(p: ArrayLike, se: ArrayLike, df: ArrayLike, n: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the Korn-Graubard interval of shares of n respondents. R: svyciprop(method="beta").

    The effective size p(1 - p)/se² is taken times (t(n - 1)/t(df))² (Korn and Graubard 1998).
    """
    ratio = _t(np.asarray(n, dtype=float) - 1, level) / _t(df, level)
    return korn_graubard(p, _effective(p, se) * ratio**2, level)


def likelihood_interval(
    p: ArrayLike, se: ArrayLike, df: ArrayLike, n: ArrayLike, level: float = LEVEL, *, first: ArrayLike | None = None
) -> Limits:
    """Return the interval from the binomial likelihood, scaled by the design effect. R: svyciprop(method="likelihood").

    Its limits are where the deviance of n respondents has risen by t(df)² · deff · n/(n - 1) (Rao and Scott
    1984 for one parameter). R reads them off a spline through a few points of the profile, with linear
    interpolation, and takes the information from its last iteration but one: up to some 2e-5 off the exact
    limits. We do the same, so that the two can be compared. Where R's points stop short of the limit (few
    degrees of freedom) ours is exact.

    first  the logit of R's first iteration, `first_iteration`; None: that of equal weights
    """
    shares, size = np.broadcast_arrays(_share(p), _size(n))
    begin = _equal_weights_first(shares) if first is None else np.asarray(first, dtype=float)
    arrays = np.broadcast_arrays(shares, _error(se), _t(df, level), size, begin)
    limits = np.array([_profile_limits(*map(float, one)) for one in zip(*map(np.ravel, arrays), strict=True)])
    low, high = limits.reshape(-1, 2).T
    return low.reshape(arrays[0].shape), high.reshape(arrays[0].shape)


def first_iteration(is_so: Floats, weight: Floats) -> float:
    """Return the logit that iteratively reweighted least squares reach in one step from R's start for binomial data.

    is_so and weight have shape (n,). The start is (w·y + 1/2)/(w + 1) with weights of mean 1.
    """
    relative = weight / weight.mean()
    start = (relative * is_so + 0.5) / (relative + 1)
    spread = start * (1 - start)
    working = np.log(start) - np.log1p(-start) + (is_so - start) / spread
    return float((relative * spread * working).sum() / (relative * spread).sum())


# ---- from a size -----------------------------------------------------------------------------------------


def wilson(
    p: ArrayLike, n: ArrayLike, level: float = LEVEL, *, df: ArrayLike = np.inf, corrected: bool = False
) -> Limits:
    """Return Wilson's score interval of shares of n respondents, or of an effective number. R: prop.test().

    df         t(df) for z, where the size was estimated from so many degrees of freedom
    corrected  for continuity (Newcombe 1998, method 4), as prop.test(correct=TRUE): by half a respondent,
               by less where the share is within half a respondent of 1/2
    """
    shares, size = np.broadcast_arrays(_share(p), _size(n))
    z = _t(df, level)
    shift = np.minimum(0.5, np.abs(shares - 0.5) * size) if corrected else np.zeros(())
    with np.errstate(divide="ignore", invalid="ignore"):
        below, above = shares - shift / size, shares + shift / size
        low = np.where(below <= 0, 0.0, _score_limit(np.clip(below, 0, 1), size, -z))
        high = np.where(above >= 1, 1.0, _score_limit(np.clip(above, 0, 1), size, z))
    unknown = np.isnan(shares) | ~(size > 0) | np.isnan(z)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def korn_graubard(p: ArrayLike, effective: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the Clopper-Pearson bounds of shares with an *effective* sample size. Of a whole one: R's binom.test().

    Korn and Graubard (1998, Survey Methodology 24). Where a share is 0 or 1 its variance gives no design
    effect; `estimators.share` then takes the effective number of PSUs, as if all respondents of a PSU had
    to answer alike, which is the most cautious of the possible ones.
    """
    shares, size = np.broadcast_arrays(_share(p), _size(effective))
    yes, no = shares * size, (1 - shares) * size
    low = np.where(yes > 0, _beta_quantile(yes, no + 1, _tail(level)), 0.0)
    high = np.where(no > 0, _beta_quantile(yes + 1, no, 1 - _tail(level)), 1.0)
    unknown = np.isnan(shares) | np.isnan(size)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def agresti_coull(p: ArrayLike, n: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the Agresti-Coull interval (1998, The American Statistician 52): p ± z·se after adding z² answers.

    It can reach outside 0 … 1 and is given as it is.
    """
    shares, size = np.broadcast_arrays(_share(p), _size(n))
    z = _t(np.inf, level)
    more = size + z**2
    centre = (shares * size + z**2 / 2) / more
    half = z * np.sqrt(centre * (1 - centre) / more)
    return np.asarray(centre - half), np.asarray(centre + half)


def jeffreys(p: ArrayLike, n: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the equal-tailed interval under Jeffreys' prior: quantiles of Beta(np + 1/2, n(1 - p) + 1/2)."""
    shares, size = np.broadcast_arrays(_share(p), _size(n))
    yes, no = shares * size + 0.5, (1 - shares) * size + 0.5
    return _beta_quantile(yes, no, _tail(level)), _beta_quantile(yes, no, 1 - _tail(level))


_Method = Callable[[ArrayLike, ArrayLike, ArrayLike, float], Limits]

FROM_ERROR: Mapping[str, _Method] = {
    "logit": logit_interval,
    "xlogit": logit_interval,
    "asin": asin_interval,
    "mean": t_interval,
    "wilson": design_wilson,
}
METHODS = (*FROM_ERROR, "beta", "likelihood")
"""The intervals of a share under a design, by the names that R's svyciprop() gives them."""


def share_interval(
    method: str,
    p: ArrayLike,
    se: ArrayLike,
    *,
    df: ArrayLike,
    n: ArrayLike,
    level: float = LEVEL,
    first: ArrayLike | None = None,
) -> Limits:
    """Return the limits of shares by one of METHODS; n respondents, df degrees of freedom of the design.

    *first* is for "likelihood" only. R's svyciprop(method=).
    """
    if method in FROM_ERROR:
        return FROM_ERROR[method](p, se, df, level)
    if method == "beta":
        return design_korn_graubard(p, se, df, n, level)
    if method == "likelihood":
        return likelihood_interval(p, se, df, n, level, first=first)
    raise IntervalError(f"there is no interval {method!r} of a share; there are: {', '.join(METHODS)}")


# ---- the parts ---------------------------------------------------------------------------------------------


def _share(p: ArrayLike) -> Floats:
    shares = np.asarray(p, dtype=float)
    # A share that was summed can miss 1 by a rounding error.
    if ((shares < 0) | (shares > 1 + 1e-12)).any():
        raise IntervalError("a share lies between 0 and 1; divide a count by its base, and a percentage by 100")
    return np.minimum(shares, 1.0)


def _error(se: ArrayLike) -> Floats:
    errors = np.asarray(se, dtype=float)
    if (errors < 0).any():
        raise IntervalError("a standard error is negative")
    return errors


def _size(n: ArrayLike) -> Floats:
    size = np.asarray(n, dtype=float)
    if (size <= 0).any():
        raise IntervalError("an interval needs a base above 0; say NaN where there is none")
    return size


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise IntervalError(f"a level of confidence lies between 0 and 1, not {level}")
    return (1 - level) / 2


def _t(df: ArrayLike, level: float) -> Floats:
    """Return the upper quantile of t; NaN without degrees of freedom, the normal's where they are infinite."""
    from scipy.special import ndtri, stdtrit

    degrees = np.asarray(df, dtype=float)
    upper = 1 - _tail(level)
    with np.errstate(invalid="ignore"):
        finite = np.where(np.isfinite(degrees) & (degrees > 0), degrees, 1.0)
        found = np.where(degrees > 0, stdtrit(finite, upper), np.nan)
    return np.where(np.isposinf(degrees), ndtri(upper), found)


def _effective(p: ArrayLike, se: ArrayLike) -> Floats:
    shares, errors = np.broadcast_arrays(_share(p), _error(se))
    spread = shares * (1 - shares)
    known = (errors > 0) & (spread > 0)
    return np.where(known, spread / np.where(known, errors, 1.0) ** 2, np.nan)


def _expit(x: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(x))


def _score_limit(p: Floats, n: Floats, z: Floats) -> Floats:
    half = z**2 / (2 * n)
    return np.asarray((p + half + z * np.sqrt(p * (1 - p) / n + half / (2 * n))) / (1 + 2 * half))


def _beta_quantile(a: Floats, b: Floats, tail: float) -> Floats:
    from scipy.special import betaincinv

    with np.errstate(invalid="ignore"):
        return np.asarray(betaincinv(np.maximum(a, 1e-300), np.maximum(b, 1e-300), tail))


def _equal_weights_first(p: Floats) -> Floats:
    # With weights of 1 R starts at 1/4 and 3/4, whose working logits are ± (log 3 + 4/3).
    return np.asarray((2 * p - 1) * (np.log(3) + 4 / 3))


def _profile_limits(p: float, se: float, t: float, n: float, first: float) -> tuple[float, float]:
    from scipy.special import ndtr

    if np.isnan([p, se, t, n]).any() or not 0 < p < 1 or se == 0 or n < 2:
        return np.nan, np.nan
    spread = p * (1 - p)
    inflated = se**2 * n / spread * _information(p, n, first)  # the design effect, as R has it
    cutoff = t * float(np.sqrt(inflated))
    reach = np.sqrt(_upper_f(float(ndtr(-cutoff)) / 2, n - 1))
    eta, tau = _profile(p, n, step=reach / 5 * se / spread, reach=reach)
    if tau[0] <= -cutoff and tau[-1] >= cutoff:
        low, high = _read_off(eta, tau, cutoff)
    else:
        low, high = _exact_profile_limits(p, n, cutoff)
    return float(_expit(np.asarray(low))), float(_expit(np.asarray(high)))


def _information(p: float, n: float, first: float) -> float:
    """Return the information at R's last iteration but one over that at the last: 1 but for a small rest.

    Newton's steps for one logit, until the deviance changes by less than 1e-8 of itself.
    """
    eta, before = first, np.inf
    for _ in range(25):
        mu = float(_expit(np.asarray(eta)))
        spread = mu * (1 - mu)
        eta += (p - mu) / spread
        now = float(_expit(np.asarray(eta)))
        deviance = -2 * n * (p * np.log(now) + (1 - p) * np.log1p(-now))
        if abs(deviance - before) < 1e-8 * (abs(deviance) + 0.1):
            return spread / (now * (1 - now))
        before = deviance
    return 1.0


def _upper_f(tail: float, df: float) -> float:
    """Return the quantile of F(1, df) with *tail* above it."""
    from scipy.special import stdtrit

    return float(stdtrit(df, tail / 2)) ** 2


def _signed_root(eta: Floats, p: float, n: float) -> Floats:
    """Return the signed root of the deviance's rise at logits *eta*, dispersion n/(n - 1) as R estimates it."""
    centre = np.log(p) - np.log1p(-p)
    rise = n * (p * (np.log(p) - _log_expit(eta)) + (1 - p) * (np.log1p(-p) - _log_expit(-eta)))
    return np.asarray(np.sign(eta - centre) * np.sqrt(np.maximum(2 * rise * (n - 1) / n, 0)))


def _log_expit(x: Floats) -> Floats:
    from scipy.special import log_expit

    return np.asarray(log_expit(x))


def _profile(p: float, n: float, *, step: float, reach: float) -> tuple[Floats, Floats]:
    """Return logits and signed roots at the points R steps to: until *reach* is passed, nine steps at most."""
    centre = np.log(p) - np.log1p(-p)
    sides = []
    for sign in (-1, 1):
        eta = centre + sign * step * np.arange(1, 10)
        tau = _signed_root(eta, p, n)
        taken = 1 + min(int((np.abs(tau) < reach).sum()), 8)
        sides.append((eta[:taken], tau[:taken]))
    (below, tau_below), (above, tau_above) = sides
    eta = np.concatenate([below[::-1], [centre], above])
    return eta, np.concatenate([tau_below[::-1], [0.0], tau_above])


def _read_off(eta: Floats, tau: Floats, cutoff: float) -> tuple[float, float]:
    """Return the logits where the spline through the profile passes ± *cutoff*.

    The spline is R's spline(): at the ends its third derivative is that of the cubic through the four
    outermost points (0 where there are three: a parabola); it is evaluated at three times as many points
    as it has knots, which approx() joins by lines in the order of their height.
    """
    from scipy.interpolate import make_interp_spline

    ends = [(3, 6 * _third_difference(eta[part], tau[part])) for part in (slice(None, 4), slice(-4, None))]
    spline = make_interp_spline(eta, tau, k=3, bc_type=([ends[0]], [ends[1]]))
    at = np.linspace(eta[0], eta[-1], 3 * len(eta))
    height = spline(at)
    order = np.argsort(height, kind="stable")
    low, high = np.interp([-cutoff, cutoff], height[order], at[order])
    return float(low), float(high)


def _third_difference(x: Floats, y: Floats) -> float:
    if len(x) < 4:
        return 0.0
    first = np.diff(y) / np.diff(x)
    second = np.diff(first) / (x[2:] - x[:-2])
    return float((second[1] - second[0]) / (x[3] - x[0]))


def _exact_profile_limits(p: float, n: float, cutoff: float) -> tuple[float, float]:
    from scipy.optimize import brentq

    centre = float(np.log(p) - np.log1p(-p))

    def beyond(eta: float, sign: int) -> float:
        return sign * float(_signed_root(np.asarray(eta), p, n)) - cutoff

    found = []
    for sign in (-1, 1):
        far = 1.0
        while beyond(centre + sign * far, sign) < 0:
            far *= 2
        found.append(float(brentq(beyond, centre, centre + sign * far, args=(sign,), xtol=1e-13)))
    return found[0], found[1]
