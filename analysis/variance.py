"""From influence values to sampling variance: one routine for every estimator; and the bootstrap of whole PSUs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.design import Codes, Design, DesignError, Floats, Level, Mask, refuse_alone


def covariance(influence: Floats, design: Design) -> Floats:
    """Return the sampling covariance of estimates with the influence values *influence*, (n,) or (n, k) → (k, k).

    Ultimate clusters with finite population correction (Lumley 2004, J. Stat. Softw. 9(8)): per stratum,
    factor · Σ over PSUs of (z - z̄)(z - z̄)', where z sums the influence values of a PSU. A stage of sampling
    within the PSUs adds the same sum of its own units, times the sampled share of the PSUs (Särndal,
    Swensson and Wretman 1992, chapter 4.3). Agrees with R's svyrecvar(), single PSUs included; see tests/validation/.

    Of calibrated weights the influence values first lose what the known figures explain (`Design.calibration`):
    R's errors of a post-stratified, raked or calibrated design.

    A stratum counts among those that "average" and "adjust" look at if the domain has a member in it.

    Raises DesignError if a stratum has a single PSU, unless the design says what that means; under
    lonely="average" if no stratum has two.
    """
    values = np.atleast_2d(np.asarray(influence, dtype=float).T).T
    if len(values) != len(design) or not np.isfinite(values).all():
        raise DesignError(f"influence values must be finite and one row for each of the {len(design)} respondents")
    if design.calibration is not None:
        values = design.calibration.residuals(values)
    result = np.zeros((values.shape[1], values.shape[1]))
    for number, level in enumerate(design.levels, 1):
        refuse_alone(level, design.lonely, number)
        if (level.carried > 0).any():
            result += _of_stage(values, level, design)
    return result


def covariance_of_totals(cell: Codes, cells: int, design: Design) -> Floats:
    """Return the covariance of the weighted totals of *cells* cells, (cells, cells), for any design.

    cell  (n,) 0 … cells-1, or -1: in none. For designs whose variance is no factor per stratum
          (`Design.by_factor`); the engines' moments are the faster way for the others.
    """
    indicator = cell[:, None] == np.arange(cells)
    return covariance(indicator * design.weight[:, None], design)


def _of_stage(values: Floats, level: Level, design: Design) -> Floats:
    z = _summed(values, level.unit, level.units)
    centre = _summed(z, level.unit_stratum, level.strata) / np.maximum(level.units_in, 1)[:, None]
    factor = level.factor
    if level.alone.any():
        present = np.bincount(level.stratum, design.members, level.strata) > 0
        if design.lonely == "average":
            factor = factor * _padding(level, present)[level.within]
        elif design.lonely == "adjust":
            centre[level.alone] = _overall(z, level, present)[level.within[level.alone]]
            factor = np.where(level.alone & present, level.carried * (1 - level.fraction), factor)
    z -= centre[level.unit_stratum]
    return (z * factor[level.unit_stratum][:, None]).T @ z


def _summed(values: Floats, of: Codes, size: int) -> Floats:
    """Return the sums of the rows of *values* by the number in *of*, shape (size, k)."""
    # Faster than numpy.add.at on a matrix.
    sums = np.empty((size, values.shape[1]))
    for column in range(values.shape[1]):
        sums[:, column] = np.bincount(of, values[:, column], size)
    return sums


def _padding(level: Level, present: Mask) -> Floats:
    """(units of the stage before,) strata there are over strata with a variance: the others get their mean."""
    parents = int(level.within.max(initial=-1)) + 1
    there = np.bincount(level.within, present, parents)
    known = np.bincount(level.within, present & ~level.alone, parents)
    if ((there > 0) & (known == 0)).any():
        raise DesignError(
            'lonely="average" needs a stratum with two PSUs to take the mean of, and there is none; '
            'merge strata, or say lonely="adjust"'
        )
    return np.where(known > 0, there / np.maximum(known, 1), 1.0)


def _overall(z: Floats, level: Level, present: Mask) -> Floats:
    """(units of the stage before, k) mean of the units' totals over all strata."""
    parents = int(level.within.max(initial=-1)) + 1
    sums = _summed(z, level.within[level.unit_stratum], parents)
    units = np.bincount(level.within, present * level.units_in, parents)
    return sums / np.maximum(units, 1)[:, None]


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
    replicates on every machine. Sampling fractions are not taken off: with them, the interval is too
    long. Calibrated weights count as fixed.

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
