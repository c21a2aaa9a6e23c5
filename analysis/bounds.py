"""What linear programming can tell from rounded numbers: the rank test sees equations only, this sees inequalities.

A published share is an interval of counts, and a count is never negative nor above its people. So a zero, or two
groups at opposite ends, can fix the count of a few people whom no subtraction reaches.

A count is not fixed as soon as one solution puts a whole number more or less into it. So a solution, once verified,
settles all that it shows, however it was found; only what no solution settles needs linear programs of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis.design import Codes, Floats, Mask

_SLACK = 1e-6
_ROUNDS = 60
_WORK = 3e7
"""How many linear programs are solved, times cells and figures: some seconds. What is open then counts as open."""


@dataclass(frozen=True)
class Shown:
    """One published figure as bounds: the atoms and finest categories it counts, and the counts it allows."""

    atoms: tuple[int, ...]
    categories: tuple[int, ...]
    low: float
    high: float


class Contradiction(Exception):
    """No answers give all the published numbers."""


class Unsettled(Exception):
    """So many figures cross each other that what they tell together can't be worked out in reasonable time."""


class Reading:
    """What a reader of the figures *shown* can tell, who knows of each atom its n respondents but no answer.

    n (atoms,); a column is one or more of the *categories* finest categories together. Cells stand atom by atom.
    Both questions raise Contradiction if the figures exclude each other, and Unsettled if there are too many.
    """

    def __init__(self, n: Codes, categories: int, shown: Sequence[Shown]):
        self.n, self.categories = n, categories
        self.figures = self._sums((figure.atoms, figure.categories) for figure in shown)
        self.low = np.array([figure.low for figure in shown], float) - _SLACK
        self.high = np.array([figure.high for figure in shown], float) + _SLACK
        self.people = self._sums(((atom,), tuple(range(categories))) for atom in range(len(n)))
        self.programs = int(_WORK / (len(shown) * len(n) * categories + 1))

    def counts(self, atoms: Sequence[int], columns: Sequence[tuple[int, ...]]) -> Codes:
        """Return the one possible count of each atom in each column, shape (atoms, columns); -1 if several."""
        of = self._sums(((atom,), column) for atom in atoms for column in columns)
        found = _Span(of, np.full(of.shape[0], np.inf), np.full(of.shape[0], -np.inf))
        self._look(found)
        # Where one figure shows nobody, or leaves nobody for the rest, no program is needed.
        rest = self._sums(((atom,), _others(column, self.categories)) for atom in atoms for column in columns)
        nobody = self._nobody(of)
        found.sure = nobody | self._nobody(rest)
        if (centre := self._centre) is not None and found.open.any():
            places = [(atom, column) for atom in atoms for column in columns]
            for position in np.flatnonzero(found.open).tolist():
                if found.open[position]:
                    found.see(centre.moved(self, *places[position]))
        self._settle(found, signs=(1, -1))
        one = np.where(found.open, np.floor(found.high + 10 * _SLACK), -1)
        one = np.where(found.sure, np.where(nobody, 0, np.repeat(self.n[list(atoms)], len(columns))), one)
        return one.astype(np.int64).reshape(len(atoms), len(columns))

    def everybody(self, sets: Sequence[Sequence[int]], columns: Sequence[tuple[int, ...]]) -> Mask:
        """Return whether all people of each of the *sets* of atoms must be in the column of the same place."""
        of = self._sums(zip(sets, columns, strict=True))
        people = np.array([self.n[list(members)].sum() for members in sets], float)
        found = _Span(of, people.copy(), people)
        self._look(found)
        self._settle(found, signs=(1,))
        return found.open

    def _look(self, found: _Span) -> None:
        found.see(self._centre.x[:, None] if self._centre else self._solved(np.zeros(self.figures.shape[1])))

    def _settle(self, found: _Span, signs: Sequence[int]) -> None:
        """Look for solutions that settle what is open, by linear programs."""
        # Corners that pull all that is open up or down at random settle many at once.
        rng = np.random.default_rng(20150724)
        before = np.inf
        while found.open.any() and found.open.sum() < 0.95 * before:
            before = found.open.sum()
            for _ in range(4):
                pull = found.of.T @ np.where(found.open, rng.normal(size=len(found.low)), 0)
                found.see(self._solved(pull))
                found.see(self._solved(-pull))
        for position in np.flatnonzero(found.open).tolist():
            for sign in signs:
                if found.open[position]:
                    found.see(self._solved(sign * found.of[[position]].toarray().ravel()))

    def _solved(self, objective: Floats) -> Floats:
        """Return the solution that makes *objective* least, shape (cells, 1)."""
        from scipy.optimize import linprog
        from scipy.sparse import vstack

        self.programs -= 1
        if self.programs < 0:
            raise Unsettled
        limits = {"A_ub": vstack([self.figures, -self.figures]), "b_ub": np.concatenate([self.high, -self.low])}
        people = {"A_eq": self.people, "b_eq": self.n}
        result = linprog(objective, **limits, **people, bounds=(0, None), method="highs")
        if result.status == 2:
            raise Contradiction
        return np.asarray(result.x)[:, None]

    def holds(self, solutions: Floats) -> Mask:
        """Return which of *solutions*, shape (cells, m), give the figures that are shown."""
        shown, people = self.figures @ solutions, self.people @ solutions
        inside = (shown >= self.low[:, None]) & (shown <= self.high[:, None])
        return (
            inside.all(axis=0)
            & (solutions >= -_SLACK).all(axis=0)
            & (np.abs(people - self.n[:, None]) <= _SLACK).all(axis=0)
        )

    def _nobody(self, of: Any) -> Mask:
        """Return for which rows a single figure of less than one answer covers all cells."""
        shown = self.figures[np.flatnonzero(self.high < 1)]
        return (
            np.asarray((of @ shown.T).max(axis=1).toarray().ravel() == np.diff(of.indptr))
            if shown.shape[0]
            else (np.zeros(of.shape[0], bool))
        )

    @cached_property
    def _centre(self) -> _Centre | None:
        return _Centre.of(self)

    def _sums(self, parts: Iterable[tuple[Sequence[int], Sequence[int]]]) -> Any:
        """Return a sparse row for each of *parts*, atoms and categories, with 1 in the cells it counts."""
        from scipy.sparse import csr_array

        listed = [np.add.outer(np.array(atoms) * self.categories, np.array(of)).ravel() for atoms, of in parts]
        ends = np.cumsum([0, *map(len, listed)])
        cells = np.concatenate(listed) if listed else np.zeros(0, np.int64)
        return csr_array((np.ones(len(cells)), cells, ends), shape=(len(listed), len(self.n) * self.categories))


