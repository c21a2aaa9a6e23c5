"""What linear programming can tell from rounded numbers: the rank test sees equations only, this sees inequalities.

A published share is an interval of counts, and a count is never negative nor above its people. So a zero, or two
groups at opposite ends, can fix the count of a few people whom no subtraction reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.design import Codes, Floats, Mask

_SLACK = 1e-6


@dataclass(frozen=True)
class Shown:
    """One published figure as bounds: the atoms and finest categories it counts, and the counts it allows."""

    atoms: tuple[int, ...]
    categories: tuple[int, ...]
    low: float
    high: float


class Contradiction(Exception):
    """No answers give all the published numbers."""


def determined(
    n: Codes,
    categories: int,
    shown: Sequence[Shown],
    sets: Sequence[Sequence[int]],
    columns: Sequence[tuple[int, ...]],
) -> Codes:
    """Return the one possible count of each set of atoms in each column, shape (sets, columns); -1 if several.

    n (atoms,) are the respondents of each atom, whom a reader is supposed to know; a column is one or more of the
    finest categories together. Raises Contradiction if the figures in *shown* exclude each other.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, kron

    cells = len(n) * categories
    of_figure = np.zeros((len(shown), len(n), categories))
    for row, figure in enumerate(shown):
        of_figure[row][np.ix_(figure.atoms, figure.categories)] = 1
    figures = csr_array(of_figure.reshape(len(shown), cells))
    above, below = np.array([f.high for f in shown]) + _SLACK, _SLACK - np.array([f.low for f in shown])
    limits = {"A_ub": _stack(figures), "b_ub": np.concatenate([above, below])}
    people = {"A_eq": kron(eye_array(len(n)), np.ones((1, categories))).tocsr(), "b_eq": n}

    wanted = np.zeros((len(sets), len(columns), len(n), categories))
    for row, members in enumerate(sets):
        for place, column in enumerate(columns):
            wanted[row, place][np.ix_(list(members), column)] = 1
    of_set: Floats = wanted.reshape(-1, cells)

    def solved(objective: Floats) -> Floats:
        result = linprog(objective, **limits, **people, bounds=(0, None), method="highs")
        if result.status == 2:
            raise Contradiction
        return np.asarray(result.x)

    low, high = np.full(len(of_set), np.inf), np.full(len(of_set), -np.inf)

    def seen(solution: Floats) -> None:
        np.minimum(low, of_set @ solution, out=low)
        np.maximum(high, of_set @ solution, out=high)

    # Corners in a few random directions settle most sets at once; the others get a program of their own.
    directions = np.random.default_rng(20150724).normal(size=(4, cells))
    for direction in (*directions, *-directions):
        seen(solved(direction))
    for position in range(len(of_set)):
        for sign in (1, -1):
            if _fixed(low[position], high[position]):
                seen(solved(sign * of_set[position]))
    fixed = np.array([_fixed(a, b) for a, b in zip(low, high, strict=True)], bool)
    return np.where(fixed, np.round(high), -1).astype(np.int64).reshape(len(sets), len(columns))


def excused(fact: Mask, large: Sequence[Sequence[int]]) -> Mask:
    """Return which facts (nobody, everybody) of atoms are no news, being those of a large set. (atoms, columns).

    *large* are sets of atoms, bases or differences of two, whose numbers may be known.
    """
    found = np.zeros_like(fact)
    for members in large:
        found[list(members)] |= fact[list(members)].all(axis=0)
    return found


def _stack(figures: Any) -> Any:
    from scipy.sparse import vstack

    return vstack([figures, -figures]).tocsr()


def _fixed(low: float, high: float) -> bool:
    """Return whether only one whole number lies between *low* and *high*."""
    return bool(np.floor(high + 10 * _SLACK) - np.ceil(low - 10 * _SLACK) < 1)
