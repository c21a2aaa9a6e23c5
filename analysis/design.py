"""The sampling design: made once, taken by every estimator. A subgroup is a domain of it, never a filtered table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kysely.errors import AnalystError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

Lonely = Literal["fail", "certainty"]


class DesignError(AnalystError):
    """The design can't carry the estimate: a weight, stratum or PSU is wrong. Says which and what to do."""


@dataclass(frozen=True, eq=False)
class Design:
    """Weight, stratum, PSU and sampling fraction of n respondents; PSUs are nested in strata.

    weight   (n,) positive; outside the domain 0.
    stratum  (n,) 0 … H-1
    psu      (n,) 0 … G-1, numbered so that a PSU lies in one stratum
    fraction (H,) sampled share of the stratum's PSUs; 0 where sampling is with replacement
    lonely   what a stratum with a single PSU means: "fail" (DesignError) or "certainty" (the PSU was
             certain to be drawn and adds no variance)

    PSUs without a respondent of the domain stay in the design: their number is part of the variance.
    """

    weight: Floats
    stratum: Codes
    psu: Codes
    fraction: Floats
    lonely: Lonely = "fail"

    @classmethod
    def of(
        cls,
        weight: ArrayLike,
        *,
        psu: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        fpc: ArrayLike | None = None,
        lonely: Lonely = "fail",
    ) -> Design:
        """Return the design of respondents given by labels; every argument has shape (n,).

        psu      None: every respondent is a PSU. A label met in two strata is two PSUs (R: nest=TRUE).
        fpc      number of PSUs in the population of the respondent's stratum, or the sampled share
                 where all values are at most 1 (R: svydesign(fpc=)).

        Raises DesignError for weights that are not positive finite numbers, for missing labels and
        for an fpc that varies within a stratum or is smaller than its sample.
        """
        weights = _weights(weight)
        n = len(weights)
        strata = np.zeros(n, np.int64) if stratum is None else _coded(stratum, n, "stratum")
        units = np.arange(n) if psu is None else _coded(psu, n, "psu")
        _, nested = np.unique(strata * (units.max(initial=0) + 1) + units, return_inverse=True)
        return cls(weights, strata, nested.astype(np.int64), _fraction(fpc, strata, nested), lonely)

    def __len__(self) -> int:
        return len(self.weight)

    @cached_property
    def psus(self) -> int:
        """Number of PSUs in the sample, G."""
        return int(self.psu.max(initial=-1)) + 1

    @cached_property
    def strata(self) -> int:
        return int(self.stratum.max(initial=-1)) + 1

    @cached_property
    def psu_stratum(self) -> Codes:
        """(G,) the stratum of each PSU."""
        stratum = np.zeros(self.psus, np.int64)
        stratum[self.psu] = self.stratum
        return stratum

    @cached_property
    def psus_in(self) -> Codes:
        """(H,) number of PSUs in each stratum."""
        return np.bincount(self.psu_stratum, minlength=self.strata)

    @cached_property
    def factor(self) -> Floats:
        """(H,) what the squares of a stratum are multiplied by: (1 - f) m / (m - 1) for m PSUs, fraction f.

        Raises DesignError for a stratum with a single PSU, unless lonely PSUs are certain or its fraction is 1.
        """
        m = self.psus_in.astype(float)
        alone = (self.psus_in < 2) & (self.fraction < 1)
        if alone.any() and self.lonely == "fail":
            raise DesignError(
                f"{alone.sum()} of {self.strata} strata have a single PSU "
                f"(stratum number {np.flatnonzero(alone)[0] + 1}), so their variance can't be estimated. "
                "Merge the stratum with a similar one, or say "
                'lonely="certainty" if the PSU was certain to be drawn'
            )
        return np.where(self.psus_in < 2, 0.0, (1 - self.fraction) * m / np.maximum(m - 1, 1))

    @cached_property
    def members(self) -> Mask:
        """(n,) true for the respondents of the domain."""
        return self.weight > 0

    def domain(self, mask: ArrayLike) -> Design:
        """Return the design of the subgroup *mask*, shape (n,): the others stay, with weight 0."""
        inside = np.asarray(mask)
        if inside.dtype != bool or inside.shape != self.weight.shape:
            raise DesignError(
                f"a domain is a true/false array of shape ({len(self)},), not {inside.dtype} {inside.shape}"
            )
        return replace(self, weight=np.where(inside, self.weight, 0.0))

    def degrees(self) -> int:
        """Return the degrees of freedom: PSUs with a member of the domain - strata with one (R: degf)."""
        inside = self.members
        return len(np.unique(self.psu[inside])) - len(np.unique(self.stratum[inside]))


def _weights(weight: ArrayLike) -> Floats:
    weights = np.asarray(weight, dtype=float)
    if weights.ndim != 1:
        raise DesignError(f"weights have shape {weights.shape}; one number a respondent is needed")
    wrong = ~(np.isfinite(weights) & (weights > 0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DesignError(
            f"{wrong.sum()} of {len(weights)} weights are zero, negative, missing or not finite "
            f"(the first: {weights[first]} in row {first + 1}). "
            "Give each respondent a positive weight, or make a domain without them"
        )
    return weights


def _coded(labels: ArrayLike, n: int, what: str) -> Codes:
    values = np.asarray(labels)
    if values.shape != (n,):
        raise DesignError(f"{what} has shape {values.shape}, the weights have ({n},)")
    if values.dtype.kind in "fO":
        absent = sum(1 for value in values.tolist() if value is None or value != value)
        if absent:
            raise DesignError(f"{what} is missing for {absent} respondents; every one belongs to a {what}")
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _fraction(fpc: ArrayLike | None, stratum: Codes, psu: Codes) -> Floats:
    strata = int(stratum.max(initial=-1)) + 1
    if fpc is None:
        return np.zeros(strata)
    values = np.asarray(fpc, dtype=float)
    if values.shape != stratum.shape or not np.isfinite(values).all() or (values <= 0).any():
        raise DesignError("fpc needs one positive number a respondent: PSUs in the population, or the sampled share")
    per_stratum = np.zeros(strata)
    per_stratum[stratum] = values
    if (per_stratum[stratum] != values).any():
        raise DesignError("fpc varies within a stratum; it is a property of the stratum")
    pairs = np.unique(np.stack([stratum, psu]), axis=1)
    sampled = np.bincount(pairs[0], minlength=strata)
    fraction = per_stratum if (per_stratum <= 1).all() else sampled / per_stratum
    if (fraction > 1).any():
        raise DesignError("fpc is smaller than the number of sampled PSUs in a stratum; give the population's number")
    return fraction
