"""Cluster-robust errors of a fitted regression: CR0, CR1, and CR2 with its own degrees of freedom for few clusters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, Floats
from analysis.models.predictors import ModelError
from analysis.models.regression import Regression, two_sided

Correction = Literal["CR0", "CR1", "CR1S", "CR2", "HC3"]

# Eigenvalues below this are 0: a direction the model fits exactly has no residual to scale.
NOTHING = 1e-12

# Respondents of a cluster beyond whom a square matrix of them is refused.
LARGE = 4000


@dataclass(frozen=True, eq=False)
class ClusterRobust:
    """Errors of the k coefficients of a regression that rest on independent clusters alone.

    df  (k,) CR2: Satterthwaite's, one for each coefficient; HC3: n - k; else clusters - 1
    """

    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    df: Floats
    clusters: int

    @property
    def se(self) -> Floats:
        return np.sqrt(np.diag(self.covariance))

    @property
    def t(self) -> Floats:
        return self.coefficients / self.se

    @property
    def p(self) -> Floats:
        """(k,) two-sided, t distribution with df."""
        return two_sided(self.t, self.df)


def cluster_robust(
    fit: Regression, cluster: ArrayLike | None = None, *, correction: Correction = "CR2"
) -> ClusterRobust:
    """Return cluster-robust errors of a linear or logistic *fit*.

    cluster  (n,) labels of the independent groups; the PSUs of the design if not given (then a design with
             strata or a sampling fraction is refused, for these estimators know neither)

    With residuals e, and M the inverse information:
    CR0   Σ M x'w e e'w x M over clusters (Liang and Zeger 1986); R: sandwich::vcovCL(type="HC0", cadjust=FALSE)
    CR1   times G/(G - 1); R: vcovCL(type="HC0")
    CR1S  times G/(G - 1) · (n - 1)/(n - k), Stata's; R: vcovCL(type="HC1")
    CR2   residuals of each cluster scaled so that the errors are unbiased if respondents were independent, with
          Satterthwaite's df (Bell and McCaffrey 2002, Surv. Methodol. 28; Pustejovsky and Tipton 2018,
          J. Bus. Econ. Stat. 36); R: clubSandwich::coef_test(vcov="CR2", test="Satterthwaite"). Take it when
          clusters are few (under 40, or a level in few of them)
    HC3   every respondent alone, e / (1 - leverage); R: vcovHC("HC3"); *cluster* must not be given

    Weights of the fit enter as sampling weights: the working model has equal variances.

    Raises ModelError for an ordinal fit, fewer than 2 clusters and missing labels.
    """
    if fit.kind == "ordinal":
        raise ModelError("cluster corrections are for linear and logistic models; an ordinal one has design errors")
    inside = fit.base.members
    if correction == "HC3":
        if cluster is not None:
            raise ModelError("HC3 takes every respondent alone; leave cluster out, or choose CR2")
        code = np.arange(int(inside.sum()))
    else:
        code = _clusters(fit, cluster)[inside]
    groups, code = np.unique(code, return_inverse=True)
    if len(groups) < 2:
        raise ModelError("all respondents of the base share one cluster; nothing tells how clusters differ")
    working = _Working.of(fit, code)
    n, k, g = len(code), len(fit.names), len(groups)
    if correction == "CR2":
        covariance, df = working.cr2()
    elif correction == "HC3":
        covariance, df = working.hc3(), np.full(k, float(n - k))
    else:
        factor = {"CR0": 1.0, "CR1": g / (g - 1), "CR1S": g / (g - 1) * (n - 1) / (n - k)}[correction]
        covariance, df = working.cr0() * factor, np.full(k, float(g - 1))
    return ClusterRobust(fit.names, fit.coefficients, covariance, df, g)


def _clusters(fit: Regression, cluster: ArrayLike | None) -> Codes:
    if cluster is None:
        if fit.base.strata > 1 or (fit.base.fraction > 0).any():
            raise ModelError(
                "the design has strata or sampling fractions, which cluster corrections ignore: use the errors of the "
                "fit itself, or name the independent groups with cluster="
            )
        return fit.base.psu
    import pandas

    labels = np.asarray(cluster)
    if labels.shape != (len(fit.base),):
        raise ModelError(f"cluster has shape {labels.shape}, the design has {len(fit.base)} respondents")
    code, _ = pandas.factorize(labels)
    if (code[fit.base.members] < 0).any():
        raise ModelError("cluster is missing for respondents of the base; every one belongs to a cluster")
    return np.asarray(code, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Working:
    """The base's rows in the linear working model: residuals with covariance diag(variance), M = (x'wx)⁻¹.

    A logistic model is linear around its fit, with columns V·x, variance V = μ(1 - μ) and weight (sampling)/V.
    """

    x: Floats  # (n, k)
    residual: Floats  # (n,) answer - fitted
    weight: Floats  # (n,)
    variance: Floats  # (n,)
    code: Codes  # (n,) 0 … G-1

    @classmethod
    def of(cls, fit: Regression, code: Codes) -> _Working:
        from scipy.special import expit

        inside = fit.base.members
        x, y, weight = fit.predictors.matrix[inside], fit.y[inside], fit.base.weight[inside]
        weight = weight / weight.mean()
        eta = x @ fit.coefficients
        if fit.kind == "linear":
            return cls(x, y - eta, weight, np.ones(len(y)), code)
        spread = expit(eta) * expit(-eta)
        return cls(x * spread[:, None], y - expit(eta), weight / spread, spread, code)

    @cached_property
    def bread(self) -> Floats:
        """(k, k) M, by QR."""
        upper = np.linalg.qr(self.x * np.sqrt(self.weight)[:, None], mode="r")
        inverted = np.linalg.solve(upper, np.eye(len(upper)))
        return np.asarray(inverted @ inverted.T)

    @cached_property
    def middle(self) -> Floats:
        """(2k, 2k) C: a cluster's residuals have covariance diag(variance) + U C U', U = (x, weight·variance·x)."""
        k = self.x.shape[1]
        wx = self.x * self.weight[:, None]
        square = self.bread @ (wx.T @ (wx * self.variance[:, None])) @ self.bread
        return np.block([[square, -self.bread], [-self.bread, np.zeros((k, k))]])

    def cr0(self) -> Floats:
        return self._summed(self.x * (self.weight * self.residual)[:, None])

    def hc3(self) -> Floats:
        leverage = np.einsum("ij,jk,ik->i", self.x, self.bread, self.x) * self.weight
        if (leverage > 1 - NOTHING).any():
            raise ModelError("the model fits a respondent exactly (leverage 1), so HC3 is not defined; merge levels")
        return self._summed(self.x * (self.weight * self.residual / (1 - leverage))[:, None])

    def cr2(self) -> tuple[Floats, Floats]:
        """Return the covariance and Satterthwaite's degrees of freedom (k,)."""
        k, clusters = self.x.shape[1], int(self.code.max()) + 1
        score = np.zeros((clusters, k))
        # For coefficient c and cluster i let g = A w x M c; its length and U'g make up Satterthwaite's matrix P.
        length, along = np.zeros((clusters, k)), np.zeros((clusters, k, 2 * k))
        for i, rows in enumerate(self._rows()):
            x, weight, variance = self.x[rows], self.weight[rows], self.variance[rows]
            wx, u = weight[:, None] * x, self._span(x, weight, variance)
            scaled = self._scaled(u, variance, np.column_stack([wx @ self.bread, self.residual[rows]]))
            g = scaled[:, :k]
            score[i] = wx.T @ scaled[:, k]
            length[i], along[i] = variance @ g**2, g.T @ u
        covariance = self.bread @ (score.T @ score) @ self.bread
        return covariance, np.array([self._satterthwaite(length[:, c], along[:, c]) for c in range(k)])

    @staticmethod
    def _span(x: Floats, weight: Floats, variance: Floats) -> Floats:
        return np.column_stack([x, (weight * variance)[:, None] * x])

    def _scaled(self, u: Floats, variance: Floats, columns: Floats) -> Floats:
        """Return A @ columns with A = D B⁻¹ᐟ² D, B = D (diag(variance) + U C U') D, D = √variance.

        B may be singular; its root is then that of the pseudoinverse.
        """
        if (variance == 1).all():  # the root differs from I only in the space of U: a matrix of 2k is enough
            basis, upper = np.linalg.qr(u)
            roots, vectors = _roots(np.eye(len(upper)) + upper @ self.middle @ upper.T)
            inner = basis @ vectors
            return np.asarray(columns + inner @ ((roots - 1)[:, None] * (inner.T @ columns)))
        if len(u) > LARGE:
            raise ModelError(
                f"a cluster has {len(u)} respondents, and CR2 of a logistic model needs a square matrix of them; "
                'with clusters that large take correction="CR1"'
            )
        d = np.sqrt(variance)[:, None]
        roots, vectors = _roots(d * (np.diag(variance) + u @ self.middle @ u.T) * d.T)
        return np.asarray(d * (vectors @ (roots[:, None] * (vectors.T @ (d * columns)))))

    def _satterthwaite(self, length: Floats, along: Floats) -> float:
        """Return (tr P)² / tr P² with P = diag(length) + along C along', (G, 2k)."""
        diagonal = np.einsum("ij,jk,ik->i", along, self.middle, along)
        inner = along.T @ along @ self.middle
        squares = (length**2).sum() + 2 * (length * diagonal).sum() + float(np.trace(inner @ inner))
        return float((length.sum() + diagonal.sum()) ** 2 / squares)

    def _rows(self) -> Iterator[Codes]:
        order = np.argsort(self.code, kind="stable")
        yield from np.split(order, np.cumsum(np.bincount(self.code))[:-1])

    def _summed(self, score: Floats) -> Floats:
        clusters = np.zeros((int(self.code.max()) + 1, score.shape[1]))
        np.add.at(clusters, self.code, score)
        return np.asarray(self.bread @ (clusters.T @ clusters) @ self.bread)


def _roots(matrix: Floats) -> tuple[Floats, Floats]:
    """Return the eigenvalues of the pseudoinverse's symmetric root, and the eigenvectors."""
    values, vectors = np.linalg.eigh(matrix)
    return np.where(values > NOTHING, 1 / np.sqrt(np.maximum(values, NOTHING)), 0.0), vectors
