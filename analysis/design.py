"""The sampling design: made once, taken by every estimator. A subgroup is a domain of it, never a filtered table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kysely.errors import AnalystError

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

Lonely = Literal["fail", "certainty", "remove", "average", "adjust"]


class DesignError(AnalystError):
    """The design can't carry the estimate: a weight, stratum or PSU is wrong. Says which and what to do."""


class Calibration(Protocol):
    """What the variance must know of weights that meet population figures: analysis/weighting/ has the kinds."""

    def residuals(self, influence: Floats) -> Floats:
        """Return influence values without what the known figures explain, (n,) → (n,) or (n, k) → (n, k).

        Influence values contain the calibrated weight. Those outside a domain are 0 going in and need not
        be 0 coming out: the figures are known of the whole population.
        """
        ...


@dataclass(frozen=True, eq=False)
class Stage:
    """A stage of sampling after the first, by labels: what was drawn within the units of the stage before.

    unit     (n,) label of the respondent's unit; the same label in two units of the stage before is two units
    stratum  (n,) label; None: units were drawn from the whole of the unit before
    fpc      (n,) number of units there are where the respondent's was drawn, or the sampled share where
             all values are at most 1; None: with replacement, so that no later stage adds variance
    """

    unit: ArrayLike
    stratum: ArrayLike | None = None
    fpc: ArrayLike | None = None


@dataclass(frozen=True, eq=False)
class Level:
    """A stage of sampling, coded: S strata of U units; at the first stage the units are the PSUs.

    unit      (n,) 0 … U-1, numbered so that a unit lies in one stratum
    stratum   (n,) 0 … S-1, numbered so that a stratum lies in one unit of the stage before
    fraction  (S,) sampled share of the stratum's units; 0 where sampling is with replacement
    within    (S,) unit of the stage before that the stratum lies in; 0 at the first stage
    carried   (S,) product of the sampled shares of the stages before: what the stage's variance counts; 1 at the first
    """

    unit: Codes
    stratum: Codes
    fraction: Floats
    within: Codes
    carried: Floats

    @cached_property
    def units(self) -> int:
        return int(self.unit.max(initial=-1)) + 1

    @cached_property
    def strata(self) -> int:
        return len(self.fraction)

    @cached_property
    def unit_stratum(self) -> Codes:
        """(U,) the stratum of each unit."""
        stratum = np.zeros(self.units, np.int64)
        stratum[self.unit] = self.stratum
        return stratum

    @cached_property
    def units_in(self) -> Codes:
        """(S,) number of units in each stratum."""
        return np.bincount(self.unit_stratum, minlength=self.strata)

    @cached_property
    def alone(self) -> Mask:
        """(S,) true for a stratum with a single unit that was not certain to be drawn: its variance is unknown."""
        return (self.units_in < 2) & (self.fraction < 1) & (self.carried > 0)

    @cached_property
    def factor(self) -> Floats:
        """(S,) what the squares of a stratum are multiplied by: (1 - f) m / (m - 1) for m units, fraction f.

        0 where there is a single unit; times `carried`.
        """
        m = self.units_in.astype(float)
        return np.where(m < 2, 0.0, self.carried * (1 - self.fraction) * m / np.maximum(m - 1, 1))