@dataclass(eq=False)
class _Span:
    """Between which counts the solutions seen so far put each row of *of*; what is *sure* needs none."""

    of: Any
    low: Floats
    high: Floats
    sure: Mask | bool = False

    def see(self, solutions: Floats) -> None:
        """Widen by *solutions*, shape (cells, m)."""
        seen = self.of @ solutions
        np.minimum(self.low, seen.min(axis=1, initial=np.inf), out=self.low)
        np.maximum(self.high, seen.max(axis=1, initial=-np.inf), out=self.high)

    @property
    def open(self) -> Mask:
        """(rows,) where no two whole numbers lie between; so it is where nothing is seen yet."""
        with np.errstate(invalid="ignore"):
            several = np.floor(self.high + 10 * _SLACK) - np.ceil(self.low - 10 * _SLACK) >= 1
        return np.asarray(~several & ~np.asarray(self.sure))


@dataclass(frozen=True, eq=False)
class _Centre:
    """A solution far from every bound (the analytic centre), and how all cells give way when some are moved.

    x     (cells,)
    give  (cells, cells) the inverse of the barrier's second derivative within the people of each atom: the metric
          of Dikin's ellipsoid (Boyd and Vandenberghe 2004, Convex Optimization, §8.5.3 and §10.3)
    """

    x: Floats
    give: Floats

    @classmethod
    def of(cls, told: Reading) -> _Centre | None:
        """Return the centre, by Newton's method from anywhere; None if that does not find one."""
        from scipy.linalg import LinAlgError

        x = np.repeat(told.n / told.categories, told.categories).astype(float)
        width = told.high - told.low
        s = told.low + width * np.clip((told.figures @ x - told.low) / width, 0.1, 0.9)
        try:
            for _ in range(_ROUNDS):
                step = _Step.at(told, x, s)
                length = min(1.0, 0.9 * step.furthest(x, s, told))
                x, s = x + length * step.x, s + length * step.s
                if length == 1.0 and step.decrement < 0.1 and told.holds(x[:, None])[0]:
                    return cls(x, step.give())
        except LinAlgError:
            pass
        return None

    def moved(self, told: Reading, atom: int, column: tuple[int, ...]) -> Floats:
        """Return solutions (cells, m ≤ 2) that put a whole number of *atom* into *column*, with all else giving way."""
        cells = np.arange(atom * told.categories, (atom + 1) * told.categories)
        inside = np.isin(np.arange(told.categories), column)
        now, n = self.x[cells], float(told.n[atom])
        wanted = []
        for count in {np.floor(now[inside].sum()), np.ceil(now[inside].sum())}:
            scaled = np.where(
                inside, now * count / now[inside].sum(), now * (n - count) / max(now[~inside].sum(), 1e-12)
            )
            wanted.append(scaled - now)
        change = (
            self.give[:, cells] @ np.linalg.lstsq(self.give[np.ix_(cells, cells)], np.array(wanted).T, rcond=1e-10)[0]
        )
        solutions = self.x[:, None] + change
        return solutions[:, told.holds(solutions)]


