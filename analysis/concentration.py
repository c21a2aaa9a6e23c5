"""Concentration: Lorenz curve, Gini coefficient, the share of the largest, and how few hold most.

For "the 20 % of customers who bring 80 % of revenue". A row is a holder (a customer) with an amount that is not
negative; NaN is missing and in no base. Weights may be 0, which takes the row out, as in a domain of a design.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Design, Floats
from analysis.estimators import LEVEL, t_interval
from analysis.replicates import delete_one_psu, jackknife
from kysely.errors import AnalystError

TOP = (0.20, 0.10, 0.01)
"""The shares of holders whose part of the amount is told."""

HELD = 0.80
"""The part of the amount for which the share of holders is told."""


class ConcentrationError(AnalystError):
    """These amounts have no Lorenz curve. Says why and what to do."""


@dataclass(frozen=True, eq=False)
class Lorenz:
    """The Lorenz curve: *amount* of all held by the poorest *holders*, both (m + 1,) from 0 to 1, joined by lines."""

    holders: Floats
    amount: Floats

    def at(self, holders: ArrayLike) -> Floats:
        """Return the part of the amount that the poorest *holders* (shares, any shape) have, interpolated."""
        return np.interp(_shares(holders), self.holders, self.amount)


@dataclass(frozen=True, eq=False)
class Concentration:
    """How unequally the amounts of n holders are spread.

    gini            twice the area between the curve and equality: 0 … (n - 1)/n without weights
    gini_corrected  gini · n/(n - 1), 0 … 1: for few holders; n counts rows
    top             share of holders → part of the amount that the largest so many hold
    held, holders   the least share of *holders* who together hold the part *held*
    hhi             Herfindahl-Hirschman index, Σ of squared parts: 1/n … 1; with weights, a row of weight w is one
                    holder of w times the amount
    """

    n: int
    gini: float
    gini_corrected: float
    top: dict[float, float]
    held: float
    holders: float
    hhi: float


@dataclass(frozen=True)
class WithError:
    """An estimate with its jackknife standard error and 95 % t interval; df PSUs - strata."""

    value: float
    se: float
    low: float
    high: float
    df: int


@dataclass(frozen=True, eq=False)
class ConcentrationEstimates:
    """The measures of Concentration, each with its error; see there."""

    n: int
    gini: WithError
    top: dict[float, WithError]
    held: float
    holders: WithError
    hhi: WithError


def lorenz(amount: ArrayLike, weight: ArrayLike | None = None) -> Lorenz:
    """Return the Lorenz curve of *amount*, (n,), with *weight*, (n,), or each row counting 1."""
    return _curve(*_sorted(*_checked(amount, weight)))


def concentration(
    amount: ArrayLike, weight: ArrayLike | None = None, *, top: Sequence[float] = TOP, held: float = HELD
) -> Concentration:
    """Return how concentrated *amount*, (n,), is, with *weight*, (n,), or each row counting 1.

    top   shares of holders, 0 … 1, whose part of the amount is told: 1 - L(1 - q), L interpolated
    held  part of the amount, 0 … 1, whose share of holders is told: 1 - L⁻¹(1 - held)

    Gini by the trapezoid rule, 1 - Σ (W_i - W_{i-1})(L_i + L_{i-1}), equal to laeken::gini()/100 in R.
    Raises ConcentrationError for negative or infinite amounts, for amounts that are all missing or all 0,
    and for weights that are no non-negative numbers.
    """
    values, w = _checked(amount, weight)
    _shares(top), _shares(held)
    n = int((w > 0).sum())
    gini, hhi, holders, *tops = _measures(*_sorted(values, w), tuple(top), held)
    corrected = gini * n / (n - 1) if n > 1 else 0.0
    return Concentration(n, gini, corrected, dict(zip(top, tops, strict=True)), held, holders, hhi)


def concentration_estimates(
    amount: ArrayLike, design: Design, *, top: Sequence[float] = TOP, held: float = HELD
) -> ConcentrationEstimates:
    """Return how concentrated *amount*, (n,), is in the population of *design*, with errors that leave out PSUs.

    The jackknife over PSUs (`analysis.replicates`) takes all measures as they are, ties and interpolation
    included; Langel and Tillé (2013) compare it with the linearised error of Gini. Time grows with PSUs · n.

    Raises ConcentrationError as `concentration` does, also where a replicate has no amount left (one PSU holds
    all), and DesignError where no PSU can be left out.
    """
    values, w = _checked(amount, design.weight)
    _shares(top), _shares(held)
    order = np.argsort(values, kind="stable")
    ordered, present = values[order], (~np.isnan(np.asarray(amount, dtype=float)))[order]
    made = jackknife(
        lambda weight: _measures(ordered, weight[order] * present, tuple(top), held), delete_one_psu(design)
    )
    low, high = t_interval(made.value, made.se, made.df, LEVEL)
    gini, hhi, holders, *tops = (
        WithError(float(value), float(se), float(a), float(b), made.df)
        for value, se, a, b in zip(made.value, made.se, low, high, strict=True)
    )
    return ConcentrationEstimates(int((w > 0).sum()), gini, dict(zip(top, tops, strict=True)), held, holders, hhi)


def _measures(ordered: Floats, weight: Floats, top: tuple[float, ...], held: float) -> tuple[float, ...]:
    """Return gini, hhi, holders of *held* and the parts of *top*, of amounts in ascending order."""
    curve = _curve(ordered, weight)
    gini = 1 - float((np.diff(curve.holders) * (curve.amount[:-1] + curve.amount[1:])).sum())
    part = weight * ordered / (weight * ordered).sum()
    # Where the poorest hold nothing the inverse is a whole stretch; interp gives its end: the fewest holders.
    holders = 1 - float(np.interp(1 - held, curve.amount, curve.holders))
    tops = (1 - float(curve.at(1 - share)) for share in top)
    return max(gini, 0.0), float((part**2).sum()), holders, *tops


def _curve(ordered: Floats, weight: Floats) -> Lorenz:
    amount = np.concatenate([[0.0], np.cumsum(weight * ordered)])
    if not amount[-1] > 0:
        raise ConcentrationError(
            "nobody holds anything (in the sample, or once a PSU is left out), so there are no parts of it to compare"
        )
    holders = np.concatenate([[0.0], np.cumsum(weight)])
    return Lorenz(holders / holders[-1], amount / amount[-1])


def _sorted(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    order: Codes = np.argsort(values, kind="stable")
    return values[order], weight[order]


def _checked(amount: ArrayLike, weight: ArrayLike | None) -> tuple[Floats, Floats]:
    """Return amounts and weights, both 0 where the amount is missing."""
    values = np.asarray(amount, dtype=float)
    w = np.ones(values.shape) if weight is None else np.asarray(weight, dtype=float)
    if values.ndim != 1 or w.shape != values.shape:
        raise ConcentrationError(f"the amounts have shape {values.shape}, the weights {w.shape}; both are (n,)")
    wrong = ~(np.isfinite(w) & (w >= 0))
    if wrong.any():
        raise ConcentrationError(
            f"{wrong.sum()} weights are negative, missing or not finite (the first in row "
            f"{np.flatnonzero(wrong)[0] + 1}); give each holder a weight"
        )
    given = ~np.isnan(values)
    wrong = given & ((values < 0) | np.isinf(values))
    if wrong.any():
        raise ConcentrationError(
            f"{wrong.sum()} amounts are negative or infinite (the first in row {np.flatnonzero(wrong)[0] + 1}); "
            "a part of a whole isn't. Net out credit notes by holder first"
        )
    values, w = np.where(given, values, 0.0), np.where(given, w, 0.0)
    if not (values * w).any():
        raise ConcentrationError("all amounts are missing or 0, so there are no parts of a whole to compare")
    return values, w


def _shares(shares: ArrayLike) -> Floats:
    values = np.asarray(shares, dtype=float)
    if not ((values >= 0) & (values <= 1)).all():
        raise ConcentrationError(f"{values.tolist()} is no share; shares lie between 0 and 1 (20 % is 0.2)")
    return values
