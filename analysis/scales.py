"""Scales: indices with a minimum of answered items, Cronbach's alpha, McDonald's omega.

Items are columns of an array (n, k), NaN where missing. An index is made of the items a respondent answered, if
they are enough; alpha and omega are of the respondents who answered every item.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Floats, Mask
from kysely.errors import AnalystError

Form = Literal["mean", "prorated sum", "complete sum"]

HEYWOOD = 0.005
"""A share of an item's variance below which its error variance counts as none: the one-factor model failed."""


class ScaleError(AnalystError):
    """No index, alpha or omega can be had of these items. Says which and what to do."""


@dataclass(frozen=True, eq=False)
class Index:
    """An index of n respondents.

    value     (n,) NaN where fewer than *minimum* items were answered
    answered  (n,) items answered
    """

    value: Floats
    answered: Codes
    minimum: int

    @property
    def n(self) -> int:
        """Respondents with an index."""
        return int((self.answered >= self.minimum).sum())


@dataclass(frozen=True, eq=False)
class Reliability:
    """Cronbach's alpha of k items and what each item does to it; arrays have shape (k,), in the order of *items*.

    alpha          of the items as they are (raw); standardised: of their z-scores
    average_r      mean correlation between two items
    guttman6       lambda 6, from the squared multiple correlations
    if_dropped     alpha without the item; NaN where one item would be left
    item_rest      correlation of the item with the sum of the others; NaN where the others don't vary
    reversed_key   names of items with item_rest below 0: most likely worded the other way round and not recoded
    n, incomplete  respondents who answered every item; who did not, and are left out
    """

    items: tuple[str, ...]
    n: int
    incomplete: int
    alpha: float
    standardised: float
    average_r: float
    guttman6: float
    if_dropped: Floats
    item_rest: Floats
    reversed_key: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Omega:
    """McDonald's omega total from one factor fitted by maximum likelihood; arrays have shape (k,).

    total           (Σλ)² / ((Σλ)² + Σθ): the model's variance of the sum as denominator
    total_observed  (Σλ)² over the observed variance of the sum
    loadings, error_variance  λ and θ in the items' units, of the covariance matrix with divisor n
    reversed_key    names of items whose loading is below 0 (the factor points where the loadings' sum is positive)
    """

    items: tuple[str, ...]
    n: int
    incomplete: int
    total: float
    total_observed: float
    loadings: Floats
    error_variance: Floats
    reversed_key: tuple[str, ...]


def points(items: ArrayLike, *, low: float, high: float, reverse: Sequence[int] = ()) -> Floats:
    """Return answers on a scale low … high as 0–100, shape (n, k); the columns numbered in *reverse* turned round.

    Raises ScaleError for an answer outside the scale.
    """
    values = _items(items)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ScaleError(f"a scale from {low} to {high} has no room; give its lowest and highest answer")
    outside = (values < low) | (values > high)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        raise ScaleError(
            f"{outside.sum()} answers lie outside {low} … {high} (the first: {values[row, column]} in row {row + 1}, "
            f"item {column + 1}); give the scale's own limits, or make other codes missing"
        )
    strangers = [column for column in reverse if not 0 <= column < values.shape[1]]
    if strangers:
        raise ScaleError(f"reverse names the columns {strangers}; there are 0 … {values.shape[1] - 1}")
    scaled = (values - low) / (high - low) * 100
    scaled[:, list(reverse)] = 100 - scaled[:, list(reverse)]
    return scaled


def index(items: ArrayLike, *, minimum: int | None = None, form: Form = "mean") -> Index:
    """Return the index of *items*, (n, k), of the respondents who answered at least *minimum* of them.

    minimum  None: half of the items, rounded up (the rule of all instruments, common_background.md, 2); with
             form "complete sum" all of them
    form     "mean": of the answered items; "prorated sum": k times that mean, as if the missing items had been
             answered as the others; "complete sum": the sum, of respondents who answered every item
    """
    values = _items(items)
    k = values.shape[1]
    if form not in ("mean", "prorated sum", "complete sum"):
        raise ScaleError(f'an index is a "mean", a "prorated sum" or a "complete sum", not {form!r}')
    if minimum is None:
        minimum = k if form == "complete sum" else (k + 1) // 2
    if not 1 <= minimum <= k or (form == "complete sum" and minimum < k):
        raise ScaleError(
            f"a {form} of {k} items with at least {minimum} answered is not defined; "
            f"ask for 1 … {k} items, and for all of them where the sum is not prorated"
        )
    answered = (~np.isnan(values)).sum(axis=1)
    mean = np.nansum(values, axis=1) / np.maximum(answered, 1)
    value = np.where(answered >= minimum, mean if form == "mean" else mean * k, np.nan)
    return Index(value, answered.astype(np.int64), minimum)


