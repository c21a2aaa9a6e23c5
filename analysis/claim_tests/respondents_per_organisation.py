"""The mean number of respondents per organisation, and how many organisations have several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._finding import Detail, Finding, untestable, verdict
from analysis.evidence import Evidence, Measure


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ("several",)
    low: float
    high: float
    several: tuple[int, int]

    def decide(self, evidence: Evidence) -> Finding:
        if hidden := evidence.hidden(np.ones(len(evidence), bool)):
            return untestable(why=hidden)
        organisations = evidence.study.organisations
        mean = len(evidence) / organisations
        several = int((np.bincount(evidence.study.organisation) >= 2).sum())
        between = self.several[0] <= several <= self.several[1]
        return Finding(
            verdict(self.low <= mean <= self.high and between),
            organisation=Measure(mean, "number", base_n=len(evidence), base_organisations=organisations),
            details={"several": Detail(organisation=evidence.count(several), holds=between)},
        )
