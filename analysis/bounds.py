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
    from scipy.sparse import eye_array, kron

    cells = len(n) * categories
    figures = _sums([(figure.atoms, figure.categories) for figure in shown], categories, cells)
    above, below = np.array([f.high for f in shown]) + _SLACK, _SLACK - np.array([f.low for f in shown])
    limits = {"A_ub": _stack(figures), "b_ub": np.concatenate([above, below])}
    people = {"A_eq": kron(eye_array(len(n)), np.ones((1, categories))).tocsr(), "b_eq": n}

    of_set = _sums([(members, column) for members in sets for column in columns], categories, cells)

    def solved(objective: Floats) -> Floats:
        result = linprog(objective, **limits, **people, bounds=(0, None), method="highs")
        if result.status == 2:
            raise Contradiction
        return np.asarray(result.x)

    low, high = np.full(of_set.shape[0], np.inf), np.full(of_set.shape[0], -np.inf)

    def seen(solution: Floats) -> None:
        np.minimum(low, of_set @ solution, out=low)
        np.maximum(high, of_set @ solution, out=high)

    # Corners that pull all unsettled sets up or down at random settle many at once, so that few need programs of
    # their own.
    rng = np.random.default_rng(20150724)
    open_before = np.inf
    while (unsettled := _fixed(low, high)).sum() < 0.95 * open_before:
        open_before = unsettled.sum()
        for _ in range(4):
            pull = np.where(unsettled, rng.normal(size=len(low)), 0)
            seen(solved(of_set.T @ pull))
            seen(solved(-(of_set.T @ pull)))
    for position in range(of_set.shape[0]):
        for sign in (1, -1):
            if _fixed(low[position], high[position]):
                seen(solved(sign * of_set[[position]].toarray().ravel()))
    return np.where(_fixed(low, high), np.round(high), -1).astype(np.int64).reshape(len(sets), len(columns))


def excused(fact: Mask, large: Sequence[Sequence[int]]) -> Mask:
    """Return which facts (nobody, everybody) of atoms are no news, being those of a large set. (atoms, columns).

    *large* are sets of atoms, bases or differences of two, whose numbers may be known.
    """
    found = np.zeros_like(fact)
    for members in large:
        found[list(members)] |= fact[list(members)].all(axis=0)
    return found


def _sums(parts: Sequence[tuple[Sequence[int], Sequence[int]]], categories: int, cells: int) -> Any:
    """Return a sparse row for each of *parts*, atoms and categories, with 1 in the cells it counts."""
    from scipy.sparse import csr_array

    columns = [np.add.outer(np.array(atoms) * categories, np.array(of)).ravel() for atoms, of in parts]
    ends = np.cumsum([0, *map(len, columns)])
    return csr_array((np.ones(ends[-1]), np.concatenate(columns), ends), shape=(len(parts), cells))


def _stack(figures: Any) -> Any:
    from scipy.sparse import vstack

    return vstack([figures, -figures]).tocsr()


def _fixed(low: Floats, high: Floats) -> Any:
    """Return where no two whole numbers lie between *low* and *high*; so it is where nothing is known yet."""
    return ~(np.floor(high + 10 * _SLACK) - np.ceil(low - 10 * _SLACK) >= 1)
