"""A study weighted to the figures of the population that its plan names, and what that did.

The figures count organisations, so organisations are weighted, not persons: the design per organisation is raked
part by part, and every respondent gets the factor of their organisation's class. Whoever belongs to no part
keeps the weight. A class that a handful of respondents stand for is not weighted to: then there are no weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.design import Codes, Design, Floats, Mask
from analysis.estimators import ratio
from analysis.multiple_response import CrossTotals, cross_totals
from analysis.plan import PopulationMargin, WeightedPart
from analysis.replicates import Replicates, delete_one_psu
from analysis.variance import covariance
from analysis.weighting import Margin, MarginError, NotConverged, Weighted, kish, poststratify, rake, together

if TYPE_CHECKING:
    from analysis.study import Study

NONE, POPULATION = "none", "population"
"""How an estimate is weighted: as its estimand says and no further, or to the population as well."""

TOO_FEW, NOT_MET = "too_few", "not_met"
"""Why a study is not weighted: a class has too few respondents; or no weights meet the margins of a part."""

LARGEST = 25_000_000
"""Weights of all replicates together up to which every estimate gets the jackknife; beyond, weights count as fixed."""

JACKKNIFE, FIXED = "jackknife", "fixed"


@dataclass(frozen=True)
class Lacking:
    """What stands in the way of weights: the *why*, the part, and of too small a class its margin and code."""

    why: str
    part: str
    variable: str = ""
    code: str = ""


@dataclass(frozen=True, eq=False)
class ReplicatedTable:
    """The weighted totals of a table of B groups × K codes in each of R replicates.

    total  (B, K, R)
    scale  (R,) what squared deviations are multiplied by
    """

    total: Floats
    scale: Floats

    def variances(self, values: Floats) -> Floats:
        """Return the variance of the mean of *values*, (S, K), in every group, (B, S); R: svyby of a svrepdesign.

        The same numbers as replicates.jackknife(), for a whole table in one go; NaN where a replicate leaves
        nobody in the group.
        """
        base = self.total.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            made = np.einsum("sk,bkr->bsr", values, self.total) / np.where(base > 0, base, np.nan)[:, None, :]
        deviation = made - made.mean(axis=2, keepdims=True)
        return np.asarray((deviation**2) @ self.scale)

    def covariance(self, size: float) -> Floats:
        """Return the covariance of the cells' totals, (C, C), group by group, of a base of *size*."""
        cells = self.total.reshape(-1, len(self.scale))
        return _of_shares(cells, cells.sum(axis=0), self.scale) * size**2


def _of_shares(cells: Floats, base: Floats, scale: Floats) -> Floats:
    """Return the covariance of the cells' shares of their base by the jackknife; cells (C, R), base and scale (R,).

    Of shares and not of totals, so that what follows from shares has the errors of R's svychisq() of a svrepdesign.
    """
    made = np.divide(cells, base, out=np.zeros_like(cells), where=base > 0)
    deviation = (made - made.mean(axis=1, keepdims=True)) * np.sqrt(scale)
    return np.asarray(deviation @ deviation.T)


@dataclass(frozen=True, eq=False)
class PopulationWeights:
    """The weights of a study's n respondents.

    weighted  the design per organisation, weighted: its margins count organisations
    members   (n,) valid respondents of the respondent's organisation
    """

    weighted: Weighted
    members: Codes

    def of(self, estimand: str) -> Floats:
        """Return the weights of an estimand, (n,): the factor of the class, per organisation divided by members."""
        return self.weighted.weight * self._times(estimand)

    def design(self, estimand: str) -> Design:
        """Return the design of an estimand with its weights, as every estimator takes it: with linearised errors."""
        return replace(self.weighted.design, weight=self.of(estimand))

    def fixed(self, estimand: str) -> Design:
        """Return the same design with its weights taken as fixed: for bases, totals and the quickest sums."""
        return replace(self.design(estimand), calibration=None)

    @property
    def errors(self) -> str:
        """Whose errors the estimates have: JACKKNIFE, or FIXED where the sample is too large for that."""
        return JACKKNIFE if int(self.weighted.base.psus_in.sum()) * len(self.members) <= LARGEST else FIXED

    @cached_property
    def replicates(self) -> Replicates:
        """The replicates per organisation, each leaving out one organisation and weighted anew."""
        return delete_one_psu(self.weighted.base, reweight=self.weighted.reweight)

    def replicated(
        self, estimand: str, *, code: Codes, codes: int, group: Codes, groups: int
    ) -> ReplicatedTable | None:
        """Return a cross-tab in every replicate; None if weights count as fixed.

        code, group  (n,) positions, -1 none
        """
        if self.errors == FIXED:
            return None
        from scipy.sparse import csc_array

        n, cells = len(self.members), groups * codes
        cell = np.where((code >= 0) & (group >= 0), group * codes + code, cells)
        chosen = csc_array((np.ones(n), cell, np.arange(n + 1)), shape=(cells + 1, n))
        total = np.asarray(chosen @ self._columns[estimand])[:cells]
        return ReplicatedTable(total.reshape(groups, codes, -1), self.replicates.scale)

    def cross_totals(self, estimand: str, left: Floats, right: Floats, base: Design) -> CrossTotals:
        """Return what multiple_response.cross_totals() returns, its covariance by the jackknife where that is made."""
        if self.errors == FIXED:
            return cross_totals(left, right, base)
        inside = base.members
        cells = (left[inside, :, None] * right[inside, None, :]).reshape(int(inside.sum()), -1)
        columns = self._columns[estimand][inside]
        spread = _of_shares(cells.T @ columns, columns.sum(axis=0), self.replicates.scale)
        total = (cells.T @ base.weight[inside]).reshape(left.shape[1], right.shape[1])
        return CrossTotals(int(inside.sum()), base.degrees(), total, spread * float(base.weight.sum()) ** 2)

    def linearised(self, is_so: Floats) -> dict[str, float]:
        """Return the weighted share per respondent of whom *is_so* (1, 0, NaN), with the two other errors."""
        fixed = replace(self.weighted.design, calibration=None)
        found = ratio(is_so * self.members, np.where(np.isnan(is_so), np.nan, self.members), self.weighted.design)
        return {
            "weighted": found.value,
            "linearised": found.se,
            "fixed": float(np.sqrt(covariance(found.influence, fixed)[0, 0])),
        }

    def _times(self, estimand: str) -> Codes:
        return self.members if estimand == "respondent" else np.ones_like(self.members)

    @cached_property
    def _columns(self) -> Mapping[str, Floats]:
        """Of each estimand (n, R) the weights of the replicates, a row a respondent."""
        own = np.ascontiguousarray(self.replicates.weights.T)
        return {"organisation": own, "respondent": own * self.members[:, None]}


