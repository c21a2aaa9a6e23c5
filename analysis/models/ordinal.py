"""Proportional odds: a likelihood of ordered categories with weights, which statsmodels' OrderedModel has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Design, Floats
from analysis.models.glm import EXTREME, check_separation
from analysis.models.predictors import Factor, ModelError, Predictors, label
from analysis.models.regression import Regression, Sample, degrees, sample, single_psu

STEPS = 100

# Log odds beyond which a slope is taken to run away.
FAR = 500.0


def proportional_odds(
    y: ArrayLike,
    predictors: Mapping[str, ArrayLike | Factor],
    design: Design,
    *,
    categories: Sequence[float] | None = None,
    interactions: Sequence[tuple[str, str]] = (),
) -> Regression:
    """Return the proportional-odds (cumulative logit) regression of ordered numbers *y*, shape (n,). R: svyolr().

    logit P(y ≤ j) = threshold j - x'β (McCullagh 1980, J. R. Stat. Soc. B 42): a positive slope speaks for
    higher categories. Weighted pseudo-likelihood, maximised by Newton's method; influence w · score · H⁻¹
    with H the weighted observed information.

    y           numbers whose order is that of the categories; NaN missing
    categories  the numbers in rising order; those found in the base if not given
    predictors, interactions   as in linear()

    With unit weights and every respondent a PSU, `coefficients`, `loglik` and `model_covariance` are those of
    MASS::polr and ordinal::clm.

    Raises ModelError as linear() does, and for fewer than three categories or one that nobody gave;
    Separation where the likelihood has no maximum.
    """
    made = sample(y, Predictors.of(predictors, len(design), interactions=interactions, intercept=False), design)
    order = _categories(made, categories)
    inside = made.inside
    code = np.searchsorted(order, made.y[inside])
    slopes = len(made.predictors.names)
    df = degrees(made.base, slopes)
    weight = made.base.weight[inside] / made.base.weight[inside].mean()
    x = made.predictors.matrix[inside]
    centre = x.mean(axis=0)
    basis, upper = np.linalg.qr(x - centre)  # so that neither units nor a large mean of a column cost digits
    root, cuts = np.sqrt(len(x)), len(order) - 1
    likelihood = _Likelihood(code, basis * root, weight, len(order))
    names = (*made.predictors.names, *(f"{label(a)}|{label(b)}" for a, b in zip(order, order[1:], strict=False)))
    found = _maximum(likelihood)
    if found is None or likelihood.farthest(found) > EXTREME:
        check_separation(_Likelihood(code, x, weight, len(order)).rows(), names)
    if found is None:
        raise ModelError(f"the proportional-odds model did not converge in {STEPS} steps; leave out predictors")
    slope = np.linalg.inv(upper) * root
    back = np.block([[slope, np.zeros((slopes, cuts))], [np.tile(centre @ slope, (cuts, 1)), np.eye(cuts)]])
    _, _, score, information = likelihood.parts(found)
    inverse = back @ np.linalg.inv(information)
    influence = np.zeros((len(design), len(found)))
    influence[inside] = weight[:, None] * score @ inverse.T
    return Regression(
        kind="ordinal",
        names=names,
        terms=(*made.predictors.terms, *[""] * (len(order) - 1)),
        coefficients=back @ found,
        influence=influence,
        df=df,
        dispersion=1.0,
        model_covariance=inverse @ back.T,
        loglik=likelihood.value(found),
        n=len(code),
        single_psu=single_psu(made),
        categories=tuple(order.tolist()),
        y=made.y,
        predictors=made.predictors,
        base=made.base,
    )


def _categories(made: Sample, given: Sequence[float] | None) -> Floats:
    found = np.unique(made.y[made.inside])
    order = found if given is None else np.asarray(given, dtype=float)
    if (np.diff(order) <= 0).any():
        raise ModelError(f"categories {order.tolist()} are not in rising order")
    outside = np.setdiff1d(found, order)
    if len(outside):
        raise ModelError(f"the outcome has {outside[0]:g}, which is not among the categories {order.tolist()}")
    empty = np.setdiff1d(order, found)
    if len(empty):
        raise ModelError(f"nobody in the base gave category {empty[0]:g}; merge it with its neighbour")
    if len(order) < 3:
        raise ModelError("proportional odds need three categories or more; with two, use logistic()")
    return order


@dataclass(frozen=True, eq=False)
class _Likelihood:
    """Σ weight · log P(category), of parameters (slopes, thresholds)."""

    code: Codes  # (n,) 0 … J-1
    x: Floats  # (n, k)
    weight: Floats  # (n,)
    categories: int

    def start(self) -> Floats:
        """Slopes of 0 and the thresholds that give the shares of the categories."""
        below = np.cumsum(np.bincount(self.code, self.weight, self.categories))[:-1] / self.weight.sum()
        return np.concatenate([np.zeros(self.x.shape[1]), np.log(below / (1 - below))])

    def value(self, at: Floats) -> float:
        if (np.diff(at[self.x.shape[1] :]) <= 0).any():
            return -np.inf  # thresholds that cross give a category less than nothing
        chance = self._chance(*self._bounds(at))
        return float(self.weight @ np.log(chance)) if (chance > 0).all() else -np.inf

    def parts(self, at: Floats) -> tuple[float, Floats, Floats, Floats]:
        """Return value, gradient, each respondent's score (n, p) and the observed information (p, p)."""
        from scipy.special import expit

        upper, lower = self._bounds(at)
        chance = self._chance(upper, lower)
        above, below = (expit(bound) * expit(-bound) for bound in (upper, lower))  # densities; 0 at ±∞
        to_upper, to_lower = self._directions()
        a, b = above / chance, below / chance
        score = a[:, None] * to_upper - b[:, None] * to_lower
        curved_upper = a * (1 - 2 * expit(upper)) - a**2
        curved_lower = -b * (1 - 2 * expit(lower)) - b**2
        mixed = (to_upper * (self.weight * a * b)[:, None]).T @ to_lower
        second = (to_upper * (self.weight * curved_upper)[:, None]).T @ to_upper
        second += (to_lower * (self.weight * curved_lower)[:, None]).T @ to_lower + mixed + mixed.T
        return float(self.weight @ np.log(chance)), self.weight @ score, score, -second

    def farthest(self, at: Floats) -> float:
        """Return the greatest log odds in sight."""
        slopes = self.x.shape[1]
        return float(np.abs(self.x @ at[:slopes]).max(initial=0) + np.abs(at[slopes:]).max())

    def rows(self) -> Floats:
        """Return what separated() looks at: both bounds of every answer, away from it."""
        to_upper, to_lower = self._directions()
        return np.concatenate([to_upper[self.code < self.categories - 1], -to_lower[self.code > 0]])

    def _bounds(self, at: Floats) -> tuple[Floats, Floats]:
        slopes = self.x.shape[1]
        cuts = np.concatenate([[-np.inf], at[slopes:], [np.inf]])
        eta = self.x @ at[:slopes]
        return cuts[self.code + 1] - eta, cuts[self.code] - eta

    @staticmethod
    def _chance(upper: Floats, lower: Floats) -> Floats:
        from scipy.special import expit

        # F(u) - F(l) without the cancellation of two numbers near 1.
        return expit(upper) * expit(-lower) * -np.expm1(lower - upper)

    def _directions(self) -> tuple[Floats, Floats]:
        """Return the derivatives of both bounds by the parameters, 0 where a bound is infinite."""
        cuts = np.eye(self.categories + 1)[:, 1:-1]
        return tuple(
            np.column_stack([-self.x, cuts[place]]) * ((place > 0) & (place < self.categories))[:, None]
            for place in (self.code + 1, self.code)
        )  # type: ignore[return-value]


def _maximum(likelihood: _Likelihood) -> Floats | None:
    """Return the parameters of the greatest likelihood, by Newton's method with halved steps; None if not found.

    The likelihood is concave (Pratt 1981, J. Am. Stat. Assoc. 76), so where it has a maximum the steps reach it.
    """
    at = likelihood.start()
    for _ in range(STEPS):
        value, gradient, _, information = likelihood.parts(at)
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            return None
        size = 1.0
        while size > 1e-10 and not likelihood.value(at + size * step) >= value - 1e-12 * abs(value):
            size /= 2
        if size <= 1e-10:  # no step is uphill: the top, or the end of the digits before it
            return at if gradient @ step <= 1e-8 * abs(value) else None
        at = at + size * step
        if likelihood.farthest(at) > FAR:
            return None
        if np.abs(size * step).max() <= 1e-10 * max(1.0, np.abs(at).max()):
            return at
    return None
