"""The embedded engine: numpy over respondents collapsed into strips, and a list of those who share a PSU.

Two observations keep it near the cost of the weighted sums alone. A respondent matters to a table only by
stratum, groups and code: so one pass per question fills a small array of *strips* (the combinations of
stratum and groups that occur) × codes, of which the tables of all banners are margins. And the covariance of
all cell totals needs only Σ t t' over PSUs, to which a product of two different respondents belongs only if
they share a PSU: with 360 leaders of 269 organisations that is some 130 pairs. No matrix of respondents ×
cells is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.design import Codes, Design, DesignError, Floats, Mask, refuse_alone
from analysis.engines._neighbours import ROOM, Neighbours, compact
from analysis.moments import Moments
from analysis.variance import covariance, covariance_of_totals

STRIPS = (4096, 16384)
"""Banners share their strips up to the first number in a small study, up to the second in a large one."""


class Memory:
    """Makes the Moments of any table of one design. Reads the design once; respondents with weight 0 are out."""

    def __init__(self, design: Design):
        refuse_alone(design.first, design.lonely)
        self.design = design
        self._neighbours = Neighbours.of(design)
        self._factor = design.first.factor
        self._centre = self._factor / np.maximum(design.psus_in, 1)
        self._summands = _Summands.of(design.weight)

    def moments(self, code: Codes, codes: int, group: Codes, groups: int) -> Moments:
        """Return the Moments of a cross-tab.

        code   (n,) 0 … codes-1, or -1: no valid answer, out of the base
        group  (n,) 0 … groups-1, or -1: in no group of the banner

        Raises DesignError for other shapes and numbers.
        """
        return self.tables(code, codes, self.banners([(group, groups)]))[0]

    def banners(self, columns: Sequence[tuple[Codes, int]]) -> Banners:
        """Return banners, each given by group (n,) and groups as in moments(), prepared for many questions."""
        waiting = [(self._checked(group, groups, "group"), groups) for group, groups in columns]
        bundles: list[_Bundle] = []
        while waiting:
            bundles.append(self._bundle(waiting))
            del waiting[: len(bundles[-1].banners)]
        return Banners(tuple(bundles))

    def tables(self, code: Codes, codes: int, banners: Banners) -> list[Moments]:
        """Return the Moments of one question by every one of *banners*, in their order. Arguments as in moments()."""
        answer = _Answer(self._checked(code, codes, "code"), codes, self._neighbours)
        made = []
        for bundle in banners.bundles:
            strips = bundle.summed(answer, self._summands)
            made += [self._table(answer, banner, strips) for banner in bundle.banners]
        return made

    def sums(self, columns: ArrayLike, group: Codes | None = None, groups: int = 1) -> Moments:
        """Return the Moments of columns of numbers, after a first column of ones: K + 1 columns.

        columns  (n, K) or (n,) numbers: answers, or 1 and 0 for the items of a multiple-response question
                 (of which a respondent may have several). A respondent who lacks one (NaN) is out of the base
        group    (n,) as in moments(); None: everybody in one group

        Raises DesignError for other shapes and for infinite numbers.
        """
        design = self.design
        values = self._numbers(columns)
        of = np.zeros(len(design), np.int64) if group is None else self._checked(group, groups, "group")
        inside = np.flatnonzero((of >= 0) & design.members & ~np.isnan(values).any(axis=1))
        runs = _Runs.of(design.psu[inside], of[inside], groups)
        inside = inside[runs.order]
        full = np.column_stack([np.ones(len(inside)), values[inside]])
        sums = runs.summed(full * design.weight[inside, None])
        stratum = design.psu_stratum[runs.psu]
        total, n = _by_group(sums, runs.group, groups), _by_group(full != 0, of[inside], groups).astype(np.int64)
        if design.by_factor:
            spread = runs.cross(sums * np.sqrt(self._factor)[stratum, None], groups)
            spread -= self._between(stratum, runs.group, sums, groups)
        else:
            spread = covariance(_scattered(full, inside, of, groups, design), design.domain(_among(inside, design)))
        strata, table_strata = _strata(stratum, runs.group, design.strata, groups)
        return Moments(
            n=n,
            total=total,
            covariance=spread,
            base_n=n[:, 0],
            base_weighted=total[:, 0],
            psus=np.bincount(runs.group, minlength=groups),
            strata=strata,
            squares=_by_group(sums[:, :1] ** 2, runs.group, groups)[:, 0],
            table_psus=len(np.unique(runs.psu)),
            table_strata=table_strata,
        )

    def _checked(self, position: Codes, size: int, what: str) -> Codes:
        positions, n = np.asarray(position), len(self.design)
        if positions.shape != (n,) or positions.dtype.kind != "i":
            raise DesignError(
                f"a {what} is a whole number per respondent, shape ({n},), not {positions.dtype} {positions.shape}"
            )
        if n and (positions.min() < -1 or positions.max() >= size):
            wrong = positions.min() if positions.min() < -1 else positions.max()
            raise DesignError(f"a {what} is {wrong}; the table has 0 … {size - 1}, and -1 for none")
        return positions

    def _numbers(self, columns: ArrayLike) -> Floats:
        values, n = np.asarray(columns, dtype=float), len(self.design)
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2 or len(values) != n:
            raise DesignError(f"the columns have shape {values.shape}; the design has {n} respondents")
        if np.isinf(values).any():
            raise DesignError("a number is infinite; missing answers are NaN")
        return values

    def _bundle(self, columns: Sequence[tuple[Codes, int]]) -> _Bundle:
        """Return as many of the first columns as share few enough strips to be cheap; one at least."""
        design = self.design
        most = min(max(len(design) // 64, STRIPS[0]), STRIPS[1])
        stratum, strip = compact(design.stratum, design.strata)
        known = [stratum]  # of each strip: its stratum, then its group in each column
        for column, groups in columns:
            found, together = compact(strip * (groups + 1) + (column + 1), len(known[0]) * (groups + 1))
            if len(known) > 1 and len(found) > most:
                break
            strip = together
            known = [*(values[found // (groups + 1)] for values in known), found % (groups + 1) - 1]
        banners = [
            _Banner.of(column, groups, known[0], of_strip, design, self._neighbours)
            for (column, groups), of_strip in zip(columns, known[1:], strict=False)
        ]
        return _Bundle(np.where(design.members, strip + 1, 0).astype(np.int32), len(known[0]), tuple(banners))

    def _table(self, answer: _Answer, banner: _Banner, strips: Floats) -> Moments:
        design, groups, group, stratum = self.design, banner.groups, banner.row_group, banner.row_stratum
        rows = banner.summed(strips, answer.codes)
        n, total = _by_group(rows.n, group, groups).astype(np.int64), _by_group(rows.weight, group, groups)
        occupied = rows.n.any(axis=1)
        strata, table_strata = _strata(stratum[occupied], group[occupied], design.strata, groups)
        shared = banner.everybody if answer.complete else banner.shared(answer.both_valid, answer.valid)
        return Moments(
            n=n,
            total=total,
            covariance=self._covariance(answer, banner, rows),
            base_n=n.sum(axis=1),
            base_weighted=total.sum(axis=1),
            psus=n.sum(axis=1) - shared.repeated,
            strata=strata,
            squares=_by_group(rows.square, group, groups).sum(axis=1) + shared.squares,
            table_psus=int(n.sum()) - shared.repeated_in_table,
            table_strata=table_strata,
        )

    def _covariance(self, answer: _Answer, banner: _Banner, rows: _Rows) -> Floats:
        groups, stratum, group = banner.groups, banner.row_stratum, banner.row_group
        if not self.design.by_factor:
            cell = banner.group.astype(np.int64) * answer.codes + answer.code
            cell = np.where(answer.valid & (banner.group >= 0), cell, -1)
            return covariance_of_totals(cell, groups * answer.codes, self.design.domain(cell >= 0))
        alone = _by_group(rows.square * self._factor[stratum, None], group, groups)
        return banner.cross(answer, alone) - self._between(stratum, group, rows.weight, groups)

    def _between(self, stratum: Codes, group: Codes, weight: Floats, groups: int) -> Floats:
        """Return what the stratum means take away, (C, C): Σ over strata of centre · S S', S the stratum's cell totals.

        stratum, group (m,) and weight (m, K): of strips, or of the sums of PSUs.
        """
        columns = weight.shape[1]
        cells = groups * columns
        place = (stratum * groups + group)[:, None] * columns + np.arange(columns)
        taken = np.zeros((cells, cells))
        step = max(ROOM // max(cells, 1), 1)
        chunks = range(0, self.design.strata, step)
        for first in chunks:
            last = min(first + step, self.design.strata)
            here = slice(None) if len(chunks) == 1 else (stratum >= first) & (stratum < last)
            s = np.bincount((place[here] - first * cells).ravel(), weight[here].ravel(), (last - first) * cells)
            s = s.reshape(last - first, cells)
            taken += (s * self._centre[first:last, None]).T @ s
        return taken


@dataclass(frozen=True, eq=False)
class Banners:
    """Banners as Memory.banners() prepared them: in bundles that share their strips."""

    bundles: tuple[_Bundle, ...]


@dataclass(frozen=True, eq=False)
class _Answer:
    """The codes of one question."""

    code: Codes
    codes: int
    of: Neighbours

    @cached_property
    def valid(self) -> Mask:
        return self.code >= 0

    @cached_property
    def complete(self) -> bool:
        return bool(self.valid.all())

    @cached_property
    def both_valid(self) -> Mask:
        return self.valid[self.of.first] & self.valid[self.of.second]

    @cached_property
    def pairs(self) -> Codes:
        """(P,) the codes of both respondents of a pair as one number, 0 … (codes + 1)² - 1."""
        slots = self.codes + 1
        both = self.code[self.of.first].astype(np.int64)
        both *= slots
        both += self.code[self.of.second]
        both += slots + 1
        return both


@dataclass(frozen=True, eq=False)
class _Summands:
    """What is summed over respondents: *values* (n, 3) 1, weight and squared weight, as a sparse product needs them."""

    values: Floats
    one: Floats
    ends: Codes

    @classmethod
    def of(cls, weight: Floats) -> _Summands:
        values = np.stack([np.ones(len(weight)), weight, weight**2], axis=1)
        return cls(values, np.ones(len(weight)), np.arange(len(weight) + 1, dtype=np.int32))


@dataclass(frozen=True, eq=False)
class _Rows:
    """Respondents, weights and squared weights of the rows of a banner, by code: (R, K)."""

    n: Floats
    weight: Floats
    square: Floats


@dataclass(frozen=True, eq=False)
class _Bundle:
    """Banners that share their strips: *strip* (n,) is 1 … strips, or 0 outside the domain."""

    strip: NDArray[np.int32]
    strips: int
    banners: tuple[_Banner, ...]

    def summed(self, answer: _Answer, summands: _Summands) -> Floats:
        """Return the three sums of every strip and code, (3, (strips + 1)·(codes + 1)).

        Place strip · (codes + 1) + code: a missing answer (-1) falls into the place after the codes of the strip
        before, which is no code's. One sparse product takes two thirds of the time of three bincounts.
        """
        from scipy.sparse import csc_array

        slots = answer.codes + 1
        place = self.strip * np.int32(slots)
        place += answer.code.astype(np.int32, copy=False)
        if not answer.complete:
            np.maximum(place, 0, out=place)  # a missing answer outside the domain
        shape = ((self.strips + 1) * slots, len(place))
        return np.asarray(csc_array((summands.one, place, summands.ends), shape=shape) @ summands.values).T


@dataclass(frozen=True, eq=False)
class _Shared:
    """What sharing a PSU takes from counts of PSUs, by group (B,) and in the table, and adds to squares (B,)."""

    repeated: Codes
    repeated_in_table: int
    squares: Floats


@dataclass(frozen=True, eq=False)
class _Banner:
    """One banner, prepared. A row (R of them) is a stratum and a group that occur together.

    group       (n,)
    row         (U,) the row of each strip, or R for a strip in no group
    row_stratum, row_group (R,)
    which       the pairs of whom both have a group; None if all have
    pair_group  (P',) of these: first group · groups + second group
    same        (P',) true where that is one group
    large_group (L,) group of the respondents of large PSUs
    weight      (n,)
    """

    group: Codes
    groups: int
    row: Codes
    row_stratum: Codes
    row_group: Codes
    which: Codes | None
    pair_group: Codes
    same: Mask
    large_group: Codes
    weight: Floats
    neighbours: Neighbours

    @classmethod
    def of(
        cls, group: Codes, groups: int, stratum: Codes, of_strip: Codes, design: Design, neighbours: Neighbours
    ) -> _Banner:
        first, second = group[neighbours.first].astype(np.int64), group[neighbours.second].astype(np.int64)
        which = _those((first >= 0) & (second >= 0))
        if which is not None:
            first, second = first[which], second[which]
        inside = of_strip >= 0
        found, row = compact((stratum * groups + of_strip)[inside], design.strata * groups)
        rows = np.full(len(of_strip), len(found))
        rows[inside] = row
        return cls(
            group=group,
            groups=groups,
            row=rows,
            row_stratum=found // groups,
            row_group=found % groups,
            which=which,
            pair_group=first * groups + second,
            same=first == second,
            large_group=group[neighbours.rows].astype(np.int64),
            weight=design.weight,
            neighbours=neighbours,
        )

    def summed(self, strips: Floats, codes: int) -> _Rows:
        """Return the sums of the rows from those of their strips."""
        rows, slots = len(self.row_group), codes + 1
        place = np.full((len(self.row) + 1, slots), rows * codes)
        place[1:, :-1] = self.row[:, None] * codes + np.arange(codes)
        flat = np.minimum(place, rows * codes, out=place).ravel()

        n, weight, square = (np.bincount(flat, of_strips, rows * codes + 1).astype(float)[:-1] for of_strips in strips)
        return _Rows(n.reshape(rows, codes), weight.reshape(rows, codes), square.reshape(rows, codes))

    def cross(self, answer: _Answer, alone: Floats) -> Floats:
        """Return Σ over PSUs of factor · t t', (C, C); *alone*, (B, K), is what each respondent adds by itself."""
        slots, groups, cells = answer.codes + 1, self.groups, alone.size
        place = self.pair_group * slots**2
        place += self._picked(answer.pairs)
        off = np.bincount(place, self._picked(self.neighbours.scaled), (groups * slots) ** 2).astype(float, copy=False)
        off = off.reshape(groups, groups, slots, slots)[:, :, 1:, 1:].transpose(0, 2, 1, 3).reshape(cells, cells)
        cross = off + off.T
        cross[np.arange(cells), np.arange(cells)] += alone.ravel()
        return cross + self._large_cross(answer) if len(self.neighbours.rows) else cross

    def _large_cross(self, answer: _Answer) -> Floats:
        """Return Σ over large PSUs of factor · t t' without what their respondents add by themselves."""
        of, cells = self.neighbours, self.groups * answer.codes
        code = answer.code[of.rows].astype(np.int64)
        inside = (self.large_group >= 0) & (code >= 0)
        cell, unit = (self.large_group * answer.codes + code)[inside], of.unit[inside]
        weight = self.weight[of.rows][inside]
        cross = np.zeros((cells, cells))
        step = max(ROOM // cells, 1)
        for first in range(0, len(of.factor), step):
            factor = of.factor[first : first + step]
            here = slice(*np.searchsorted(unit, [first, first + len(factor)]))
            t = np.bincount((unit[here] - first) * cells + cell[here], weight[here], len(factor) * cells)
            t = t.reshape(len(factor), cells)
            cross += (t * factor[:, None]).T @ t
        cross[np.arange(cells), np.arange(cells)] -= np.bincount(cell, weight**2 * of.factor[unit], cells)
        return cross

    @cached_property
    def everybody(self) -> _Shared:
        """What sharing changes if everybody has an answer."""
        of = self.neighbours
        return self.shared(np.ones(len(of.first), bool), np.ones(len(self.group), bool))

    def shared(self, both: Mask, valid: Mask) -> _Shared:
        """Return what sharing changes if only those *valid* (n,) have an answer, of pairs *both* (P,)."""
        of, groups = self.neighbours, self.groups
        both = self._picked(both)
        again = np.zeros(len(self.group), bool)
        again[self._picked(of.second)[both]] = True
        in_table = np.count_nonzero(again)
        again[:] = False
        same = self.same & both
        again[self._picked(of.second)[same]] = True
        repeated = np.bincount(self.group[again], minlength=groups)
        squares = np.bincount(self.pair_group[same] // groups, 2 * self._picked(of.product)[same], groups).astype(float)
        if len(of.rows):
            inside = np.flatnonzero((self.large_group >= 0) & valid[of.rows])
            group, unit, weight = self.large_group[inside], of.unit[inside], self.weight[of.rows[inside]]
            runs, of_run = compact(unit * groups + group, len(of.factor) * groups)
            repeated = repeated + np.bincount(group, minlength=groups)
            repeated = repeated - np.bincount(runs % groups, minlength=groups)
            in_table += len(unit) - len(np.unique(unit))
            squares = squares + np.bincount(runs % groups, np.bincount(of_run, weight, len(runs)) ** 2, groups)
            squares = squares - np.bincount(group, weight**2, groups)
        return _Shared(repeated, int(in_table), squares)

    def _picked(self, of_pairs: np.ndarray) -> np.ndarray:
        return of_pairs if self.which is None else of_pairs[self.which]


@dataclass(frozen=True, eq=False)
class _Runs:
    """Respondents in the order of PSU and group; a run (R of them) has one of both."""

    order: Codes
    starts: Codes
    psu: Codes
    group: Codes

    @classmethod
    def of(cls, psu: Codes, group: Codes, groups: int) -> _Runs:
        key = psu * groups + group
        order = np.argsort(key)
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        return cls(order, starts, key[order][starts] // groups, key[order][starts] % groups)

    def summed(self, values: Floats) -> Floats:
        """Return the sums of *values*, (n, K) in this order, per run: (R, K)."""
        return np.add.reduceat(values, self.starts) if len(self.starts) else values

    def cross(self, sums: Floats, groups: int) -> Floats:
        """Return Σ over PSUs of t t', (C, C), from the sums of the runs, (R, K)."""
        columns = sums.shape[1]
        blocks = np.zeros((groups, columns, groups, columns))
        for distance in range(groups):  # runs of one PSU stand next to each other
            near = np.flatnonzero(self.psu[distance:] == self.psu[: len(self.psu) - distance])
            if not len(near):
                break
            pair = self.group[near] * groups + self.group[near + distance]
            order = np.argsort(pair)
            ends = np.flatnonzero(np.diff(pair[order], prepend=-1))[1:]
            for rows in np.split(near[order], ends):
                a, b = self.group[rows[0]], self.group[rows[0] + distance]
                block = sums[rows].T @ sums[rows + distance]
                blocks[a, :, b, :] += block
                if distance:
                    blocks[b, :, a, :] += block.T
        return blocks.reshape(groups * columns, groups * columns)


def _those(mask: Mask) -> Codes | None:
    """Return where *mask* is true; None if everywhere, so that nothing need be picked."""
    return None if mask.all() else np.flatnonzero(mask)


def _by_group(values: np.ndarray, group: Codes, groups: int) -> Floats:
    """Return the sums of the rows of *values*, (m, K), of each group: (B, K)."""
    return np.stack([np.bincount(group, column, groups) for column in values.T], axis=1).astype(float, copy=False)


def _strata(stratum: Codes, group: Codes, strata: int, groups: int) -> tuple[Codes, int]:
    """Return how many different strata each group has, (B,), and all of them together."""
    present = np.zeros((strata, groups), bool)
    present[stratum, group] = True
    return present.sum(axis=0), int(present.any(axis=1).sum())


def _among(inside: Codes, design: Design) -> Mask:
    among = np.zeros(len(design), bool)
    among[inside] = True
    return among


def _scattered(full: Floats, inside: Codes, group: Codes, groups: int, design: Design) -> Floats:
    """Return the influence values of the totals of every group's columns, (n, C)."""
    columns = full.shape[1]
    values = np.zeros((len(design), groups * columns))
    place = group[inside, None].astype(np.int64) * columns + np.arange(columns)
    values[inside[:, None], place] = full * design.weight[inside, None]
    return values