@dataclass(frozen=True, eq=False)
class Design:
    """Weight, stratum, PSU and sampling fraction of n respondents; PSUs are nested in strata.

    weight   (n,) positive; outside the domain 0.
    stratum  (n,) 0 … H-1
    psu      (n,) 0 … G-1, numbered so that a PSU lies in one stratum
    fraction (H,) sampled share of the stratum's PSUs; 0 where sampling is with replacement
    lonely   what a stratum with a single PSU means, named as in R's options(survey.lonely.psu=):
             "fail" (DesignError), "certainty" (the PSU was certain to be drawn and adds no variance),
             "remove" (it is left out, which is the same number), "average" (it gets the mean variance of the
             other strata), "adjust" (its total is compared with the mean PSU total of all strata)
    further  the stages of sampling after the first, if any
    calibration  how the weights were made to meet figures of the population, which takes off the errors; None:
             they were not. Weights that are changed further (a domain, per organisation) keep it

    PSUs without a respondent of the domain stay in the design: their number is part of the variance.
    """

    weight: Floats
    stratum: Codes
    psu: Codes
    fraction: Floats
    lonely: Lonely = "fail"
    further: tuple[Level, ...] = ()
    calibration: Calibration | None = None

    @classmethod
    def of(
        cls,
        weight: ArrayLike,
        *,
        psu: ArrayLike | None = None,
        stratum: ArrayLike | None = None,
        fpc: ArrayLike | None = None,
        stages: Sequence[Stage] = (),
        lonely: Lonely = "fail",
    ) -> Design:
        """Return the design of respondents given by labels; every argument has shape (n,).

        psu      None: every respondent is a PSU. A label met in two strata is two PSUs (R: nest=TRUE).
        fpc      number of PSUs in the population of the respondent's stratum, or the sampled share
                 where all values are at most 1 (R: svydesign(fpc=)).
        stages   what was drawn within the PSUs. Their variance counts only where the PSUs were drawn
                 without replacement, that is with fpc (R: svydesign(id=~psu+ssu, fpc=~fpc1+fpc2)).

        Raises DesignError for weights that are not positive finite numbers, for missing labels, for
        an fpc that varies within a stratum or is smaller than its sample, and for an unknown *lonely*.
        """
        if lonely not in get_args(Lonely):
            raise DesignError(
                f"lonely={lonely!r} is no policy for single PSUs; there are: {', '.join(get_args(Lonely))}"
            )
        weights = _weights(weight)
        n = len(weights)
        strata = np.zeros(n, np.int64) if stratum is None else _coded(stratum, n, "stratum")
        units = np.arange(n) if psu is None else _coded(psu, n, "psu")
        nested = _nested(units, strata)
        design = cls(weights, strata, nested, _fraction(fpc, strata, nested), lonely)
        levels = [design.first]
        for stage in stages:
            levels.append(_level(stage, levels[-1]))
        return replace(design, further=tuple(levels[1:]))

    @property
    def first(self) -> Level:
        """The first stage of sampling, that of the PSUs."""
        return Level(self.psu, self.stratum, self.fraction, np.zeros(self.strata, np.int64), np.ones(self.strata))

    @cached_property
    def levels(self) -> tuple[Level, ...]:
        """The stages of sampling, the first at the head."""
        return (self.first, *self.further)

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
    def by_factor(self) -> bool:
        """Whether all variance is Σ factor · (PSU total - stratum mean)².

        It is for one stage of sampling, no PSU compared across strata, and weights that are not calibrated.
        """
        across = self.lonely in ("average", "adjust") and self.levels[0].alone.any()
        deeper = any((level.carried > 0).any() for level in self.further)
        return not across and not deeper and self.calibration is None

    @cached_property
    def factor(self) -> Floats:
        """(H,) what the squares of a stratum are multiplied by: (1 - f) m / (m - 1) for m PSUs, fraction f.

        Raises DesignError for a stratum with a single PSU, unless lonely PSUs are certain or removed or its
        fraction is 1; and for a design whose variance is more than such a factor (`by_factor`).
        """
        refuse_alone(self.levels[0], self.lonely)
        if not self.by_factor:
            raise DesignError(
                f"the variance of this design ({1 + len(self.further)} stages, lonely={self.lonely!r}, weights "
                f"{'calibrated' if self.calibration else 'not calibrated'}) is no factor per stratum; "
                "take analysis.variance.covariance()"
            )
        return self.levels[0].factor

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

    def per_organisation(self, organisation: ArrayLike | None = None) -> Design:
        """Return the design in which every organisation counts by its weight instead of by its respondents.

        Each weight is divided by the organisation's respondents in this design (in this domain, if it is
        one), so that shares are shares of organisations (Kish 1965, Survey Sampling).

        organisation  (n,) labels; None: the PSUs are the organisations
        """
        labels = self.psu if organisation is None else _coded(organisation, len(self), "organisation")
        respondents = np.bincount(labels, self.members, int(labels.max(initial=-1)) + 1)[labels]
        return replace(self, weight=self.weight / np.maximum(respondents, 1))

    @property
    def effective_n(self) -> float:
        """Kish's effective sample size of the domain, (Σ w)² / Σ w²; NaN where it is empty."""
        squares = float((self.weight**2).sum())
        return float(self.weight.sum()) ** 2 / squares if squares else np.nan

    def degrees(self) -> int:
        """Return the degrees of freedom: PSUs with a member of the domain - strata with one (R: degf)."""
        psus, strata = (np.bincount(codes[self.members]) for codes in (self.psu, self.stratum))
        return int(np.count_nonzero(psus) - np.count_nonzero(strata))


