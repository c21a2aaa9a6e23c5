"""Marginal means and average effects: what a model says of everybody, in the units of the answers. For charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, Floats
from analysis.estimators import LEVEL, Scale, logit_interval, t_interval
from analysis.models.predictors import Factor, ModelError
from analysis.models.regression import Contrast, Regression, two_sided
from analysis.variance import covariance

Covariates = Literal["sampled", "fixed"]


@dataclass(frozen=True, eq=False)
class Margins:
    """m predictions or effects of one model, averaged over the base, with their joint covariance.

    name       the predictor they are about
    at         (m,) its levels or values; of effects of a number: ("slope",)
    value      (m,) on the response scale: the outcome's units, a share, or the mean score of an ordinal model
    influence  (n, m)
    df         those of the model
    scale      "share" has logit-t intervals, "number" t intervals
    """

    name: str
    at: tuple[object, ...]
    value: Floats
    influence: Floats
    df: int
    scale: Scale
    base: Design

    @property
    def covariance(self) -> Floats:
        """(m, m) design-based."""
        return covariance(self.influence, self.base)

    @property
    def se(self) -> Floats:
        return np.sqrt(np.diag(self.covariance))

    def interval(self, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Return lower and upper limits, (m,) each."""
        make = logit_interval if self.scale == "share" else t_interval
        return make(self.value, self.se, self.df, level)

    def difference(self, a: object, b: object) -> Contrast:
        """Return the margin at *a* less that at *b*. Raises ModelError if one is not among `at`."""
        for wanted in (a, b):
            if wanted not in self.at:
                raise ModelError(f"{wanted!r} is not among the margins of {self.name}: {list(self.at)}")
        i, j = self.at.index(a), self.at.index(b)
        influence = self.influence[:, i] - self.influence[:, j]
        value = float(self.value[i] - self.value[j])
        se = float(np.sqrt(covariance(influence, self.base)[0, 0]))
        if not se > 0:
            raise ModelError(f"the difference of {a!r} and {b!r} has no variance, so it can't be tested")
        low, high = t_interval(value, se, self.df)
        return Contrast(value, se, float(low), float(high), value / se, float(two_sided(value / se, self.df)), self.df)


def marginal_means(
    fit: Regression,
    name: str,
    *,
    at: Sequence[object] | None = None,
    scores: ArrayLike | None = None,
    covariates: Covariates = "sampled",
) -> Margins:
    """Return the predicted mean if everybody in the base had each value of *name*, all else as it is.

    Predictive margins (Graubard and Korn 1999, Biometrics 55): Σ w m(x with name = value) / Σ w.

    at          the levels or numbers to predict at; a factor's levels if not given
    scores      (J,) ordinal models: what each category counts. The categories themselves if not given, so that
                the margin is a mean; an indicator such as [0, 0, 0, 1] makes it the share of a category
    covariates  "sampled": the errors know that the others' answers are a sample too (full linearisation);
                "fixed": the delta method alone, as if they were the population's (R: svypredmeans adds the two
                variances and leaves out their covariance)

    Raises ModelError for a name, level or number of scores that the model lacks.
    """
    variable = fit.predictors.variable(name)
    if at is None and not isinstance(variable, Factor):
        raise ModelError(f"{name} is a number; say at which values to predict with at=[...]")
    places = tuple(variable.levels if at is None and isinstance(variable, Factor) else at or ())
    if not places:
        raise ModelError(f"at= names no value of {name} to predict at")
    response = _Response.of(fit, scores)
    made = [_predicted(fit, response, name, place) for place in places]
    return _margins(fit, response, name, places, made, covariates)


def average_effects(
    fit: Regression, name: str, *, scores: ArrayLike | None = None, covariates: Covariates = "sampled"
) -> Margins:
    """Return what *name* does to the response, averaged over the base.

    A factor: the marginal mean at each other level less that at the reference. A number: the mean slope
    ∂m/∂x, named "slope". Arguments and errors as in marginal_means().
    """
    variable = fit.predictors.variable(name)
    response = _Response.of(fit, scores)
    if isinstance(variable, Factor):
        first, *others = (_predicted(fit, response, name, level) for level in variable.levels)
        made = [(value - first[0], gradient - first[1]) for value, gradient in others]
        places: tuple[object, ...] = variable.levels[1:]
    else:
        made, places = [_slope(fit, response, name)], ("slope",)
    margins = _margins(fit, response, name, places, made, covariates)
    return Margins(name, places, margins.value, margins.influence, fit.df, "number", fit.base)


