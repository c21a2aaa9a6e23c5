"""What weighting did: to each code of a margin, to the sample's precision, and to the extremes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import DesignError, Floats
from analysis.weighting._cells import grouped
from analysis.weighting._margins import Margin, MarginError, Number
from analysis.weighting._weighted import Weighted


@dataclass(frozen=True)
class Kish:
    """What unequal weights cost, if they were unrelated to the answers (Kish 1992, J. Off. Stat. 8).

    n            respondents
    total        sum of their weights
    deff         n Σw² / (Σw)² = 1 + cv²: the variance over that of equal weights
    effective    (Σw)² / Σw²: respondents with equal weights that would know as much
    cv           coefficient of variation of the weights, over n
    efficiency   effective / n
    smallest     smallest weight over the mean weight
    largest      largest weight over the mean weight
    range        largest over smallest
    """

    n: int
    total: float
    deff: float
    effective: float
    cv: float
    efficiency: float
    smallest: float
    largest: float
    range: float


@dataclass(frozen=True)
class Check:
    """One code of a margin, or the total of a Number (whose code is None), before and after weighting.

    n         respondents
    before    sum of the weights before, scaled to the total of the weights after
    target    what the sum should be
    after     what it is
    smallest  smallest weight of the code's respondents, NaN if there are none; largest likewise
    """

    margin: str
    code: object
    n: int
    before: float
    target: float
    after: float
    smallest: float
    largest: float

    @property
    def error(self) -> float:
        """What is still missing, in units of the weights."""
        return self.after - self.target

    @property
    def gap(self) -> float:
        """What is still missing, as a share of the target; 0 where target and sum both are 0."""
        if self.after == self.target:
            return 0.0
        return abs(self.error) / abs(self.target) if self.target else float("inf")


@dataclass(frozen=True)
class Diagnosis:
    """A weighting in figures: *before* and *after*, every margin, the largest gap of a margin, the mass trimmed."""

    before: Kish
    after: Kish
    checks: tuple[Check, ...]
    max_gap: float
    trimmed_mass: float
    rounds: int


def kish(weight: ArrayLike) -> Kish:
    """Return Kish's diagnostics of weights, shape (n,); those that are 0 are outside the domain.

    Raises DesignError for weights that are negative, missing or not finite, or if none is above 0.
    """
    weights = np.asarray(weight, dtype=float)
    if weights.ndim != 1 or not np.isfinite(weights).all() or (weights < 0).any():
        raise DesignError("weights are finite numbers from 0 up, one a respondent; these are not")
    w = weights[weights > 0]
    if not len(w):
        raise DesignError("no weight is above 0, so there is nothing to diagnose")
    # Scaled first, so that neither the square of a huge nor that of a tiny weight leaves the range of a float.
    n, mean = len(w), float(w.mean())
    relative = w / mean
    squares = float((relative**2).sum())
    return Kish(
        n=n,
        total=float(w.sum()),
        deff=squares / n,
        effective=n**2 / squares,
        cv=float(np.sqrt(((relative - 1) ** 2).mean())),
        efficiency=n / squares,
        smallest=float(relative.min()),
        largest=float(relative.max()),
        range=float(w.max() / w.min()),
    )


def kish_by(weight: ArrayLike, group: ArrayLike) -> dict[Hashable, Kish]:
    """Return Kish's diagnostics of every group, label → Kish; both arrays have shape (n,)."""
    weights, groups = np.asarray(weight, dtype=float), np.asarray(group)
    if weights.shape != groups.shape:
        raise DesignError(f"the groups have shape {groups.shape}, the weights {weights.shape}")
    return {label: kish(weights[groups == label]) for label in np.unique(groups[weights != 0]).tolist()}


def checks(
    margins: Sequence[Margin], weight: ArrayLike, *, before: ArrayLike | None = None, total: float | None = None
) -> tuple[Check, ...]:
    """Return how far *weight*, shape (n,), is from meeting each margin, whoever made it.

    before  (n,) the weights before; None: equal ones
    total   what shares are of; None: the sum of the weights. Totals are compared as they are

    Raises MarginError for a respondent with a weight whose code a margin does not know.
    """
    weights = np.asarray(weight, dtype=float)
    inside = weights > 0
    earlier = inside.astype(float) if before is None else np.where(inside, np.asarray(before, dtype=float), 0.0)
    earlier = earlier * (weights.sum() / earlier.sum())
    made: list[Check] = []
    for margin in margins:
        if len(margin) != len(weights) or (margin.position[inside] < 0).any():
            raise MarginError(f"margin {margin.name!r} does not know the code of every respondent with a weight")
        amount = margin.target
        if margin.kind == "shares":
            amount = amount * (weights.sum() if total is None else total)
        made += _lines(margin, weights[inside], earlier[inside], margin.position[inside], amount)
    return tuple(made)


def margin_errors(found: Iterable[Check]) -> dict[str, float]:
    """Return the largest error of each margin, in units of the weights."""
    largest: dict[str, float] = {}
    for check in found:
        largest[check.margin] = max(largest.get(check.margin, 0.0), abs(check.error))
    return largest


def diagnose(weighted: Weighted) -> Diagnosis:
    """Return what a weighting did, its margins checked on the weights that came out."""
    found: list[Check] = []
    for part in weighted.parts or (weighted,):
        for target in part.targets:
            found += checks([target.margin], part.weight, before=part.base.weight, total=target.total)
        found += [_number(number, part) for number in part.numbers]
    return Diagnosis(
        before=kish(weighted.base.weight),
        after=kish(weighted.weight),
        checks=tuple(found),
        max_gap=max((check.gap for check in found), default=0.0),
        trimmed_mass=weighted.trimmed_mass,
        rounds=weighted.rounds,
    )


def _lines(margin: Margin, after: Floats, before: Floats, position: np.ndarray, amount: Floats) -> list[Check]:
    k = len(margin.codes)
    smallest, largest = np.full(k, np.inf), np.full(k, -np.inf)
    np.minimum.at(smallest, position, after)
    np.maximum.at(largest, position, after)
    n = np.bincount(position, minlength=k)
    return [
        Check(margin.name, *line)
        for line in zip(
            margin.codes,
            n.tolist(),
            grouped(position, before, k).tolist(),
            amount.tolist(),
            grouped(position, after, k).tolist(),
            np.where(n, smallest, np.nan).tolist(),
            np.where(n, largest, np.nan).tolist(),
            strict=True,
        )
    ]


def _number(number: Number, part: Weighted) -> Check:
    inside = part.weight > 0
    values, after, before = number.values[inside], part.weight[inside], part.base.weight[inside]
    return Check(
        number.name,
        None,
        len(values),
        float(before @ values * (after.sum() / before.sum())),
        number.total,
        float(after @ values),
        float(after.min()),
        float(after.max()),
    )
