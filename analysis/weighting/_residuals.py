"""What known population figures take off the errors of estimates, method by method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.design import Calibration, Floats, Mask
from analysis.weighting._cells import Cells

SWEEPS = 10
"""Sweeps over the margins that take raked influence values to their residuals: the number R's survey makes."""


@dataclass(frozen=True, eq=False)
class Stratified:
    """Post-stratification: deviations from the mean of the post-stratum, weighted by the *base* weights.

    Särndal, Swensson and Wretman (1992, section 7.6). R: svyrecvar() after postStratify().
    """

    cells: Cells
    base: Floats
    weight: Floats

    def residuals(self, influence: Floats) -> Floats:
        values, weight, base = (
            _rows(influence, self.cells.rows),
            self.weight[self.cells.rows],
            self.base[self.cells.rows],
        )
        u = values / weight[:, None]
        mean = self.cells.sums(u * base[:, None]) / self.cells.sums(base)[:, None]
        return _put(influence, self.cells.rows, values - weight[:, None] * mean[self.cells.cell])


@dataclass(frozen=True, eq=False)
class Swept:
    """Raking: the mean of each code is taken off margin by margin, in ten sweeps, every respondent counting 1.

    That is what R's survey does after rake(). A regression on all margins, weighted by the base weights,
    (Deville, Särndal and Sautory 1993) is as justified and differs by a few per cent at most.
    """

    cells: Cells
    weight: Floats

    def residuals(self, influence: Floats) -> Floats:
        cells = self.cells
        values, weight = _rows(influence, cells.rows), self.weight[cells.rows]
        sums = cells.sums(values / weight[:, None])
        n = cells.n[:, None].astype(float)
        sizes = [cells.margin(m, n) for m in range(len(cells.codes))]
        off = np.zeros_like(sums)
        for _ in range(SWEEPS):
            for m, size in enumerate(sizes):
                # A code that the population does not have has no respondents either, and no mean.
                mean = cells.margin(m, sums - n * off) / np.maximum(size, 1)
                off += mean[cells.position[m]]
        return _put(influence, cells.rows, values - weight[:, None] * off[cells.cell])


@dataclass(frozen=True, eq=False)
class Regressed:
    """Calibration: residuals of the regression on the calibration variables *x* (m, p), base weights.

    Deville and Särndal (1992, J. Amer. Statist. Assoc. 87): every distance has the variance of the linear
    one, with its own final weights. R: svyrecvar() after calibrate().
    """

    rows: Mask | slice
    x: Floats
    base: Floats
    weight: Floats

    def residuals(self, influence: Floats) -> Floats:
        values, weight, base = _rows(influence, self.rows), self.weight[self.rows], self.base[self.rows]
        root = np.sqrt(base)[:, None]
        slope = np.linalg.lstsq(self.x * root, values / weight[:, None] * root, rcond=None)[0]
        return _put(influence, self.rows, values - weight[:, None] * (self.x @ slope))


@dataclass(frozen=True, eq=False)
class Scaled:
    """Weights whose total is not known but the sample's own: its sampling error comes back in."""

    inner: Calibration
    rows: Mask | slice
    base: Floats

    def residuals(self, influence: Floats) -> Floats:
        base = self.base[self.rows]
        level = _rows(influence, self.rows).sum(axis=0) / base.sum()
        inner = self.inner.residuals(influence)
        return _put(inner, self.rows, _rows(inner, self.rows) + base[:, None] * level)


@dataclass(frozen=True, eq=False)
class Each:
    """Several weightings: of respondents that do not overlap, or one after the other, the last one first.

    The last weighting took the weights of the one before as given, so its residuals are what that one explains.
    """

    parts: tuple[Calibration, ...]

    def residuals(self, influence: Floats) -> Floats:
        for part in self.parts:
            influence = part.residuals(influence)
        return influence


def _rows(influence: Floats, rows: Mask | slice) -> Floats:
    """Return the influence values of the rows, always with two dimensions."""
    return np.atleast_2d(influence.T).T[rows]


def _put(influence: Floats, rows: Mask | slice, values: Floats) -> Floats:
    made = np.array(influence, dtype=float)
    made[rows] = values.reshape(made[rows].shape)
    return made
