"""One figure of a chart, taken from the estimates as it stands: a chart computes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from analysis.estimates import HIDDEN, NOT_ESTIMABLE
from analysis.wording import EN_DASH, HIDDEN_SIGN


@dataclass(frozen=True)
class Cell:
    """A share between 0 and 1 with its interval; NaN where disclosure control hides it."""

    share: float
    low: float
    high: float
    n: int
    organisations: int
    small: bool
    flag: str

    @property
    def hidden(self) -> bool:
        return self.flag in HIDDEN or not isfinite(self.share)

    @property
    def sign(self) -> str:
        """What stands in place of a share that isn't shown: it is hidden, or nobody answered."""
        return HIDDEN_SIGN if self.flag in HIDDEN else EN_DASH

    @property
    def bounded(self) -> bool:
        """Whether the line is a bound and no interval: at 0 and 100 % there is no standard error."""
        return self.flag == NOT_ESTIMABLE and self.has_interval

    @property
    def has_interval(self) -> bool:
        return isfinite(self.low) and isfinite(self.high)


def cells(rows: pd.DataFrame, keys: Iterable[str]) -> dict[tuple[str, ...], Cell]:
    """Return the rows as cells under the values of their columns *keys*."""
    names = list(keys)
    columns = ["estimate", "ci_low", "ci_high", "base_n", "base_organisations", "small_base", "flag"]
    return {
        tuple(str(key) for key in row[: len(names)]): Cell(
            float(row[-7]), float(row[-6]), float(row[-5]), int(row[-4]), int(row[-3]), bool(row[-2]), str(row[-1])
        )
        for row in rows[[*names, *columns]].itertuples(index=False, name=None)
    }
