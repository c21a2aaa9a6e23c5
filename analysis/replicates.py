"""The jackknife that leaves out one PSU after the other, and can weight every replicate anew.

A statistic of weights that were raked has errors which linearisation knows only nearly: at the size of the
study, raking each replicate anew comes closest to the truth (docs/methods.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Design, DesignError, Floats
from analysis.variance import covariance

if TYPE_CHECKING:
    from analysis.estimators import Estimate
    from analysis.weighting import Weighted

LARGEST = 250_000_000
"""Weights of all replicates together, R · n, that are still made: 2 GB."""

Centre = Literal["replicates", "estimate"]


@dataclass(frozen=True, eq=False)
class Replicates:
    """The weights of R replicates of a design's n respondents.

    weight    (n,) weights of the whole sample, reweighted as the replicates are
    weights   (R, n) weights of each replicate
    scale     (R,) what its squared deviation is multiplied by: (1 - f) (m - 1) / m, in a stratum of m PSUs
    psu       (R,) the PSU it leaves out, as Design numbers them
    df        PSUs - strata of the design's domain
    """

    weight: Floats
    weights: Floats
    scale: Floats
    psu: Codes
    df: int


@dataclass(frozen=True, eq=False)
class Jackknifed:
    """A statistic of k numbers: value and se of shape (k,), their covariance (k, k), and the R replicates (R, k).

    df  PSUs - strata
    """

    value: Floats
    se: Floats
    covariance: Floats
    df: int
    replicates: Floats


def delete_one_psu(design: Design, *, reweight: Callable[[Floats], Floats] | None = None) -> Replicates:
    """Return the replicates that each leave out one PSU; JK1 for one stratum, JKn for more. R: as.svrepdesign().

    In the stratum of the PSU that is left out the m - 1 others weigh m / (m - 1) as much. A stratum
    that was taken completely (fraction 1), or whose one PSU was certain to be drawn, has no replicates.
    Stages of sampling within PSUs count as parts of them; their own fpc is not used (as in R).

    reweight  (R, n) weights → (R, n) weights: what makes final weights of the design's, such as the
              `reweight` of a Weighted. None: the design's weights are final

    Raises DesignError for a stratum with a single PSU (unless the design says it is certain), for
    replicates that would not fit into memory, and for weights that come back wrong.
    """
    left_out = _left_out(design)
    stratum = design.psu_stratum[left_out]
    m = design.psus_in[stratum].astype(float)
    factor = np.where(design.stratum == stratum[:, None], (m / (m - 1))[:, None], 1.0)
    factor[design.psu == left_out[:, None]] = 0.0
    scale = (1 - design.fraction[stratum]) * (m - 1) / m
    weights, weight = factor * design.weight, design.weight
    if reweight is not None:
        weights, weight = _reweighted(weights, reweight), _reweighted(weight[None, :], reweight)[0]
    return Replicates(weight, weights, scale, left_out, design.degrees())


def jackknife(
    statistic: Callable[[Floats], ArrayLike], replicates: Replicates, *, centre: Centre = "replicates"
) -> Jackknifed:
    """Return a statistic with its jackknife errors.

    statistic  weights (n,) → a number or k numbers. A domain is respondents to whom the statistic gives no part
    centre     deviations are from the mean of the replicates (R's default) or from the estimate (R: mse=TRUE)

    Covariance: Σ scale · (θ_r - θ̄)(θ_r - θ̄)'. Raises DesignError if the statistic is not a number in some
    replicate, which happens where a domain lies within one PSU.
    """
    value = _valued(statistic, replicates.weight, "the whole sample")
    made = np.array(
        [
            _valued(statistic, row, f"the replicate that leaves out PSU number {psu + 1}")
            for row, psu in zip(replicates.weights, replicates.psu.tolist(), strict=True)
        ]
    )
    deviation = made - (made.mean(axis=0) if centre == "replicates" else value)
    matrix = (deviation * replicates.scale[:, None]).T @ deviation
    return Jackknifed(value, np.sqrt(np.diag(matrix)), matrix, replicates.df, made)


def _left_out(design: Design) -> Codes:
    """Return the PSUs that are left out in turn."""
    alone = (design.psus_in < 2) & (design.fraction < 1)
    if alone.any() and design.lonely not in ("certainty", "remove"):
        raise DesignError(
            f"{alone.sum()} of {design.strata} strata have a single PSU (stratum number "
            f"{np.flatnonzero(alone)[0] + 1}), and without it nothing is left. Merge the stratum with a similar "
            'one, or say lonely="certainty" if the PSU was certain to be drawn'
        )
    varies = (design.psus_in > 1) & (design.fraction < 1)
    left_out = np.flatnonzero(varies[design.psu_stratum])
    if not len(left_out):
        raise DesignError("no stratum has PSUs that could be left out; every PSU of the population is in the sample")
    if len(left_out) * len(design) > LARGEST:
        raise DesignError(
            f"{len(left_out)} replicates of {len(design)} respondents do not fit into memory. At this size "
            "linearised errors are as good (the calibrated design has them); or form fewer, larger PSUs"
        )
    return left_out


@dataclass(frozen=True)
class Errors:
    """One estimate with three standard errors, from the one to report to the one that is commonly shown.

    jackknife   every replicate weighted anew
    linearised  what the known figures explain taken off
    fixed       weights taken as if they had not been made from the sample
    df          PSUs - strata of the estimate's base
    """

    value: float
    jackknife: float
    linearised: float
    fixed: float
    df: int


def side_by_side(
    estimator: Callable[[Design], Estimate], weighted: Weighted, replicates: Replicates | None = None
) -> Errors:
    """Return what an estimator says with calibrated weights, with the three standard errors.

    estimator   a design → its estimate, such as `lambda design: share(is_so, design)`
    replicates  of the design before weighting, weighted anew; None: they are made
    """
    if replicates is None:
        replicates = delete_one_psu(weighted.base, reweight=weighted.reweight)
    estimate = estimator(weighted.design)
    again = jackknife(lambda weight: estimator(replace(weighted.design, weight=weight)).value, replicates)
    return Errors(
        value=estimate.value,
        jackknife=float(again.se[0]),
        linearised=float(np.sqrt(covariance(estimate.influence, weighted.design)[0, 0])),
        fixed=float(np.sqrt(covariance(estimate.influence, replace(weighted.design, calibration=None))[0, 0])),
        df=estimate.df,
    )


def _reweighted(weights: Floats, reweight: Callable[[Floats], Floats]) -> Floats:
    made = np.asarray(reweight(weights), dtype=float)
    if made.shape != weights.shape or not np.isfinite(made).all():
        raise DesignError(f"reweighting has to return finite weights of shape {weights.shape}, not {made.shape}")
    return made


def _valued(statistic: Callable[[Floats], ArrayLike], weight: Floats, where: str) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        try:
            value = np.atleast_1d(np.asarray(statistic(weight), dtype=float))
        except ZeroDivisionError:
            value = np.array([np.nan])
    if not np.isfinite(value).all():
        raise DesignError(
            f"the statistic is not a number in {where}; its base is empty there. "
            "A statistic of one PSU's respondents has no standard error"
        )
    return value
