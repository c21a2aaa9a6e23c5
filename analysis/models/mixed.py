"""Models of the clusters themselves, without weights: the random intercept and its ICC, and exchangeable GEE."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Design, Floats
from analysis.models.glm import check_separation
from analysis.models.predictors import Factor, ModelError, Predictors
from analysis.models.regression import Sample, sample

# Differences within clusters smaller than this share of the answers are rounding.
NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class RandomIntercept:
    """A linear model in which every cluster has its own level, by REML.

    var_cluster, var_residual  variances between clusters and within them
    icc                        var_cluster / (var_cluster + var_residual)
    boundary                   true if clusters differ no more than by chance: var_cluster is 0
    loglik                     restricted log-likelihood
    clusters, repeated         clusters; those with two respondents or more, which alone tell of icc
    """

    names: tuple[str, ...]
    coefficients: Floats
    se: Floats
    var_cluster: float
    var_residual: float
    icc: float
    loglik: float
    n: int
    clusters: int
    repeated: int
    boundary: bool


@dataclass(frozen=True, eq=False)
class Exchangeable:
    """A logistic model of clustered answers by GEE.

    se           robust (sandwich), clusters independent
    correlation  alpha, the working correlation of two answers of one cluster
    """

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    se: Floats
    correlation: float
    n: int
    clusters: int


def random_intercept(
    y: ArrayLike,
    cluster: ArrayLike,
    predictors: Mapping[str, ArrayLike | Factor] | None = None,
    *,
    interactions: Sequence[tuple[str, str]] = (),
) -> RandomIntercept:
    """Return the random-intercept model of *y*, (n,) NaN missing. R: lme4::lmer(y ~ … + (1 | cluster)).

    cluster       (n,) labels
    predictors, interactions   as in linear(); none if not given

    Restricted maximum likelihood (Patterson and Thompson 1971, Biometrika 58). It knows no weights: a companion
    of the design-based estimates, and the ICC of clusters of unequal size. Only clusters with two respondents
    or more tell of it.

    Raises ModelError for missing labels, no cluster with two respondents, clusters that are all of one mind
    within (no residual variance), and as linear() does.
    """
    made, code = _clustered(y, cluster, predictors or {}, interactions)
    sizes = np.bincount(code)
    if (sizes < 2).all():
        raise ModelError("no cluster has two respondents, so differences within clusters can't be told from others")
    inside = made.inside
    x, outcome = made.predictors.matrix[inside], made.y[inside]
    if len(sizes) <= x.shape[1]:
        raise ModelError(f"{len(sizes)} clusters can't carry {x.shape[1]} coefficients; leave out predictors")
    within = outcome - np.bincount(code, outcome)[code] / sizes[code]
    if np.abs(within).max() <= NOTHING * np.abs(outcome).max():
        raise ModelError("everybody in a cluster gave the same answer: there is no variance within clusters")
    basis, upper = np.linalg.qr(x)  # an orthonormal basis and residuals keep the sums free of cancellation
    least_squares = basis.T @ outcome
    profile = _Profile.of(outcome - basis @ least_squares, basis, code)
    icc = _best(profile)
    loglik, shift, covariance, residual = profile.at(icc)
    back = np.linalg.inv(upper)
    return RandomIntercept(
        names=made.predictors.names,
        coefficients=back @ (least_squares + shift),
        se=np.sqrt(np.diag(back @ covariance @ back.T)),
        var_cluster=residual * icc / (1 - icc),
        var_residual=residual,
        icc=icc,
        loglik=loglik - float(np.log(np.abs(np.diag(upper))).sum()),
        n=len(code),
        clusters=len(sizes),
        repeated=int((sizes > 1).sum()),
        boundary=icc == 0,
    )


# Why not statsmodels' MixedLM: where clusters differ less than by chance, so that the likeliest ICC is 0, it fails
# to converge and stays at 0.05 or so. Everywhere else the two agree.
@dataclass(frozen=True, eq=False)
class _Profile:
    """The restricted likelihood as a function of the ICC alone: the rest has a closed form given it."""

    products: Floats  # (k+1, k+1) of the columns and the outcome
    sums: Floats  # (G, k+1) of each cluster
    sizes: Codes  # (G,)

    @classmethod
    def of(cls, y: Floats, x: Floats, code: Codes) -> _Profile:
        columns = np.column_stack([x, y])
        sums = np.zeros((int(code.max()) + 1, columns.shape[1]))
        np.add.at(sums, code, columns)
        return cls(columns.T @ columns, sums, np.bincount(code))

    def at(self, icc: float) -> tuple[float, Floats, Floats, float]:
        """Return restricted log-likelihood, coefficients, their covariance and the residual variance."""
        ratio, k = icc / (1 - icc), len(self.products) - 1
        shrunk = ratio / (1 + ratio * self.sizes)
        whitened = self.products - (self.sums * shrunk[:, None]).T @ self.sums
        xx, xy, yy = whitened[:k, :k], whitened[:k, k], whitened[k, k]
        beta = np.linalg.solve(xx, xy)
        free = int(self.sizes.sum()) - k
        residual = float(yy - xy @ beta) / free
        logs = np.log1p(ratio * self.sizes).sum() + np.linalg.slogdet(xx)[1]
        loglik = -(free * (np.log(2 * np.pi * residual) + 1) + logs) / 2
        return float(loglik), np.asarray(beta), np.asarray(residual * np.linalg.inv(xx)), residual


def _best(profile: _Profile) -> float:
    """Return the ICC of greatest restricted likelihood: 0 if no positive one is likelier."""
    from scipy.optimize import minimize_scalar

    grid = np.concatenate([[0.0], np.geomspace(1e-4, 0.5, 20), 1 - np.geomspace(0.4, 1e-6, 20)])
    heights = [profile.at(icc)[0] for icc in grid]
    top = int(np.argmax(heights))
    around = (grid[max(top - 1, 0)], grid[min(top + 1, len(grid) - 1)])
    found = minimize_scalar(lambda icc: -profile.at(icc)[0], bounds=around, method="bounded", options={"xatol": 1e-12})
    return float(found.x) if -found.fun > heights[0] + 1e-10 * abs(heights[0]) else 0.0


def exchangeable_logit(
    y: ArrayLike,
    cluster: ArrayLike,
    predictors: Mapping[str, ArrayLike | Factor],
    *,
    interactions: Sequence[tuple[str, str]] = (),
) -> Exchangeable:
    """Return the logistic GEE of *y* (0, 1, NaN) with one correlation within *cluster*, (n,) labels.

    R: geepack::geeglm(family=binomial, corstr="exchangeable").

    Liang and Zeger (1986, Biometrika 73), by statsmodels' GEE, scale and correlation without a correction for
    the number of coefficients, as geepack. No weights.

    Raises ModelError and Separation as logistic() does, and for missing labels.
    """
    from statsmodels.genmod.cov_struct import Exchangeable as Working  # type: ignore[import-untyped]
    from statsmodels.genmod.families import Binomial  # type: ignore[import-untyped]
    from statsmodels.genmod.generalized_estimating_equations import GEE  # type: ignore[import-untyped]

    made, code = _clustered(y, cluster, predictors, interactions)
    inside = made.inside
    x, answers = made.predictors.matrix[inside], made.y[inside]
    names = made.predictors.names
    if not np.isin(answers, (0, 1)).all():
        raise ModelError("a logistic model needs answers that are 0, 1 or missing")
    if (np.bincount(code) < 2).all():
        raise ModelError("no cluster has two respondents, so there is no correlation within clusters to estimate")
    check_separation(x * np.where(answers == 1, 1.0, -1.0)[:, None], names)
    basis, upper = np.linalg.qr(x)  # as in logistic()
    root, structure = np.sqrt(len(x)), Working()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # whether it converged is asked below
        model = GEE(answers, basis * root, groups=code, family=Binomial(), cov_struct=structure)
        fit = model.fit(maxiter=200, ctol=1e-10, ddof_scale=0)
    settled = fit.converged and np.isfinite(fit.params).all() and (np.diag(fit.cov_robust) > 0).all()
    if not settled:
        raise ModelError(
            "the GEE did not converge, as happens in small samples whose clusters differ less than by chance; "
            "leave out predictors, or take logistic() with the clusters as PSUs"
        )
    back = np.linalg.inv(upper) * root
    covariance = back @ np.asarray(fit.cov_robust) @ back.T
    return Exchangeable(
        names=names,
        coefficients=back @ np.asarray(fit.params),
        covariance=covariance,
        se=np.sqrt(np.diag(covariance)),
        correlation=float(structure.dep_params),
        n=len(code),
        clusters=int(code.max()) + 1,
    )


def _clustered(
    y: ArrayLike,
    cluster: ArrayLike,
    predictors: Mapping[str, ArrayLike | Factor],
    interactions: Sequence[tuple[str, str]],
) -> tuple[Sample, Codes]:
    """Return the complete cases and the clusters 0 … G-1 of those among them."""
    import pandas

    n = len(np.asarray(y))
    labels = np.asarray(cluster)
    if labels.shape != (n,):
        raise ModelError(f"cluster has shape {labels.shape}, the outcome has {n} respondents")
    if pandas.isna(labels).any():
        raise ModelError(f"cluster is missing for {pandas.isna(labels).sum()} respondents; every one belongs to one")
    made = sample(y, Predictors.of(predictors, n, interactions=interactions), Design.of(np.ones(n)))
    code = np.asarray(pandas.factorize(labels[made.inside])[0], dtype=np.int64)
    return made, code
