"""Comparing modes: which leads, by how much, and how sure that is."""

from __future__ import annotations

import numpy as np

from analysis.design import Floats
from analysis.evidence import Contrast


def number_central(central: Floats) -> Floats:
    """Return how many modes are *central*, (n,); NaN where a missing one could change whether there are two."""
    sure = np.nansum(central, axis=1)
    possible = sure + np.isnan(central).sum(axis=1)
    return np.where((sure < 2) & (possible >= 2), np.nan, sure)


def lead(mode: int, *, places: int = 1) -> Contrast:
    """Return the contrast: the mode's mean less that of the *places*-th highest of the others.

    In a bootstrap replicate the others are ranked anew: taking the sample's own order
    would hide that another mode might have been the next.
    """

    def contrast(means: Floats) -> Floats:
        others = np.sort(np.delete(means, mode, axis=1), axis=1)
        return np.asarray(means[:, mode] - others[:, -places])

    return contrast


def rank(means: Floats, mode: int) -> int:
    """Return the place of a mode among the means (k,), 1 for the highest."""
    return int((means > means[mode]).sum()) + 1
