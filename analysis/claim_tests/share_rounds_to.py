"""Whether the share of respondents with some codes rounds to a published whole percentage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence
from analysis.wording import rounded_percent


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    variable: str
    codes: tuple[str, ...]
    percent: int

    def decide(self, evidence: Evidence) -> Finding:
        everyone = np.ones(len(evidence), bool)
        is_so = evidence.study.among(self.variable, self.codes).astype(float)
        respondent = evidence.share(is_so, "respondent", everyone)
        organisation = evidence.share(is_so, "organisation", everyone)
        if respondent.value is None:
            return untestable(respondent, organisation, respondent.hidden)
        low, high = respondent.low, respondent.high
        inside = low is not None and high is not None and low <= self.percent / 100 <= high
        return Finding(verdict(rounded_percent(respondent.value) == self.percent, inside), respondent, organisation)
