"""From influence values to sampling variance: one routine for every estimator; and the bootstrap of whole PSUs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.design import Design, DesignError, Floats


def covariance(influence: Floats, design: Design) -> Floats:
    """Return the sampling covariance of estimates with the influence values *influence*, (n,) or (n, k) → (k, k).

    Ultimate clusters with finite population correction (Lumley 2004, J. Stat. Softw. 9(8)): per stratum,
    factor · Σ over PSUs of (z - z̄)(z - z̄)', where z sums the influence values of a PSU. Agrees with R's
    svyrecvar(); see tests/validation/.

    Raises DesignError if a stratum has a single PSU (unless the design says they are certain).
    """
    values = np.atleast_2d(np.asarray(influence, dtype=float).T).T
    z = np.zeros((design.psus, values.shape[1]))
    np.add.at(z, design.psu, values)
    stratum = design.psu_stratum
    mean = np.zeros((design.strata, values.shape[1]))
    np.add.at(mean, stratum, z)
    mean /= np.maximum(design.psus_in, 1)[:, None]
    z -= mean[stratum]
    return (z * design.factor[stratum][:, None]).T @ z


def bootstrap(
    design: Design,
    statistic: Callable[[Floats], Floats],
    *,
    values: Floats,
    replicates: int = 2000,
    seed: int,
) -> Floats:
    """Return *replicates* values of a statistic of weighted totals, PSUs resampled with replacement; (R, …).

    values     (n, k) what is summed: column j of a replicate is Σ w·values[:, j] over the drawn PSUs
    statistic  maps totals of shape (R, k) to the statistic, shape (R,) or (R, m)

    In a stratum with m PSUs, m - 1 are drawn and weighted by m / (m - 1) (Rao and Wu 1988; R:
    as.svrepdesign(type="subbootstrap")). Draws are integers of numpy's PCG64, so a seed gives the same
    replicates on every machine. Sampling fractions are not taken off: with them, the interval is too long.

    Raises DesignError if a stratum has a single PSU.
    """
    sums = np.zeros((design.psus, values.shape[1]))
    np.add.at(sums, design.psu, values * design.weight[:, None])
    if (design.psus_in < 2).any():
        raise DesignError("a stratum has a single PSU, so there is nothing to resample in it; merge it with another")
    rng = np.random.default_rng(seed)
    totals = np.zeros((replicates, values.shape[1]))
    for stratum, m in enumerate(design.psus_in):
        totals += _drawn(rng, int(m), replicates) @ sums[design.psu_stratum == stratum] * (m / (m - 1))
    return np.asarray(statistic(totals))


def _drawn(rng: np.random.Generator, m: int, replicates: int) -> Floats:
    """Return how often each of m PSUs is among the m - 1 drawn with replacement, shape (replicates, m)."""
    # Five times as fast as rng.multinomial, which draws a binomial number for each PSU in turn.
    drawn = rng.integers(m, size=(replicates, m - 1)) + m * np.arange(replicates)[:, None]
    return np.bincount(drawn.ravel(), minlength=replicates * m).reshape(replicates, m).astype(float)


def percentile_interval(replicates: Floats, *, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of bootstrap *replicates*, shape (R,)."""
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
