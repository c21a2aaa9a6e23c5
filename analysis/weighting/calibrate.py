"""Calibration: weights that meet margins and totals of numbers, as close to the design's own as a distance tells.

Deville and Särndal (1992, J. Amer. Statist. Assoc. 87); Deville, Särndal and Sautory (1993). R: calibrate().
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.design import Design, Floats
from analysis.weighting._cells import Cells
from analysis.weighting._margins import Margin, MarginError, NotConverged, Number
from analysis.weighting._residuals import Regressed
from analysis.weighting._targets import Target, targets
from analysis.weighting._weighted import Weighted, by_replicate

Distance = Literal["linear", "raking", "logit"]

TOLERANCE = 1e-10
ROUNDS = 200
HALVINGS = 40

Factor = Callable[[Floats], tuple[Floats, Floats]]
"""x'λ of each respondent → the factor of the weight, and its derivative."""


def weights(
    design: Design,
    margins: Sequence[Margin] = (),
    *,
    numbers: Sequence[Number] = (),
    total: float | None = None,
    distance: Distance = "linear",
    bounds: tuple[float, float] | None = None,
    tolerance: float = TOLERANCE,
    rounds: int = ROUNDS,
) -> Weighted:
    """Return the design's domain with weights that meet every margin and the total of every number.

    total      what the weights sum to. None: the total of the margins; where all are shares, the sum of the
               design's weights
    distance   "linear": new over old weight is 1 + x'λ, so weights may be negative (refused, below);
               "raking": exp(x'λ), as rake; "logit": between the bounds, smoothly
    bounds     lowest and highest new over old weight, around 1. The logit distance needs them, the linear
               one may have them (then cut off), raking has none. Where the figures are many times the
               sample's, scale the design's weights first, so that 1 is the middle
    tolerance  converged is when no figure is missed by more than this share of it (of a number: of the larger
               of the total and the sample's Σ w |x|)

    Without a margin, only the numbers' totals are met, and not the number of people. Linearised errors are
    those of R's survey after calibrate(); they take the totals as known.

    Raises MarginError as Margin says, for numbers that are missing, bounds that are none and negative
    weights; NotConverged, with the figure and the gap, where the bounds leave no solution.
    """
    factor = _factor(distance, bounds)
    aims = targets(margins, design, Cells.of(margins, design), total) if margins else ()
    rows = slice(None) if design.members.all() else design.members
    variables = _variables(aims, numbers, design, rows)
    base = design.weight[rows]
    made, done = _solve(variables, base, factor, tolerance=tolerance, rounds=rounds)
    if (made <= 0).any():
        raise MarginError(
            f"{(made <= 0).sum()} respondents would get weights of 0 or below (the lowest: {made.min():.3g}). "
            'Take distance "raking" or "logit", or linear with bounds above 0'
        )
    weight = np.zeros(len(design))
    weight[rows] = made

    def once(replicate: Floats) -> Floats:
        again = np.zeros(len(replicate))
        inside = replicate[rows] > 0
        some = variables.of(inside)
        solved, _ = _solve(some, replicate[rows][inside], factor, tolerance=tolerance, rounds=rounds)
        part = np.zeros(len(inside))
        part[inside] = solved
        again[rows] = part
        return again

    calibration = Regressed(rows, variables.x, design.weight, weight)
    return Weighted(design, weight, calibration, by_replicate(once), targets=aims, numbers=tuple(numbers), rounds=done)


@dataclass(frozen=True, eq=False)
class _Variables:
    """What is calibrated on: x (m, p), the figures (p,), and for messages the margin and code of each column."""

    x: Floats
    figures: Floats
    names: tuple[tuple[str, object], ...]

    def of(self, inside: np.ndarray) -> _Variables:
        return _Variables(self.x[inside], self.figures, self.names)


def _variables(
    aims: Sequence[Target], numbers: Sequence[Number], design: Design, rows: slice | np.ndarray
) -> _Variables:
    columns: list[Floats] = []
    figures: list[float] = []
    names: list[tuple[str, object]] = []
    for aim in aims:
        position = aim.margin.position[rows]
        for k, code in enumerate(aim.margin.codes):
            if aim.n[k]:
                columns.append((position == k).astype(float))
                figures.append(float(aim.amount[k]))
                names.append((aim.margin.name, code))
    for number in numbers:
        if len(number.values) != len(design):
            raise MarginError(f"{number.name!r} has {len(number.values)} values, the design {len(design)} respondents")
        values = number.values[rows]
        if np.isnan(values).any():
            raise MarginError(
                f"{number.name!r} is missing for {np.isnan(values).sum()} respondents. Impute it, or weight a domain"
            )
        columns.append(values)
        figures.append(number.total)
        names.append((number.name, None))
    if not columns:
        raise MarginError("there is nothing to calibrate to; give margins or numbers")
    return _Variables(np.stack(columns, axis=1), np.array(figures), tuple(names))


