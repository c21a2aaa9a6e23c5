"""Blocks of estimates, and the rows they become: one stub by one banner, from Moments, whoever made them.

A block holds its Moments, disclosure control's verdict on each group and what its groups may be compared by; no
respondent is in it. So the rows are the same numbers whether the sums were made in memory or in a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis import comparisons, disclosure
from analysis.design import Codes, Floats
from analysis.estimates import COMPLEMENTARY, NOT_ESTIMABLE, SHOWN, SMALL_BASE, SUPPRESSED
from analysis.intervals import bounded_interval, korn_graubard
from analysis.moments import Moments
from analysis.stubs import CENTRAL, SELECTED, SHARE, Stub

SHARES = (SHARE, SELECTED, CENTRAL)
"""Statistics between 0 and 1, which have a bound where they have no interval."""


@dataclass(frozen=True)
class Banner:
    """The groups of one banner variable, in the whole study or in its strict population."""

    variable: str
    strict: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """The estimates of one stub × banner × estimand × weighting: B groups, S statistics of the stub's K codes.

    codes          (B,) the banner's codes, in its order
    moments        of the cross-tab, B groups × K codes
    organisations  (B,) organisations in the base of each group
    verdict        (B,) disclosure control's: disclosure.SHOWN, SUPPRESSED or COMPLEMENTARY
    compared       moments of the groups that are shown, a hidden one being empty: what letters and tests are made
                   of; None where there is nothing to compare, as in a total
    replicated     (B, S) variances from replicates; None: the design's own, from the moments
    """

    stub: Stub
    banner: Banner
    codes: tuple[str, ...]
    estimand: str
    weighting: str
    moments: Moments
    organisations: Codes
    verdict: Codes
    compared: Moments | None = None
    replicated: Floats | None = None

    @cached_property
    def values(self) -> Floats:
        """(S, K) what each code counts for in each statistic."""
        return np.array([statistic.values for statistic in self.stub.statistics])

    @property
    def estimate(self) -> Floats:
        """(B, S)"""
        return self._averages[0]

    @property
    def variance(self) -> Floats:
        """(B, S)"""
        return self._averages[1] if self.replicated is None else self.replicated

    @cached_property
    def _averages(self) -> tuple[Floats, Floats]:
        return self.moments.averages(self.values)

    def letters(self, small_base: int) -> list[str]:
        """Return the letters of every group and statistic, in the order of the estimates; "" where none."""
        if self.compared is None:
            return [""] * (len(self.codes) * len(self.values))
        found = comparisons.lettered(self.compared, self.values, small_base=small_base)
        return [letters for of_group in found for letters in of_group]


def rows(blocks: Sequence[Block], *, small_base: int) -> pd.DataFrame:
    """Return the blocks as rows of estimates, one per group and statistic of a block, in their order.

    With standard errors, intervals, design effects, letters and flags, and nothing but its bases in a hidden row.
    Columns are those of Estimates but for `table`, and *stub* and *strict*, by which tables choose their rows.
    Intervals are computed for all rows in one go: that is most of the speed.
    """
    columns = _columns(blocks, small_base)
    estimate, variance, df = columns["estimate"], columns.pop("variance"), columns["df"].astype(float)
    simple, effective, verdict = columns.pop("simple"), columns.pop("effective"), columns.pop("verdict")
    ends = columns.pop("lowest"), columns.pop("highest")
    is_share = np.isin(columns["statistic"], SHARES)
    hidden = verdict != disclosure.SHOWN
    # A constant leaves rounding noise in the variance of sums; its spread in the base is zero.
    constant = ~(simple * np.maximum(columns["base_n"] - 1, 1) > 1e-12 * np.maximum(estimate**2, 1e-12))
    unsure = ((df <= 0) | constant | ~(variance > 0)) & ~hidden
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(unsure, np.nan, np.sqrt(variance))
        low, high = bounded_interval(estimate, se, df, ends)
        bounded = is_share & unsure
        clean = np.where(constant, np.round(estimate), estimate)
        low[bounded], high[bounded] = korn_graubard(clean[bounded], effective[bounded])
        deff = np.where(unsure, np.nan, variance / simple)
    small = columns["base_n"] < small_base
    flag = np.where(small, SMALL_BASE, SHOWN).astype(object)
    flag[unsure] = NOT_ESTIMABLE
    flag[verdict == disclosure.SUPPRESSED] = SUPPRESSED
    flag[verdict == disclosure.COMPLEMENTARY] = COMPLEMENTARY
    columns |= {"estimate": np.where(unsure & is_share, clean, estimate), "se": se, "ci_low": low, "ci_high": high}
    columns |= {"df": np.maximum(df, 0), "deff": deff, "small_base": small, "flag": flag}
    columns["letters"] = np.where(hidden, "", columns["letters"])
    for name in ("estimate", "se", "ci_low", "ci_high", "df", "deff", "base_weighted"):
        columns[name] = np.where(hidden, np.nan, columns[name].astype(float))
    return pd.DataFrame(columns)


def _columns(blocks: Sequence[Block], small_base: int) -> dict[str, np.ndarray]:
    """Return the blocks as columns, one row per group and statistic of a block."""
    shapes = np.array([block.estimate.shape for block in blocks]).reshape(-1, 2)
    size = shapes.prod(axis=1)
    block = np.repeat(np.arange(len(blocks)), size)
    place = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    group, statistic = np.divmod(place, shapes[block, 1])
    group += (np.cumsum(shapes[:, 0]) - shapes[:, 0])[block]
    statistic += (np.cumsum(shapes[:, 1]) - shapes[:, 1])[block]
    statistics = [one for each in blocks for one in each.stub.statistics]

    def by_block(values: list[object]) -> np.ndarray:
        return np.array(values, object)[block]

    def by_group(arrays: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)[group]

    return {
        "variable": np.array([one.variable for one in statistics], object)[statistic],
        "code": np.array([one.code for one in statistics], object)[statistic],
        "statistic": np.array([one.name for one in statistics], object)[statistic],
        "lowest": np.array([one.ends[0] for one in statistics])[statistic],
        "highest": np.array([one.ends[1] for one in statistics])[statistic],
        "stub": by_block([each.stub.variable for each in blocks]),
        "estimand": by_block([each.estimand for each in blocks]),
        "weighting": by_block([each.weighting for each in blocks]),
        "banner": by_block([each.banner.variable for each in blocks]),
        "strict": by_block([each.banner.strict for each in blocks]).astype(bool),
        "banner_code": np.array([code for each in blocks for code in each.codes], object)[group],
        "estimate": np.concatenate([each.estimate.ravel() for each in blocks]),
        "variance": np.concatenate([each.variance.ravel() for each in blocks]),
        "simple": np.concatenate([each.moments.simple_variance(each.values).ravel() for each in blocks]),
        "df": by_group([each.moments.df for each in blocks]),
        "effective": by_group([each.moments.effective for each in blocks]),
        "base_n": by_group([each.moments.base_n for each in blocks]),
        "base_weighted": by_group([each.moments.base_weighted for each in blocks]),
        "base_organisations": by_group([each.organisations for each in blocks]),
        "verdict": by_group([each.verdict for each in blocks]),
        "letters": np.array([one for each in blocks for one in each.letters(small_base)], object),
    }
