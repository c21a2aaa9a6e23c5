"""What a claim is decided from: measures of the valid respondents of one data set, where they may be shown.

Every number is an `Estimate` of the study's design or a count; a base under the thresholds of disclosure,
or a subgroup whose remainder is, gives a Measure without a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.design import Design, Floats, Mask
from analysis.estimators import share
from analysis.study import Estimand, Study
from analysis.variance import bootstrap, percentile_interval

Unit = Literal["count", "share", "points", "scale", "number"]
Hidden = Literal["", "too_few", "complement", "no_data", "small_base"]
"""Why there is no number or no verdict. small_base: numbers are shown, but the claim is not decided on them."""

Contrast = Callable[[Floats], Floats]
"""Maps means of shape (R, k) to a contrast of them, shape (R,)."""

REPLICATES = 2000
SEED = 20150724  # the day the study was published; any fixed number would do


@dataclass(frozen=True)
class Measure:
    """One number of a claim. *value* is None where it may not be shown; *hidden* says why.

    unit: "count", "share" (0–1), "points" (difference of shares), "scale" (difference of means on 0–1), "number".
    """

    value: float | None
    unit: Unit
    low: float | None = None
    high: float | None = None
    base_n: int | None = None
    base_organisations: int | None = None
    hidden: Hidden = ""

    @property
    def shown(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, eq=False)
class Evidence:
    """The n valid respondents of *study*, and the questionnaire they saw.

    *definition* is the frozen questionnaire (the canonical JSON of the extract), None where only answers are known.
    """

    study: Study
    definition: Mapping[str, Any] | None = None

    def __len__(self) -> int:
        return len(self.study)

    def design(self, estimand: Estimand, inside: Mask) -> Design:
        """Return the plan's design of the domain *inside*, each respondent or each organisation counting alike.

        As in the tables, an organisation's respondents share its weight among all of them.
        """
        return self.study.designs[estimand].domain(inside)

    def hidden(self, inside: Mask, base: Mask | None = None) -> Hidden:
        """Return why a number of the domain *inside*, on the answers *base*, may not be shown, or "".

        Those outside are looked at as well: who knows everybody's number and all but four people's
        knows the four people's.
        """
        if not len(self):
            return "no_data"
        if self._few(inside if base is None else base):
            return "too_few"
        rest = ~inside
        return "complement" if rest.any() and self._few(rest) else ""

    def undecided(self, measure: Measure) -> Hidden:
        """Return why a claim about the modes is not decided on *measure*, or ""."""
        if measure.value is None:
            return measure.hidden
        return "small_base" if (measure.base_n or 0) < self.study.plan.rules.small_base else ""

    def count(self, number: int) -> Measure:
        """Return a count of respondents or organisations; bases are shown whatever their size."""
        return Measure(float(number), "count", base_n=len(self), base_organisations=self.study.organisations)

    def share(self, is_so: Floats, estimand: Estimand, inside: Mask) -> Measure:
        """Return the share of those *inside* with 1 among those with 0 or 1, and its 95 % interval."""
        base = inside & ~np.isnan(is_so)
        if hidden := self.hidden(inside, base):
            return self._without(base, "share", hidden)
        found = share(is_so, self.design(estimand, base))
        return Measure(found.value, "share", found.low, found.high, found.n, self._organisations(base))

    def difference(
        self, values: Floats, estimand: Estimand, inside: Mask, contrast: Contrast, unit: Unit = "points"
    ) -> Measure:
        """Return a contrast of the means of the k columns of *values*, (n, k), with its bootstrap interval.

        A column's mean is over the respondents who have a value in it. PSUs are resampled.
        """
        base = inside & ~np.isnan(values).all(axis=1)
        if hidden := self.hidden(inside, base):
            return self._without(base, unit, hidden)
        design = self.design(estimand, base)
        summed = _with_bases(values)
        drawn = bootstrap(design, _of_totals(contrast), values=summed, replicates=REPLICATES, seed=SEED)
        drawn = drawn[~np.isnan(drawn)]
        if not drawn.size:  # a column without a single value
            return self._without(base, unit, "no_data")
        low, high = percentile_interval(drawn)
        value, size = self.point(values, estimand, inside, contrast), int(base.sum())
        return Measure(value, unit, low, high, size, self._organisations(base))

    def point(self, values: Floats, estimand: Estimand, inside: Mask, contrast: Contrast) -> float:
        """Return the contrast of `difference` alone, for whoever only needs to know if its interval is worth making."""
        weight = self.design(estimand, inside & ~np.isnan(values).all(axis=1)).weight
        return float(_of_totals(contrast)((_with_bases(values) * weight[:, None]).sum(axis=0, keepdims=True))[0])

    def means(self, values: Floats, estimand: Estimand, inside: Mask) -> Floats:
        """Return the mean of each column of *values*, (k,), to tell their order."""
        weight = self.design(estimand, inside & ~np.isnan(values).all(axis=1)).weight
        totals = (_with_bases(values) * weight[:, None]).sum(axis=0)
        with np.errstate(invalid="ignore"):  # a column without a single value has no mean
            return totals[: values.shape[1]] / totals[values.shape[1] :]

    def _organisations(self, base: Mask) -> int:
        return len(np.unique(self.study.organisation[base]))

    def _few(self, base: Mask) -> bool:
        return self.study.limits.hide(int(base.sum()), self._organisations(base))

    def _without(self, base: Mask, unit: Unit, hidden: Hidden) -> Measure:
        return Measure(None, unit, base_n=int(base.sum()), base_organisations=self._organisations(base), hidden=hidden)


def _with_bases(values: Floats) -> Floats:
    """Return (n, 2k): the values with 0 where missing, and beside them whether they are there."""
    return np.concatenate([np.nan_to_num(values), ~np.isnan(values)], axis=1)


def _of_totals(contrast: Contrast) -> Callable[[Floats], Floats]:
    def statistic(totals: Floats) -> Floats:
        k = totals.shape[1] // 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return contrast(totals[:, :k] / totals[:, k:])

    return statistic
