"""Whether more than a given share of organisations has someone who chose two modes or more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._finding import Detail, Finding, untestable, verdict
from analysis.design import Floats, Mask
from analysis.evidence import Evidence, Measure


@dataclass(frozen=True)
class Test:
    """The claim is about organisations, so the figure per organisation decides."""

    DETAILS: ClassVar[tuple[str, ...]] = ("majority",)
    score: str
    more_than: float

    def decide(self, evidence: Evidence) -> Finding:
        several = self._several(evidence)
        respondent = evidence.share(several, "respondent", evidence.study.strict)
        organisation = self._organisations(evidence, several)
        if why := evidence.undecided(organisation):
            return untestable(respondent, organisation, why)
        majority = self._shared(evidence, several, lambda share: share > 0.5)
        holds = None if majority.value is None else majority.value > self.more_than
        return Finding(
            verdict((organisation.low or 0) > self.more_than, (organisation.value or 0) > self.more_than),
            respondent,
            organisation,
            {"majority": Detail(organisation=majority, holds=holds)},
        )

    def reproduced(self, evidence: Evidence) -> bool:
        return (self._organisations(evidence, self._several(evidence)).low or 0) > self.more_than

    def _several(self, evidence: Evidence) -> Floats:
        chosen = evidence.study.chosen(evidence.study.plan.score(self.score))
        return np.where(np.isnan(chosen).any(axis=1), np.nan, chosen.sum(axis=1) >= 2)

    def _organisations(self, evidence: Evidence, several: Floats) -> Measure:
        return self._shared(evidence, several, lambda share: share > 0)

    def _shared(self, evidence: Evidence, several: Floats, is_so: Callable[[Floats], Mask]) -> Measure:
        """Return the share of organisations of whose respondents the share with several chosen fulfils *is_so*."""
        study = evidence.study
        known = study.strict & ~np.isnan(several)
        weight = evidence.design("respondent", known).weight
        size = np.bincount(study.organisation, weight, study.organisations)
        with np.errstate(invalid="ignore"):
            share = np.bincount(study.organisation, weight * np.nan_to_num(several), study.organisations) / size
        of_organisation = np.where(known, is_so(share)[study.organisation], np.nan)
        return evidence.share(of_organisation, "organisation", study.strict)
