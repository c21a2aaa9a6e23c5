"""Respondents collapsed to the cells of several margins: weighting is the same arithmetic for all of a cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.design import Codes, Design, Floats, Mask
from analysis.weighting._margins import Margin, MarginError, listed

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
    def of(cls, margins: Sequence[Margin], design: Design) -> Cells:
        """Return the cells of the design's domain.

        Raises MarginError, with the labels, for respondents of the domain whose code a margin does not know,
        and for margins that are none, of another sample, or two of one name.
        """
        _require_one_sample(margins, design)
        members = design.members
        rows: Mask | slice = slice(None) if members.all() else members
        cell, positions, size = np.zeros(1, np.int64), list[Codes](), 1
        for margin in margins:
            k, position = len(margin.codes), margin.position[rows]
            if position.min() < 0:
                raise _unknown(margin, np.flatnonzero(members)[position < 0])
            cell = _numbered(cell, k, position) if positions else position
            occurring = np.arange(size * k)
            if size * k > GRID:
                occurring, cell = np.unique(cell, return_inverse=True)
            positions = [earlier[occurring // k] for earlier in positions] + [occurring % k]
            size = len(occurring)
        n = np.bincount(cell, minlength=size)
        if not n.all():
            number = np.cumsum(n > 0) - 1
            cell, positions, n = number[cell], [position[n > 0] for position in positions], n[n > 0]
        return cls(rows, cell, tuple(positions), tuple(len(margin.codes) for margin in margins), n)

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


def _numbered(cell: Codes, codes: int, position: Codes) -> Codes:
    made = cell * codes
    made += position  # in place: at a million respondents every array is eight megabytes
    return made


def _require_one_sample(margins: Sequence[Margin], design: Design) -> None:
    if not margins:
        raise MarginError("there is no margin to weight to; give at least one")
    if not design.members.any():
        raise MarginError("the domain that should be weighted has no respondents")
    names = [margin.name for margin in margins]
    if len(set(names)) < len(names):
        raise MarginError(f"two margins have one name, so no message could tell them apart: {listed(names)}")
    for margin in margins:
        if len(margin) != len(design):
            raise MarginError(f"margin {margin.name!r} has {len(margin)} labels, the design {len(design)} respondents")


def _unknown(margin: Margin, rows: Codes) -> MarginError:
    labels = list(dict.fromkeys(str(margin.label(int(row))) for row in rows))
    return MarginError(
        f"{len(rows)} respondents have labels that margin {margin.name!r} does not know: {listed(labels)}; "
        f"it knows {listed(margin.codes)}. Recode them, or weight a domain without them"
    )
