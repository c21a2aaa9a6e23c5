"""Who shares a PSU with whom: what the covariance of cell totals needs besides the sums of single respondents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.design import Codes, Design, Floats

LARGE = 16
"""Respondents from which on a PSU's own cell totals are cheaper to keep than its pairs of respondents."""

ROOM = 2_000_000
"""Numbers held at a time where PSUs or strata × cells are multiplied out: 16 MB."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The respondents of the domain who share a PSU: as pairs, and in large PSUs as a list.

    first, second  (P,) every unordered pair; of a PSU's members i, j, k: ij, ik, jk, so that all members but
                   the first are the second of some pair, whichever members are left out
    product        (P,) product of the two weights
    scaled         (P,) that, times the factor of the PSU's stratum (Level.factor)
    rows, unit     (L,) respondents of large PSUs, and their PSU's number among the large ones, ascending
    factor         (number of large PSUs,) the factor of its stratum
    """

    first: Codes
    second: Codes
    product: Floats
    scaled: Floats
    rows: Codes
    unit: Codes
    factor: Floats

    @classmethod
    def of(cls, design: Design) -> Neighbours:
        sizes = np.bincount(design.psu[design.members], minlength=design.psus)
        first, second = _pairs(_together(design, (sizes > 1) & (sizes <= LARGE)), sizes)
        product, by_stratum = design.weight[first] * design.weight[second], design.first.factor
        rows, psu = _together(design, sizes > LARGE)
        large, unit = compact(psu, design.psus)
        scaled = product * by_stratum[design.stratum[first]]
        return cls(first, second, product, scaled, rows, unit, by_stratum[design.psu_stratum[large]])


def _together(design: Design, wanted: np.ndarray) -> tuple[Codes, Codes]:
    """Return the respondents of the domain in the PSUs *wanted* (G,), those of a PSU together, and their PSUs."""
    rows = np.flatnonzero(wanted[design.psu] & design.members)
    psu = design.psu[rows]
    order = np.argsort(psu)
    return rows[order], psu[order]


def _pairs(together: tuple[Codes, Codes], sizes: Codes) -> tuple[Codes, Codes]:
    rows, psu = together
    starts = np.flatnonzero(np.diff(psu, prepend=-1))
    size = sizes[psu[starts]]
    first, second = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for members in np.unique(size):
        begin = starts[size == members][:, None]
        i, j = np.triu_indices(members, 1)
        first.append(rows[(begin + i).ravel()])
        second.append(rows[(begin + j).ravel()])
    return np.concatenate(first), np.concatenate(second)


def compact(key: Codes, size: int) -> tuple[Codes, Codes]:
    """Return the distinct keys, ascending, and for every element of *key* (0 … size-1) which of them it is.

    np.unique(return_inverse=True) without its sort, where the keys are few enough to count.
    """
    if size > 4 * len(key) + 1024:
        found, of = np.unique(key, return_inverse=True)
        return found.astype(np.int64), of.astype(np.int64)
    present = np.zeros(size, bool)
    present[key] = True
    found = np.flatnonzero(present)
    rank = np.zeros(size, np.int64)
    rank[found] = np.arange(len(found))
    return found, rank[key]