def reliability(
    items: ArrayLike, *, weight: ArrayLike | None = None, names: Sequence[str] | None = None
) -> Reliability:
    """Return Cronbach's alpha of *items*, (n, k), among those who answered every one (Cronbach 1951).

    weight  (n,) survey weights: every variance and covariance is then the weighted one (R: svycralpha());
            None: each respondent counts 1 (R: psych::alpha(check.keys=FALSE))

    No item is turned round here: recode first (`points`), for a machine can't know what an item means.
    Raises ScaleError for an item that does not vary, fewer than two items, or fewer than three complete rows.
    """
    cov, kept, labels = _covariance(items, weight, names, least=2)
    sd = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(sd, sd)
    k = len(cov)
    average = float((correlation.sum() - k) / (k * (k - 1)))
    total = float(cov.sum())
    if total <= 1e-12 * np.trace(cov):
        raise ScaleError("the items cancel out: their sum does not vary. Recode the reversed items first")
    rest = cov.sum(axis=1) - np.diag(cov)  # covariance of each item with the sum of the others
    others = np.array([_without(cov, one).sum() for one in range(k)])
    flat = others <= 1e-12 * np.trace(cov)
    item_rest = np.where(flat, np.nan, rest / (sd * np.sqrt(np.where(flat, 1, others))))
    dropped = [_alpha(_without(cov, one)) if k > 2 else np.nan for one in range(k)]
    return Reliability(
        items=labels,
        n=int(kept.sum()),
        incomplete=int((~kept).sum()),
        alpha=_alpha(cov),
        standardised=_alpha(correlation),
        average_r=average,
        guttman6=float(1 - _unique(correlation).sum() / correlation.sum()),
        if_dropped=np.array(dropped),
        item_rest=item_rest,
        reversed_key=_negative(labels, item_rest),
    )


def omega(items: ArrayLike, *, weight: ArrayLike | None = None, names: Sequence[str] | None = None) -> Omega:
    """Return McDonald's omega total of *items*, (n, k), k ≥ 3, among those who answered every one (McDonald 1999).

    One factor by maximum likelihood (Jöreskog 1967): the loadings are concentrated out and the error variances
    found by quasi-Newton steps on their logarithms. R: lavaan::cfa(std.lv=TRUE), which also works with divisor n.
    *weight* as in `reliability`; the weighted covariance matrix is then taken as if it were a sample's.

    Raises ScaleError as `reliability` does, and where the likelihood is highest at an error variance of 0
    (Heywood case): the items are then no scale of one factor, and an omega would say otherwise.
    """
    cov, kept, labels = _covariance(items, weight, names, least=3)
    sd = np.sqrt(np.diag(cov))
    correlation = cov / np.outer(sd, sd)
    error = _error_variances(correlation)
    if error.min() < HEYWOOD:
        raise ScaleError(
            f"one factor would explain all of {labels[int(error.argmin())]} and more (Heywood case), so omega is not "
            "defined; leave out an item that doubles another, or report alpha alone"
        )
    loading = _loadings(correlation, error)
    loading, error = loading * sd, error * sd**2
    common = float(loading.sum() ** 2)
    return Omega(
        items=labels,
        n=int(kept.sum()),
        incomplete=int((~kept).sum()),
        total=common / (common + float(error.sum())),
        total_observed=common / float(cov.sum()),
        loadings=loading,
        error_variance=error,
        reversed_key=_negative(labels, loading),
    )


# ---- covariances of items ---------------------------------------------------------------------------------