@dataclass(frozen=True, eq=False)
class _Response:
    """The mean response m(η, θ) of a model, and its derivatives; θ are the thresholds of an ordinal model."""

    kind: str
    thresholds: Floats  # (q,)
    last: float  # score of the highest category
    steps: Floats  # (q,) score of each category less that of the next

    @classmethod
    def of(cls, fit: Regression, scores: ArrayLike | None) -> _Response:
        if fit.kind != "ordinal":
            if scores is not None:
                raise ModelError("scores are for ordinal models; a linear or logistic response has its own unit")
            return cls(fit.kind, fit.thresholds, 0.0, np.zeros(0))
        counts = np.asarray(fit.categories if scores is None else scores, dtype=float)
        if counts.shape != (len(fit.categories),) or not np.isfinite(counts).all():
            raise ModelError(f"scores need one number for each of the categories {list(fit.categories)}")
        return cls("ordinal", fit.thresholds, float(counts[-1]), -np.diff(counts))

    @property
    def scale(self) -> Scale:
        values = self.last + np.append(np.cumsum(self.steps[::-1]), 0.0)
        return "share" if self.kind == "logistic" or (len(self.steps) and np.isin(values, (0, 1)).all()) else "number"

    def at(self, eta: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Return m, ∂m/∂η, ∂²m/∂η² (n,), ∂m/∂θ and ∂²m/∂η∂θ (n, q)."""
        from scipy.special import expit

        none = np.zeros((len(eta), 0))
        if self.kind == "linear":
            return eta, np.ones_like(eta), np.zeros_like(eta), none, none
        if self.kind == "logistic":
            chance = expit(eta)
            slope = chance * expit(-eta)
            return chance, slope, slope * (1 - 2 * chance), none, none
        below = expit(self.thresholds - eta[:, None])
        density = below * (1 - below)
        bent = density * (1 - 2 * below)
        return (
            self.last + below @ self.steps,
            -density @ self.steps,
            bent @ self.steps,
            density * self.steps,
            -bent * self.steps,
        )


def _predicted(fit: Regression, response: _Response, name: str, value: object) -> tuple[Floats, Floats]:
    """Return the response with *name* = *value*, (n,), and its derivatives by the coefficients, (n, k)."""
    x = fit.predictors.setting(name, value).matrix
    mean, slope, _, by_threshold, _ = response.at(x @ fit.coefficients[: fit.linear])
    return mean, np.column_stack([slope[:, None] * x, by_threshold])


def _slope(fit: Regression, response: _Response, name: str) -> tuple[Floats, Floats]:
    """Return ∂m/∂x, (n,), and its derivatives by the coefficients, (n, k)."""
    x, beta = fit.predictors.matrix, fit.coefficients[: fit.linear]
    grown = fit.predictors.shifted(name).matrix - x  # every column is linear in a number
    rise = grown @ beta
    _, slope, curve, _, by_threshold = response.at(x @ beta)
    by_slopes = slope[:, None] * grown + (curve * rise)[:, None] * x
    return slope * rise, np.column_stack([by_slopes, by_threshold * rise[:, None]])


def _margins(
    fit: Regression,
    response: _Response,
    name: str,
    at: tuple[object, ...],
    made: list[tuple[Floats, Floats]],
    covariates: Covariates,
) -> Margins:
    if covariates not in ("sampled", "fixed"):
        raise ModelError(f'covariates is "sampled" or "fixed", not {covariates!r}')
    share = fit.base.weight / fit.base.weight.sum()
    values = np.array([share @ value for value, _ in made])
    influence = fit.influence @ np.stack([share @ gradient for _, gradient in made], axis=1)
    if covariates == "sampled":
        influence += share[:, None] * np.stack([value - mean for (value, _), mean in zip(made, values, strict=True)], 1)
    return Margins(name, at, values, influence, fit.df, response.scale, fit.base)
