"""Which groups of a table may be shown, so that no hidden group can be worked out from the shown ones.

A group is hidden if its base is under the thresholds. That is not enough: all companies, private
companies and state-owned companies together give the co-operatives away, and a share per respondent
beside the share per organisation gives away the organisations with several respondents. So every figure
is taken as a vector over *atoms*, the classes of respondents whom no figure tells apart, and what a
reader can compute is the span of these vectors. Groups are hidden until no union of atoms under the
thresholds is in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from analysis.design import Codes, Floats, Mask

SHOWN, SUPPRESSED, COMPLEMENTARY = 0, 1, 2
"""Verdicts on a group."""

RESPONDENTS, ORGANISATIONS = 5, 3
"""A base is shown from this many respondents of this many organisations on (common_background.md §5).

Where respondents were promised larger groups (min_group), from so many respondents on.
"""

_TOLERANCE = 1e-8


def too_small(respondents: Codes, organisations: Codes, *, least: int) -> Mask:
    """Return where a base is under the thresholds: *least* respondents and ORGANISATIONS."""
    return (respondents < least) | (organisations < ORGANISATIONS)


@dataclass(frozen=True)
class Limits:
    """From how many respondents on a number is shown, and under how many it is marked as of a small base."""

    least: int
    small_base: int

    def hide(self, respondents: int, organisations: int) -> bool:
        return bool(too_small(np.array(respondents), np.array(organisations), least=self.least))


class Judge:
    """Knows all groups of some banners, and gives the verdicts on them for the base of any one question.

    member        (g, n) who is in each group
    measure       (g,)   which of *weights* the group's figure is weighted with
    weights       each (n,): 1 for shares of respondents, 1/n_org for shares of organisations
    organisation  (n,)   the organisation of each respondent, as a number
    least         respondents from whom on a base is shown
    complementary False leaves out the second step. Only a test has a use for it: it shows what the step is for.

    A group that is large enough is hidden if, beside the groups before it, it gives a small one away. First
    come the figures of the first measure, and of one measure the larger groups; so shares of respondents
    stay before shares of organisations, and totals before their parts.
    """

    def __init__(
        self,
        member: Mask,
        measure: Codes,
        weights: Sequence[Floats],
        organisation: Codes,
        *,
        least: int = RESPONDENTS,
        complementary: bool = True,
    ):
        self.member, self.measure, self.organisation = member, measure, organisation
        self.least, self.complementary = least, complementary
        kinds = np.stack(weights)
        someone, groups = member.any(axis=0), len(member)
        columns, of = np.unique(np.concatenate([member, kinds])[:, someone], axis=1, return_inverse=True)
        self.of = np.full(member.shape[1], -1)
        self.of[someone] = of
        self.scales = np.unique(columns[groups:], axis=0)
        self.vectors: Floats = columns[:groups] * columns[groups:][measure]
        self._known: dict[bytes, Codes] = {}

    def verdicts(self, answered: Mask) -> Codes:
        """Return a verdict on every group, shape (g,), where only *answered*, shape (n,), are in the base.

        What is hidden when everybody answers is hidden here too: questions that differ by an unanswered item or
        two hide the same groups.
        """
        key = answered.tobytes()
        if key not in self._known:
            begin = np.full(len(self.member), SHOWN) if answered.all() else self.verdicts(np.ones_like(answered))
            self._known[key] = self._verdicts(answered, begin)
        return self._known[key]

    def _verdicts(self, answered: Mask, begin: Codes) -> Codes:
        n, organisations = self._bases(answered)
        found = np.where(too_small(n, organisations, least=self.least), SUPPRESSED, begin)
        if not self.complementary:
            return found
        atoms = _Atoms(self, answered)
        order = np.lexsort((np.arange(len(n)), -n, self.measure))
        while (shown := order[found[order] == SHOWN]).size:
            span = _span(atoms.vectors[shown])
            small = _few_respondents(atoms, span) or _few_searched(atoms, span) or _few_organisations(atoms, span)
            if not small:
                break
            for union in small:
                found[_giving_away(atoms.vectors, order[found[order] == SHOWN], union)] = COMPLEMENTARY
            if (found[shown] == SHOWN).all():  # a search that was not settled: the smallest goes
                found[shown[-1]] = COMPLEMENTARY
        return found

    def _bases(self, answered: Mask) -> tuple[Codes, Codes]:
        """Return the respondents and the organisations of each group's base."""
        inside = self.member & answered
        if not inside.size:
            return np.zeros(len(inside), np.int64), np.zeros(len(inside), np.int64)
        order = np.argsort(self.organisation, kind="stable")
        starts = np.flatnonzero(np.diff(self.organisation[order], prepend=-1))
        return inside.sum(axis=1), np.logical_or.reduceat(inside[:, order], starts, axis=1).sum(axis=1)


