"""Linear and logistic regression: statsmodels fits, the design gives the errors."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, Floats
from analysis.models.predictors import INTERCEPT, Factor, ModelError, Predictors
from analysis.models.regression import (
    Kind,
    Regression,
    Sample,
    degrees,
    sample,
    separated,
    single_psu,
)

# Fitted log odds beyond this (a chance of 1 in 3 million) are looked at for separation.
EXTREME = 15.0


class Separation(ModelError):
    """Predictors split the answers, so a coefficient would be infinite; names the columns that do."""


def linear(
    y: ArrayLike,
    predictors: Mapping[str, ArrayLike | Factor],
    design: Design,
    *,
    interactions: Sequence[tuple[str, str]] = (),
) -> Regression:
    """Return the weighted linear regression of *y*, shape (n,), NaN missing. R: svyglm(family=gaussian()).

    predictors    name → (n,) numbers (NaN missing), text (a factor with sorted levels) or Factor; may be empty
    interactions  pairs of their names

    Weighted least squares; influence w·e·x (X'WX)⁻¹ (Binder 1983, Int. Stat. Rev. 51). Who lacks the outcome
    or a predictor is out of the base as a domain.

    Raises ModelError: nobody in the base, a constant outcome or column, collinear columns, no degrees of
    freedom, predictors that give the outcome exactly.
    """
    from statsmodels.regression.linear_model import WLS  # type: ignore[import-untyped]

    made = sample(y, Predictors.of(predictors, len(design), interactions=interactions), design)
    x, inside = made.predictors.matrix, made.inside
    df = degrees(made.base, x.shape[1] - 1)
    weight = made.base.weight[inside] / made.base.weight[inside].mean()
    size = np.abs(x[inside]).max(axis=0)
    beta = WLS(made.y[inside], x[inside] / size, weights=weight).fit(method="qr").params / size
    residual = np.where(inside, made.y - x @ beta, 0.0)
    squares = float(weight @ residual[inside] ** 2)
    if squares <= 1e-22 * float(weight @ made.y[inside] ** 2):
        raise ModelError("the predictors give the outcome exactly, so no errors can be estimated; is it among them?")
    n = len(weight)
    bread = _inverse(x[inside], weight)
    return _regression(
        "linear",
        made,
        beta=beta,
        working=x * residual[:, None],
        bread=bread,
        df=df,
        pearson=residual,
        model_covariance=bread * squares / (n - len(beta)),
        loglik=-n / 2 * (np.log(2 * np.pi * squares / n) + 1) + float(np.log(weight).sum()) / 2,
        categories=(),
    )


def logistic(
    y: ArrayLike,
    predictors: Mapping[str, ArrayLike | Factor],
    design: Design,
    *,
    interactions: Sequence[tuple[str, str]] = (),
) -> Regression:
    """Return the weighted logistic regression of *y* (0, 1, NaN missing). R: svyglm(family=quasibinomial()).

    Arguments as in linear(). Pseudo-maximum likelihood; influence w(y - μ)x (X'WVX)⁻¹ with V = μ(1 - μ)
    (Binder 1983).

    Raises ModelError as linear() does, and for answers other than 0 and 1; Separation where a combination of
    columns splits the answers, so that no finite coefficient is best.
    """
    made = sample(y, Predictors.of(predictors, len(design), interactions=interactions), design)
    x, inside = made.predictors.matrix, made.inside
    answers = made.y[inside]
    if not np.isin(answers, (0, 1)).all():
        raise ModelError("a logistic regression needs answers that are 0, 1 or missing")
    df = degrees(made.base, x.shape[1] - 1)
    weight = made.base.weight[inside] / made.base.weight[inside].mean()
    beta = _log_odds(answers, x[inside], weight, made.predictors.names)
    eta = x @ beta
    chance, otherwise = _expit(eta), _expit(-eta)  # 1 - chance would be 0 where the model is sure
    spread = chance * otherwise
    residual = np.where(inside, np.where(made.y == 1, otherwise, -chance), 0.0)
    bread = _inverse(x[inside], weight * spread[inside])
    wrong = np.where(answers == 1, -eta[inside], eta[inside])  # log odds of the answer not given
    pearson = np.zeros(len(design))
    pearson[inside] = np.exp(wrong / 2) * np.where(answers == 1, 1, -1)
    return _regression(
        "logistic",
        made,
        beta=beta,
        working=x * residual[:, None],
        bread=bread,
        df=df,
        pearson=pearson,
        model_covariance=bread,
        loglik=-float(weight @ np.logaddexp(0, wrong)),
        categories=(0, 1),
    )


def _log_odds(y: Floats, x: Floats, weight: Floats, names: Sequence[str]) -> Floats:
    """Return the coefficients statsmodels finds by iteratively reweighted least squares."""
    from statsmodels.genmod.families import Binomial  # type: ignore[import-untyped]
    from statsmodels.genmod.generalized_linear_model import GLM  # type: ignore[import-untyped]

    basis, upper = np.linalg.qr(x)  # so that neither units nor a large mean of a column cost digits
    root = np.sqrt(len(x))
    beta, converged = np.full(x.shape[1], np.nan), False
    # What statsmodels warns of (separation, overflow on the way there) is decided below and raised.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            model = GLM(y, basis * root, family=Binomial(), var_weights=weight)
            fit = model.fit(maxiter=60, tol=1e-11, rtol=1e-11, tol_criterion="params")
            beta, converged = np.linalg.solve(upper, fit.params * root), bool(fit.converged)
        except (np.linalg.LinAlgError, ValueError):
            converged = False
    if not converged or np.abs(x @ beta).max() > EXTREME:
        check_separation(x * np.where(y == 1, 1.0, -1.0)[:, None], names)
    if not converged:
        raise ModelError("the logistic regression did not converge in 60 steps; rescale or leave out predictors")
    return beta


def check_separation(rows: Floats, names: Sequence[str]) -> None:
    """Raise Separation if the likelihood has no maximum; *rows* as regression.separated() takes them."""
    if not separated(rows):
        return
    needed = list(range(len(names)))
    for j in reversed(range(len(names))):  # the fewest columns that still separate are those to blame
        without = [i for i in needed if i != j]
        if without and separated(rows[:, without]):
            needed = without
    blamed = [names[j] for j in needed if names[j] != INTERCEPT and "|" not in names[j]] or [names[j] for j in needed]
    raise Separation(
        f"{', '.join(blamed)} split the answers without exception, so the model has no finite coefficients: "
        "merge levels that everybody or nobody answers alike in, or leave the column out"
    )


def _regression(
    kind: Kind,
    made: Sample,
    *,
    beta: Floats,
    working: Floats,
    bread: Floats,
    df: int,
    pearson: Floats,
    model_covariance: Floats,
    loglik: float,
    categories: tuple[object, ...],
) -> Regression:
    weight = made.base.weight
    mean_weight = float(weight[made.inside].mean())
    return Regression(
        kind=kind,
        names=made.predictors.names,
        terms=made.predictors.terms,
        coefficients=np.asarray(beta, dtype=float),
        influence=weight[:, None] * working @ bread / mean_weight,
        df=df,
        dispersion=_dispersion(pearson, made.base),
        model_covariance=model_covariance,
        loglik=loglik,
        n=int(made.inside.sum()),
        single_psu=single_psu(made),
        categories=categories,
        y=made.y,
        predictors=made.predictors,
        base=made.base,
    )


def _dispersion(residual: Floats, base: Design) -> float:
    """Return the weighted variance of the residuals, n / (n - 1) included (R: svyvar)."""
    weight, n = base.weight, int(base.members.sum())
    centre = float(weight @ residual / weight.sum())
    return float(weight @ (residual - centre) ** 2 / weight.sum()) * n / (n - 1)


def _inverse(x: Floats, weight: Floats) -> Floats:
    """Return (X' diag(weight) X)⁻¹ by QR, for X'X squares the condition number."""
    upper = np.linalg.qr(x * np.sqrt(weight)[:, None], mode="r")
    inverted = np.linalg.solve(upper, np.eye(len(upper)))
    return np.asarray(inverted @ inverted.T)


def _expit(eta: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(eta))