@dataclass(frozen=True, eq=False)
class _Step:
    """A Newton step towards the least -Σ log x - Σ log(s - low) - Σ log(high - s), figures @ x = s, people @ x = n."""

    x: Floats
    s: Floats
    decrement: float
    within: Any
    across: Any
    factor: Any

    @classmethod
    def at(cls, told: Reading, x: Floats, s: Floats) -> _Step:
        from scipy.linalg import cho_factor, cho_solve
        from scipy.sparse import diags_array

        # A step within the people of each atom: D - D 1 1' D / (1' D 1), block by block.
        d = x**2
        share = told.people @ diags_array(d)
        within = diags_array(d) - share.T @ diags_array(1 / (told.people @ d)) @ share
        across = (told.figures @ within).tocsr()
        above, below = 1 / (told.high - s), 1 / (s - told.low)
        slope, bend = above - below, above**2 + below**2
        matrix = (across @ told.figures.T).toarray() + np.diag(1 / bend)
        factor = cho_factor(matrix, lower=True, check_finite=False)
        right = told.figures @ x - s + across @ (1 / x) + slope / bend
        force = cho_solve(factor, right, check_finite=False)
        dx, ds = within @ (1 / x - told.figures.T @ force), (force - slope) / bend
        decrement = float(((dx / x) ** 2).sum() + (bend * ds**2).sum())
        return cls(dx, ds, decrement, within, across, factor)

    def furthest(self, x: Floats, s: Floats, told: Reading) -> float:
        """Return how many of this step lead to the nearest bound."""
        gone = np.concatenate([-self.x / x, -self.s / (s - told.low), self.s / (told.high - s)])
        return 1 / max(float(gone.max()), 1e-12)

    def give(self) -> Floats:
        from scipy.linalg import solve_triangular

        half = solve_triangular(self.factor[0], self.across.toarray(), lower=True, check_finite=False)
        return np.asarray(self.within.toarray() - half.T @ half)


def _others(column: tuple[int, ...], categories: int) -> tuple[int, ...]:
    return tuple(category for category in range(categories) if category not in column)


def excused(fact: Mask, large: Sequence[Sequence[int]]) -> Mask:
    """Return which facts (nobody, everybody) of atoms are no news, being those of a large set. (atoms, columns).

    *large* are sets of atoms, bases or differences of two, whose numbers may be known.
    """
    found = np.zeros_like(fact)
    for members in large:
        found[list(members)] |= fact[list(members)].all(axis=0)
    return found