def refuse_alone(level: Level, lonely: Lonely, stage: int = 1) -> None:
    """Raise DesignError if a stratum of the stage has a single unit and the policy is to fail."""
    if lonely == "fail" and level.alone.any():
        unit = "PSU" if stage == 1 else f"unit of stage {stage}"
        raise DesignError(
            f"{level.alone.sum()} of {level.strata} strata have a single {unit} "
            f"(stratum number {np.flatnonzero(level.alone)[0] + 1}), so their variance can't be estimated. "
            "Merge the stratum with a similar one, or say "
            f'lonely="certainty" if the {unit} was certain to be drawn'
        )


def _level(stage: Stage, before: Level) -> Level:
    n = len(before.unit)
    own = np.zeros(n, np.int64) if stage.stratum is None else _coded(stage.stratum, n, "stratum of a later stage")
    stratum = _nested(own, before.unit)
    unit = _nested(_coded(stage.unit, n, "unit of a later stage"), stratum)
    fraction = _fraction(stage.fpc, stratum, unit)
    within = np.zeros(len(fraction), np.int64)
    within[stratum] = before.unit
    above = before.unit_stratum[within]
    return Level(unit, stratum, fraction, within, before.carried[above] * before.fraction[above])


def _nested(inner: Codes, outer: Codes) -> Codes:
    """Return *inner* numbered anew, so that a number lies in one number of *outer*; by outer, then by inner.

    *inner* has every number from 0 on.
    """
    of = np.zeros(int(inner.max(initial=-1)) + 1, np.int64)
    of[inner] = outer
    if not np.array_equal(of[inner], outer):
        return _numbered(outer * (inner.max(initial=0) + 1) + inner)
    number = np.empty_like(of)
    number[np.argsort(of, kind="stable")] = np.arange(len(of))
    return number[inner]


def _numbered(labels: np.ndarray) -> Codes:
    """Return which of the sorted distinct labels each one is; small whole numbers are counted and not sorted."""
    size = int(labels.max()) + 1 if labels.dtype.kind in "iu" and labels.size else 0
    if 0 < size <= 4 * len(labels) + 1024 and labels.min() >= 0:
        present = np.zeros(size, bool)
        present[labels] = True
        return (np.cumsum(present) - 1)[labels]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _weights(weight: ArrayLike) -> Floats:
    weights = _numbers(weight, "weights")
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


def _numbers(values: ArrayLike, what: str) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise DesignError(f"{what} must be numbers, one a respondent ({error})") from None


def _coded(labels: ArrayLike, n: int, what: str) -> Codes:
    values = np.asarray(labels)
    if values.shape != (n,):
        raise DesignError(f"{what} has shape {values.shape}, the weights have ({n},)")
    if values.dtype.kind in "fO":
        absent = sum(1 for value in values.tolist() if value is None or value != value)
        if absent:
            raise DesignError(f"{what} is missing for {absent} respondents; every one belongs to a {what}")
    return _numbered(values)


def _fraction(fpc: ArrayLike | None, stratum: Codes, psu: Codes) -> Floats:
    strata = int(stratum.max(initial=-1)) + 1
    if fpc is None:
        return np.zeros(strata)
    values = _numbers(fpc, "fpc")
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