class _Atoms:
    """Classes of respondents of a base who are in the same groups and have the same weights.

    vectors        (g, a) each group's figure as a sum over atoms
    scales         each (a,): the weight of an atom's respondents in one measure
    n              (a,) respondents
    organisations  the organisations of each atom
    least          respondents from whom on a base is shown
    """

    def __init__(self, judge: Judge, answered: Mask):
        self.least = judge.least
        inside = answered & (judge.of >= 0)
        kept, of = np.unique(judge.of[inside], return_inverse=True)
        self.vectors = judge.vectors[:, kept]
        self.scales = judge.scales[:, kept]
        self.n = np.bincount(of, minlength=len(kept))
        width = int(judge.organisation.max(initial=0)) + 1
        atom, held = np.divmod(np.unique(of * width + judge.organisation[inside]), width)
        parts = np.split(held, np.searchsorted(atom, np.arange(1, len(self.n))))
        self.organisations = [frozenset(part.tolist()) for part in parts]


def _span(vectors: Floats) -> Floats:
    """Return an orthonormal basis of what can be computed from *vectors* (g, a), shape (a, rank)."""
    # Gram-Schmidt with a second pass: for so small a matrix a threaded LAPACK waits more than it works.
    basis = np.empty((vectors.shape[1], len(vectors)))
    rank = 0
    for vector in vectors:
        outside = _outside(basis[:, :rank], vector)
        size = np.sqrt(outside @ outside)
        if size > _TOLERANCE * np.sqrt(vector @ vector):
            basis[:, rank] = outside / size
            rank += 1
    return basis[:, :rank]


def _outside(span: Floats, vector: Floats) -> Floats:
    """Return what of *vector* sticks out of the span of an orthonormal basis."""
    outside = vector - span @ (span.T @ vector)
    return outside - span @ (span.T @ outside)


def _is_in(span: Floats, vector: Floats) -> bool:
    return bool(np.abs(_outside(span, vector)).max() < _TOLERANCE * np.abs(vector).max())


def _few_respondents(atoms: _Atoms, span: Floats) -> list[Floats]:
    """Find unions of atoms with too few respondents whose sum, in one of the measures, is in the span.

    A union has at most as many atoms as respondents; those of up to four atoms are found here, which are all where
    RESPONDENTS is the threshold. A vector is in the span if what sticks out of it is zero; that is compared by
    one random direction first, and then exactly. Only a few of many are returned: most are put together from
    others and go with them.
    """
    most = atoms.least - 1
    # A fixed seed: the direction is arbitrary, and a verdict may not differ from run to run.
    direction = np.random.default_rng(20150724).normal(size=len(atoms.n))
    outside = direction - span @ (span.T @ direction)
    found: list[Floats] = []
    for scale in atoms.scales:
        candidates = _plausible(span, scale, np.flatnonzero(atoms.n <= most), most)
        sums = _zero_sums((outside * scale)[candidates], atoms.n[candidates], most)
        for union in islice(sums, 4):
            vector = np.zeros(len(atoms.n))
            vector[candidates[list(union)]] = scale[candidates[list(union)]]
            if _is_in(span, vector):
                found.append(vector)
    return found


