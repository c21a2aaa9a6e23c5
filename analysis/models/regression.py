"""What a fitted regression is: coefficients with their influence values, so that the design gives the errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, Floats
from analysis.estimators import LEVEL, t_interval
from analysis.models.predictors import Factor, ModelError, Predictors, check_columns, numbers, present
from analysis.variance import covariance

Kind = Literal["linear", "logistic", "ordinal"]


@dataclass(frozen=True)
class WaldTest:
    """Whether several coefficients are all 0. R: regTermTest(method="Wald").

    statistic  Wald's quadratic form over df, compared with F(df, ddf)
    df, ddf    coefficients tested; degrees of freedom of the model
    """

    statistic: float
    df: int
    ddf: int
    p: float


@dataclass(frozen=True)
class Contrast:
    """One number made of coefficients, with its standard error, 95 % interval and t test on df."""

    value: float
    se: float
    low: float
    high: float
    t: float
    p: float
    df: int


@dataclass(frozen=True, eq=False)
class Regression:
    """A regression of n respondents on k coefficients, estimated under the design.

    kind              "linear" (identity), "logistic" (log odds) or "ordinal" (proportional odds)
    names             k names as in R: "(Intercept)", "tenure", "roleCFO"; an ordinal model has its slopes
                      first and then its thresholds, "0|1"
    terms             the predictor each coefficient belongs to; "" for intercept and thresholds
    coefficients      (k,)
    influence         (n, k) linearised contribution of each respondent, weight included; 0 outside the base
    df                of t and F tests. linear, logistic: PSUs - strata of the base + 1 - k; ordinal:
                      PSUs - strata - slopes (R: svyglm, svyolr)
    dispersion        the weighted variance of Pearson residuals (R: summary(svyglm)); 1 for ordinal
    model_covariance  (k, k) what would hold if respondents were drawn at random, independently and the model
                      were true: R's vcov of lm, glm(binomial) and clm, with weights scaled to mean 1. For
                      comparison only
    loglik            log-likelihood with weights scaled to mean 1 in the base
    n                 respondents with the outcome and every predictor (complete cases of the domain)
    single_psu        "role=CFO": levels all of whose respondents share one PSU. Their variance between PSUs
                      can't be seen, so the errors of their coefficients are too small to be believed
    categories        the outcome's categories in order (logistic: 0, 1; linear: none)
    y, predictors, base  what was fitted: outcome (n,), 0 where missing; columns; the design of the base
    """

    kind: Kind
    names: tuple[str, ...]
    terms: tuple[str, ...]
    coefficients: Floats
    influence: Floats
    df: int
    dispersion: float
    model_covariance: Floats
    loglik: float
    n: int
    single_psu: tuple[str, ...]
    categories: tuple[object, ...]
    y: Floats
    predictors: Predictors
    base: Design

    @cached_property
    def covariance(self) -> Floats:
        """(k, k) design-based: influence values through analysis.variance.covariance (R: vcov)."""
        return covariance(self.influence, self.base)

    @cached_property
    def se(self) -> Floats:
        return np.sqrt(np.diag(self.covariance))

    @property
    def t(self) -> Floats:
        """(k,) coefficient over standard error."""
        return self.coefficients / self.se

    @property
    def p(self) -> Floats:
        """(k,) two-sided, t distribution with df."""
        return two_sided(self.t, self.df)

    def interval(self, level: float = LEVEL) -> tuple[Floats, Floats]:
        """Return coefficient ± t(df) · se, two arrays (k,). R: confint(svyglm)."""
        return t_interval(self.coefficients, self.se, self.df, level)

    @property
    def linear(self) -> int:
        """How many coefficients multiply the columns of predictors.matrix: all but thresholds."""
        return len(self.predictors.names)

    @property
    def thresholds(self) -> Floats:
        """(J-1,) where an ordinal model cuts its latent scale; empty for other kinds."""
        return self.coefficients[self.linear :]

    def coefficient(self, name: str) -> Contrast:
        """Return one coefficient by name. Raises ModelError for a name the model lacks."""
        return self.contrast({name: 1.0})

    def contrast(self, weights: Mapping[str, float]) -> Contrast:
        """Return Σ weight · coefficient, by the names of coefficients. R: svycontrast()."""
        at = np.zeros(len(self.names))
        for name, weight in weights.items():
            at[self._place(name)] = weight
        value, se = float(at @ self.coefficients), float(np.sqrt(at @ self.covariance @ at))
        if not se > 0:
            raise ModelError(f"the contrast {dict(weights)} has no variance, so it can't be tested")
        low, high = t_interval(value, se, self.df)
        return Contrast(value, se, float(low), float(high), value / se, float(two_sided(value / se, self.df)), self.df)

    def test(self, *terms: str) -> WaldTest:
        """Return the test that all coefficients of the *terms* ("role", "tenure:role") are 0.

        Raises ModelError for a term the model lacks, and where the design has too few PSUs to test so many
        coefficients at once.
        """
        from scipy.special import fdtrc

        unknown = [term for term in terms if term not in self.terms or not term]
        if unknown or not terms:
            raise ModelError(f"{unknown} are not terms of this model: {sorted(set(self.terms) - {''})}")
        tested = np.flatnonzero([term in terms for term in self.terms])
        spread = self.covariance[np.ix_(tested, tested)]
        scale = np.sqrt(np.diag(spread))
        if (scale == 0).any() or np.linalg.cond(spread / np.outer(scale, scale)) > 1e12:
            raise ModelError(
                f"the {len(tested)} coefficients of {', '.join(terms)} can't be tested together: "
                "their covariance is singular (too few PSUs). Merge levels"
            )
        beta = self.coefficients[tested]
        statistic = float(beta @ np.linalg.solve(spread, beta)) / len(tested)
        return WaldTest(statistic, len(tested), self.df, float(fdtrc(len(tested), self.df, statistic)))

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ModelError(f"{name!r} is not a coefficient of this model: {list(self.names)}")
        return self.names.index(name)


@dataclass(frozen=True, eq=False)
class Sample:
    """What every model starts from: the complete cases as a domain, the design whole."""

    y: Floats
    predictors: Predictors
    base: Design

    @property
    def inside(self) -> np.ndarray:
        return self.base.members


def sample(y: ArrayLike, predictors: Predictors, design: Design) -> Sample:
    """Return the complete cases of outcome and predictors.

    Raises ModelError for a wrong shape, an infinite or textual outcome, an empty base, an outcome that is the same for
    everybody, and constant or collinear columns.
    """
    outcome = numbers(y, "the outcome")
    if outcome.shape != design.weight.shape:
        raise ModelError(f"the outcome has shape {outcome.shape}, the design has {len(design)} respondents")
    if np.isinf(outcome).any():
        raise ModelError("the outcome is infinite for somebody; missing answers are NaN")
    base = design.domain(~np.isnan(outcome) & predictors.complete)
    inside = base.members
    if not inside.any():
        raise ModelError(
            f"nobody of the base has an answer to the outcome and every predictor: {_gaps(outcome, predictors)}"
        )
    if np.ptp(outcome[inside]) == 0:
        raise ModelError(
            f"the outcome is {outcome[inside][0]:g} for all {inside.sum()} respondents of the base; "
            "there is nothing to explain"
        )
    kept = predictors.within(inside)
    check_columns(kept, inside)
    return Sample(np.nan_to_num(outcome), kept, base)


def degrees(base: Design, coefficients: int) -> int:
    """Return degrees of freedom of the base less *coefficients*. Raises ModelError if none are left."""
    left = base.degrees() - coefficients
    if left < 1:
        raise ModelError(
            f"the base has {base.degrees()} degrees of freedom (PSUs - strata) and the model needs "
            f"{coefficients + 1}: leave out predictors or merge levels"
        )
    return left


def single_psu(made: Sample) -> tuple[str, ...]:
    """Return "name=level" for levels all of whose respondents share one PSU."""
    psu = made.base.psu[made.inside]
    return tuple(
        f"{name}={level}"
        for name, variable in made.predictors.variables.items()
        if isinstance(variable, Factor)
        for i, level in enumerate(variable.levels)
        if len(np.unique(psu[variable.code[made.inside] == i])) == 1
    )


def separated(rows: Floats) -> bool:
    """Return whether a direction d has rows @ d ≥ 0, not all 0: along it a likelihood rises for ever.

    rows (m, k): for each respondent, the change of the linear predictor that makes the answer given more
    likely. A linear program, as in Konis (2007, DPhil thesis, Oxford), with every |d| ≤ 1.
    """
    from scipy.optimize import linprog

    distinct = np.unique(rows, axis=0)
    basis = np.linalg.qr(distinct)[0]  # the same directions, free of the columns' units and of what they share
    found = linprog(-basis.sum(axis=0), A_ub=-basis, b_ub=np.zeros(len(basis)), bounds=(-1, 1))
    return bool(found.status == 0 and -found.fun > 1e-7)


def two_sided(t: ArrayLike, df: ArrayLike) -> Floats:
    """Return the two-sided p-value of t with *df* degrees of freedom."""
    from scipy.special import stdtr

    return np.asarray(2 * stdtr(df, -np.abs(t)))


def _gaps(outcome: Floats, predictors: Predictors) -> str:
    counts = {"the outcome": int(np.isnan(outcome).sum())}
    counts |= {name: int((~present(variable)).sum()) for name, variable in predictors.variables.items()}
    return ", ".join(f"{name} is missing for {count}" for name, count in counts.items())
