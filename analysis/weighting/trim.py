"""Trimming: no weight beyond the bounds, and what is cut off spread over the others. R: trimWeights()."""

from __future__ import annotations

import numpy as np

from analysis.design import Design, Floats
from analysis.weighting._margins import MarginError, NotConverged
from analysis.weighting._weighted import Weighted, by_replicate

ROUNDS = 10_000


def weights(
    design: Design,
    *,
    lower: float = 0.0,
    upper: float = np.inf,
    of_mean: bool = False,
    strict: bool = True,
) -> Weighted:
    """Return the design's domain with every weight between *lower* and *upper*; their sum stays the same.

    of_mean  the bounds are multiples of the mean weight
    strict   repeat until no weight is beyond a bound, though sharing out the surplus lifts others over it;
             otherwise once

    The surplus is added in equal parts to the weights that are not beyond a bound. Margins that were met
    before are no longer met exactly: look at checks(), or bound the weights while calibrating (calibrate with
    distance "logit"). Errors take the trimmed weights as fixed; the jackknife may trim anew (`reweight`).

    Raises MarginError for bounds that are no bounds or that the mean weight lies outside of, and NotConverged.
    """
    members = design.members
    w = design.weight[members]
    unit = float(w.mean()) if of_mean and len(w) else 1.0
    low, high = lower * unit, upper * unit
    _require_room(w, low, high)
    mass = float((np.maximum(w - high, 0) + np.maximum(low - w, 0)).sum() / w.sum())

    def trimmed(weight: Floats) -> tuple[Floats, int]:
        made = np.array(weight)
        # A PSU that a replicate leaves out has weight 0 and stays out.
        inside = weight > 0
        scale = float(weight[inside].mean()) / unit if of_mean else 1.0
        made[inside], rounds = _trimmed(weight[inside], low * scale, high * scale, strict=strict)
        return made, rounds

    weight, rounds = trimmed(design.weight)
    again = by_replicate(lambda replicate: trimmed(replicate)[0])
    return Weighted(design, weight, None, again, rounds=rounds, trimmed_mass=mass)


def _trimmed(w: Floats, low: float, high: float, *, strict: bool) -> tuple[Floats, int]:
    """Return trimmed weights and the rounds it took."""
    for done in range(ROUNDS):
        outside = (w < low) | (w > high)
        if not outside.any() or (done and not strict):
            return w, done
        cut = np.clip(w, low, high)
        surplus = float((w - cut).sum())
        if outside.all():
            raise _not_converged(w, low, high, done)
        # Those exactly on a bound take their part too, and are cut again: R's rule, kept for its numbers.
        w = np.where(outside, cut, w + surplus / (~outside).sum())
    raise _not_converged(w, low, high, ROUNDS)


def _not_converged(w: Floats, low: float, high: float, rounds: int) -> NotConverged:
    beyond = float(max((low - w).max(), (w - high).max()))
    return NotConverged("trimming", margin="bounds", code=(low, high), gap=beyond, rounds=rounds, margin_errors={})


def _require_room(w: Floats, low: float, high: float) -> None:
    if not len(w):
        raise MarginError("the domain whose weights should be trimmed has no respondents")
    if not 0 <= low < high:
        raise MarginError(f"weights can't be trimmed to between {low:g} and {high:g}; give 0 ≤ lower < upper")
    mean = float(w.mean())
    if not low <= mean <= high:
        raise MarginError(
            f"the mean weight is {mean:.6g}, so not all weights can be between {low:g} and {high:g} with their sum "
            "kept. Choose bounds around the mean, or give them as multiples of it (of_mean=True)"
        )