def _few_searched(atoms: _Atoms, span: Floats) -> list[Floats]:
    """Find one union of any number of atoms with too few respondents whose sum is in the span.

    With a higher threshold than RESPONDENTS such a union can have more atoms than can be tried in all combinations;
    an integer program looks for it. What it can't settle within its bound counts as found, so that more is hidden.
    """
    if atoms.least <= RESPONDENTS:
        return []
    most = atoms.least - 1
    for scale in atoms.scales:
        candidates = _plausible(span, scale, np.flatnonzero(atoms.n <= most), most)
        chosen = _solved(span, scale, atoms.n, candidates, most) if len(candidates) else None
        if chosen is not None:
            vector = np.zeros(len(atoms.n))
            vector[chosen] = scale[chosen]
            return [vector]
    return []


def _solved(span: Floats, scale: Floats, n: Codes, candidates: Codes, most: int) -> Codes | None:
    """Return atoms of *candidates* with at most *most* respondents whose sum is in the span; None if there are none."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    columns = np.zeros((len(n), len(candidates)))
    columns[candidates, np.arange(len(candidates))] = scale[candidates]
    outside = columns - span @ (span.T @ columns)
    _, size, rows = np.linalg.svd(outside, full_matrices=False)
    stays = rows[size > _TOLERANCE]
    inside = [LinearConstraint(stays, -_TOLERANCE, _TOLERANCE)] if len(stays) else []
    found = milp(
        n[candidates],
        constraints=[*inside, LinearConstraint(n[candidates], 1, most)],
        integrality=1,
        bounds=Bounds(0, 1),
        options={"node_limit": _NODES},
    )
    if found.status == _INFEASIBLE:
        return None
    return candidates if found.x is None else candidates[found.x > 0.5]


_INFEASIBLE, _NODES = 2, 20_000


def _plausible(span: Floats, scale: Floats, candidates: Codes, most: int) -> Codes:
    """Return those of *candidates* that can be in a union of at most *most* atoms whose sum is in the span.

    The projection leaves such a sum as it is, so an atom's weight must be reached by its own part of the
    projection and those of the others that weigh most on it. What falls out can't help the rest: repeat.
    """
    while len(candidates):
        parts = (span[candidates] @ span[candidates].T) * scale[candidates]
        own = np.diagonal(parts).copy()
        np.fill_diagonal(parts, 0)
        others = np.maximum(parts, 0)
        if len(candidates) > most:
            others = -np.partition(-others, most - 2, axis=1)[:, : most - 1]
        kept = own + others.sum(axis=1) > scale[candidates] - 1e-6
        if kept.all():
            break
        candidates = candidates[kept]
    return candidates


def _zero_sums(key: Floats, n: Codes, most: int) -> Iterator[tuple[int, ...]]:
    """Yield the sets of positions whose keys add up to zero and whose n to at most *most*, small sets first.

    Sets of three and four are put together from halves, so that they cost no more than all pairs.
    """
    halves: dict[int, tuple[Floats, Codes, Codes]] = {}
    for size in (1, 2):
        members = np.arange(len(key))[:, None] if size == 1 else np.stack(np.triu_indices(len(key), 1), axis=1)
        members = members[n[members].sum(axis=1) <= most]
        order = np.argsort(key[members].sum(axis=1), kind="stable")
        members = members[order]
        halves[size] = (key[members].sum(axis=1), n[members].sum(axis=1), members)
        for position in np.flatnonzero(np.abs(halves[size][0]) < _TOLERANCE):
            yield tuple(members[position].tolist())
    for left, right in ((1, 2), (2, 2)):
        keys, sizes, members = halves[left]
        other_keys, other_sizes, others = halves[right]
        begin = np.searchsorted(other_keys, -keys - _TOLERANCE)
        end = np.searchsorted(other_keys, -keys + _TOLERANCE)
        for i in np.flatnonzero(end > begin):
            for j in range(begin[i], end[i]):
                union = {*members[i].tolist(), *others[j].tolist()}
                if len(union) == left + right and sizes[i] + other_sizes[j] <= most:
                    yield tuple(sorted(union))


def _few_organisations(atoms: _Atoms, span: Floats) -> list[Floats]:
    """Find one union of atoms of too few organisations, but enough respondents, whose sum is in the span."""
    blocks: dict[frozenset[int], list[int]] = {}
    for atom, held in enumerate(atoms.organisations):
        if len(held) < ORGANISATIONS:
            blocks.setdefault(held, []).append(atom)
    for chosen in _pairs(atoms, span, blocks):
        inside = np.array([atom for held, block in blocks.items() if held <= chosen for atom in block])
        if atoms.n[inside].sum() >= atoms.least and _reach(span[inside]) > 1 - _TOLERANCE:
            for scale in atoms.scales:
                union = _union_in(span[inside], scale[inside])
                if union is not None:
                    vector = np.zeros(len(atoms.n))
                    vector[inside] = union
                    return [vector]
    return []


def _pairs(atoms: _Atoms, span: Floats, blocks: Mapping[frozenset[int], list[int]]) -> Iterator[frozenset[int]]:
    """Yield the single organisations and pairs that can matter, so that the few of many need not be tried.

    Two organisations' atoms have a sum in the span only if the largest eigenvalue of their block of the
    projection is 1. It is at most that of the 2 × 2 matrix of the norms of its four parts.
    """
    alone = {next(iter(held)): inside for held, inside in blocks.items() if len(held) == 1}
    names = list(alone)
    reach = np.array([_reach(span[inside]) for inside in alone.values()])
    n = np.array([atoms.n[inside].sum() for inside in alone.values()])
    of = np.repeat(np.arange(len(names)), [len(inside) for inside in alone.values()])
    rows = span[[atom for inside in alone.values() for atom in inside]]
    for position in np.flatnonzero(n * 2 >= atoms.least):
        if reach[position] > 1 - _TOLERANCE:
            yield frozenset([names[position]])
        between = np.bincount(of, ((rows[of == position] @ rows.T) ** 2).sum(axis=0), len(names))
        bound = (reach + reach[position]) / 2 + np.sqrt(((reach - reach[position]) / 2) ** 2 + between)
        for other in np.flatnonzero((bound > 1 - 1e-6) & (n + n[position] >= atoms.least)):
            if other != position:
                yield frozenset([names[position], names[other]])
    yield from (held for held in blocks if len(held) == 2)


def _reach(rows: Floats) -> float:
    """Return how far the atoms of *rows* together reach into the span: 1 if a weighted sum of them lies in it."""
    if len(rows) == 1:
        return float(rows[0] @ rows[0])
    return float(np.linalg.eigvalsh(rows @ rows.T)[-1])


def _union_in(rows: Floats, scale: Floats) -> Floats | None:
    """Return a 0/1 choice of atoms, times *scale*, that lies in the span; for more than 12 atoms take all."""
    if len(rows) > 12:
        return scale
    choices = (np.arange(1, 2 ** len(rows))[:, None] >> np.arange(len(rows)) & 1) * scale
    left = (choices**2).sum(axis=1) - ((choices @ rows) ** 2).sum(axis=1)
    found = np.flatnonzero(left < _TOLERANCE)
    return choices[found[0]] if len(found) else None


def _giving_away(vectors: Floats, shown: Codes, target: Floats) -> list[int]:
    """Return the groups, of *shown* in their order, that would let *target* be computed from those before them."""
    basis = np.empty((vectors.shape[1], len(shown)))
    rank, hidden = 0, []
    wanted = target / np.sqrt(target @ target)
    missing = wanted
    for group in shown:
        outside = _outside(basis[:, :rank], vectors[group])
        size = np.sqrt(outside @ outside)
        if size <= _TOLERANCE * np.sqrt(vectors[group] @ vectors[group]):
            continue  # it says nothing that those before it don't
        direction = outside / size
        rest = missing - direction * (direction @ missing)
        if np.abs(rest).max() < _TOLERANCE:
            hidden.append(int(group))
            continue
        basis[:, rank], rank, missing = direction, rank + 1, rest
    return hidden
