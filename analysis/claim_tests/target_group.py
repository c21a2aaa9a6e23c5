"""Whether every organisation belongs to the target group, and every class of it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analysis.claim_tests._finding import Finding, untestable, verdict
from analysis.evidence import Evidence


@dataclass(frozen=True)
class Test:
    DETAILS: ClassVar[tuple[str, ...]] = ()
    variable: str
    codes: tuple[str, ...]

    def decide(self, evidence: Evidence) -> Finding:
        everyone = np.ones(len(evidence), bool)
        inside = evidence.study.among(self.variable, self.codes).astype(float)
        respondent = evidence.share(inside, "respondent", everyone)
        organisation = evidence.share(inside, "organisation", everyone)
        if respondent.value is None:
            return untestable(respondent, organisation, respondent.hidden)
        every_class = all(evidence.study.among(self.variable, [code]).any() for code in self.codes)
        return Finding(verdict(bool(inside.all()) and every_class), respondent, organisation)
