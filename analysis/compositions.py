"""Compositions: points, shares and profiles that add up, so that only the ratios between their parts say anything.

A composition is a row of non-negative parts, (n, k), k at least 2; NaN where any part is missing. Means of
points are readable and are described as they are; models and tests use log-ratios, for which zeros have to be
replaced first (DOMAIN.md, section b6). `cautions` tells, as values, where the readable way would mislead.
Aitchison (1986, The Statistical Analysis of Compositional Data); zero replacement by Martín-Fernández,
Barceló-Vidal and Pawlowsky-Glahn (2003, Mathematical Geology 35); ilr by Egozcue et al. (2003, Math. Geol. 35).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.design import Design, DesignError, Floats
from analysis.estimators import Estimate, mean
from kysely.errors import AnalystError

DELTA = 0.5
"""Points of 100 put in place of a zero; sensitivity is looked at with DELTAS."""

DELTAS = (0.25, 0.5, 1.0)

MANY_ZEROS = 0.1
"""Share of zeros in a part above which log-ratios say more about the replacement than about the answers."""


class CompositionError(AnalystError):
    """These numbers are no composition, or have no logarithm. Says where and what to do."""


def closure(x: ArrayLike, *, total: float = 1.0) -> Floats:
    """Return each row of *x*, (n, k), scaled to add up to *total*. A row of zeros is NaN: it has no proportions."""
    parts = _parts(x)
    sums = parts.sum(axis=1, keepdims=True)
    return parts * (_positive(total, "total") / np.where(sums > 0, sums, np.nan))


def replace_zeros(x: ArrayLike, *, delta: float = DELTA, total: float = 100.0) -> Floats:
    """Return *x*, (n, k), closed to *total* with each zero replaced by *delta* and the rest shrunk to make room.

    Multiplicative: z → δ, others x (1 - Σδ / total), so the ratios of the other parts stay as they are.

    Raises CompositionError if δ times a row's zeros is the whole row or more.
    """
    closed = closure(x, total=total)
    zero = closed == 0
    room = 1 - _positive(delta, "delta") * zero.sum(axis=1, keepdims=True) / total
    if (room <= 0).any():
        raise CompositionError(f"zeros of {delta} leave nothing of {total} for the other parts; take a smaller delta")
    return np.where(zero, delta, closed * room)


def clr(x: ArrayLike) -> Floats:
    """Return centred log-ratios, (n, k): the logarithm of each part over the geometric mean of the row; rows add to 0.

    Raises CompositionError for a zero: replace it first (`replace_zeros`), which is a decision to report.
    """
    logs = _logs(x)
    return logs - logs.mean(axis=1, keepdims=True)


def from_clr(z: ArrayLike, *, total: float = 1.0) -> Floats:
    """Return the compositions, (n, k), whose centred log-ratios are *z*; the inverse of `clr`."""
    return closure(np.exp(_rows(z)), total=total)


def ilr(x: ArrayLike) -> Floats:
    """Return isometric log-ratios, (n, k - 1): coordinates of `clr` in the basis of `ilr_basis`. For models.

    Distances and angles are those of `clr`, and the coordinates are free to vary. Raises as `clr` does.
    """
    logs = clr(x)
    return np.asarray(logs @ ilr_basis(logs.shape[1]))


def from_ilr(y: ArrayLike, *, total: float = 1.0) -> Floats:
    """Return the compositions, (n, k), whose isometric log-ratios are *y*, (n, k - 1); the inverse of `ilr`."""
    coordinates = _rows(y)
    return from_clr(coordinates @ ilr_basis(coordinates.shape[1] + 1).T, total=total)


def ilr_basis(k: int) -> Floats:
    """Return the basis, (k, k - 1): coordinate i compares the geometric mean of parts 1 … i with part i + 1.

    √(i / (i + 1)) · ln(g(x_1 … x_i) / x_{i+1}): the balances of a sequential partition (Helmert's contrasts).
    """
    if k < 2:
        raise CompositionError(f"a composition of {k} part has no ratios; two parts are needed")
    basis = np.zeros((k, k - 1))
    for i in range(1, k):
        basis[:i, i - 1] = 1 / np.sqrt(i * (i + 1))
        basis[i, i - 1] = -np.sqrt(i / (i + 1))
    return basis


def distance(x: ArrayLike, y: ArrayLike) -> Floats:
    """Return Aitchison's distance between the rows of *x* and *y*, (n,): Euclid's distance between their `clr`.

    For alloc-100 points. For centrality profiles, whose zeros are choices, take `weighted_choice.total_variation`.
    """
    return np.asarray(np.sqrt(((clr(x) - clr(y)) ** 2).sum(axis=1)))


def change(before: ArrayLike, after: ArrayLike) -> Floats:
    """Return what *before* has to be multiplied by to become *after*, closed, (n, k): the difference of log-ratios.

    Equal parts, 1/k each, mean no change (perturbation, Aitchison 1986). Raises as `clr` does.
    """
    return from_clr(clr(after) - clr(before))


def centre(x: ArrayLike, design: Design, *, total: float = 1.0) -> Floats:
    """Return the compositional mean of *x*, (k,): the weighted geometric mean of each part, closed to *total*.

    A respondent without a complete row is out of the base. Raises as `clr` does, and CompositionError for an
    empty base.
    """
    found = np.array([one.value for one in log_ratio_means(x, design)])
    return from_clr(found[None, :], total=total)[0]


def log_ratio_means(x: ArrayLike, design: Design) -> tuple[Estimate, ...]:
    """Return the weighted mean of each centred log-ratio of *x*, (n, k), with its standard error under the design.

    Take `estimators.difference` of two for a ratio of parts, or of two domains for a comparison of groups.
    Raises as `clr` does, DesignError for another number of rows, CompositionError for an empty base.
    """
    logs = clr(x)
    if len(logs) != len(design):
        raise DesignError(f"there are {len(logs)} compositions, the design has {len(design)} respondents")
    found = tuple(mean(column, design) for column in logs.T)
    if not found[0].n:
        raise CompositionError("nobody in this base has a complete composition; there is no mean of them")
    return found


@dataclass(frozen=True)
class Caution:
    """Why a reader of plain means of a composition could be misled; a value to print beside them.

    kind    "closed", "zeros", "centre", "delta", as in `cautions`
    parts   the parts it is about, by position; () all
    amount  how much: a correlation, a share of zeros, or points of 100
    text    the caution as a sentence
    """

    kind: str
    parts: tuple[int, ...]
    amount: float
    text: str


def cautions(
    x: ArrayLike, design: Design, *, names: Sequence[str] | None = None, delta: float = DELTA
) -> tuple[Caution, ...]:
    """Return what a plain analysis of the parts of *x*, (n, k), would get wrong; () if nothing.

    closed  parts that add up correlate negatively by arithmetic: amount is the mean correlation that
            unrelated parts of equal spread would have, -1 / (k - 1). Always there: don't correlate parts,
            and don't put all of them into one regression
    zeros   more than MANY_ZEROS of a part are zero; log-ratios of it depend on what replaces them, so look
            at who chose zero as a question of its own. amount: share of zeros
    centre  arithmetic mean and compositional centre order two parts differently; amount: how far apart the
            two lie at most, in points of 100
    delta   the order of the centre's parts changes between the deltas of DELTAS; amount: the largest change
            of a part, in points

    Shares, means and centres are weighted. Raises CompositionError for an empty base or negative parts.
    """
    closed = closure(x, total=100.0)
    names = _names(names, closed.shape[1])
    base = _base(closed, design)
    plain = np.array([mean(column, base).value for column in closed.T])
    zeros = np.array([mean(np.where(np.isnan(column), np.nan, column == 0), base).value for column in closed.T])
    middle = centre(replace_zeros(closed, delta=delta), base, total=100.0)
    others = [centre(replace_zeros(closed, delta=one), base, total=100.0) for one in DELTAS]
    found = (_closed(len(plain)), *_many_zeros(zeros, names), *_off_centre(plain, middle, names))
    return (*found, *_unstable(middle, others, names))


def _closed(k: int) -> Caution:
    by_chance = -1 / (k - 1)
    return Caution(
        "closed",
        (),
        by_chance,
        f"The parts add up, so they correlate by {by_chance:.2f} on average even if unrelated: "
        "their correlations are not evidence.",
    )


def _many_zeros(zeros: Floats, names: Sequence[str]) -> list[Caution]:
    return [
        Caution(
            "zeros",
            (part,),
            float(zeros[part]),
            f"{zeros[part]:.0%} give {names[part]} nothing; its log-ratios depend on what replaces the zeros.",
        )
        for part in np.flatnonzero(zeros > MANY_ZEROS).tolist()
    ]


def _off_centre(plain: Floats, middle: Floats, names: Sequence[str]) -> list[Caution]:
    moved = _swapped(plain, middle)
    if not moved:
        return []
    amount = float(np.abs(plain - middle).max())
    listed = ", ".join(names[part] for part in moved)
    text = f"The plain mean and the compositional centre order {listed} differently (up to {amount:.1f} points apart)."
    return [Caution("centre", moved, amount, text)]


def _unstable(middle: Floats, others: Sequence[Floats], names: Sequence[str]) -> list[Caution]:
    moved = tuple(sorted({part for other in others for part in _swapped(middle, other)}))
    if not moved:
        return []
    amount = float(max(np.abs(middle - other).max() for other in others))
    listed = ", ".join(names[part] for part in moved)
    text = f"The order of {listed} depends on what replaces zeros ({', '.join(f'{one:g}' for one in DELTAS)} points)."
    return [Caution("delta", moved, amount, text)]


def _swapped(one: Floats, other: Floats) -> tuple[int, ...]:
    """Return the parts whose place differs between two orders, (k,) each; nearly equal parts have no order."""
    apart_one, apart_other = one[:, None] - one, other[:, None] - other
    tied = (np.abs(apart_one) < 1e-9) | (np.abs(apart_other) < 1e-9)
    return tuple(np.flatnonzero(((apart_one * apart_other < 0) & ~tied).any(axis=1)).tolist())


def _base(closed: Floats, design: Design) -> Design:
    if len(closed) != len(design):
        raise DesignError(f"there are {len(closed)} compositions, the design has {len(design)} respondents")
    base = design.domain(~np.isnan(closed[:, 0]) & design.members)
    if not base.members.any():
        raise CompositionError("nobody in this base has a complete composition; there is nothing to be careful about")
    return base


def _rows(x: ArrayLike) -> Floats:
    rows = np.asarray(x, dtype=float)
    if rows.ndim != 2 or not rows.shape[1]:
        raise CompositionError(f"the parts have shape {rows.shape}; one row for each respondent is needed")
    if np.isinf(rows).any():
        raise CompositionError("a part is infinite; missing parts are NaN")
    return np.where(np.isnan(rows).any(axis=1, keepdims=True), np.nan, rows)


def _parts(x: ArrayLike) -> Floats:
    parts = _rows(x)
    if parts.shape[1] < 2:
        raise CompositionError("a composition of one part has no ratios; two parts are needed")
    if (parts < 0).any():
        row = int(np.flatnonzero((parts < 0).any(axis=1))[0])
        raise CompositionError(f"row {row + 1} has a negative part; points, shares and levels are 0 or more")
    return parts


def _logs(x: ArrayLike) -> Floats:
    parts = _parts(x)
    if (parts == 0).any():
        rows = (parts == 0).any(axis=1)
        raise CompositionError(
            f"{rows.sum()} of {len(parts)} compositions have a zero, whose logarithm there is not "
            f"(the first: row {np.flatnonzero(rows)[0] + 1}). Replace zeros by replace_zeros() and say so"
        )
    return np.asarray(np.log(parts))


def _positive(value: float, what: str) -> float:
    if not (np.isfinite(value) and value > 0):
        raise CompositionError(f"{what} is {value}; it must be a positive number")
    return value


def _names(names: Sequence[str] | None, k: int) -> Sequence[str]:
    if names is not None and len(names) != k:
        raise CompositionError(f"{len(names)} names were given for {k} parts")
    return [f"part {number + 1}" for number in range(k)] if names is None else names
