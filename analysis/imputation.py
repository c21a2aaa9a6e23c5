"""Multiple imputation: one estimate from several completed data sets, with the uncertainty of the filling-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Floats
from analysis.estimators import LEVEL, Estimate, t_interval
from kysely.errors import AnalystError


class ImputationError(AnalystError):
    """The imputations can't be pooled. Says why and what to give."""


@dataclass(frozen=True, eq=False)
class Pooled:
    """k statistics pooled over m imputations; arrays have shape (k,), covariance (k, k).

    within, between  mean sampling variance of the imputations; variance of their estimates
    se               √(within + (1 + 1/m) between)
    df               Rubin's, or Barnard and Rubin's where the complete data's degrees of freedom were given;
                     infinite if the imputations don't differ and none were given
    df_mitools       what R's mitools::MIcombine(df.complete=) gives instead of Barnard and Rubin's df, for comparison
                     only: it takes W/(W + B) where they take W/(W + (1 + 1/m) B). Equal to df where none were given
    low, high        95 % t interval with df
    missing_information  share of the information that the missing answers took (as R: mitools gives it)
    """

    value: Floats
    se: Floats
    low: Floats
    high: Floats
    df: Floats
    df_mitools: Floats
    within: Floats
    between: Floats
    missing_information: Floats
    covariance: Floats
    imputations: int


def pool(values: ArrayLike, covariances: ArrayLike, *, complete_df: float | None = None) -> Pooled:
    """Return what *values* of m completed data sets say together (Rubin 1987, ch. 3).

    values       (m,) or (m, k) estimates
    covariances  (m,) sampling variances, (m, k) variances of each, or (m, k, k) covariance matrices
    complete_df  degrees of freedom if nothing were missing (PSUs - strata): df are then Barnard and Rubin's (1999),
                 never above it. None: Rubin's, which suppose it infinite and may exceed the number of PSUs

    R: mitools::MIcombine(), but for df_mitools; mice::pool() has the published df. Raises ImputationError for a
    single imputation, shapes that don't match, missing values and variances that are not positive.
    """
    estimates, matrices = _checked(values, covariances)
    m = len(estimates)
    mean, inside = estimates.mean(axis=0), matrices.mean(axis=0)
    deviation = estimates - mean
    outside = deviation.T @ deviation / (m - 1)
    total = inside + (1 + 1 / m) * outside
    w, b = np.diag(inside), np.diag(outside)
    raised = (1 + 1 / m) * b
    df = _degrees(w, raised, m, complete_df, w / (w + raised))
    df_mitools = _degrees(w, raised, m, complete_df, w / (w + b))
    ratio = raised / w
    missing = (ratio + 2 / (df + 3)) / (ratio + 1)
    se = np.sqrt(np.diag(total))
    low, high = t_interval(mean, se, np.minimum(df, 1e12), LEVEL)
    return Pooled(mean, se, low, high, df, df_mitools, w, b, missing, total, m)


def pool_estimates(estimates: Sequence[Estimate]) -> Pooled:
    """Return one statistic pooled over the completed data sets, k = 1, with the design's degrees of freedom.

    complete_df is the smallest df of the estimates, which are alike unless the imputation moves the domain.
    """
    if not all(one.estimable for one in estimates):
        raise ImputationError("an estimate of one imputation has no standard error; pool estimates that have")
    degrees = min((one.df for one in estimates), default=0)
    return pool([one.value for one in estimates], [one.se**2 for one in estimates], complete_df=degrees)


def _degrees(within: Floats, raised: Floats, m: int, complete: float | None, kept: Floats) -> Floats:
    """Return degrees of freedom, (k,); *kept* is the share of the information that is left of the complete data's."""
    if complete is not None and not complete > 0:
        raise ImputationError(f"{complete} degrees of freedom of the complete data; PSUs - strata is at least 1")
    with np.errstate(divide="ignore"):
        rubin = (m - 1) * (1 + within / raised) ** 2
    if complete is None:
        return rubin
    observed = (complete + 1) / (complete + 3) * complete * kept
    return 1 / (1 / observed + 1 / rubin)


def _checked(values: ArrayLike, covariances: ArrayLike) -> tuple[Floats, Floats]:
    estimates = np.asarray(values, dtype=float)
    matrices = np.asarray(covariances, dtype=float)
    if estimates.ndim == 1:
        estimates = estimates[:, None]
    if estimates.ndim != 2 or len(estimates) < 2:
        raise ImputationError(
            f"the estimates have shape {np.shape(values)}; at least two imputations are needed, (m,) or (m, k)"
        )
    m, k = estimates.shape
    if matrices.ndim == 1:
        matrices = matrices[:, None]
    if matrices.shape == (m, k):
        matrices = matrices[:, :, None] * np.eye(k)
    if matrices.shape != (m, k, k):
        raise ImputationError(f"variances of shape {np.shape(covariances)} don't fit {m} imputations of {k} statistics")
    if not (np.isfinite(estimates).all() and np.isfinite(matrices).all()):
        raise ImputationError("an estimate or variance of some imputation is missing or infinite")
    if (np.diagonal(matrices, axis1=1, axis2=2) <= 0).any():
        raise ImputationError("a variance is not positive; where all gave one answer there is nothing to pool")
    return estimates, matrices
