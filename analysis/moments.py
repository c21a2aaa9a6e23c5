"""Moments: the few sums of a table from which every share, mean and covariance follows.

An engine (analysis/engines/) makes them and is the only part that touches respondents; what stands here
is plain numpy on arrays of the table's size. A table has K codes down and B groups across; its C = B·K
cells are numbered group by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.design import Codes, Floats


@dataclass(frozen=True, eq=False)
class Moments:
    """Sums over the respondents who have both a code and a group; w is the weight, t a PSU's cell totals.

    n             (B, K) respondents, unweighted
    total         (B, K) sum of w
    cross         (C, C) sum over PSUs of factor · t t', with the factor of the PSU's stratum (Design.factor)
    stratum_total (H, C) sum of w in each stratum
    centre        (H,)   factor / number of PSUs: what the stratum means take away from cross
    psus          (B,)   PSUs with a respondent in the group's base
    strata        (B,)   strata with one
    squares       (B,)   sum over PSUs of the squared weight of the group's base
    """

    n: Codes
    total: Floats
    cross: Floats
    stratum_total: Floats
    centre: Floats
    psus: Codes
    strata: Codes
    squares: Floats

    @property
    def base_n(self) -> Codes:
        """(B,) respondents of each group who have a code."""
        return self.n.sum(axis=1)

    @property
    def base_weighted(self) -> Floats:
        return self.total.sum(axis=1)

    @property
    def df(self) -> Codes:
        """(B,) degrees of freedom of each group: PSUs - strata, of the base."""
        return self.psus - self.strata

    @property
    def effective(self) -> Floats:
        """(B,) effective number of PSUs, (Σ w)² / Σ over PSUs of (their w)²: Kish's formula one level up."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.base_weighted**2 / self.squares

    @cached_property
    def covariance(self) -> Floats:
        """(C, C) estimated covariance of the cell totals: ultimate clusters, as R's svytotal()."""
        return self.cross - (self.stratum_total * self.centre[:, None]).T @ self.stratum_total

    def within_groups(self) -> Floats:
        """(B, K, K) covariance of the totals of one group's cells."""
        groups, codes = self.total.shape
        numbers = np.arange(groups)
        return self.covariance.reshape(groups, codes, groups, codes)[numbers, :, numbers, :]

    def averages(self, values: Floats) -> tuple[Floats, Floats]:
        """Return the estimate and the variance of the mean of *values* in every group, both (B, S).

        *values*, shape (S, K), holds a number per code: a row of the identity gives a share, the scale's
        values give its mean. Hájek ratio, Taylor linearisation (Binder 1983; R: svymean in svyby).
        A group without a base gives NaN.
        """
        base = self.base_weighted[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = self.total @ values.T / base
            deviation = values[None, :, :] - estimate[:, :, None]
            variance = np.einsum("bsk,bsk->bs", deviation @ self.within_groups(), deviation) / base**2
        return estimate, np.maximum(variance, 0)

    def simple_variance(self, values: Floats) -> Floats:
        """(B, S) variance the same mean would have in a simple random sample of the base's size.

        With replacement, as R's deff="replace": Σw(y - ȳ)²/Σw / (n - 1).
        """
        base = self.base_weighted[:, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = self.total @ values.T / base
            deviation = values[None, :, :] - estimate[:, :, None]
            spread = np.einsum("bsk,bk->bs", deviation**2, self.total) / base
            return spread / (self.base_n[:, None] - 1)