def weigh(study: Study) -> PopulationWeights | tuple[Lacking, ...]:
    """Return the study's weights, or why it has none (nothing, where its plan names no figures)."""
    parts = study.plan.weighting
    if lacking := tuple(found for part in parts for found in _too_few(study, part)):
        return lacking
    if not parts:
        return ()
    base, weighted = study.designs["organisation"], []
    for part in parts:
        domain, margins = base.domain(members(study, part)), [_margin(study, one) for one in part.margins]
        try:
            weighted.append((poststratify if part.method == "poststratify" else rake).weights(domain, margins))
            made = PopulationWeights(together(base, weighted), study.members)
            if made.errors == JACKKNIFE:
                _ = made.replicates
        except (MarginError, NotConverged):
            return (Lacking(NOT_MET, part.name),)
    return made


def members(study: Study, part: WeightedPart) -> Mask:
    """Return who belongs to a part, shape (n,)."""
    return np.all([study.among(name, codes) for name, codes in part.among.items()], axis=0)


def account(study: Study, weights: PopulationWeights | Sequence[Lacking]) -> dict[str, Any]:
    """Return what a report tells of the weights, as JSON can hold it; empty where the plan names no figures.

    The shares of a class in the sample are those of its organisations; like every base they are no secret.
    """
    if not isinstance(weights, PopulationWeights):
        return {"lacking": [vars(one) for one in weights]} if weights else {}
    of_respondents = kish(weights.of("respondent"))
    return {
        "lacking": [],
        "errors": weights.errors,
        "n": of_respondents.n,
        "deff": of_respondents.deff,
        "effective": of_respondents.effective,
        "smallest": float(weights.of("respondent").min()),
        "largest": float(weights.of("respondent").max()),
        "margins": [
            {"part": part.name, "variable": margin.variable, "classes": _classes(study, weights, part, margin)}
            for part in study.plan.weighting
            for margin in part.margins
        ],
    }


def _too_few(study: Study, part: WeightedPart) -> Iterator[Lacking]:
    inside = members(study, part)
    for margin in part.margins:
        for code in margin.totals:
            there = inside & study.among(margin.variable, [code])
            organisations = len(np.unique(study.organisation[there]))
            if study.limits.hide(int(there.sum()), organisations):
                yield Lacking(TOO_FEW, part.name, margin.variable, code)


def _margin(study: Study, margin: PopulationMargin) -> Margin:
    """Return a margin as shares: each part keeps its weight beside the others."""
    codes = [category.code for category in study.codebook[margin.variable].categories]
    total = sum(margin.totals.values())
    shares = {codes.index(code): number / total for code, number in margin.totals.items()}
    return Margin.of_shares(margin.variable, study.codes(margin.variable), shares)


def _classes(
    study: Study, weights: PopulationWeights, part: WeightedPart, margin: PopulationMargin
) -> list[dict[str, Any]]:
    inside, total = members(study, part), sum(margin.totals.values())
    before, after = weights.weighted.base.weight, weights.weighted.weight
    rows: list[dict[str, Any]] = []
    for code, number in margin.totals.items():
        there = inside & study.among(margin.variable, [code])
        rows.append(
            {
                **{"code": code, "total": number, "n": int(there.sum()), "population": number / total},
                "sample": float(before[there].sum() / before[inside].sum()),
                "weighted": float(after[there].sum() / after[inside].sum()),
                "factor": float(after[there][0] / before[there][0]) if len(part.margins) == 1 else None,
            }
        )
    return rows