def _covariance(
    items: ArrayLike, weight: ArrayLike | None, names: Sequence[str] | None, *, least: int
) -> tuple[Floats, Mask, tuple[str, ...]]:
    """Return the covariance matrix (divisor n, or Σw) of the complete rows, which these are, and the items' names."""
    values = _items(items)
    k = values.shape[1]
    labels = tuple(names) if names is not None else tuple(f"item {one + 1}" for one in range(k))
    if len(labels) != k:
        raise ScaleError(f"{len(labels)} names for {k} items")
    if k < least:
        raise ScaleError(f"{k} items are no scale here; {least} are needed")
    kept = np.asarray(~np.isnan(values).any(axis=1))
    if kept.sum() < 3:
        raise ScaleError(f"{kept.sum()} respondents answered every item; three are needed at the very least")
    complete = values[kept]
    flat = [label for label, span in zip(labels, np.ptp(complete, axis=0), strict=True) if span == 0]
    if flat:
        raise ScaleError(f"everybody gave the same answer to {', '.join(flat)}; leave it out of the scale")
    w = _weights(weight, kept)
    deviation = complete - (w[:, None] * complete).sum(axis=0) / w.sum()
    return (deviation * w[:, None]).T @ deviation / w.sum(), kept, labels


def _weights(weight: ArrayLike | None, kept: Mask) -> Floats:
    if weight is None:
        return np.ones(int(kept.sum()))
    w = np.asarray(weight, dtype=float)
    if w.shape != kept.shape:
        raise ScaleError(f"weights have shape {w.shape}, the items have {len(kept)} respondents")
    wrong = ~(np.isfinite(w) & (w > 0)) & kept
    if wrong.any():
        raise ScaleError(
            f"{wrong.sum()} weights are zero, negative, missing or not finite "
            f"(the first in row {np.flatnonzero(wrong)[0] + 1}); give each respondent a positive weight"
        )
    return w[kept]


def _items(items: ArrayLike) -> Floats:
    values = np.asarray(items, dtype=float)
    if values.ndim != 2 or not values.shape[1]:
        raise ScaleError(f"the items have shape {values.shape}; (respondents, items) is needed")
    if np.isinf(values).any():
        raise ScaleError("an answer is infinite; missing answers are NaN")
    return values


def _without(matrix: Floats, one: int) -> Floats:
    return np.delete(np.delete(matrix, one, axis=0), one, axis=1)


def _alpha(cov: Floats) -> float:
    k, total = len(cov), cov.sum()
    return float(k / (k - 1) * (1 - np.trace(cov) / total)) if total > 1e-12 * np.trace(cov) else np.nan


def _negative(labels: tuple[str, ...], values: Floats) -> tuple[str, ...]:
    return tuple(label for label, value in zip(labels, values, strict=True) if value < 0)


def _unique(correlation: Floats) -> Floats:
    """Return 1 - squared multiple correlation of each item with the others."""
    smc = []
    for one in range(len(correlation)):
        r = np.delete(correlation[one], one)
        smc.append(float(r @ np.linalg.pinv(_without(correlation, one)) @ r))
    return 1 - np.array(smc)


# ---- one factor -------------------------------------------------------------------------------------------


def _error_variances(correlation: Floats) -> Floats:
    from scipy.optimize import minimize

    start = np.log(np.maximum((1 - 0.5 / len(correlation)) * _unique(correlation), HEYWOOD))
    found = minimize(
        lambda log_error: _misfit(log_error, correlation), start, jac=True, method="BFGS", options={"gtol": 1e-9}
    )
    # BFGS calls it "precision loss" when no step is left to take; the gradient says whether it has arrived.
    error = np.exp(np.clip(found.x, -30, 30))
    if np.abs(found.jac).max() > 1e-6 and error.min() >= HEYWOOD:
        raise ScaleError(f"the one-factor model was not fitted ({found.message}); look at the items' correlations")
    return error


def _misfit(log_error: Floats, correlation: Floats) -> tuple[float, Floats]:
    """Return the likelihood ratio function with the loadings concentrated out, and its gradient in log θ.

    With eigenvalues e₁ ≥ e₂ … of θ^-½ R θ^-½: Σ_{j≥2} (e_j - log e_j - 1) (Lawley and Maxwell 1971, ch. 4).
    """
    error = np.exp(np.clip(log_error, -30, 30))
    scale = 1 / np.sqrt(error)
    values, vectors = np.linalg.eigh(correlation * np.outer(scale, scale))
    rest = np.maximum(values[:-1], 1e-12)
    loading = vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0) * error)
    gradient = (loading**2 + error - np.diag(correlation)) / error
    return float((rest - np.log(rest) - 1).sum()), gradient


def _loadings(correlation: Floats, error: Floats) -> Floats:
    scale = 1 / np.sqrt(error)
    values, vectors = np.linalg.eigh(correlation * np.outer(scale, scale))
    loading = vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0) * error)
    return loading if loading.sum() >= 0 else -loading
