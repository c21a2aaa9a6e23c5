"""An attacker on published snapshots, who shares no code with the rules that made them.

They know more than any reader: who was in the survey, in which group and in which published base everybody is
(in a small population people know each other), but no answer. Everything else is read off the rounded snapshots.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil, floor

import numpy as np
from scipy.optimize import linprog

K, FIRMS, CELL = 10, 3, 3


@dataclass(frozen=True)
class Seen:
    """A published row: whom it is of, whether it belongs to a breakdown, and its figures as the snapshot has them."""

    members: frozenset
    breakdown: bool
    figures: tuple
    categories: dict  # shown category -> finest categories


def few(people, firm) -> bool:
    return len(people) < K or len({firm[one] for one in people}) < FIRMS


def by_subtraction(seen, firm) -> list:
    """Pairs of rows whose difference is a number about few people: added, removed or both."""
    bases = list({row.members for row in seen})
    return [(a, b) for a, b in combinations(bases, 2) if few(a ^ b, firm)]


def atoms_of(seen) -> list[frozenset]:
    classes: dict[tuple, set] = {}
    for one in frozenset().union(*(row.members for row in seen)):
        classes.setdefault(tuple(one in row.members for row in seen), set()).add(one)
    return [frozenset(people) for people in classes.values()]


def by_rank(seen, firm) -> list[frozenset]:
    """Unions of up to three atoms, of few people, whose count is a sum of published counts; over fractions."""
    atoms = atoms_of(seen)
    rows: list[tuple[int, list[Fraction]]] = []
    for base in {row.members for row in seen}:
        vector = left([Fraction(int(atom <= base)) for atom in atoms], rows)
        head = next((i for i, value in enumerate(vector) if value), None)
        if head is None:
            continue
        vector = [value / vector[head] for value in vector]
        rows = [(h, [x - r[head] * y for x, y in zip(r, vector, strict=True)]) for h, r in rows]
        rows.append((head, vector))
    rest = [left([Fraction(int(i == j)) for j in range(len(atoms))], rows) for i in range(len(atoms))]
    small = [i for i, atom in enumerate(atoms) if few(atom, firm)]
    found = []
    for size in (1, 2, 3):
        for union in combinations(small, size):
            people = frozenset().union(*(atoms[i] for i in union))
            if few(people, firm) and not any(sum(column) for column in zip(*(rest[i] for i in union), strict=True)):
                found.append(people)
    return found


def left(vector, rows):
    """Return what of *vector* the reduced *rows* leave."""
    for head, row in rows:
        if vector[head]:
            factor = vector[head]
            vector = [x - factor * y for x, y in zip(vector, row, strict=True)]
    return vector


def by_bounds(seen, firm, finest: int) -> list[str]:
    """What linear programs over the counts of each atom × category pin down, from the rounded figures."""
    atoms = atoms_of(seen)
    index = {(a, c): a * finest + c for a in range(len(atoms)) for c in range(finest)}
    size = len(index)
    above, limit = [], []
    for row in seen:
        for share, low, high in ranges(row):
            line = np.zeros(size)
            line[[index[a, c] for a, atom in enumerate(atoms) if atom <= row.members for c in share]] = 1
            above += [line, -line]
            limit += [high, -low]
    people = np.array([[float(j // finest == a) for j in range(size)] for a in range(len(atoms))])
    total = np.array([len(atom) for atom in atoms])

    def corner(objective):
        result = linprog(objective, np.array(above), np.array(limit) + 1e-7, people, total, method="highs")
        assert result.status == 0, result.message
        return result.x

    rng = np.random.default_rng(len(seen))
    known = [corner(rng.normal(size=size)) for _ in range(6)]

    def span(cells):
        """The least and largest count of some cells; stops as soon as two whole numbers fit."""
        line = np.zeros(size)
        line[cells] = 1
        for sign in (0, 1, -1):
            if sign:
                known.append(corner(sign * line))
            values = [float(line @ one) for one in known]
            low, high = ceil(min(values) - 1e-5), floor(max(values) + 1e-5)
            if high > low:
                break
        return low, high

    answers = {(c,) for c in range(finest)} | {tuple(shown) for row in seen for shown in row.categories.values()}
    of_atom = {(a, shown): span([index[a, c] for c in shown]) for a in range(len(atoms)) for shown in answers}
    return judged(seen, atoms, of_atom, span, index, firm)


def judged(seen, atoms, of_atom, span, index, firm) -> list[str]:
    found = []
    public = set()
    for people in large(seen, firm):
        inside = [a for a, atom in enumerate(atoms) if atom <= people]
        for shown in {shown for _, shown in of_atom}:
            nobody = all(of_atom[a, shown] == (0, 0) for a in inside)
            everybody = len(shown) > 1 and all(of_atom[a, shown] == (len(atoms[a]),) * 2 for a in inside)
            if nobody or everybody:
                public |= {(a, shown) for a in inside}
    for (a, shown), (low, high) in of_atom.items():
        # What a large published group shows of all its members (rule 4 lets it have a zero) is public of its parts.
        if low == high and few(atoms[a], firm) and (a, shown) not in public:
            found.append(f"{len(atoms[a])} people: {low} answered {shown}")
    for row in (row for row in seen if row.breakdown):
        inside = [a for a, atom in enumerate(atoms) if atom <= row.members]
        for shown in row.categories.values():
            low, high = span([index[a, c] for a in inside for c in shown])
            if low == len(row.members):
                found.append(f"all {low} people of a group answered {shown}")
            elif low == high and 0 < high < CELL:
                found.append(f"{high} people of a group answered {shown}")
    return found


def large(seen, firm):
    """The bases and the nested differences of two that are no small group."""
    bases = list({row.members for row in seen})
    nested = [a - b for a in bases for b in bases if b < a]
    return [people for people in (*bases, *nested) if not few(people, firm)]


def ranges(row):
    """Yield the finest categories of each figure with the counts that its rounding allows."""
    n = len(row.members)
    step = 5 if n < 50 else 1
    for figure in row.figures:
        share = figure.value / 100 * n
        bound = {
            None: (share - step * n / 200, share + step * n / 200),
            "over": (share, n),
            "under": (0, share),
        }[figure.bound]
        yield row.categories[figure.category], *bound
