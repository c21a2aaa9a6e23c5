"""Respondents collapsed to the cells of several margins: weighting is the same arithmetic for all of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.design import Codes, Floats, Mask
from analysis.weighting._margins import Target

GRID = 1 << 20
"""Numbers of cells up to which the whole cross of all margins is numbered; beyond it only the cells that occur."""


@dataclass(frozen=True, eq=False)
class Cells:
    """The C cells of M margins in which a domain has respondents.

    rows      the domain's respondents, as a mask or a slice of the sample's
    cell      (m,) the cell of each of them
    position  M arrays (C,): the code of each cell in each margin
    codes     M numbers of codes
    n         (C,) respondents
    """

    rows: Mask | slice
    cell: Codes
    position: tuple[Codes, ...]
    codes: tuple[int, ...]
    n: Codes

    @classmethod
    def of(cls, targets: Sequence[Target], members: Mask) -> Cells:
        """Return the cells of the members, each of whom has a code in every margin."""
        rows: Mask | slice = slice(None) if members.all() else members
        cell, positions, size = np.zeros(1, np.int64), list[Codes](), 1
        for target in targets:
            k = len(target.margin.codes)
            cell = cell * k + target.margin.position[rows] if positions else target.margin.position[rows]
            occurring = np.arange(size * k)
            if size * k > GRID:
                occurring, cell = np.unique(cell, return_inverse=True)
            positions = [earlier[occurring // k] for earlier in positions] + [occurring % k]
            size = len(occurring)
        n = np.bincount(cell, minlength=size)
        if not n.all():
            number = np.cumsum(n > 0) - 1
            cell, positions, n = number[cell], [position[n > 0] for position in positions], n[n > 0]
        return cls(rows, cell, tuple(positions), tuple(len(target.margin.codes) for target in targets), n)

    @cached_property
    def order(self) -> Codes:
        """(m,) the respondents sorted by cell."""
        return np.argsort(self.cell, kind="stable")

    def sums(self, values: Floats) -> Floats:
        """Return the sum in each cell of *values*, (m,) → (C,) or (m, k) → (C, k)."""
        return grouped(self.cell, values, len(self.n))

    def margin(self, which: int, sums: Floats) -> Floats:
        """Return the sums of the codes of one margin, (C,) → (K,) or (C, k) → (K, k)."""
        return grouped(self.position[which], sums, self.codes[which])

    @cached_property
    def _segments(self) -> tuple[tuple[Codes, Codes, Codes], ...]:
        """For each margin the cells sorted by code, where each code begins, and which codes there are."""
        made = []
        for position in self.position:
            present, starts = np.unique(np.sort(position), return_index=True)
            made.append((np.argsort(position, kind="stable"), starts, present))
        return tuple(made)

    def margin_of_replicates(self, which: int, sums: Floats) -> Floats:
        """Return what margin() returns, faster for many columns: (C, R) → (K, R)."""
        # No product with an indicator matrix: small ones wait for BLAS threads longer than they compute.
        order, starts, present = self._segments[which]
        made = np.zeros((self.codes[which], sums.shape[1]))
        made[present] = np.add.reduceat(sums[order], starts, axis=0)
        return made


def grouped(position: Codes, values: Floats, size: int) -> Floats:
    """Return the sums of *values*, (m,) or (m, k), by position; (size,) or (size, k)."""
    if values.ndim == 1:
        return np.bincount(position, values, size).astype(float)
    return np.stack([np.bincount(position, column, size) for column in values.T], axis=1)
