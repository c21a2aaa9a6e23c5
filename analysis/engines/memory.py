"""The embedded engine: numpy over one precomputed list of respondents who share a PSU.

The covariance of all cell totals needs only Σ t t' over PSUs, and a product of two different respondents
enters it only if they share a PSU. With 360 leaders of 269 organisations that is some 130 pairs, so a
table costs a few bincounts and no matrix of respondents × cells is ever made.
"""

from __future__ import annotations

import numpy as np

from analysis.design import Codes, Design, Floats
from analysis.moments import Moments


class Memory:
    """Makes the Moments of any table of one design. Reads the design once; respondents with weight 0 are out."""

    def __init__(self, design: Design):
        self.design = design
        self._first, self._second = _pairs(design.psu)
        factor = design.factor[design.stratum]
        self._product = design.weight[self._first] * design.weight[self._second]
        self._scaled_product = self._product * factor[self._first]
        self._square = design.weight**2
        self._scaled_square = self._square * factor

    def moments(self, code: Codes, codes: int, group: Codes, groups: int) -> Moments:
        """Return the Moments of a table.

        code   (n,) 0 … codes-1, or -1: no valid answer, out of the base
        group  (n,) 0 … groups-1, or -1: in no group of the banner
        """
        design, cells = self.design, codes * groups
        inside = (code >= 0) & (group >= 0) & design.members
        cell = np.where(inside, group * codes + code, -1)
        own, weight = cell[inside], design.weight[inside]
        stratum = design.stratum[inside]
        return Moments(
            n=np.bincount(own, minlength=cells).reshape(groups, codes),
            total=_summed(own, weight, cells).reshape(groups, codes),
            cross=self._cross(cell, own, inside, cells),
            stratum_total=_summed(stratum * cells + own, weight, design.strata * cells).reshape(-1, cells),
            centre=design.factor / np.maximum(design.psus_in, 1),
            psus=_distinct(group[inside], design.psu[inside], groups, design.psus),
            strata=_distinct(group[inside], stratum, groups, design.strata),
            squares=self._squares(np.where(inside, group, -1), inside, groups),
        )

    def _cross(self, cell: Codes, own: Codes, inside: np.ndarray, cells: int) -> np.ndarray:
        design = self.design
        if len(self._first) > design.psus * cells:  # few large PSUs: their cell totals are the smaller thing
            t = np.bincount(design.psu[inside] * cells + own, design.weight[inside], design.psus * cells)
            t = t.reshape(design.psus, cells)
            return (t * design.factor[design.psu_stratum][:, None]).T @ t
        a, b = cell[self._first], cell[self._second]
        both = (a >= 0) & (b >= 0)
        off = _summed(a[both] * cells + b[both], self._scaled_product[both], cells * cells).reshape(cells, cells)
        cross = off + off.T
        cross[np.arange(cells), np.arange(cells)] += _summed(own, self._scaled_square[inside], cells)
        return cross

    def _squares(self, group: Codes, inside: np.ndarray, groups: int) -> np.ndarray:
        a, b = group[self._first], group[self._second]
        same = (a >= 0) & (a == b)
        pairs = _summed(a[same], self._product[same], groups)
        return _summed(group[inside], self._square[inside], groups) + 2 * pairs


def _pairs(psu: Codes) -> tuple[Codes, Codes]:
    """Return every unordered pair of respondents with the same PSU, as two arrays of row numbers."""
    order = np.argsort(psu, kind="stable")
    sizes = np.bincount(psu)
    starts = np.cumsum(sizes) - sizes
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for size in np.unique(sizes[sizes > 1]):
        begin = starts[sizes == size][:, None]
        i, j = np.triu_indices(size, 1)
        first.append(order[(begin + i).ravel()])
        second.append(order[(begin + j).ravel()])
    return np.concatenate(first), np.concatenate(second)


def _summed(position: Codes, weight: Floats, size: int) -> Floats:
    return np.bincount(position, weight, size).astype(float)


def _distinct(group: Codes, unit: Codes, groups: int, units: int) -> Codes:
    """Return how many different units each group has."""
    return np.bincount(np.unique(group * max(units, 1) + unit) // max(units, 1), minlength=groups)
