"""What weighting gives: new weights, what errors of estimates they leave, and the same weighting done again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from analysis.design import Calibration, Design, DesignError, Floats
from analysis.weighting._cells import Cells
from analysis.weighting._margins import Number
from analysis.weighting._residuals import Each
from analysis.weighting._targets import Target

Reweight = Callable[[Floats], Floats]
"""(R, n) weights of R replicates → (R, n) the weights they get."""


@dataclass(frozen=True, eq=False)
class Weighted:
    """A design's domain with new weights.

    base           the design as it was
    weight         (n,) the new weights; 0 outside the domain
    calibration    what the variance must know of them; None: they meet no figures, and count as fixed
    reweight       the same weighting of other base weights, (R, n) → (R, n): replicates of a jackknife
    targets        the margins that are met
    numbers        the totals of numbers that are met
    rounds         rounds that were made
    trimmed_mass   share of all weight that lay beyond the bounds of trimming, before it
    parts          the weightings of which this one consists (together())
    """

    base: Design
    weight: Floats
    calibration: Calibration | None
    reweight: Reweight
    targets: tuple[Target, ...] = ()
    numbers: tuple[Number, ...] = ()
    rounds: int = 0
    trimmed_mass: float = 0.0
    parts: tuple[Weighted, ...] = ()

    @cached_property
    def design(self) -> Design:
        """The design with the new weights, as every estimator takes it.

        Its errors are linearised: what the known figures explain is taken off. Those of weights taken as fixed
        are of replace(design, calibration=None); those of the jackknife, of analysis.replicates.
        """
        return replace(self.base, weight=self.weight, calibration=_composed(self.calibration, self.base.calibration))


def together(design: Design, parts: Sequence[Weighted]) -> Weighted:
    """Return *design* with the weights of all *parts*; a respondent in none of them keeps the design's weight.

    The parts are weightings of domains of *design* that do not overlap, each to figures of its own: companies
    by size, municipalities by type and region, and other public bodies, of which no margin is known, as they
    are. A part weighted to shares alone keeps its total of base weights, and with it its part in the whole.

    Raises DesignError for parts that overlap or are of another design.
    """
    for part in parts:
        if len(part.base) != len(design) or not np.array_equal(part.base.psu, design.psu):
            raise DesignError("a part is weighted on another design; weight domains of the one design")
    inside = np.array([part.base.members for part in parts]).reshape(len(parts), len(design))
    twice = int((inside.sum(axis=0) > 1).sum())
    if twice:
        raise DesignError(f"{twice} respondents are in two of the parts that are weighted; each belongs to one")
    anywhere = inside.any(axis=0)

    def reweight(weights: Floats) -> Floats:
        made = np.where(anywhere, 0.0, weights)
        for part, mask in zip(parts, inside, strict=True):
            made += part.reweight(np.where(mask, weights, 0.0))
        return made

    weight = np.where(anywhere, 0.0, design.weight) + sum((part.weight for part in parts), np.zeros(len(design)))
    return Weighted(
        design,
        weight,
        _composed(*(part.calibration for part in parts)),
        reweight,
        rounds=max((part.rounds for part in parts), default=0),
        trimmed_mass=sum(part.trimmed_mass * part.base.weight.sum() for part in parts) / design.weight.sum(),
        parts=tuple(parts),
    )


def _composed(*calibrations: Calibration | None) -> Calibration | None:
    some = tuple(one for one in calibrations if one is not None)
    return some[0] if len(some) == 1 else Each(some) if some else None


def by_replicate(one: Callable[[Floats], Floats]) -> Reweight:
    """Return the reweighting of replicates that does *one* vector of weights after the other."""
    return lambda weights: np.stack([one(row) for row in weights])


def per_cell(cells: Cells, weights: Floats) -> Floats:
    """Return the weights of replicates summed by cell, (R, n) → (C, R)."""
    inside = weights[:, cells.rows][:, cells.order]
    starts = np.concatenate([[0], np.cumsum(cells.n)[:-1]])
    return np.ascontiguousarray(np.add.reduceat(inside, starts, axis=1).T)


def spread(cells: Cells, weights: Floats, factor: Floats) -> Floats:
    """Return the weights of replicates times the factor of each cell, (R, n) and (C, R) → (R, n)."""
    made = np.array(weights)
    made[:, cells.rows] *= factor[cells.cell].T
    return made