def _solve(v: _Variables, base: Floats, factor: Factor, *, tolerance: float, rounds: int) -> tuple[Floats, int]:
    """Return the weights that meet the figures, and the Newton steps it took.

    A margin's codes sum to the same as another's, so the columns depend on each other: every step is the
    shortest of those that serve.
    """
    # Columns of one size, so that "small" means the same for people and for euros. A number's total may be 0.
    number = np.array([code is None for _, code in v.names])
    size = np.where(number, np.maximum(np.abs(v.figures), base @ np.abs(v.x)), v.figures)
    x, figures = v.x / size, v.figures / size
    multiplier = np.zeros(x.shape[1])
    g, slope = factor(x @ multiplier)
    miss = figures - (base * g) @ x
    done = 0
    while np.abs(miss).max() > tolerance:
        if done == rounds:
            raise _not_converged(v, miss, size, done)
        step = np.asarray(np.linalg.lstsq((x * (base * slope)[:, None]).T @ x, miss, rcond=None)[0], dtype=float)
        better = _halved(x, base, figures, factor, multiplier, step, miss)
        if better is None:
            raise _not_converged(v, miss, size, done)
        multiplier, g, slope, miss = better
        done += 1
    return base * g, done


def _halved(
    x: Floats, base: Floats, figures: Floats, factor: Factor, multiplier: Floats, step: Floats, miss: Floats
) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Return where the step leads, halved until it comes nearer to the figures; None if it never does."""
    for _ in range(HALVINGS):
        there = multiplier + step
        g, slope = factor(x @ there)
        left = figures - (base * g) @ x
        if np.isfinite(left).all() and float(left @ left) < float(miss @ miss):
            return there, g, slope, left
        step = step / 2
    return None


def _not_converged(v: _Variables, miss: Floats, size: Floats, rounds: int) -> NotConverged:
    gaps, missing = np.abs(miss), np.abs(miss) * size
    worst = int(np.argmax(gaps))
    errors: dict[str, float] = {}
    for (name, _), off in zip(v.names, missing.tolist(), strict=True):
        errors[name] = max(errors.get(name, 0.0), off)
    name, code = v.names[worst]
    return NotConverged(
        "calibration", margin=name, code=code, gap=float(gaps[worst]), rounds=rounds, margin_errors=errors
    )


def _factor(distance: Distance, bounds: tuple[float, float] | None) -> Factor:
    low, high = bounds if bounds is not None else (-np.inf, np.inf)
    if distance not in ("linear", "raking", "logit"):
        raise MarginError(f"there is no distance {distance!r}; there are linear, raking and logit")
    if bounds is not None and (distance == "raking" or not low < 1 < high):
        raise MarginError(
            f"bounds {low:g} and {high:g} do not fit: they lie below and above 1, "
            "and the raking distance has none (take logit)"
        )
    if distance == "logit":
        if not (np.isfinite(low) and np.isfinite(high) and low >= 0):
            raise MarginError('distance "logit" needs bounds of new over old weight, such as (0.3, 3)')
        return lambda u: _logit(u, low, high)
    if distance == "raking":
        return _exponential
    return lambda u: (np.clip(1 + u, low, high), ((1 + u > low) & (1 + u < high)).astype(float))


def _exponential(u: Floats) -> tuple[Floats, Floats]:
    with np.errstate(over="ignore"):  # a step too long is halved
        g = np.exp(u)
    return g, g


def _logit(u: Floats, low: float, high: float) -> tuple[Floats, Floats]:
    """Return Deville and Särndal's case 6: g between low and high, g(0) = 1, g'(0) = 1."""
    from scipy.special import expit

    # g = low + (high - low) · expit(a u + b) with b chosen so that g(0) = 1 and a so that g'(0) = 1.
    a = (high - low) / ((high - 1) * (1 - low))
    share = expit(a * u + np.log((1 - low) / (high - 1)))
    return low + (high - low) * share, (high - low) * a * share * (1 - share)
