"""Moments: the few sums of a table from which every share, mean, ratio, difference and test follows.

An engine (analysis/engines/) makes them and is the only part that touches respondents; what stands here
is plain numpy on arrays of the table's size. One idea serves all tables: a *cell* is a group of the banner
and a column, and a column holds a number for every respondent, most often 1 or 0. A PSU has a weighted sum
in every cell; Moments are the totals of these sums and the covariance of the totals.

* A cross-tab: the columns are the K codes of a question, of which everybody in the base has one.
* A multiple-response question: a column of ones, then a column an item; a respondent may be in many cells.
* Totals, means and ratios of numbers: the columns are 1, y and x.

A table of B groups and K columns has C = B·K cells, numbered group by group. Groups don't overlap; where
columns of a banner do, give each as a banner of its own, or as columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Codes, DesignError, Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the respondents in the base: those who have a group, and a code (or every number asked for).

    n             (B, K) respondents, unweighted, whose number in the column is not 0
    total         (B, K) sum of weight times number
    covariance    (C, C) estimated covariance of the totals under the design: ultimate clusters, as R's svytotal()
    base_n        (B,)   respondents of the group's base
    base_weighted (B,)   sum of their weights
    psus          (B,)   PSUs with a respondent in the group's base
    strata        (B,)   strata with one
    squares       (B,)   sum over PSUs of the squared weight of the group's base
    table_psus           PSUs with a respondent in the base of any group
    table_strata         strata with one
    """

    n: Codes
    total: Floats
    covariance: Floats
    base_n: Codes
    base_weighted: Floats
    psus: Codes
    strata: Codes
    squares: Floats
    table_psus: int
    table_strata: int

    @property
    def df(self) -> Codes:
        """(B,) degrees of freedom of each group: PSUs - strata, of the base."""
        return self.psus - self.strata

    @property
    def table_df(self) -> int:
        """Degrees of freedom of the whole table: PSUs - strata of all who are in it (R: degf of the subset)."""
        return self.table_psus - self.table_strata

    @property
    def table_n(self) -> int:
        """Respondents in the table, unweighted: those with a group and a code."""
        return int(self.base_n.sum())

    @property
    def effective(self) -> Floats:
        """(B,) effective number of PSUs, (Σ w)² / Σ over PSUs of (their w)²: Kish's formula one level up."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.base_weighted**2 / self.squares

    def within_groups(self) -> Floats:
        """(B, K, K) covariance of the totals of one group's cells."""
        groups, columns = self.total.shape
        numbers = np.arange(groups)
        return self.covariance.reshape(groups, columns, groups, columns)[numbers, :, numbers, :]

    def averages(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the estimate and the variance of the mean of *values* in every group of a cross-tab, both (B, S).

        *values*, shape (S, K), holds a number per code: a row of the identity gives a share, the scale's
        values give its mean. Hájek ratio, Taylor linearisation (Binder 1983; R: svymean in svyby).
        A group without a base gives NaN.
        """
        return self.ratios(values, np.ones_like(values))

    def ratios(self, above: ArrayLike, below: ArrayLike) -> tuple[Floats, Floats]:
        """Return estimate and variance of S ratios of sums of totals in every group, both (B, S). R: svyratio in svyby.

        above, below  (S, K) what each column counts for in the numerator and in the denominator: with the
                      columns (1, y, x), ([[0, 1, 0]], [[0, 0, 1]]) is the ratio y/x, ([[0, 1, 0]], [[1, 0, 0]])
                      the mean of y. A group whose denominator is 0 gives NaN.
        """
        estimate, gradient = self._linearised(above, below)
        with np.errstate(invalid="ignore"):
            variance = np.einsum("bsk,bsk->bs", gradient @ self.within_groups(), gradient)
        return estimate, np.maximum(variance, 0)

    def joint(self, above: ArrayLike, below: ArrayLike) -> tuple[Floats, Floats]:
        """Return the ratios of ratios(), (B, S), and the covariance of all of them, (B·S, B·S) group by group.

        From it follow the variances of differences between groups (domains) and between columns
        (R: svyby(covmat=TRUE), svycontrast). A group whose denominator is 0 gives rows and columns of NaN.
        """
        estimate, gradient = self._linearised(above, below)
        groups, statistics, columns = gradient.shape
        spread = np.zeros((groups, statistics, groups, columns))
        spread[np.arange(groups), :, np.arange(groups), :] = gradient
        flat = spread.reshape(groups * statistics, groups * columns)
        return estimate, flat @ self.covariance @ flat.T

    def _linearised(self, above: ArrayLike, below: ArrayLike) -> tuple[Floats, Floats]:
        """Return the ratios (B, S) and their derivatives by the totals of the group's own cells (B, S, K)."""
        numerator, denominator = np.atleast_2d(above).astype(float), np.atleast_2d(below).astype(float)
        columns = self.total.shape[1]
        if numerator.shape != denominator.shape or numerator.shape[1] != columns:
            raise DesignError(
                f"numerators of shape {numerator.shape} and denominators of shape {denominator.shape} "
                f"don't fit a table of {columns} columns; each needs a number per column"
            )
        size = self.total @ denominator.T
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = np.where(size == 0, np.nan, self.total @ numerator.T / size)
            return estimate, (numerator - estimate[:, :, None] * denominator) / size[:, :, None]

    def simple_variance(self, values: Floats) -> Floats:
        """(B, S) variance the mean of averages() would have in a simple random sample of the base's size.

        With replacement, as R's deff="replace": Σw(y - ȳ)²/Σw / (n - 1).
        """
        base = self.base_weighted[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = self.total @ values.T / base
            deviation = values[None, :, :] - estimate[:, :, None]
            spread = np.einsum("bsk,bk->bs", deviation**2, self.total) / base
            return spread / (self.base_n[:, None] - 1)
